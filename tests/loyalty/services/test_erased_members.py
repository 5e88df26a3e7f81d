"""Who was erased: nothing is done for them by anybody's hand, whichever way it is asked for. What
time and old orders bring goes on."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.ledger.posting import lock_wallets
from loyalty.models import (
    AdjustmentLimit,
    AdjustmentRequest,
    Lot,
    Membership,
    Program,
    Transfer,
)
from loyalty.selectors.erased_holders import refuse_erased_holder
from loyalty.selectors.gifts import find_recipient
from loyalty.services.adjustment_requests import approve_request, reject_request
from loyalty.services.adjustments import adjust_units
from loyalty.services.expiry import write_down_expired
from loyalty.services.gift_reversals import undo_movement
from loyalty.services.lots import extend_lot, reinstate_units
from loyalty.services.manual_tiers import give_tier
from loyalty.services.redemptions import redeem_units, reverse_redemption
from loyalty.services.staff_adjustments import adjust_as_staff, undo_as_staff
from members.errors import ConflictError
from members.models import Customer
from members.services.audit import SYSTEM, Actor
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers
from tests.factories import CustomerFactory, StaffMemberFactory
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    moves,
    order,
    record,
    refund,
    wallet_of,
)
from tests.loyalty.services.gifting import generous, give, maya, olivia
from tests.loyalty.services.merging import customer, merge, part
from tests.loyalty.services.pooling import add, found_pool, join, put_in, take
from tests.rewards.services.racing import in_the_way_of
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("coherent_ledger")]


def make_ana() -> Membership:
    """She bought for 100."""
    program = make_program(at=day(-30), unit={"expiry": {"kind": "months", "length": 1}})
    member = join(program, "c1")
    record(order("A1", "100"))
    return member


_made_once, ana = of_each_test(make_ana)


@pytest.fixture
def program(ana: Membership) -> Program:
    return ana.program


def erase(member: Membership) -> None:
    erase_customer_details(customer=member.customer, actor=SYSTEM)


def refused():
    return pytest.raises(ConflictError, match="erased meanwhile")


def spend(member, units, key="r1"):
    return redeem_units(
        wallet=wallet_of(member.account_id), units=units, key=key, source="api", actor=SYSTEM,
        now=NOW,
    )[0]  # fmt: skip


def reverse(transfer):
    return reverse_redemption(
        transfer=transfer, key=f"undo:{transfer.pk}", source="api", actor=SYSTEM, now=NOW
    )


def test_nothing_is_given_taken_spent_or_undone(ana):
    wallet, agent = wallet_of(ana.account_id), StaffMemberFactory(role="administrator").user
    actor = Actor.of_user(agent)
    given, spent = adjust(wallet, 20, "before"), spend(ana, 5)
    erase(ana)
    moved = Transfer.objects.count()
    with refused() as error:
        adjust(wallet, 5, "later")
    assert (error.value.code, error.value.status) == ("customer_erased", 409)
    with refused():
        adjust_as_staff(wallet=wallet, units=5, reason="goodwill", note="", actor=actor, key="k",
                        now=NOW)  # fmt: skip
    with refused():
        undo_as_staff(transfer=given, actor=actor, now=NOW)
    with refused():
        spend(ana, 5, "r2")
    with refused():
        extend_lot(lot=Lot.objects.filter(wallet=wallet).first(), until=day(900), actor=actor,
                   note="", now=NOW)  # fmt: skip
    with refused():
        give_tier(membership=ana, tier="gold", reason="Kind", actor=actor, now=NOW)
    assert Transfer.objects.count() == moved
    # What was done before is answered as ever.
    assert (adjust(wallet, 20, "before"), spend(ana, 5)) == (given, spent)


def test_what_waits_for_a_second_person_is_refused_and_can_be_rejected(ana):
    AdjustmentLimit.objects.filter(role="support_agent").update(approval_above=10)
    agent = StaffMemberFactory(role="support_agent").user
    boss = StaffMemberFactory(role="administrator").user
    asked = adjust_as_staff(
        wallet=wallet_of(ana.account_id), units=2_000, reason="goodwill", note="",
        actor=Actor.of_user(agent), key="k", now=NOW,
    ).request  # fmt: skip
    assert asked is not None
    erase(ana)
    with refused():
        approve_request(request=asked, actor=Actor.of_user(boss), now=NOW)
    assert AdjustmentRequest.objects.get().state == "waiting"
    reject_request(request=asked, actor=Actor.of_user(boss), now=NOW, note="Nobody is there")
    assert AdjustmentRequest.objects.get().state == "rejected"


def test_what_they_spent_is_given_back_to_nobody_but_what_was_before_is_answered(ana):
    first, second = spend(ana, 5, "r1"), spend(ana, 7, "r2")
    back = reverse(first)
    erase(ana)
    with refused():
        reverse(second)
    assert reverse(first) == (back[0], True)


@pytest.mark.django_db(transaction=True)
def test_who_is_erased_while_giving_back_waits_for_the_wallet_gets_nothing(ana):
    spent, wallet = spend(ana, 5), wallet_of(ana.account_id)
    with refused():
        in_the_way_of(lambda: reverse(spent), lambda: lock_wallets([wallet.pk]), lambda: erase(ana))
    assert not Transfer.objects.filter(reverses=spent).exists()


def test_they_are_merged_with_nobody_and_put_into_no_pool(program, ana):
    ben = join(program, "c2")
    pool = found_pool(ben)
    add(pool, ana)
    put_in("c1", 30)
    erase(ana)
    with refused():
        put_in("c1", 10, "p2")
    with refused():
        take("c1", 10)
    other = CustomerFactory()
    for kept, merged in ((other, ana.customer), (ana.customer, other)):
        with refused():
            merge_customers(kept=kept, merged=Customer.objects.get(pk=merged.pk), actor=SYSTEM,
                            source="api", reason="", now=NOW)  # fmt: skip
    cleo = join(program, "c3")
    erase(cleo)
    with refused():
        add(pool, cleo)
    with refused():
        found_pool(cleo)


def test_old_orders_come_back_and_units_expire_as_ever(program, ana):
    erase(ana)
    record(order("A1", "80"))
    give_back(refund(of="A1", total="30", at=day(1)))
    assert sum(units for _kind, units in moves()) == 50
    write_down_expired(day(40))
    gone = Transfer.objects.get(kind="expiry")
    assert gone.amount == 50
    with refused():
        reinstate_units(transfer=gone, units=10, until=day(90), actor=SYSTEM, note="", key="b",
                        source="api", now=day(41))  # fmt: skip


def test_whom_the_shop_knows_anew_is_served_again(ana):
    erase(ana)
    Customer.objects.filter(pk=ana.customer_id).update(given_name="Ana")
    before = wallet_of(ana.account_id).balance
    adjust_units(wallet=wallet_of(ana.account_id), units=5, reason="goodwill", note="",
                 actor=SYSTEM, key="k", source="api", now=NOW)  # fmt: skip
    assert wallet_of(ana.account_id).balance == before + 5


def undo(transfer):
    return undo_movement(transfer=transfer, actor=SYSTEM, source="api", now=NOW)


def test_nothing_of_theirs_is_undone_by_a_caller_but_what_was_before_is_answered(ana):
    wallet = wallet_of(ana.account_id)
    first, second = adjust(wallet, 20, "first"), adjust(wallet, 5, "second")
    undone, replayed = undo(first)
    assert not replayed
    erase(ana)
    with refused():
        undo(second)
    assert undo(first) == (undone, True)
    boss = Actor.of_user(StaffMemberFactory(role="administrator").user)
    again, replayed = undo_as_staff(transfer=first, actor=boss, now=NOW)
    assert (again, replayed) == (undone, True)


def test_a_gift_of_somebody_erased_or_to_them_stays_where_it_is(coherent_ledger):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    gifts = [give(giver, receiver, 10, key) for key in ("g1", "g2")]
    undone, _replayed = undo(gifts[0])
    erase(receiver)
    for leg in (gifts[1], Transfer.objects.get(pair=gifts[1])):
        with refused():
            undo(leg)
    assert undo(gifts[0]) == (undone, True)
    assert Transfer.objects.filter(kind="reversal").exclude(pair=None).count() == 1


def test_no_member_is_told_that_another_was_erased(coherent_ledger):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    assert find_recipient(program, receiver.card_number) == receiver
    erase(receiver)
    assert find_recipient(program, receiver.card_number) is None
    # Nor is anything moved where they were found before.
    with refused():
        give(giver, receiver, 10)


def test_whoever_is_asked_about_is_found_by_key(program, ana):
    ben = join(program, "c2")
    with CaptureQueriesContext(connection) as asked:
        refuse_erased_holder(wallet_of(ana.account_id), spender=ben)
    [people] = [query["sql"] for query in asked if 'FROM "members_customer"' in query["sql"]]
    assert "JOIN" not in people
    assert '"members_customer"."id" = ANY(' in people
    erase(ben)
    with refused():
        refuse_erased_holder(wallet_of(ana.account_id), spender=ben)


def test_a_tier_that_was_given_before_is_answered_and_no_other_is_given(coherent_ledger):
    levels = [{"code": "base", "name": "Member"}, {"code": "gold", "name": "Gold", "threshold": 9},
              {"code": "top", "name": "Top", "threshold": 99}]  # fmt: skip
    tiers = {"metric": "spend", "window": "lifetime", "tiers": levels}
    ana = join(make_program(at=day(-30), tiers=tiers), "c1")
    told = {"membership": ana, "reason": "Kind", "actor": SYSTEM, "now": NOW}
    given = give_tier(tier="gold", **told)
    erase(ana)
    assert give_tier(tier="gold", **told) == given
    with refused():
        give_tier(tier="top", **told)


def test_a_duplicate_that_was_erased_with_them_is_refused_once_they_are_parted(program, ana):
    join(program, "c2")
    done = merge("c1", "c2")
    erase(ana)
    part(done)
    for number in ("c1", "c2"):
        wallet = wallet_of(Membership.objects.get(customer=customer(number)).account_id)
        with refused():
            adjust(wallet, 5, f"later {number}")
