"""Whether and when a job wrote down what expired, or brought balances up to date, makes no
difference to anything that happens afterwards."""

import datetime as dt
from collections.abc import Callable

import pytest

from loyalty.ledger.reports import totals
from loyalty.models import Lot, Membership, Order, Program, Transfer, Wallet
from loyalty.services.adjustments import undo_transfer
from loyalty.services.expiry import confirm_matured, write_down_expired
from loyalty.services.lots import extend_lot, reinstate_units
from loyalty.services.order_holds import hold_order, release_order
from loyalty.services.policy_changes import apply_policy_change
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    adjust,
    day,
    give_back,
    held,
    line,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    wallet_of,
)

Job = Callable[[dt.datetime], object]
TEN_DAYS = {"kind": "days", "length": 10, "last_day": "start_of_day"}
FOUR_DAYS = TEN_DAYS | {"length": 4}
IDLE = {"kind": "inactivity", "length": 1, "last_day": "start_of_day"}


@pytest.fixture(params=["no job", "expiry", "confirmation", "both"])
def job(request: pytest.FixtureRequest) -> Job:
    """What ran in between, or did not."""
    jobs = {"expiry": [write_down_expired], "confirmation": [confirm_matured],
            "both": [confirm_matured, write_down_expired]}.get(request.param, [])  # fmt: skip
    return lambda at: [run(at) for run in jobs]


def wallet() -> Wallet:
    return wallet_of(Membership.objects.get().account_id)


def spend(units: int, now: dt.datetime, **how: object) -> Transfer:
    given = {"key": "spend", "actor": SYSTEM, "source": "api"} | how
    return redeem_units(wallet=wallet(), units=units, now=now, **given)[0]


def bring_back(transfer: Transfer, now: dt.datetime) -> None:
    reverse_redemption(transfer=transfer, key="back", source="api", actor=SYSTEM, now=now)


def state(at: dt.datetime) -> tuple[int, int, int, int]:
    """Balance, pending, owed and spendable, which are the same once everything is written down."""
    found = held(at=at)
    write_down_expired(at)
    assert held(at=at) == found
    return found.balance, found.pending, found.owed, found.spendable


def test_a_refund_takes_what_the_order_has_left_before_what_of_it_expired(job):
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"))
    extend_lot(lot=Lot.objects.get(), until=day(50), actor=SYSTEM, note="", now=day(1))
    record(order("A", "70"), now=day(2))
    job(day(11))
    give_back(refund("R", "20", of="A", at=day(11)))
    assert state(day(11)) == (30, 0, 0, 30)


def test_a_refund_told_late_takes_the_oldest_of_what_had_not_expired_then(job):
    quick = {"code": "quick", "name": "Quick", "include": {"skus": ["x"]}, "expiry": FOUR_DAYS}
    make_program(
        clawback_order="oldest_first", unit={"expiry": TEN_DAYS}, earning_rules=[{}, quick]
    )
    record(order("A", "10"))  # until the 10th day
    record(order("B", "10", at=day(4)))
    record(order("C", "10", at=day(4.5), lines=(line(1, "10", sku="x"),)))  # half until the 9th
    job(day(11))
    give_back(refund("R", "10", of="B", at=day(8)), now=day(11))
    assert state(day(11)) == (20, 0, 0, 20)


def test_a_refund_of_what_was_partly_brought_back_takes_all_of_it(job):
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"))
    write_down_expired(day(11))
    expiry = Transfer.objects.get(kind="expiry")
    reinstate_units(transfer=expiry, units=30, until=day(40), actor=SYSTEM, note="", key="k",
                    source="api", now=day(12))  # fmt: skip
    job(day(13))
    give_back(refund("R", "50", of="A", at=day(13)))
    assert state(day(13)) == (0, 0, 0, 0)


def test_a_gift_that_expired_is_undone(job):
    wallet_ = make_wallet(make_program(unit={"expiry": TEN_DAYS}))
    gift = adjust(wallet_, 50, "gift")
    job(day(11))
    undo_transfer(transfer=gift, actor=SYSTEM, source="job", now=day(11))
    assert state(day(11)) == (0, 0, 0, 0)


def test_an_activity_told_late_has_renewed_in_time(job):
    make_program(unit={"expiry": IDLE})
    record(order("A", "50"))
    job(day(33))
    record(order("B", "10", at=day(25)), now=day(33))
    assert state(day(33)) == (60, 0, 0, 60)
    assert totals(Program.objects.get(), day(33))["points"].expired == 0


