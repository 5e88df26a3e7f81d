"""Units are spent, and come back to the lots that they came from."""

import datetime as dt

import pytest
from django.db import transaction

from loyalty.errors import (
    InsufficientBalanceError,
    KeyReusedError,
    LedgerError,
    OverCorrectedError,
)
from loyalty.models import Lot, LotChange, Order, Transfer
from loyalty.services.expiry import write_down_expired
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    held,
    make_program,
    moves,
    order,
    record,
    refund,
    spendable,
    tender,
    wallet_of,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")
MONTHLY = {"kind": "months", "length": 1, "last_day": "start_of_day"}


def wallet():
    return wallet_of(Lot.objects.first().wallet.account_id)


def redeem(units: int, key: str = "k1", *, now: dt.datetime = NOW, **how: object) -> Transfer:
    given = {"actor": SYSTEM, "source": "api"} | how
    return redeem_units(wallet=wallet(), units=units, key=key, now=now, **given)[0]


def bring_back(transfer: Transfer, units: int | None = None, key: str = "b1", **how: object):
    given = {"actor": SYSTEM, "source": "api", "now": NOW} | how
    return reverse_redemption(transfer=transfer, units=units, key=key, **given)[0]


def earn(*parts: tuple[str, str, float]) -> None:
    for number, total, at in parts:
        record(order(number, total, at=day(at)))


def test_what_expires_first_is_spent_first():
    make_program(unit={"expiry": MONTHLY})
    earn(("A", "50", 0), ("B", "50", -10), ("C", "50", -5))
    redeem(60)
    assert dict(Lot.objects.values_list("transfer__order__external_id", "remaining")) == {
        "A": 50, "B": 0, "C": 40,
    }  # fmt: skip


def test_a_redemption_is_made_once(program):
    earn(("A", "50", 0))
    assert redeem(20) == redeem(20)
    with pytest.raises(KeyReusedError), transaction.atomic():
        redeem(30)


def test_nobody_spends_what_is_not_there():
    make_program(unit={"pending_days": 3})
    earn(("A", "50", -5), ("B", "70", 0))
    with pytest.raises(InsufficientBalanceError) as refused, transaction.atomic():
        redeem(51)
    assert refused.value.spendable == 50


@pytest.mark.parametrize("units", [0, -5])
def test_a_redemption_takes_more_than_nothing(program, units):
    earn(("A", "50", 0))
    with pytest.raises(LedgerError):
        redeem(units)


def test_a_spend_returns_to_its_lots_with_their_expiry():
    make_program(unit={"expiry": MONTHLY})
    earn(("A", "50", 0), ("B", "50", -10))
    before = list(Lot.objects.order_by("pk").values_list("remaining", "expires_at"))
    bring_back(redeem(60))
    assert list(Lot.objects.order_by("pk").values_list("remaining", "expires_at")) == before
    assert held().spendable == 100


def test_a_part_returns_to_the_lots_that_last_longest_and_never_more_than_all():
    make_program(unit={"expiry": MONTHLY})
    earn(("A", "50", 0), ("B", "50", -10))
    spent = redeem(80)
    bring_back(spent, 40, "b1")
    assert dict(Lot.objects.values_list("transfer__order__external_id", "remaining")) == {
        "A": 50, "B": 10,
    }  # fmt: skip
    with pytest.raises(OverCorrectedError):
        bring_back(spent, 41, "b2")
    bring_back(spent, None, "b3")
    assert held().spendable == 100
    with pytest.raises(OverCorrectedError):
        bring_back(spent, None, "b4")
    assert bring_back(spent, 40, "b1").amount == 40


def test_what_comes_back_may_have_some_days_at_least():
    make_program(unit={"expiry": MONTHLY | {"restored_days": 14}})
    earn(("A", "50", -25))
    spent = redeem(50)
    bring_back(spent, now=day(3))
    assert Lot.objects.get().expires_at == day(18).replace(hour=0)
    assert LotChange.objects.get().reason == "restored"
    assert held(at=day(17)).spendable == 50


def test_what_comes_back_after_its_expiry_has_expired():
    make_program(unit={"expiry": MONTHLY})
    earn(("A", "50", -25))
    spent = redeem(50)
    bring_back(spent, now=day(10))
    assert held(at=day(10)).spendable == 0
    assert write_down_expired(day(10)) == 1


def test_a_till_that_was_offline_spends_what_had_not_expired_then():
    make_program(unit={"expiry": MONTHLY})
    earn(("A", "50", -29))  # expires at the end of the 14th of April minus the 31 days of March
    gone = Lot.objects.get().expires_at
    write_down_expired(gone + dt.timedelta(hours=5))
    redeem(50, now=gone + dt.timedelta(hours=5), occurred_at=gone - dt.timedelta(hours=1))
    assert sorted(moves()) == [
        ("accrual", 50), ("expiry", -50), ("redemption", -50), ("reinstatement", 50),
    ]  # fmt: skip


def test_a_till_tells_within_three_days(program):
    earn(("A", "50", -9))
    with pytest.raises(LedgerError):
        redeem(50, occurred_at=day(-4))
    with pytest.raises(LedgerError):
        redeem(50, occurred_at=day(1))


def paid_with_units() -> Order:
    make_program()
    record(order("A", "500"))
    pays = (tender("money", "75"), tender("units", "25"))
    record(order("B", "100", at=day(1), tenders=pays))
    bought = Order.objects.get(external_id="B")
    redeem(250, now=day(1), order=bought)
    return bought


def test_a_canceled_order_gives_back_what_it_was_paid_with():
    """Pains 2 and 4: nothing is charged twice, and no order of steps ends at another balance."""
    paid_with_units()
    assert spendable(at=day(1)) == 500 - 250 + 75
    pays = (tender("money", "75"), tender("units", "25"))
    for _time in range(2):
        record(order("B", "100", at=day(1), tenders=pays, status="cancelled"), now=day(2))
    assert spendable(at=day(2)) == 500
    assert moves()[-2:] == [("reversal", 250), ("clawback", -75)]


def test_a_refund_gives_back_units_in_the_proportion_paid():
    paid_with_units()
    give_back(refund("R1", "40", of="B", at=day(2)))
    assert [move for move in moves() if move[0] == "reversal"] == [("reversal", 100)]
    give_back(refund("R2", "60", of="B", at=day(3)))
    assert sum(units for kind, units in moves() if kind == "reversal") == 250
    assert spendable(at=day(3)) == 500


def test_what_was_given_back_by_hand_is_not_given_back_again():
    bought = paid_with_units()
    spent = Transfer.objects.get(kind="redemption")
    bring_back(spent, None, "b1", now=day(1))
    give_back(refund("R1", "100", of=bought.external_id, at=day(2)))
    assert spendable(at=day(2)) == 500
