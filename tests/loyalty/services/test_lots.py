"""Lots expire, are written down, extended and brought back; debts are settled."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from loyalty.errors import LedgerError, OverCorrectedError
from loyalty.ledger.reports import totals
from loyalty.models import Lot, LotChange, Program, Transfer, Wallet
from loyalty.services.expiry import confirm_matured, count_due, find_expired, write_down_expired
from loyalty.services.lots import extend_lot, reinstate_units, settle_debt, warn_lots
from loyalty.services.policy_changes import apply_policy_change
from loyalty.services.redemptions import redeem_units
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    held,
    line,
    make_program,
    moves,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")
TEN_DAYS = {"kind": "days", "length": 10, "last_day": "start_of_day"}
IDLE = {"kind": "inactivity", "length": 1, "last_day": "start_of_day"}
MIDNIGHT = day(10).replace(hour=0)


def wallet() -> Wallet:
    return wallet_of(Wallet.objects.first().account_id)


def figures(at: dt.datetime):
    return totals(Program.objects.get(), at)["points"]


def spend(units: int, now: dt.datetime, key: str = "spend") -> Transfer:
    return redeem_units(wallet=wallet(), units=units, key=key, actor=SYSTEM, source="api", now=now)[
        0
    ]


def by_staff(now: dt.datetime, key: str = "k") -> dict[str, object]:
    return {"actor": SYSTEM, "note": "Asked for it", "key": key, "source": "backoffice",
            "now": now}  # fmt: skip


def test_writing_down_what_expired_changes_no_figure():
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"), order("B", "30", at=day(5)), now=day(5))
    before = figures(day(11))
    assert (count_due(day(11)), held(at=day(11)).spendable) == (1, 30)
    assert write_down_expired(day(11)) == 1
    assert (figures(day(11)), held(at=day(11)).spendable) == (before, 30)
    assert write_down_expired(day(11)) == 0
    expiry = Transfer.objects.get(kind="expiry")
    assert (expiry.amount, expiry.occurred_at, expiry.recorded_at) == (50, MIDNIGHT, day(11))


@pytest.mark.parametrize("expiry", [TEN_DAYS, IDLE])
def test_there_is_work_from_when_something_expires_until_it_is_written_down(expiry):
    make_program(unit={"expiry": expiry})
    assert find_expired(day(40)) is None
    record(order("A", "50"))
    assert find_expired(day(5)) is None
    assert find_expired(day(40)) is not None
    assert write_down_expired(day(40)) == 1
    assert find_expired(day(40)) is None


def test_many_small_chunks_write_down_as_much_as_one(monkeypatch):
    make_program(unit={"expiry": TEN_DAYS})
    for number in range(7):
        record(order(f"A{number}", "10", buyer=f"c{number % 3}"))
    monkeypatch.setattr("loyalty.services.expiry.LOTS", 2)
    seen: list[int] = []
    assert write_down_expired(day(20), progress=seen.append) == 7
    assert seen[-1] == 7


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_write_everything_down_once(monkeypatch):
    make_program(unit={"expiry": TEN_DAYS})
    for number in range(40):
        record(order(f"A{number}", "10", buyer=f"c{number % 5}"))
    monkeypatch.setattr("loyalty.services.expiry.LOTS", 3)

    def sweep(_number: int) -> int:
        try:
            return write_down_expired(day(20))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(sweep, range(3))) == 40
    assert Transfer.objects.filter(kind="expiry").count() == 40
    assert_ledger_coherent()


def test_stored_balances_are_brought_up_to_now():
    make_program(unit={"pending_days": 5})
    record(order("A", "50"))
    assert confirm_matured(day(6)) == 1
    assert (wallet().balance, wallet().pending, wallet().next_change_at > day(900)) == (50, 0, True)
    assert confirm_matured(day(6)) == 0


def test_a_refund_of_what_had_expired_is_no_debt():
    """Whether or not a job wrote the expiry down."""
    for swept in (False, True):
        number = f"A{swept}"
        if not swept:
            make_program(unit={"expiry": TEN_DAYS})
        record(order(number, "50", buyer=number))
        if swept:
            write_down_expired(day(11))
        give_back(refund(f"R{swept}", "50", of=number, at=day(12)))
        assert (held(number, day(12)).owed, held(number, day(12)).spendable) == (0, 0)
    assert sorted(moves("ATrue")) == [
        ("accrual", 50), ("clawback", -50), ("expiry", -50), ("reinstatement", 50),
    ]  # fmt: skip
    assert figures(day(12)).expired == 0


def test_a_refund_told_late_takes_what_had_not_expired_then():
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"))
    record(order("B", "50", at=day(1)))
    spend(50, day(2))  # takes A's
    write_down_expired(day(20))
    give_back(refund("R1", "50", of="A", at=day(5)), now=day(20))
    assert (held(at=day(20)).owed, figures(day(20)).expired) == (0, 0)


def test_units_that_expire_while_something_is_owed_settle_it():
    make_program(unit={"expiry": TEN_DAYS, "pending_days": 2})
    record(order("A", "50"))
    spend(50, day(3))
    record(order("B", "30", at=day(3)))
    give_back(refund("R1", "40", of="A", at=day(3)))
    # B's thirty are pending, so taken first; ten are owed.
    assert (held(at=day(3)).owed, held(at=day(3)).pending) == (10, 0)
    record(order("C", "25", at=day(4)))
    assert (held(at=day(7)).spendable, held(at=day(7)).owed) == (15, 10)
    for sweep in (False, True):
        if sweep:
            write_down_expired(day(15))
        assert (held(at=day(15)).owed, held(at=day(15)).spendable) == (0, 0)
        assert (figures(day(15)).owed, figures(day(15)).expired) == (0, 15)
    assert [kind for kind, _units in moves()][-3:] == ["settlement", "settlement", "expiry"]


def test_a_lot_gets_more_time():
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"))
    lot = extend_lot(lot=Lot.objects.get(), until=day(30), actor=SYSTEM, note="Ill", now=day(5))
    assert lot.expires_at == day(30)
    assert (held(at=day(20)).spendable, held(at=day(30)).spendable) == (50, 0)
    change = LotChange.objects.get()
    assert (change.reason, change.note, change.expires_before) == ("extended", "Ill", MIDNIGHT)
    assert figures(day(4)) == figures(day(4))


@pytest.mark.parametrize("until", [day(3), day(9)])
def test_a_lot_is_not_given_less_time(until):
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"))
    with pytest.raises(LedgerError):
        extend_lot(lot=Lot.objects.get(), until=until, actor=SYSTEM, note="", now=day(5))


def test_more_time_until_the_same_day_is_given_once():
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"))
    for _time in range(2):
        extend_lot(lot=Lot.objects.get(), until=day(30), actor=SYSTEM, note="Ill", now=day(5))
    assert LotChange.objects.count() == 1


def test_what_waits_for_its_warning_gets_more_time_and_waits_on():
    make_program(unit={"expiry": TEN_DAYS | {"warned_days": 5}})
    record(order("A", "50"))
    lot = extend_lot(lot=Lot.objects.get(), until=day(30), actor=SYSTEM, note="Ill", now=day(5))
    assert (lot.expires_at, lot.planned_expires_at) == (None, day(30))
    assert held(at=day(40)).spendable == 50


def test_what_expired_is_brought_back_once():
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"))
    write_down_expired(day(11))
    expiry = Transfer.objects.get(kind="expiry")
    how = {"transfer": expiry, "until": day(40)}
    first, _replayed = reinstate_units(units=30, **how, **by_staff(day(12)))
    assert reinstate_units(units=30, **how, **by_staff(day(12))) == (first, True)
    assert (spendable(at=day(12)), spendable(at=day(40))) == (30, 0)
    with pytest.raises(OverCorrectedError):
        reinstate_units(units=21, **how, **by_staff(day(12), "k2"))
    assert figures(day(12)).expired == 20
    assert write_down_expired(day(41)) == 1


def test_what_comes_back_repays_a_debt_first():
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"))
    write_down_expired(day(11))
    record(order("B", "20", at=day(12)))
    spend(20, day(12))
    give_back(refund("R1", "20", of="B", at=day(13)))
    assert held(at=day(13)).owed == 20
    expiry = Transfer.objects.get(kind="expiry")
    reinstate_units(transfer=expiry, units=30, until=day(40), **by_staff(day(14)))
    assert (held(at=day(14)).owed, held(at=day(14)).spendable) == (0, 10)


def indebted(**program: object) -> None:
    make_program(**program)
    record(order("A", "50"))
    spend(40, day(1))
    give_back(refund("R1", "50", of="A", at=day(2)))


def test_a_debt_is_carried_and_shown():
    indebted()
    assert (held(at=day(2)).owed, held(at=day(2)).spendable) == (40, 0)
    record(order("B", "60", at=day(3)))
    assert (held(at=day(3)).owed, held(at=day(3)).spendable) == (0, 20)


def test_a_debt_may_be_written_off_visibly_by_the_program():
    """Pain 5: a shortfall is never silently forgotten."""
    indebted(debt_policy="write_off")
    assert moves()[-2:] == [("clawback", -50), ("write_off", 40)]
    assert (held(at=day(2)).owed, figures(day(2)).written_off) == (0, 40)
    record(order("B", "60", at=day(3)))
    assert spendable(at=day(3)) == 60


def test_a_debt_may_only_refuse_redemptions():
    indebted(debt_policy="refuse_redemption_only")
    record(order("B", "60", at=day(3)))
    assert (held(at=day(3)).owed, held(at=day(3)).balance, spendable(at=day(3))) == (40, 60, 0)
    with pytest.raises(LedgerError), transaction.atomic():
        spend(1, day(3), "no")
    settle_debt(wallet=wallet(), way="repay", **by_staff(day(4)))
    assert (held(at=day(4)).owed, spendable(at=day(4))) == (0, 20)


def test_staff_write_a_debt_off_once():
    indebted()
    first = settle_debt(wallet=wallet(), way="write_off", **by_staff(day(4)))
    assert settle_debt(wallet=wallet(), way="write_off", **by_staff(day(4))) == first
    assert (held(at=day(4)).owed, figures(day(4)).written_off) == (0, 40)
    with pytest.raises(LedgerError):
        settle_debt(wallet=wallet(), way="write_off", **by_staff(day(4), "again"))


def test_the_oldest_units_may_go_first():
    make_program(clawback_order="oldest_first")
    record(order("A", "30"))
    record(order("B", "50", at=day(1)))
    give_back(refund("R1", "40", of="B", at=day(2)))
    assert list(Lot.objects.order_by("pk").values_list("remaining", flat=True)) == [0, 40]


def test_a_returns_own_amount_may_be_what_it_takes_back():
    make_program(linked_returns="own_amount")
    record(order("A", "10.60"))
    for number in ("R1", "R2"):
        give_back(refund(number, "0.50", of="A", at=day(1)))
    assert spendable(at=day(1)) == 10
    give_back(refund("R3", "9.60", of="A", at=day(1)))
    assert spendable(at=day(1)) == 1


def test_units_do_not_expire_before_their_warning():
    make_program(unit={"expiry": TEN_DAYS | {"warned_days": 5}})
    record(order("A", "50"))
    assert held(at=day(100)).spendable == 50
    assert write_down_expired(day(100)) == 0
    assert warn_lots(list(Lot.objects.all()), now=day(8)) == 1
    assert warn_lots(list(Lot.objects.all()), now=day(9)) == 0
    assert Lot.objects.get().expires_at == day(14).replace(hour=0)
    assert (held(at=day(13)).spendable, held(at=day(14)).spendable) == (50, 0)


def test_a_warning_leaves_the_days_of_the_terms_that_a_lot_lives_under():
    warned = {"kind": "days", "length": 10, "last_day": "start_of_day", "warned_days": 5}
    make_program(unit={"expiry": warned})
    record(order("A", "50"))
    program = make_program(unit={"expiry": warned | {"length": 12, "warned_days": 2}}, at=day(1))
    apply_policy_change(program.wallet_types.get(), after=0, actor_id=None, note="", now=day(1))
    record(order("B", "10"), now=day(2))
    warn_lots(list(Lot.objects.all()), now=day(20))
    assert {lot.expires_at for lot in Lot.objects.all()} == {day(23).replace(hour=0)}


def test_more_time_is_kept_by_what_waits_for_its_warning_when_its_order_goes_on():
    make_program(
        unit={"pending_from": "fulfilled",
              "expiry": TEN_DAYS | {"counted_from": "maturity", "warned_days": 5}},
    )  # fmt: skip
    record(order("A", "50", status="fulfilled"))
    extend_lot(lot=Lot.objects.get(), until=day(60), actor=SYSTEM, note="Ill", now=day(1))
    record(order("A", "50", status="completed", fulfilled_at=day(1)), now=day(2))
    lot = Lot.objects.get()
    assert (lot.spendable_at, lot.expires_at, lot.planned_expires_at) == (day(1), None, day(60))


def test_what_was_brought_back_counts_by_its_new_end_when_something_is_told_late():
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"), order("B", "30", at=day(5)), now=day(5))
    write_down_expired(day(11))
    expiry = Transfer.objects.get(kind="expiry")
    reinstate_units(transfer=expiry, units=50, until=day(60), **by_staff(day(11)))
    give_back(refund("R1", "10", buyer="c1", at=day(9)), now=day(12))
    assert list(Lot.objects.order_by("pk").values_list("remaining", flat=True)) == [50, 20]


def test_any_activity_renews_everything():
    make_program(unit={"expiry": IDLE})
    record(order("A", "50"))
    record(order("B", "10", at=day(25)))
    assert held(at=day(40)).spendable == 60
    spend(5, day(50))
    assert (held(at=day(75)).spendable, held(at=day(85)).spendable) == (55, 0)
    assert write_down_expired(day(85)) == 2
    assert figures(day(85)).expired == 55


def test_after_too_long_a_silence_only_what_is_new_counts():
    make_program(unit={"expiry": IDLE})
    record(order("A", "50"))
    record(order("B", "10", at=day(60)))
    assert (held(at=day(60)).spendable, figures(day(60)).expired) == (10, 50)


def test_a_history_that_comes_at_once_has_its_silences():
    make_program(unit={"expiry": IDLE})
    record(order("A", "50"), order("B", "10", at=day(60)), order("C", "1", at=day(70)), now=day(71))
    assert (held(at=day(71)).spendable, figures(day(71)).expired) == (11, 50)


def test_an_activity_that_is_told_late_has_renewed_in_time():
    make_program(unit={"expiry": IDLE})
    record(order("A", "50"))
    assert held(at=day(33)).spendable == 0
    record(order("B", "10", at=day(25)), now=day(33))
    assert held(at=day(33)).spendable == 60


def test_only_the_named_kinds_renew():
    make_program(unit={"expiry": IDLE | {"renewed_by": ["redemption"]}})
    record(order("A", "50"))
    record(order("B", "10", at=day(25)))
    assert held(at=day(40)).spendable == 0


def test_an_adjustment_does_not_renew():
    make_program(unit={"expiry": IDLE})
    record(order("A", "50"))
    adjust(wallet(), 5, "k1", now=day(20))
    assert held(at=day(25)).spendable == 55
    assert held(at=day(40)).spendable == 0


def test_units_that_expire_together_get_more_time_together():
    make_program(unit={"expiry": IDLE})
    record(order("A", "50"), order("B", "5"))
    extend_lot(lot=Lot.objects.first(), until=day(50), actor=SYSTEM, note="", now=NOW)
    assert (held(at=day(45)).spendable, held(at=day(50)).spendable) == (55, 0)


def test_units_that_expired_by_inactivity_get_no_more_time():
    make_program(unit={"expiry": IDLE})
    record(order("A", "50"))
    with pytest.raises(LedgerError):
        extend_lot(lot=Lot.objects.get(), until=day(90), actor=SYSTEM, note="", now=day(60))


def test_what_had_expired_when_it_was_told_repays_nothing():
    make_program(unit={"expiry": IDLE})
    record(order("A", "50"))
    spend(50, day(4))
    give_back(refund("R1", "50", of="A", at=day(70)))
    record(order("B", "20", at=day(1)), now=day(70))
    assert (held(at=day(70)).owed, held(at=day(70)).balance) == (50, 0)


def test_a_second_part_that_is_brought_back_does_not_shorten_the_first():
    make_program(unit={"expiry": TEN_DAYS})
    record(order("A", "50"))
    write_down_expired(day(11))
    expiry = Transfer.objects.get(kind="expiry")
    reinstate_units(transfer=expiry, units=30, until=day(40), **by_staff(day(12), "k1"))
    reinstate_units(transfer=expiry, units=20, until=day(20), **by_staff(day(12), "k2"))
    assert (spendable(at=day(30)), spendable(at=day(40))) == (50, 0)


def test_what_a_rule_awards_may_expire_by_inactivity_though_other_units_do_not():
    rule = {"code": "idle", "name": "Idle", "include": {"skus": ["x"]}, "expiry": IDLE}
    make_program(earning_rules=[{}, rule])
    record(order("A", "50", lines=(line(1, "50", sku="x"),)))
    record(order("B", "10", at=day(20)))
    assert (held(at=day(49)).spendable, held(at=day(50)).spendable) == (110, 60)


def test_units_of_a_wallet_expire_by_one_inactivity():
    rule = {"code": "idle", "name": "Idle", "expiry": IDLE | {"length": 2}}
    with pytest.raises(ValueError, match="expire together"):
        make_program(unit={"expiry": IDLE}, earning_rules=[{}, rule])
