"""Two customers who are one person: their ledgers merge, and can be parted again."""

import datetime as dt

import pytest
from django.apps import apps
from django.db import OperationalError, transaction
from django.db.models import ForeignKey

from loyalty.errors import OverCorrectedError
from loyalty.ledger.posting import WalletRef, movement, post
from loyalty.models import (
    Account,
    CapCounter,
    Lot,
    Membership,
    Order,
    Program,
    Refund,
    Transfer,
    Wallet,
)
from loyalty.selectors.gifts import find_member, find_recipient
from loyalty.selectors.transfers import history_of
from loyalty.services.adjustments import undo_transfer
from loyalty.services.expiry import write_down_expired
from loyalty.services.gift_reversals import undo_gift
from loyalty.services.gifts import give_units
from loyalty.services.memberships import enroll_customer
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.models import Customer, CustomerMerge
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    held,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)

MONTH = {"kind": "months", "length": 1, "last_day": "start_of_day"}
YEAR = {"kind": "months", "length": 12, "last_day": "start_of_day"}


def customer(number: str) -> Customer:
    return Customer.objects.get(external_id=number)


def merge(into: str = "c1", duplicate: str = "c2", *, now: dt.datetime = NOW) -> CustomerMerge:
    return merge_customers(
        kept=customer(into), merged=customer(duplicate), actor=SYSTEM, source="backoffice", now=now
    )[0]


def part(merge: CustomerMerge, *, now: dt.datetime = NOW) -> None:
    undo_merge(merge=merge, actor=SYSTEM, source="backoffice", now=now)


def holds(number: str, at: dt.datetime = NOW) -> tuple[int, int, int]:
    """Balance, pending, owed."""
    found = held(number, at)
    return found.balance, found.pending, found.owed


def membership(number: str) -> Membership:
    return Membership.objects.get(customer__external_id=number)


def wallet(number: str) -> Wallet:
    return wallet_of(membership(number).account_id)


def buy(number: str, total: str, buyer: str, at: float = 0) -> None:
    record(order(number, total, buyer=buyer, at=day(at)))


def owe(number: str, units: int) -> None:
    """Leave a debt: units that were spent come back with their order."""
    buy(f"debt-{number}", str(units), number)
    adjust(wallet(number), -units, f"spent-{number}")
    give_back(refund(f"debt-{number}", str(units), of=f"debt-{number}"))


def times_of_lots(wallet: Wallet) -> dict[int, tuple[object, ...]]:
    """What is left in a wallet, by the transfer that first granted it."""
    return {
        lot.origin_id: (lot.remaining, lot.earned_at, lot.spendable_at, lot.expires_at)
        for lot in Lot.objects.filter(wallet=wallet, due_at__isnull=False)
    }


@pytest.fixture
def both(program):
    """Two records of one person: 100 units and 40."""
    buy("A1", "100", "c1")
    buy("B1", "40", "c2")


# --- One wallet --------------------------------------------------------------------------------


def test_pain_17_both_ledgers_become_one_and_both_cards_lead_to_it(both):
    merge()
    assert (holds("c1"), holds("c2")) == ((140, 0, 0), (0, 0, 0))
    theirs = membership("c2")
    assert (theirs.status, theirs.merged_into) == ("merged", membership("c1"))
    assert wallet("c2").merged_into == wallet("c1")
    assert Wallet.objects.filter(merged_into=None).count() == 1


def test_parting_them_brings_back_what_each_had(both):
    part(merge())
    assert (holds("c1"), holds("c2")) == ((100, 0, 0), (40, 0, 0))
    theirs = membership("c2")
    assert (theirs.status, theirs.merged_into, wallet("c2").merged_into) == ("active", None, None)


