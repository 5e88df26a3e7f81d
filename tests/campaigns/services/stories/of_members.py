"""Customers, memberships, the units that they earn and lose, and reviews for fraud."""

from django.utils import timezone

from loyalty.models import Membership, Subscription
from loyalty.services.activity_decisions import approve_activity, reject_activity, reverse_activity
from loyalty.services.expiry import write_down_expired
from loyalty.services.goals import close_goal
from loyalty.services.leaving import leave_program
from loyalty.services.lots import reinstate_units, settle_debt
from loyalty.services.plan_refunds import cancel_now
from loyalty.services.redemptions import redeem_units, reverse_redemption
from loyalty.services.risk_cases import hold_case, release_case
from loyalty.services.risk_claw_backs import claw_back
from loyalty.services.subscriptions import cancel_at_period_end
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.services.audit import SYSTEM
from members.services.customers import create_customer, erase_customer_details, update_customer
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    make_type,
    make_wallet,
    order,
    record,
    refund,
    tell,
    told,
    wallet_of,
)
from tests.loyalty.ladders import tiered
from tests.loyalty.planning import join as subscribe
from tests.loyalty.planning import make_club, pass_time, pay, plan
from tests.loyalty.planning import member as plan_member
from tests.loyalty.risks import bonus_club, open_case
from tests.loyalty.services import merging, pooling, test_gifts, test_goals

HOW = {"source": "api", "actor": SYSTEM, "now": NOW}
STAFF = {"source": "backoffice", "actor": SYSTEM, "note": "Asked for it", "now": NOW}


def people() -> None:
    ann = create_customer(actor=SYSTEM, external_id="c1", email="ann@example.com")
    update_customer(customer=ann, actor=SYSTEM, changes={"tags": ["vip"]})
    program = make_program()
    for number in ("c1", "c2"):
        adjust(make_wallet(program, number), 50, f"start-{number}")
    merging.part(merging.merge())
    [found] = Membership.objects.filter(customer=ann)
    for act in (suspend_membership, suspend_membership, resume_membership, resume_membership):
        act(membership=found, reason="Asked for", actor=SYSTEM, now=NOW)
    leave_program(membership=found, actor=SYSTEM, now=NOW)
    leave_program(membership=found, actor=SYSTEM, now=NOW)
    erase_customer_details(customer=ann, actor=SYSTEM)
    erase_customer_details(customer=ann, actor=SYSTEM)


def movements() -> None:
    program = test_gifts.generous(unit={"expiry": {"kind": "days", "length": 10}})
    giver, receiver = test_gifts.olivia(program), test_gifts.maya(program)
    test_gifts.give(giver, receiver, 10)
    test_gifts.donate(giver, 10)
    spent, _replayed = redeem_units(wallet=giver, units=20, key="spent", **HOW)
    reverse_redemption(transfer=spent, key="back", **HOW)
    adjust(giver, -60, "gone")
    give_back(refund("R1", "100", of="O1"))
    settle_debt(wallet=wallet_of(giver.account_id), way="write_off", key="k", **STAFF)
    record(order("O2", "40", buyer="maya"))
    write_down_expired(day(30))
    expired = wallet_of(receiver.account_id).transfers.filter(kind="expiry").latest("pk")
    reinstate_units(transfer=expired, units=5, until=day(60), key="r", **STAFF | {"now": day(30)})
    record(order("O1", "120", buyer="olivia", status="paid"), now=day(31))


def debts() -> None:
    wallet = make_wallet(make_program(debt_policy="refuse_redemption_only"))
    record(order("A1", "50"))
    adjust(wallet, -50, "spent")
    give_back(refund("R1", "50", of="A1"))
    record(order("A2", "60", at=day(1)))
    settle_debt(wallet=wallet, way="repay", key="k", **STAFF | {"now": day(2)})


def shared() -> None:
    program = make_program()
    ann = pooling.join(program, "ann")
    record(order("P1", "100", buyer="ann"))
    pool = pooling.found_pool(ann)
    pooling.put_in("ann", 40)
    assert pooling.in_pool(pool)[0] == 40


def tiers() -> None:
    tiered()
    record(order("T1", "600"), now=NOW)


def activities() -> None:
    make_program(earning_rules=[{}])
    make_type("review", approval=True)
    make_wallet(make_program("second"), "c1")
    found = [result.activity for result in tell(told("V1"), told("V2"))]
    approve_activity(activity=found[0], **HOW)
    reject_activity(activity=found[1], actor=SYSTEM, note="Spam", now=NOW)
    found[0].refresh_from_db()
    reverse_activity(activity=found[0], note="Fake", **HOW)


def plans() -> None:
    held = subscribe(plan_member(make_club(plan(pay_days=14, grace_days=10))))
    pay(held, day(1))
    pass_time(day(52))
    held.refresh_from_db()
    assert held.state == "past_due"
    pay(held, day(52), all_of_it=True)
    held.refresh_from_db()
    cancel_at_period_end(subscription=held, actor=SYSTEM, now=day(53))
    cancel_now(subscription=held, refund="none", actor=SYSTEM, source="job", now=day(54))
    assert Subscription.objects.get(pk=held.pk).state == "canceled"


def goals() -> None:
    program = make_program()
    first = test_goals.aim(program)
    test_goals.join(program, 10, at=day(1))
    close_goal(goal=first, state="reached", actor=SYSTEM, now=day(2))
    second = test_goals.aim(program, "50", since=2, at=day(2))
    close_goal(goal=second, state="missed", actor=SYSTEM, now=day(80))
    third = test_goals.aim(program, "50", since=80, by=120, at=day(80))
    close_goal(goal=third, state="given_up", actor=SYSTEM, now=day(81), note="Why not")


def reviews() -> None:
    """Of two who look as if they had joined twice, one has a twin and the other has not."""
    club = bonus_club()
    decided = {"note": "Looked at", "actor": SYSTEM, "now": timezone.now()}
    twin = open_case(club, "f")
    hold_case(case=twin, **decided)
    release_case(case=twin, **decided)
    claw_back(case=open_case(club, "g"), facts=None, resume=False, **decided)