def test_an_offline_till_spends_what_could_be_spent_then_and_nothing_else(job):
    quick = {"code": "quick", "name": "Quick", "include": {"skus": ["x"]}, "expiry": FOUR_DAYS}
    make_program(unit={"expiry": TEN_DAYS, "pending_days": 3}, earning_rules=[{}, quick])
    record(order("A", "10"))
    # Still pending then, and the first to expire.
    record(order("B", "7", at=day(4.5), lines=(line(1, "7", sku="x"),)))
    job(day(10.1))
    spend(10, day(10.1), occurred_at=day(7.2))
    assert state(day(10.1)) == (7, 0, 0, 7)


def test_more_days_are_for_the_units_that_come_back(job):
    make_program(unit={"expiry": TEN_DAYS | {"restored_days": 14}})
    record(order("A", "50"))
    spent = spend(30, day(1))
    job(day(11))
    bring_back(spent, day(11))
    assert state(day(11)) == (30, 0, 0, 30)


def test_what_came_back_expired_is_not_revived_by_what_staff_bring_back(job):
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"))
    spent = spend(20, day(1))
    write_down_expired(day(11))
    bring_back(spent, day(11))
    job(day(12))
    expiry = Transfer.objects.filter(kind="expiry").earliest("pk")
    reinstate_units(transfer=expiry, units=10, until=day(40), actor=SYSTEM, note="", key="k",
                    source="api", now=day(12))  # fmt: skip
    assert state(day(12)) == (10, 0, 0, 10)


def test_a_spend_that_comes_back_to_an_idle_wallet_has_expired(job):
    make_program(unit={"expiry": IDLE})
    record(order("A", "50"))
    spent = spend(50, day(1))
    job(day(50))
    bring_back(spent, day(50))
    assert state(day(50)) == (0, 0, 0, 0)


def test_holding_an_order_does_not_revive_what_of_it_expired(job):
    expiry = TEN_DAYS | {"counted_from": "maturity"}
    make_program(unit={"expiry": expiry, "pending_from": "paid"})
    record(order("A", "50", status="paid"))
    job(day(11))
    hold_order(order=Order.objects.get(), actor=SYSTEM, reason="", now=day(11))
    assert state(day(11)) == (0, 0, 0, 0)
    release_order(order=Order.objects.get(), actor=SYSTEM, reason="", now=day(12))
    assert state(day(12)) == (0, 0, 0, 0)


def owe_fifty(unit: dict[str, object], **program: object) -> None:
    make_program(unit=unit | {"pending_days": 3}, **program)
    record(order("A", "50"))
    spend(50, day(4))
    give_back(refund("R", "50", of="A", at=day(4)))
    record(order("B", "30", at=day(5)))


def test_what_expires_by_inactivity_settles_a_debt(job):
    owe_fifty({"expiry": IDLE})
    job(day(60))
    assert state(day(60)) == (0, 0, 20, 0)


def test_more_time_for_one_lot_changes_nothing_of_what_others_settled(job):
    owe_fifty({"expiry": TEN_DAYS})
    record(order("C", "10", at=day(12)))
    job(day(15.5))
    lot = Lot.objects.latest("pk")
    extend_lot(lot=lot, until=day(50), actor=SYSTEM, note="", now=day(15.5))
    assert state(day(15.5)) == (10, 0, 20, 0)


def test_units_that_a_policy_change_ends_settle_a_debt_and_were_there_until_then(job):
    owe_fifty({})
    make_program(unit={"expiry": TEN_DAYS, "pending_days": 3}, at=day(20))
    before = totals(Program.objects.get(), day(17))["points"]
    apply_policy_change(wallet().wallet_type, after=0, actor_id=None, note="", now=day(20))
    job(day(20))
    assert state(day(20)) == (0, 0, 20, 0)
    assert totals(Program.objects.get(), day(17))["points"] == before


def test_a_refund_dated_before_its_order_is_owed_until_then_and_settled_by_nothing_else(
    db: None, job: Job
) -> None:
    program = make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "20", at=day(0)))
    record(order("B", "10", at=day(30)))
    give_back(refund("R", "3", of="B", at=day(5)), now=day(31))
    job(day(31))
    figures = totals(program, day(20))["points"]
    assert (figures.expired, figures.owed, figures.outstanding) == (20, 3, 0)
    assert held(at=day(31)).balance == 7