def test_merging_and_parting_again_and_again_changes_nothing_more(both):
    first = merge()
    again, replayed = merge_customers(
        kept=customer("c1"), merged=customer("c2"), actor=SYSTEM, source="api", now=day(1)
    )
    assert (again, replayed, holds("c1")) == (first, True, (140, 0, 0))
    part(first)
    _merge, replayed = undo_merge(merge=first, actor=SYSTEM, source="api", now=day(1))
    assert (replayed, holds("c1"), holds("c2")) == (True, (100, 0, 0), (40, 0, 0))
    second = merge(now=day(2))
    assert holds("c1", day(2)) == (140, 0, 0)
    part(second, now=day(3))
    assert (holds("c1", day(3)), holds("c2", day(3))) == ((100, 0, 0), (40, 0, 0))


def test_units_keep_origin_maturity_and_expiry(db):
    make_program(unit={"pending_days": 10, "expiry": YEAR})
    buy("A1", "100", "c1")
    buy("B1", "40", "c2", at=-30)
    buy("B2", "25", "c2", at=-5)
    before = times_of_lots(wallet("c2"))
    merge()
    own = Lot.objects.filter(wallet=wallet("c1"), parent=None).values_list("origin", flat=True)
    after = times_of_lots(wallet("c1"))
    assert {pk: after[pk] for pk in after if pk not in own} == before
    assert holds("c1") == (40, 125, 0)
    part(CustomerMerge.objects.get())
    assert times_of_lots(wallet("c2")) == before
    assert (holds("c1"), holds("c2")) == ((0, 100, 0), (40, 25, 0))


def test_what_had_expired_stays_behind(db):
    make_program(unit={"expiry": MONTH})
    buy("B1", "40", "c2", at=-40)
    buy("B2", "25", "c2")
    buy("A1", "10", "c1")
    merge()
    assert (holds("c1"), holds("c2")) == ((35, 0, 0), (0, 0, 0))
    write_down_expired(NOW)
    assert Transfer.objects.get(kind="expiry").wallet == wallet("c2")


def test_units_that_an_activity_renews_keep_the_later_end_of_both(db):
    make_program(unit={"expiry": {"kind": "inactivity", "length": 2, "last_day": "start_of_day"}})
    buy("A1", "10", "c1", at=-50)
    buy("B1", "40", "c2", at=-5)
    merge()
    assert wallet("c1").active_until == wallet("c2").active_until > day(50)
    assert holds("c1", day(40)) == (50, 0, 0)
    assert holds("c1", day(60)) == (0, 0, 0)


# --- Debts -------------------------------------------------------------------------------------


def test_debts_add_up_and_are_not_repaid_by_the_merge(program):
    owe("c1", 30)
    buy("B1", "40", "c2")
    done = merge()
    assert (holds("c1"), spendable("c1")) == ((40, 0, 30), 10)
    part(done)
    assert (holds("c1"), holds("c2")) == ((0, 0, 30), (40, 0, 0))


def test_a_debt_that_came_goes_back_as_far_as_it_is_still_owed(program):
    buy("A1", "5", "c1")
    owe("c2", 30)
    done = merge()
    assert (holds("c1"), holds("c2"), spendable("c1")) == ((5, 0, 30), (0, 0, 0), 0)
    buy("A2", "12", "c1", at=1)
    assert holds("c1", day(1)) == (5, 0, 18)
    part(done, now=day(2))
    assert (holds("c1", day(2)), holds("c2", day(2))) == ((5, 0, 0), (0, 0, 18))


def test_a_debt_that_blocks_goes_on_blocking(db):
    make_program(debt_policy="refuse_redemption_only")
    buy("A1", "50", "c1")
    owe("c2", 30)
    merge()
    assert (holds("c1"), spendable("c1")) == ((50, 0, 30), 0)


# --- Orders and refunds ------------------------------------------------------------------------


def test_a_refund_of_the_merged_customers_order_takes_its_own_units_first(db):
    make_program(unit={"expiry": YEAR})
    buy("A1", "100", "c1", at=-60)
    buy("B1", "40", "c2", at=-10)
    buy("B2", "20", "c2", at=-5)
    merge()
    give_back(refund("R1", "15", of="B1", at=day(1)))
    left = Lot.objects.filter(wallet=wallet("c1")).order_by("origin")
    assert [lot.remaining for lot in left] == [100, 25, 20]
    taken = Transfer.objects.get(kind="clawback")
    assert (taken.amount, taken.wallet, taken.corrects.wallet) == (15, wallet("c1"), wallet("c2"))


