"""Gifts that are undone: as a whole, once, whatever became of them; and gifts to charities."""

import pytest
from django.db import transaction

from loyalty.errors import (
    GiftRefusedError,
    KeyReusedError,
    LedgerError,
    NotReversibleError,
    OverCorrectedError,
)
from loyalty.explanations import explain_transfer
from loyalty.ledger.reports import totals
from loyalty.models import Account, Transfer
from loyalty.selectors.transfers import transfers
from loyalty.services.gift_reversals import undo_gift
from loyalty.services.gifts import preview_donation
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    held,
    make_program,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)
from tests.loyalty.services.gifting import (
    MONTHLY,
    donate,
    donated_to,
    generous,
    give,
    maya,
    olivia,
    undo,
)


def test_a_gift_is_undone_as_a_whole_by_either_leg(db):
    program = generous(unit=MONTHLY)
    giver, receiver = olivia(program), maya(program)
    for number, leg in enumerate(("out", "in")):
        gift = give(giver, receiver, 30, f"g{number}")
        other = Transfer.objects.get(pair=gift)
        undo(gift if leg == "out" else other)
        assert (spendable("olivia"), spendable("maya")) == (100, 0)
        marked = transfers().filter(pk__in=[gift.pk, other.pk])
        assert [transfer.is_reversed for transfer in marked] == [True, True]
    # With the time it had.
    assert spendable("olivia", at=day(31)) == 0


def test_what_is_left_of_a_gift_comes_back(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    gift = give(giver, receiver, 30)
    adjust(wallet_of(receiver.account_id), -12, "spend")
    undone = undo(gift)
    assert (undone.signed_amount, spendable("olivia"), spendable("maya")) == (-18, 88, 0)
    assert all(transfer.is_reversed for transfer in transfers().filter(kind="gift"))
    with pytest.raises(OverCorrectedError), transaction.atomic():
        undo(gift, note="again")


def test_what_the_receiver_earned_is_not_taken_for_a_gift(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    gift = give(giver, receiver, 30)
    adjust(wallet_of(receiver.account_id), -30, "spend")
    record(order("M1", "50", buyer="maya"))
    with pytest.raises(NotReversibleError), transaction.atomic():
        undo(gift)
    assert spendable("maya") == 50


def test_a_gift_that_has_expired_does_not_come_back(db):
    program = generous(unit={"expiry": {"kind": "inactivity", "length": 1}})
    giver, receiver = olivia(program), maya(program)
    gift = give(giver, receiver, 30)
    with pytest.raises(NotReversibleError), transaction.atomic():
        undo(gift, now=day(40))


def test_undoing_twice_in_the_same_words_is_one_undoing(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    gift = give(giver, receiver, 30)
    adjust(wallet_of(receiver.account_id), -10, "spend")
    assert undo(gift) == undo(Transfer.objects.get(pair=gift))
    assert spendable("olivia") == 90
    assert AuditEntry.objects.filter(action="points.gift_undone").count() == 2


def test_a_gift_undone_after_a_refund_is_the_orders_again(db):
    """The units that came back are the order's own, so its refund takes them first."""
    program = generous()
    giver, receiver = olivia(program), maya(program)
    gift = give(giver, receiver, 100)
    undo(gift)
    adjust(giver, 10, "other")
    give_back(refund(of="O1", total="100", at=day(1)))
    assert (spendable("olivia", day(1)), held("olivia", day(1)).owed) == (10, 0)


def test_adjustments_are_undone_as_before_and_orders_are_not(db):
    program = generous()
    giver = olivia(program)
    undo(adjust(giver, 10, "a1"))
    assert spendable("olivia") == 100
    with pytest.raises(NotReversibleError), transaction.atomic():
        undo(Transfer.objects.filter(kind="accrual").get())
    with pytest.raises(NotReversibleError), transaction.atomic():
        undo_gift(transfer=Transfer.objects.filter(kind="accrual").get(), actor=SYSTEM,
                  source="backoffice", now=NOW)  # fmt: skip


def test_a_charity_is_given_what_a_member_gives(db):
    program = generous(to_members=False, least=5)
    giver = olivia(program)
    shown = preview_donation(
        wallet=giver, charity=Account.objects.get(kind="charity"), units=40, now=NOW
    )
    gift = donate(giver, 40)
    assert (shown.giver.before, shown.giver.after, spendable("olivia")) == (100, 60, 60)
    assert explain_transfer(gift).title == "Given to Trees"
    assert gift.to_account.name == "Trees"
    assert donated_to(gift.to_account) == 40
    undone = undo(gift)
    assert (undone.kind, spendable("olivia")) == ("reversal", 100)
    assert explain_transfer(undone).title == "What was given to Trees came back"
    assert donated_to(gift.to_account) == 0


def test_what_a_charity_was_given_is_in_the_books(db):
    program = generous()
    giver = olivia(program)
    donate(giver, 40)
    back = donate(giver, 10, "d2")
    undo(back)
    (found,) = totals(program, NOW).values()
    assert (found.accrued, found.donated, found.outstanding, found.moved) == (100, 40, 60, 0)


@pytest.mark.parametrize(
    ("gifts", "units"), [({"to_charities": False}, 10), ({"least": 20}, 19), ({}, 101)]
)
def test_a_donation_that_may_not_be_is_refused(db, gifts, units):
    giver = olivia(generous(**gifts))
    with pytest.raises(LedgerError), transaction.atomic():
        donate(giver, units)
    with pytest.raises(LedgerError):
        preview_donation(
            wallet=giver, charity=Account.objects.get(kind="charity"), units=units, now=NOW
        )


def test_only_a_charity_of_the_program_is_given_to(db):
    giver = olivia(generous())
    other = make_program("other", charities=[{"code": "x", "name": "X"}],
                         partners=[{"code": "p", "name": "P"}])  # fmt: skip
    for account in (*other.accounts.filter(kind__in=["charity", "partner"]),
                    Account.objects.filter(kind="issued").first()):  # fmt: skip
        with pytest.raises(GiftRefusedError), transaction.atomic():
            donate(giver, 10, charity=account)


def test_a_key_used_for_another_charity_is_refused(db):
    program = make_program(
        charities=[{"code": "trees", "name": "Trees"}, {"code": "seas", "name": "Seas"}]
    )
    giver = olivia(program)
    donate(giver, 10)
    with pytest.raises(KeyReusedError), transaction.atomic():
        donate(giver, 10, charity=Account.objects.get(code="seas"))
