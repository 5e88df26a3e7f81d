"""Orders and refunds in the combinations that nobody thinks of, and what is left of them."""

import datetime as dt

import pytest

from loyalty.models import Lot, Membership, Order, Program, Transfer
from loyalty.services.gift_reversals import undo_movement
from loyalty.services.gifts import give_units
from loyalty.services.programs import apply_definition
from loyalty.services.redemptions import redeem_units
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    give_back,
    held,
    line,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    returned,
    spendable,
    tender,
    wallet_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("coherent_ledger")]
GOLD = {
    "metric": "spend", "window": "calendar_year", "return_days": 30,
    "tiers": [
        {"code": "base", "name": "Base"},
        {"code": "gold", "name": "Gold", "threshold": 500,
         "benefits": [{"kind": "multiplier", "factor": 2}]},
    ],
}  # fmt: skip


def test_what_a_retired_multiplier_gave_is_taken_back_line_by_line():
    twice = {"code": "twice", "name": "Twice", "kind": "multiplier", "factor": 2}
    make_program(earning_rules=[{}, twice | {"include": {"categories": ["A"]}}])
    bought = (line(1, "60", category="A"), line(2, "40"))
    record(order("A", "100", lines=bought))
    assert spendable() == 160
    apply_definition(define(earning_rules=[{"units": 3}]), actor=SYSTEM, now=day(1))
    back = returned(1, "30", order_line_no=1)
    give_back(refund("R1", "30", of="A", at=day(2), lines=(back,)))
    assert spendable(at=day(2)) == 100
    give_back(refund("R2", "35", of="A", at=day(3)))
    assert spendable(at=day(3)) == 50


def test_hundreds_of_lines_of_a_cent_come_back_one_by_one_to_nothing():
    make_program(earning_rules=[{"rounding": {"mode": "nearest"}}])
    cents = range(1, 778)
    record(order("A", "7.77", lines=tuple(line(number, "0.01") for number in cents)))
    assert spendable() == 8
    for start in range(1, 778, 111):
        lines = tuple(
            returned(place, "0.01", order_line_no=start + place - 1) for place in range(1, 112)
        )
        give_back(refund(f"R{start}", "1.11", of="A", lines=lines))
    assert (held().balance, held().owed) == (0, 0)


@pytest.mark.parametrize("per", ["order", "line"])
@pytest.mark.parametrize("mode", ["up", "down", "nearest"])
def test_an_even_exchange_earns_nothing_however_it_is_rounded(per, mode):
    make_program(earning_rules=[{"rounding": {"per": per, "mode": mode}}])
    record(order("A", "0", lines=(line(1, "100"), line(2, "-100"))))
    record(order("B", "20", lines=(line(1, "50"), line(2, "-30"))))
    assert moves() == [("accrual", 20)]


def test_an_order_called_off_and_on_again_finds_of_a_budget_what_others_left():
    make_program(earning_rules=[{"caps": {"budget": 100}}])
    for buyer in ("c1", "c2", "c3"):
        make_wallet(Program.objects.get(), buyer)
    record(order("A", "80", buyer="c1"))
    record(order("B", "80", buyer="c2"))
    record(order("A", "80", buyer="c1", status="cancelled"))
    record(order("C", "80", buyer="c3"))
    record(order("A", "80", buyer="c1"))
    assert [spendable(buyer) for buyer in ("c1", "c2", "c3")] == [0, 20, 80]


def test_a_midnight_that_a_night_skips_ends_the_day_before_it():
    """In Chile clocks go from 23:59 to 01:00."""
    make_program(
        time_zone="America/Santiago", at=dt.datetime(2026, 8, 1, tzinfo=dt.UTC),
        unit={"expiry": {"kind": "fixed_date", "month_day": "09-05"}},
        earning_rules=[{"caps": {"per_member": 50, "period": "day"}}],
    )  # fmt: skip
    midnight = dt.datetime(2026, 9, 6, 4, tzinfo=dt.UTC)
    record(order("A", "80", at=midnight - dt.timedelta(minutes=1)))
    record(order("B", "80", at=midnight))
    ends = {lot.transfer.order.external_id: lot.expires_at for lot in Lot.objects.all()}
    assert ends == {"A": midnight, "B": dt.datetime(2027, 9, 6, 3, tzinfo=dt.UTC)}
    assert (spendable(at=midnight - dt.timedelta(seconds=1)), spendable(at=midnight)) == (50, 50)


def test_a_tier_that_a_refund_revokes_goes_on_pricing_what_was_bought_with_it():
    make_program(at=day(-10), tiers=GOLD)
    record(order("A", "500"))
    record(order("B", "100", at=day(1)))
    record(order("late", "50", at=day(-1)), now=day(2))
    assert spendable(at=day(2)) == 500 + 200 + 50
    give_back(refund("R1", "500", of="A", at=day(3)))
    record(order("C", "10", at=day(4)))
    assert spendable(at=day(4)) == 200 + 50 + 10
    give_back(refund("R2", "50", of="B", at=day(5)))
    assert spendable(at=day(5)) == 100 + 50 + 10


def test_units_that_paid_a_third_come_back_in_thirds_that_come_to_the_whole():
    make_program()
    record(order("A", "100"))
    paid = (tender("units", "33"), tender("money", "67"))
    record(order("B", "100", at=day(1), tenders=paid))
    wallet = wallet_of(Membership.objects.get().account_id)
    bought = Order.objects.get(external_id="B")
    redeem_units(
        wallet=wallet, units=33, key="B", source="api", actor=SYSTEM, now=day(1), order=bought
    )
    for number, money in enumerate(("33.33", "33.33", "33.34"), start=2):
        give_back(refund(f"R{number}", money, of="B", at=day(number)))
    given_back = [units for kind, units in moves() if kind == "reversal"]
    assert (sum(given_back), spendable(at=day(5))) == (33, 100)


def test_a_gift_that_is_undone_repays_what_the_giver_owes_for_it():
    program = make_program(unit={"gifts": {"to_members": True}})
    make_wallet(program, "c2")
    record(order("A", "100"))
    friend = Membership.objects.select_related("customer").get(customer__external_id="c2")
    giver = wallet_of(Membership.objects.get(customer__external_id="c1").account_id)
    give_units(
        wallet=giver, to=friend, units=30, message="", key="g", source="api", actor=SYSTEM, now=NOW
    )
    give_back(refund("R1", "100", of="A", at=day(1)))
    assert held(at=day(1)).owed == 30
    gift = Transfer.objects.filter(kind="gift").latest("pk")
    undo_movement(transfer=gift, actor=SYSTEM, source="backoffice", now=day(2))
    assert [(held(who, day(2)).balance, held(who, day(2)).owed) for who in ("c1", "c2")] == [
        (0, 0), (0, 0),
    ]  # fmt: skip