def test_a_refund_takes_exactly_what_the_net_basket_no_longer_earns(db):
    make_program(earning_rules=[{"per": "10"}])
    record(order("B1", "99", buyer="c2"), order("A1", "50", buyer="c1"))
    merge()
    give_back(refund("R1", "8", of="B1"))
    assert spendable("c1") == 14
    give_back(refund("R2", "2", of="B1"))
    assert spendable("c1") == 13


def test_what_expired_before_the_merge_is_no_debt_after_it(db):
    make_program(unit={"expiry": MONTH})
    buy("B1", "40", "c2", at=-60)
    buy("B2", "30", "c2", at=-20)
    buy("A1", "10", "c1")
    write_down_expired(NOW)
    merge()
    assert holds("c1") == (40, 0, 0)
    give_back(refund("R1", "40", of="B1", at=day(1)))
    assert (holds("c1", day(1)), holds("c2", day(1))) == ((40, 0, 0), (0, 0, 0))
    give_back(refund("R2", "30", of="B2", at=day(2)))
    assert holds("c1", day(2)) == (10, 0, 0)


def test_what_expired_while_they_were_merged_is_no_debt_once_they_part(db):
    make_program(unit={"expiry": MONTH})
    buy("B1", "40", "c2", at=-20)
    buy("A1", "10", "c1", at=-1)
    done = merge()
    write_down_expired(day(20))
    part(done, now=day(20))
    give_back(refund("R1", "40", of="B1", at=day(21)))
    assert (holds("c1", day(21)), holds("c2", day(21))) == ((10, 0, 0), (0, 0, 0))


def test_a_refund_partly_of_expired_units_takes_the_rest_from_what_is_there(db):
    make_program(unit={"expiry": MONTH})
    buy("B1", "40", "c2", at=-40)
    adjust(wallet("c2"), -25, "spent", now=day(-35))
    buy("A1", "100", "c1", at=-1)
    merge()
    give_back(refund("R1", "40", of="B1", at=day(1)))
    assert (holds("c1", day(1)), holds("c2", day(1))) == ((75, 0, 0), (0, 0, 0))
    give_back(refund("R1", "40", of="B1", at=day(1)))
    assert holds("c1", day(1)) == (75, 0, 0)


def test_orders_and_refunds_under_the_old_number_go_to_who_is_kept(both):
    merge()
    buy("B2", "10", "c2", at=1)
    give_back(refund("R1", "4", buyer="c2", at=day(2)))
    give_back(refund("R2", "5", of="B1", at=day(2)))
    record(order("B3", "1", customer=CustomerRef(key=customer("c2").pk), at=day(2)))
    assert spendable("c1", day(2)) == 142
    assert not Order.objects.filter(customer=customer("c2")).exists()
    assert not Refund.objects.filter(customer=customer("c2")).exists()


def test_orders_that_came_go_back_and_later_ones_stay(both):
    give_back(refund("R0", "10", of="B1"))
    done = merge()
    buy("B2", "10", "c2", at=1)
    part(done, now=day(2))
    owners = dict(Order.objects.values_list("external_id", "customer__external_id"))
    assert owners == {"A1": "c1", "B1": "c2", "B2": "c1"}
    assert Refund.objects.get().customer == customer("c2")
    assert (spendable("c1", day(2)), spendable("c2", day(2))) == (110, 30)
    # What was bought in between may go on being named after either.
    record(order("B2", "8", buyer="c2", at=day(1)), now=day(3))
    give_back(refund("R2", "3", of="B2", at=day(3), buyer="c2"))
    assert (spendable("c1", day(3)), spendable("c2", day(3))) == (105, 30)


