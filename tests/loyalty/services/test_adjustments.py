"""Adding and taking by hand: limits, reasons, and what was shown before."""

import pytest
from django.db import transaction

from loyalty.errors import InsufficientBalanceError
from loyalty.models import Lot, Transfer
from loyalty.selectors.adjustment_reasons import REASONS
from loyalty.services.adjustments import adjust_units, preview_adjustment, undo_transfer
from members.errors import DomainError
from members.models import AuditEntry, User
from members.services.audit import SYSTEM, Actor
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
    wallet_of,
)


@pytest.fixture
def wallet(program):
    return make_wallet(program)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_taken_and_kept(wallet, reason):
    transfer = adjust(wallet, 5, "k1", reason=reason, note="said so")
    assert (transfer.reason, transfer.note, transfer.signed_amount) == (reason, "said so", 5)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"units": 0}, "units"),
        ({"units": 10**18}, "units"),
        ({"units": -(10**18)}, "units"),
        ({"units": 5, "reason": "because"}, "reason"),
    ],
)
def test_an_adjustment_that_may_not_be_is_refused_by_field(wallet, given, field):
    with pytest.raises(DomainError) as refused:
        adjust(wallet, given.pop("units"), "k1", **given)
    assert [error.field for error in refused.value.errors] == [field]
    assert not Transfer.objects.exists()


def in_debt(wallet) -> None:
    record(order(total="30"))
    adjust(wallet, -30, "spend")
    give_back(refund(of="A1", total="20"))


@pytest.mark.parametrize("setting", ["with units", "in debt", "pending too"])
@pytest.mark.parametrize("units", [50, 5, -5, -10])
def test_what_was_shown_before_is_what_happens(db, setting, units):
    wallet = make_wallet(make_program(unit={"pending_days": 5 if setting == "pending too" else 0}))
    if setting == "in debt":
        in_debt(wallet)
    else:
        record(order(total="7"))
        adjust(wallet, 10, "start")
    wallet = wallet_of(wallet.account_id)
    before = held().spendable
    if -units > before:
        with pytest.raises(InsufficientBalanceError) as refused:
            preview_adjustment(wallet=wallet, units=units, now=NOW)
        assert refused.value.spendable == before
        with pytest.raises(InsufficientBalanceError), transaction.atomic():
            adjust(wallet, units, "k1")
        return
    shown = preview_adjustment(wallet=wallet, units=units, now=NOW)
    adjust(wallet, units, "k1")
    assert (shown.before, shown.after) == (before, held().spendable)


def test_units_added_lapse_by_the_policy_of_that_day(db):
    wallet = make_wallet(make_program(unit={"expiry": {"kind": "months", "length": 1}}))
    adjust(wallet, 5, "k1", now=day(0.3))
    assert Lot.objects.get().expires_at.isoformat() == "2024-04-16T00:00:00+00:00"


def test_who_did_it_is_on_the_transfer_and_in_the_audit_log(wallet):
    user = User.objects.create_user("sam@example.com", name="Sam")
    gift = adjust(wallet, 5, "k1", actor=Actor.of_user(user), note="late parcel")
    undo_transfer(transfer=gift, actor=Actor.of_user(user), source="backoffice", now=NOW)
    assert set(Transfer.objects.values_list("actor", flat=True)) == {user.pk}
    undone, made = AuditEntry.objects.filter(action__startswith="points.")
    assert (made.before["spendable"], made.after["spendable"], made.after["units"]) == (0, 5, 5)
    assert made.reason == "Goodwill · late parcel"
    assert (undone.before["spendable"], undone.after["spendable"]) == (5, 0)


def test_a_repeated_adjustment_is_said_to_be_one_and_audited_once(wallet):
    how = {"wallet": wallet, "units": 5, "reason": "goodwill", "note": "", "actor": SYSTEM,
           "key": "k1", "source": "api", "now": NOW}  # fmt: skip
    (first, new), (second, repeated) = adjust_units(**how), adjust_units(**how)
    assert (first, new, repeated) == (second, False, True)
    assert AuditEntry.objects.filter(action="points.adjusted").count() == 1


def test_a_gift_that_nobody_spent_is_undone_though_something_is_owed(db):
    wallet = make_wallet(make_program(debt_policy="refuse_redemption_only"))
    record(order(total="50"))
    adjust(wallet, -50, "spend")
    give_back(refund(total="10", of="A1", at=day(1)))
    gift = adjust(wallet, 50, "gift", now=day(2))
    undo_transfer(transfer=gift, actor=SYSTEM, source="job", now=day(2))
    assert (held(at=day(2)).balance, held(at=day(2)).owed) == (0, 10)
