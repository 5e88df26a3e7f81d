"""What a refund would take back is what it takes back."""

import pytest

from loyalty.models import Order, Refund, Transfer
from loyalty.services.expiry import write_down_expired
from loyalty.services.redemptions import redeem_units
from loyalty.services.refund_previews import preview_refund
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    day,
    give_back,
    held,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    tender,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")


def spend(wallet, units: int, at: float, bought: Order | None = None) -> None:
    redeem_units(
        wallet=wallet, units=units, key=f"s{at}", source="api", actor=SYSTEM, now=day(at),
        order=bought,
    )  # fmt: skip


def test_every_movement_that_would_follow_is_shown_and_none_is_made():
    wallet = make_wallet(make_program())
    record(order("A", "500"))
    pays = (tender("money", "75"), tender("units", "25"))
    record(order("B", "100", at=day(1), tenders=pays))
    spend(wallet, 250, 1, Order.objects.get(external_id="B"))
    before = Transfer.objects.count()
    wanted = refund("R1", "40", of="B", at=day(2))

    shown = preview_refund(wanted, now=day(2))

    assert Transfer.objects.count() == before
    assert not Refund.objects.exists()
    [effect] = shown.effects
    assert effect.before == held(at=day(2))
    give_back(wanted)
    assert effect.after == held(at=day(2))
    made = Transfer.objects.order_by("pk")[before:]
    assert [(m.kind, m.signed_amount, m.explanation) for m in effect.movements] == [
        (m.kind, m.signed_amount, m.explanation) for m in made
    ]


def test_what_had_expired_and_what_is_written_off_is_told():
    expiry = {"kind": "days", "length": 10}
    wallet = make_wallet(make_program(unit={"expiry": expiry}, debt_policy="write_off"))
    record(order("A", "50"))
    spend(wallet, 20, 1)
    write_down_expired(day(12))
    [effect] = preview_refund(refund("R1", "50", of="A", at=day(13)), now=day(13)).effects
    assert sorted((move.kind, move.signed_amount) for move in effect.movements) == [
        ("clawback", -50), ("reinstatement", 30), ("write_off", 20),
    ]  # fmt: skip


def test_an_early_refund_would_wait_and_makes_no_customer():
    make_program()
    shown = preview_refund(refund("R1", "5", of="later", buyer="new"), now=day(0))
    assert (shown.parked, shown.effects) == (True, ())
    assert not Customer.objects.exists()


def test_in_every_program_that_the_order_was_judged_by():
    make_program()
    make_program("other", name="Other")
    record(order("A", "50"))
    shown = preview_refund(refund("R1", "20", of="A"), now=day(0))
    assert [effect.after.spendable for effect in shown.effects] == [30, 30]