def test_an_order_stays_known_under_a_number_whose_customer_was_somebody_who_is_somebody_else(
    program,
):
    for number in ("c0", "c1", "c2"):
        make_wallet(program, number)
    first = merge("c2", "c0")
    buy("Later", "30", "c0", at=1)
    part(first, now=day(2))
    merge("c1", "c2", now=day(3))
    # Bought by c0 while they were c2, who is c1 now.
    [found] = record(order("Later", "20", buyer="c0", at=day(1)), now=day(4))
    assert (found.outcome, holds("c1", day(4)), holds("c0", day(4))) == (
        "updated", (20, 0, 0), (0, 0, 0)
    )  # fmt: skip
    give_back(refund("R1", "5", of="Later", buyer="c0", at=day(5)))
    assert holds("c1", day(5)) == (15, 0, 0)


def test_what_came_and_was_spent_is_spent(both):
    done = merge()
    adjust(wallet("c1"), -120, "spent")
    part(done)
    assert (spendable("c1"), spendable("c2")) == (0, 20)


def test_what_their_orders_earned_meanwhile_goes_back_too(both):
    done = merge()
    record(order("B1", "55", buyer="c2"), now=day(1))
    assert spendable("c1", day(1)) == 155
    part(done, now=day(2))
    assert (spendable("c1", day(2)), spendable("c2", day(2))) == (100, 55)
    give_back(refund("R1", "55", of="B1", at=day(3)))
    assert (holds("c1", day(3)), holds("c2", day(3))) == ((100, 0, 0), (0, 0, 0))


def test_a_held_order_that_is_called_off_takes_its_pending_units(db):
    make_program(unit={"pending_days": 30})
    buy("B1", "40", "c2")
    buy("A1", "10", "c1")
    merge()
    record(order("B1", "40", buyer="c2", status="cancelled"), now=day(1))
    assert holds("c1", day(1)) == (0, 10, 0)


# --- Members -----------------------------------------------------------------------------------


def test_who_was_no_member_becomes_one_with_what_came(program):
    Customer.objects.create(external_id="c1")
    buy("B1", "40", "c2", at=-5)
    done = merge()
    assert (membership("c1").enrolled_at, spendable("c1")) == (day(-5), 40)
    part(done)
    assert (spendable("c2"), holds("c1")) == (40, (0, 0, 0))
    assert membership("c1").status == "active"


def test_who_was_no_member_of_a_program_that_asks_is_none_after_it(db):
    program = make_program(enrollment="explicit")
    Customer.objects.create(external_id="c1")
    make_wallet(program, "c2")
    buy("B1", "40", "c2")
    part(merge())
    assert (membership("c1").status, membership("c2").status, spendable("c2")) == (
        "left", "active", 40,
    )  # fmt: skip
    enroll_customer(customer=customer("c1"), program=program, source="staff", at=NOW, actor=SYSTEM)
    assert membership("c1").status == "active"


@pytest.mark.parametrize(
    ("kept", "merged", "status"),
    [
        ("active", "active", "active"),
        ("suspended", "active", "suspended"),
        ("active", "suspended", "suspended"),
        ("left", "active", "active"),
        ("left", "left", "left"),
    ],
)
def test_the_stricter_status_counts_until_they_part(both, kept, merged, status):
    Membership.objects.filter(pk=membership("c1").pk).update(status=kept)
    Membership.objects.filter(pk=membership("c2").pk).update(status=merged)
    done = merge()
    assert membership("c1").status == status
    part(done)
    assert (membership("c1").status, membership("c2").status) == (kept, merged)


def test_who_joined_first_counts_until_they_part(program):
    buy("B1", "40", "c2", at=-90)
    buy("A1", "40", "c1", at=-10)
    done = merge()
    assert membership("c1").enrolled_at == day(-90)
    part(done)
    assert (membership("c1").enrolled_at, membership("c2").enrolled_at) == (day(-10), day(-90))


