"""Processes that die while a card is charged: what was taken is known, and taken once."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType

import pytest
from django.db import transaction

from loyalty.models import Plan, PlanCharge, Subscription
from loyalty.payments.base import Collected, Notice
from loyalty.selectors.subscriptions import running_of
from loyalty.services import plan_changes, subscriptions
from loyalty.services.plan_changes import change_as_offered
from loyalty.services.plan_payments import take_notice
from loyalty.services.plan_refunds import cancel_now, refund_charge
from loyalty.services.plan_renewals import advance, renew_plans
from loyalty.services.subscriptions import cancel_at_period_end, permit_collecting, subscribe
from members.errors import ConflictError
from members.models import AuditEntry, CustomerMerge
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from members.services.transactions import run_committed
from tests.loyalty.factories import day
from tests.loyalty.payments.banks import Bank, Killed, open_bank, paid_by_card
from tests.loyalty.planning import charges, join, make_club, member, money, plan
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]


def make_plus() -> tuple[Subscription, dict[str, Decimal]]:
    """And what the bank has taken for it."""
    with open_bank() as bank:
        club = make_club(
            plan(price="9", credits={"units": 50}),
            plan("pro", price="30", upgrade="at_once", credits={"units": 100}),
            plan("max", price="60", upgrade="at_once"),
        )
        return paid_by_card(club), dict(bank.taken)


_made_once, world = of_each_test(make_plus)


@pytest.fixture
def plus(world: tuple[Subscription, dict[str, Decimal]], bank: Bank) -> Subscription:
    found, taken = world
    bank.taken.update(taken)
    return found


def upgrade(held: Subscription, to: str = "pro", at: dt.datetime | None = None) -> Subscription:
    wanted = Plan.objects.get(code=to)
    return change_as_offered(subscription=held, plan=wanted, actor=SYSTEM, now=at or day(10))


def killed_in_between(bank: Bank, plus: Subscription) -> PlanCharge:
    bank.kills = True
    with pytest.raises(Killed):
        upgrade(plus)
    bank.kills = False
    assert sorted(bank.taken.values()) == [9, money("24.19")]
    return PlanCharge.objects.get(amount=money("24.19"))


def test_a_charge_is_known_before_its_money_is_asked_for(bank: Bank, plus: Subscription) -> None:
    charge = killed_in_between(bank, plus)
    assert (charge.state, charge.subscription.takes_over) == ("open", True)
    plus.refresh_from_db()
    assert plus.running
    assert running_of(plus.membership) == plus


def test_the_work_finishes_what_was_killed_and_takes_the_money_once(
    bank: Bank, plus: Subscription
) -> None:
    killed_in_between(bank, plus)
    renew_plans(day(10) + dt.timedelta(minutes=5))
    plus.refresh_from_db()
    pro = running_of(plus.membership)
    assert pro is not None
    assert (pro.plan.code, pro.state, pro.benefits_from) == ("pro", "active", day(10))
    assert (plus.ended_why, plus.ended_at) == ("changed", day(10))
    assert charges(pro) == [("paid", "24.19")]
    assert sorted(bank.taken.values()) == [9, money("24.19")]
    renew_plans(day(11))
    assert Subscription.objects.count() == 2


def test_asking_again_finishes_it_as_well(bank: Bank, plus: Subscription) -> None:
    killed_in_between(bank, plus)
    pro = upgrade(plus, at=day(11))
    assert (pro.state, pro.benefits_from, charges(pro)) == ("active", day(10), [("paid", "24.19")])
    assert sorted(bank.taken.values()) == [9, money("24.19")]


def test_a_notice_of_the_payment_finishes_it_as_well(bank: Bank, plus: Subscription) -> None:
    charge = killed_in_between(bank, plus)
    told = Notice(
        "e1", "paid", day(10), charge=str(charge.public_id), collected=Collected("paid", "r")
    )
    assert take_notice(provider="bank", notice=told, now=day(11))
    running = running_of(plus.membership)
    assert running is not None
    assert (running.plan.code, running.state) == ("pro", "active")
    assert charges(running) == [("paid", "24.19")]


def test_while_nobody_knows_of_the_money_nothing_else_is_done(
    bank: Bank, plus: Subscription
) -> None:
    killed_in_between(bank, plus)
    follower = Subscription.objects.get(follows=plus)
    first = plus.charges.get()
    for write in (
        lambda: upgrade(plus, "max"),
        lambda: cancel_at_period_end(subscription=plus, actor=SYSTEM, now=day(10)),
        lambda: cancel_at_period_end(subscription=follower, actor=SYSTEM, now=day(10)),
        lambda: cancel_now(
            subscription=plus, refund="whole", actor=SYSTEM, source="backoffice", now=day(10)
        ),
        lambda: refund_charge(
            charge=first, how="whole", actor=SYSTEM, source="backoffice", now=day(10)
        ),
    ):
        with pytest.raises(ConflictError) as error:
            write()
        assert error.value.code == "change_unsettled"


def test_a_refusal_that_the_work_learns_of_leaves_the_plan_as_it_was(
    bank: Bank, plus: Subscription
) -> None:
    killed_in_between(bank, plus)
    bank.refuses = True
    renew_plans(day(10) + dt.timedelta(minutes=5))
    plus.refresh_from_db()
    assert (plus.state, plus.charges.get().carried) == ("active", 0)
    assert Subscription.objects.get() == plus
    said = AuditEntry.objects.get(action="plan.change_refused")
    assert said.after == {"plan": "Plus", "to": "Pro", "failure": "card_declined"}
    bank.refuses = False
    assert upgrade(plus, at=day(12)).plan.code == "pro"


def test_a_period_that_ended_meanwhile_renews_as_the_other_plan(
    bank: Bank, plus: Subscription
) -> None:
    killed_in_between(bank, plus)
    renew_plans(day(50))
    renew_plans(day(50))
    running = running_of(plus.membership)
    assert running is not None
    assert (running.plan.code, charges(running)) == ("pro", [("paid", "24.19"), ("paid", "30.00")])
    assert sorted(bank.taken.values()) == [9, money("24.19"), 30]


def test_without_an_answer_the_change_stands_and_is_asked_for_again(
    bank: Bank, plus: Subscription
) -> None:
    bank.is_silent = True
    pro = upgrade(plus)
    assert (pro.state, charges(pro)) == ("past_due", [("open", "24.19")])
    assert pro.in_force(day(10))
    bank.is_silent = False
    renew_plans(day(10) + dt.timedelta(hours=2))
    assert charges(pro) == [("paid", "24.19")]
    assert sorted(bank.taken.values()) == [9, money("24.19")]


def test_who_is_killed_while_a_known_card_is_charged_has_the_plan_all_the_same(
    bank: Bank, plus: Subscription
) -> None:
    cancel_now(subscription=plus, refund="none", actor=SYSTEM, source="backoffice", now=day(1))
    bank.kills = True
    with pytest.raises(Killed):
        join(plus.membership, "max", at=day(2), provider="bank")
    bank.kills = False
    assert charges(Subscription.objects.get(plan__code="max")) == [("open", "60.00")]
    renew_plans(day(2) + dt.timedelta(minutes=5))
    running = running_of(plus.membership)
    assert running is not None
    assert (running.plan.code, running.state) == ("max", "active")
    assert sorted(bank.taken.values()) == [9, 60]


def test_no_card_is_charged_within_another_transaction(bank: Bank, plus: Subscription) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        upgrade(plus)
    cancel_now(subscription=plus, refund="none", actor=SYSTEM, source="backoffice", now=day(1))
    with pytest.raises(RuntimeError), transaction.atomic():
        subscribe(
            membership=plus.membership, plan=Plan.objects.get(code="max"), source="api",
            actor=SYSTEM, now=day(2), provider="bank",
        )  # fmt: skip
    assert list(bank.taken.values()) == [9]


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, happens: Callable[[Subscription], object]
) -> None:
    """Somebody else is quicker between what is committed and what is asked for."""

    def run(write: Callable[[], Subscription]) -> Subscription:
        found = run_committed(write)
        happens(found)
        return found

    monkeypatch.setattr(module, "run_committed", run)


def test_a_refusal_that_somebody_else_learned_of_first_is_said_as_well(
    bank: Bank, plus: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.refuses = True
    meanwhile(monkeypatch, plan_changes, lambda _found: renew_plans(day(10)))
    with pytest.raises(ConflictError) as error:
        upgrade(plus)
    assert error.value.code == "payment_refused"
    assert Subscription.objects.get() == plus


def test_the_work_passes_over_a_change_that_was_refused_meanwhile(
    bank: Bank, plus: Subscription
) -> None:
    killed_in_between(bank, plus)
    follower = Subscription.objects.get(follows=plus)
    bank.refuses = True
    advance(follower, now=day(10))
    assert advance(follower, now=day(10)) == follower
    assert Subscription.objects.get() == plus


def test_who_cancels_before_a_known_card_is_asked_is_not_charged(
    bank: Bank, plus: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel_now(subscription=plus, refund="none", actor=SYSTEM, source="backoffice", now=day(1))
    meanwhile(
        monkeypatch, subscriptions,
        lambda found: cancel_at_period_end(subscription=found, actor=SYSTEM, now=day(2)),
    )  # fmt: skip
    found = join(plus.membership, "max", at=day(2), provider="bank")
    assert (found.state, charges(found)) == ("canceled", [("void", "60.00")])
    assert list(bank.taken.values()) == [9]


@pytest.mark.parametrize("when", [5, 60 * 24 * 30])
def test_who_asks_again_after_the_work_has_finished_it_gets_what_goes_on(
    bank: Bank, plus: Subscription, when: int
) -> None:
    killed_in_between(bank, plus)
    renew_plans(day(10) + dt.timedelta(minutes=when))
    taken = dict(bank.taken)
    pro = upgrade(plus, at=day(45))
    assert (pro.plan.code, pro.state, pro.benefits_from) == ("pro", "active", day(10))
    assert bank.taken == taken
    with pytest.raises(ConflictError) as error:
        upgrade(plus, "max", at=day(45))
    assert error.value.code == "plan_ended"


# --- Merges while another plan is paid ------------------------------------------------------------


@pytest.fixture
def merged(bank: Bank, plus: Subscription) -> tuple[Subscription, Subscription, CustomerMerge]:
    """Two people with a plan each, who became one while the younger plan was changed."""
    older, club = plus, plus.membership.program
    younger = join(member(club, "c2"), at=day(1), provider="bank")
    younger = permit_collecting(subscription=younger, customer="c2", method="card", now=day(1))
    bank.kills = True
    with pytest.raises(Killed):
        upgrade(younger)
    bank.kills = False
    done, _known = merge_customers(
        kept=older.membership.customer, merged=younger.membership.customer, actor=SYSTEM,
        source="backoffice", now=day(11),
    )  # fmt: skip
    return older, younger, done


def undo(done: CustomerMerge, at: dt.datetime) -> None:
    undo_merge(merge=done, actor=SYSTEM, source="backoffice", now=at)


def pro_of(younger: Subscription) -> Subscription:
    return Subscription.objects.get(follows=younger)


def test_a_plan_that_was_paid_after_a_merge_renews_once_the_merge_is_undone(
    bank: Bank, merged: tuple[Subscription, Subscription, CustomerMerge]
) -> None:
    older, younger, done = merged
    renew_plans(day(12))
    assert (pro_of(younger).state, pro_of(younger).cancel_at_period_end) == ("active", True)
    undo(done, day(13))
    younger.refresh_from_db()
    pro = pro_of(younger)
    assert (younger.ended_why, pro.cancel_at_period_end, pro.cancel_asked_at) == (
        "changed", False, None
    )  # fmt: skip
    renew_plans(day(60))
    assert charges(pro) == [("paid", "23.90"), ("paid", "30.00")]
    assert charges(older) == [("paid", "9.00"), ("paid", "9.00")]


def test_an_undone_merge_leaves_a_change_that_is_still_paid_to_come_to_its_end(
    bank: Bank, merged: tuple[Subscription, Subscription, CustomerMerge]
) -> None:
    _older, younger, done = merged
    undo(done, day(12))
    renew_plans(day(13))
    pro = pro_of(younger)
    assert (pro.state, pro.benefits_from, pro.cancel_at_period_end) == ("active", day(10), False)
    assert running_of(younger.membership) == pro
    assert charges(pro) == [("paid", "23.90")]


def test_a_change_that_is_refused_after_the_merge_was_undone_leaves_the_plan_renewing(
    bank: Bank, merged: tuple[Subscription, Subscription, CustomerMerge]
) -> None:
    _older, younger, done = merged
    bank.refuses = True
    undo(done, day(12))
    renew_plans(day(13))
    bank.refuses = False
    younger.refresh_from_db()
    assert (younger.running, younger.cancel_at_period_end) == (True, False)
    renew_plans(day(40))
    assert charges(younger) == [("paid", "9.00"), ("paid", "9.00")]
