"""What happened before a merge and is undone after it: units return to where the others are."""

import pytest
from django.db import OperationalError, transaction

from loyalty.errors import OverCorrectedError
from loyalty.ledger.posting import WalletRef, movement, post
from loyalty.models import (
    Account,
    Order,
    Program,
    Transfer,
)
from loyalty.selectors.gifts import find_member, find_recipient
from loyalty.selectors.transfers import history_of
from loyalty.services.adjustments import undo_transfer
from loyalty.services.expiry import write_down_expired
from loyalty.services.gift_reversals import undo_gift
from loyalty.services.gifts import give_units
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.audit import target_of
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    refund,
    spendable,
)
from tests.loyalty.services.merging import MONTH, buy, holds, membership, merge, part, wallet


@pytest.fixture
def both(program):
    """Two records of one person: 100 units and 40."""
    buy("A1", "100", "c1")
    buy("B1", "40", "c2")


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


def test_the_log_says_what_is_there_after_units_of_the_merged_customer_came_back(both):
    taken = adjust(wallet("c2"), -25, "taken")
    merge()
    undo(taken)
    told = AuditEntry.objects.filter(action="points.adjustment_undone").latest("pk")
    assert told.before == {"spendable": 115}
    assert told.after["spendable"] == 140
    assert told.target == target_of(Customer.objects.get(external_id="c1"))


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


def test_a_gift_that_expired_before_the_merge_is_undone_without_taking_anything_else(db):
    make_wallet(make_program(unit={"expiry": MONTH}), "c2")
    gift = adjust(wallet("c2"), 25, "gift", now=day(-40))
    buy("A1", "100", "c1")
    merge()
    undo(gift)
    assert (holds("c1"), holds("c2")) == ((100, 0, 0), (0, 0, 0))
    shown = history_of([membership("c1")]).get(pk=gift.pk)
    assert shown.is_reversed


def test_a_gift_that_expired_while_they_were_merged_is_undone_without_taking_anything_else(db):
    program = make_program(unit={"expiry": MONTH})
    for number in ("c1", "c2"):
        make_wallet(program, number)
    gift = adjust(wallet("c2"), 25, "gift", now=day(-20))
    adjust(wallet("c2"), -5, "spent", now=day(-20))
    done = merge()
    part(done, now=day(15))
    buy("B1", "100", "c2", at=16)
    undo_transfer(transfer=gift, actor=SYSTEM, source="backoffice", now=day(17))
    assert (holds("c1", day(17)), holds("c2", day(17))) == ((0, 0, 0), (95, 0, 0))
    with pytest.raises(OverCorrectedError), transaction.atomic():
        undo_transfer(
            transfer=gift, actor=SYSTEM, source="backoffice", now=day(17), note="in other words"
        )


def test_a_spend_comes_back_to_somebody_who_was_active_under_the_other_name(db):
    make_program(unit={"expiry": {"kind": "inactivity", "length": 2, "last_day": "start_of_day"}})
    buy("B1", "40", "c2", at=-5)
    buy("A1", "10", "c1", at=-5)
    spent = redeem_units(
        wallet=wallet("c2"), units=40, key="r", source="api", actor=SYSTEM, now=NOW
    )[0]
    merge()
    buy("A2", "10", "c1", at=40)
    reverse_redemption(transfer=spent, key="u", source="api", actor=SYSTEM, now=day(70))
    assert (holds("c1", day(70)), holds("c2", day(70))) == ((60, 0, 0), (0, 0, 0))
    assert holds("c1", day(110)) == (0, 0, 0)


def test_what_expired_while_they_were_merged_counts_beside_what_came_back_there(db):
    make_program(unit={"expiry": MONTH | {"restored_days": 30}})
    buy("B1", "40", "c2", at=-20)
    make_wallet(Program.objects.get(), "c1")
    done = merge()
    spent = redeem_units(
        wallet=wallet("c1"), units=10, key="r", source="api", actor=SYSTEM, now=NOW
    )[0]
    part(done, now=day(20))
    reverse_redemption(transfer=spent, key="u", source="api", actor=SYSTEM, now=day(20))
    give_back(refund("R1", "30", of="B1", at=day(21)))
    assert (holds("c1", day(21)), holds("c2", day(21))) == ((10, 0, 0), (0, 0, 0))