def test_duplicates_of_a_duplicate_follow_and_come_back(program):
    for number in ("c1", "c2", "c3"):
        buy(f"{number}-1", "10", number)
    first = merge("c2", "c3")
    second = merge("c1", "c2")
    assert (spendable("c1"), membership("c3").merged_into) == (30, membership("c1"))
    assert (wallet("c3").merged_into, customer("c3").merged_into) == (wallet("c1"), customer("c1"))
    buy("c3-2", "5", "c3", at=1)
    assert spendable("c1", day(1)) == 35
    part(second, now=day(2))
    assert (wallet("c3").merged_into, customer("c3").merged_into) == (wallet("c2"), customer("c2"))
    assert (spendable("c1", day(2)), spendable("c2", day(2))) == (15, 20)
    part(first, now=day(3))
    assert [spendable(number, day(3)) for number in ("c1", "c2", "c3")] == [15, 10, 10]


def test_each_program_and_unit_is_merged_by_itself(db):
    double = make_program("double", earning_rules=[{"units": 2}], unit={"decimals": 2})
    single = make_program("single")
    buy("A1", "100", "c1")
    buy("B1", "40", "c2")
    done = merge()
    assert held("c1", program=single).balance == 140
    assert held("c1", program=double).balance == 28000
    part(done)
    assert [held(c, program=double).balance for c in ("c1", "c2")] == [20000, 8000]


def test_what_a_person_may_earn_at_most_is_counted_over_both(db):
    make_program(earning_rules=[{"caps": {"per_member": 100, "period": "month"}}])
    buy("A1", "80", "c1")
    buy("B1", "70", "c2")
    done = merge()
    buy("B2", "50", "c2", at=1)
    assert spendable("c1", day(1)) == 150
    # An order keeps what it was given, though both together earned more than one may.
    record(order("A1", "79", buyer="c1"), now=day(1))
    give_back(refund("R1", "30", of="B1", at=day(1)))
    assert spendable("c1", day(1)) == 119
    part(done, now=day(2))
    used = dict(CapCounter.objects.values_list("membership__customer__external_id", "used"))
    assert used == {"c1": 79, "c2": 40}


SPEND_100 = {"kind": "threshold_bonus", "reach": 100, "units": 10, "window": "month"}


def test_a_bonus_that_one_person_gets_once_is_kept_once(db):
    make_program(earning_rules=[SPEND_100])
    buy("A1", "120", "c1")
    buy("B1", "150", "c2")
    buy("B2", "10", "c2", at=1)
    assert (spendable("c1"), spendable("c2")) == (10, 10)
    done = merge(now=day(1))
    assert holds("c1", day(1)) == (10, 0, 0)
    # Either order alone carries it: both have to come back.
    give_back(refund("R1", "120", of="A1", at=day(2)))
    assert holds("c1", day(2)) == (10, 0, 0)
    give_back(refund("R2", "100", of="B1", at=day(3)))
    assert holds("c1", day(3)) == (0, 0, 0)
    part(done, now=day(4))
    assert (holds("c1", day(4)), holds("c2", day(4))) == ((0, 0, 0), (0, 0, 0))


def test_what_both_spent_counts_together_until_they_part(db):
    make_program(earning_rules=[SPEND_100])
    buy("A1", "60", "c1")
    buy("B1", "50", "c2")
    done = merge()
    assert holds("c1") == (10, 0, 0)
    buy("B2", "60", "c2", at=1)
    part(done, now=day(2))
    # What was bought meanwhile stays: 60 + 60 of one, 50 of the other.
    assert (holds("c1", day(2)), holds("c2", day(2))) == ((10, 0, 0), (0, 0, 0))
    buy("B3", "50", "c2", at=3)
    assert holds("c2", day(3)) == (10, 0, 0)
    again = merge(now=day(4))
    assert holds("c1", day(4)) == (10, 0, 0)
    part(again, now=day(5))
    assert (holds("c1", day(5)), holds("c2", day(5))) == ((10, 0, 0), (10, 0, 0))


# --- What happened before the merge and is undone after it ---------------------------------------


def test_the_old_wallet_stands_for_the_one_that_counts(both):
    old = wallet("c2")
    spent = adjust(old, -10, "before")
    merge()
    old.refresh_from_db()
    assert adjust(old, 25, "after").wallet == wallet("c1")
    assert adjust(old, -10, "before") == spent
    redeem_units(wallet=old, units=5, key="r", source="api", actor=SYSTEM, now=NOW)
    assert (holds("c1"), holds("c2")) == ((150, 0, 0), (0, 0, 0))


def test_nothing_is_posted_to_a_wallet_that_was_merged(both):
    old = wallet("c2")
    merge()
    entry = movement(
        direction="out",
        kind="redemption",
        ref=WalletRef(old.pk, old.account_id, old.wallet_type_id, old.wallet_type.program.zone),
        counter_account_id=Account.objects.get(kind="redeemed").pk,
        amount=1,
        occurred_at=NOW,
        key="late",
        source="api",
    )
    with pytest.raises(OperationalError, match="was merged into another"), transaction.atomic():
        post([entry], now=NOW)


def undo(transfer: Transfer) -> Transfer:
    return undo_transfer(transfer=transfer, actor=SYSTEM, source="backoffice", now=NOW)[0]


def test_a_gift_to_the_merged_customer_is_undone_where_it_is_now(both):
    gift = adjust(wallet("c2"), 25, "gift")
    merge()
    assert undo(gift).wallet == wallet("c1")
    assert (holds("c1"), holds("c2")) == ((140, 0, 0), (0, 0, 0))
    shown = history_of([membership("c1")]).get(pk=gift.pk)
    assert shown.is_reversed
    with pytest.raises(OverCorrectedError), transaction.atomic():
        undo_transfer(
            transfer=gift, actor=SYSTEM, source="backoffice", now=NOW, note="in other words"
        )


def test_a_spend_of_the_merged_customer_returns_to_where_their_units_are(both):
    spent = redeem_units(
        wallet=wallet("c2"), units=30, key="r", source="api", actor=SYSTEM, now=NOW
    )[0]
    done = merge()
    assert spendable("c1") == 110
    reverse_redemption(transfer=spent, key="u", source="api", actor=SYSTEM, now=NOW)
    assert (holds("c1"), holds("c2")) == ((140, 0, 0), (0, 0, 0))
    part(done)
    assert (spendable("c1"), spendable("c2")) == (100, 40)


def test_points_that_paid_an_order_of_the_merged_customer_come_back_with_it(both):
    buy("B2", "10", "c2")
    redeem_units(
        wallet=wallet("c2"), units=40, key="r", source="api", actor=SYSTEM, now=NOW,
        order=Order.objects.get(external_id="B2"),
    )  # fmt: skip
    merge()
    give_back(refund("R1", "10", of="B2", at=day(1)))
    assert (holds("c1", day(1)), holds("c2", day(1))) == ((140, 0, 0), (0, 0, 0))


def test_expired_units_brought_back_go_where_the_others_are(db):
    from loyalty.services.lots import reinstate_units

    make_program(unit={"expiry": MONTH})
    buy("B1", "40", "c2", at=-40)
    buy("A1", "10", "c1")
    write_down_expired(NOW)
    merge()
    expired = Transfer.objects.get(kind="expiry")
    reinstate_units(
        transfer=expired, units=30, until=day(90), actor=SYSTEM, note="", key="k",
        source="backoffice", now=NOW,
    )  # fmt: skip
    assert (holds("c1", day(60)), holds("c2", day(60))) == ((30, 0, 0), (0, 0, 0))


GIFTS = {"gifts": {"to_members": True}}


def test_a_gift_is_undone_wherever_its_units_are(db):
    make_program(unit=GIFTS)
    buy("A1", "10", "c1")
    buy("B1", "40", "c2")
    buy("G1", "30", "giver")
    gift = give_units(
        wallet=wallet("giver"), to=membership("c2"), units=20, message="", actor=SYSTEM, key="g",
        source="api", now=NOW,
    )[0]  # fmt: skip
    merge()
    undo_gift(transfer=gift, actor=SYSTEM, source="backoffice", now=NOW)
    assert (holds("c1"), holds("c2"), holds("giver")) == ((50, 0, 0), (0, 0, 0), (30, 0, 0))
    shown = history_of([membership("giver")]).get(pk=gift.pk)
    assert shown.is_reversed


def test_a_gift_of_the_merged_customer_comes_back_to_who_is_kept(db):
    make_program(unit=GIFTS)
    buy("A1", "10", "c1")
    buy("B1", "40", "c2")
    make_wallet(Program.objects.get(), "friend")
    gift = give_units(
        wallet=wallet("c2"), to=membership("friend"), units=15, message="", actor=SYSTEM, key="g",
        source="api", now=NOW,
    )[0]  # fmt: skip
    merge()
    undo_gift(transfer=gift, actor=SYSTEM, source="backoffice", now=NOW)
    assert (holds("c1"), holds("c2"), holds("friend")) == ((50, 0, 0), (0, 0, 0), (0, 0, 0))


def test_the_card_and_the_address_of_the_merged_customer_are_given_to_who_is_kept(both):
    Customer.objects.filter(external_id="c2").update(email="old@example.com")
    card = membership("c2").card_number
    merge()
    program = Program.objects.get()
    for text in (card, "old@example.com"):
        assert find_recipient(program, text) == membership("c1")
    assert find_member(program, "c2") == membership("c1")


# --- Histories -----------------------------------------------------------------------------------


def shown(number: str) -> list[tuple[str, int]]:
    found = history_of([membership(number)]).order_by("pk")
    return [(transfer.kind, transfer.signed_amount) for transfer in found]


def test_both_histories_read_as_one_and_the_old_one_stays_readable(both):
    done = merge()
    buy("A2", "5", "c1", at=1)
    assert shown("c1") == [("accrual", 100), ("accrual", 40), ("accrual", 5)]
    assert shown("c2") == [("accrual", 40), ("merge", -40)]
    adjust(wallet("c1"), -130, "spent", now=day(1))
    part(done, now=day(2))
    assert shown("c1") == [
        ("accrual", 100), ("merge", 40), ("accrual", 5), ("adjustment", -130), ("merge", -10)
    ]  # fmt: skip
    assert shown("c2") == [("accrual", 40), ("merge", -40), ("merge", 10)]


# --- Nothing is forgotten --------------------------------------------------------------------

# What points to a membership, and what a merge does to it.
MEMBERSHIP_FIELDS = {
    "loyalty.membership.merged_into": "points to the one that counts",
    "loyalty.orderevaluation.membership": "stays: it says in which the order was judged",
    "loyalty.capcounter.membership": "is counted over both",
    "loyalty.poolmember.membership": "an open pool refuses the merge; past ones stay as history",
    "loyalty.activityaward.membership": "stays: it says for which the activity counted",
    "loyalty.occasiongrant.membership": "stays: days of a duplicate are those of the other, too",
    "loyalty.windowaward.membership": "counts towards the window of the one that counts",
}
WALLET_FIELDS = {
    "loyalty.wallet.merged_into": "points to the one that counts",
    "loyalty.transfer.wallet": "stays: it is history",
    "loyalty.lot.wallet": "stays: what is left goes on as a child lot",
    "loyalty.adjustmentrequest.wallet": "stays: once approved it is for the wallet that counts",
    "loyalty.bulkrow.wallet": "stays: what is posted is for the wallet that counts",
}


@pytest.mark.parametrize(
    ("model", "known"), [(Membership, MEMBERSHIP_FIELDS), (Wallet, WALLET_FIELDS)]
)
def test_whatever_points_to_a_member_or_a_wallet_has_its_place_in_a_merge(model, known):
    found = {
        f"{other._meta.label_lower}.{field.name}"
        for other in apps.get_models()
        for field in other._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model is model
    }
    assert found == set(known)
