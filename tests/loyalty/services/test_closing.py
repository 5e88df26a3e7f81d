"""Closed books stay as they are: what is told late of them is booked on the first open day."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction

from loyalty.ledger.posting import Retiming, retime
from loyalty.models import ClosedPeriod, Lot, LotChange, Transfer
from loyalty.selectors.closed_periods import first_open_day
from loyalty.services.closing import close_books, reopen_books
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, OutboxEvent
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)
from tests.processes import eventually

MARCH = dt.date(2024, 3, 31)
APRIL_1 = dt.date(2024, 4, 1)


def close(program, until=MARCH, now=None) -> ClosedPeriod:
    return close_books(program=program, until=until, actor=SYSTEM, now=now or day(30))


def booked() -> list[tuple[str, dt.date]]:
    return list(Transfer.objects.order_by("pk").values_list("kind", "booked_on"))


def test_what_is_told_late_is_booked_on_the_first_open_day(program):
    record(order("A1", "10"))
    close(program)
    record(order("A2", "20", at=day(1)), now=day(31))
    give_back(refund(of="A1", total="5", at=day(2)), now=day(31))
    record(order("A3", "30", at=day(31)))
    assert booked() == [
        ("accrual", day(0).date()), ("accrual", APRIL_1), ("clawback", APRIL_1),
        ("accrual", day(31).date()),
    ]  # fmt: skip
    # Business time stays: the member earned it when they bought.
    assert Transfer.objects.get(order__external_id="A2").occurred_at == day(1)
    assert_ledger_coherent()


def test_a_repeat_after_closing_is_the_same_movement(program):
    record(order("A1", "10"))
    before = list(Transfer.objects.values("pk", "booked_on"))
    close(program)
    record(order("A1", "10"), now=day(31))
    wallet = make_wallet(program)
    first = adjust(wallet, 5, "k1", now=day(31))
    assert adjust(wallet, 5, "k1", now=day(31)) == first
    assert list(Transfer.objects.exclude(pk=first.pk).values("pk", "booked_on")) == before


def test_the_books_of_another_program_stay_open(program):
    other = make_program("other")
    close(program)
    record(order("A1", "10", at=day(1)), now=day(31))
    found = Transfer.objects.values_list("wallet_type__program__code", "booked_on")
    assert dict(found) == {"club": APRIL_1, "other": day(1).date()}
    assert first_open_day(other) is None


def test_days_are_told_as_they_are_booked(program):
    close(program)
    OutboxEvent.objects.all().delete()
    record(order("A1", "10", at=day(1)), now=day(31))
    [event] = OutboxEvent.objects.filter(kind="ledger.posted")
    assert event.payload["days"] == [[program.wallet_types.get().pk, "2024-04-01"]]


def test_what_expired_in_the_period_is_written_down_before_it_is_closed(db):
    program = make_program(unit={"expiry": {"kind": "days", "length": 5}})
    record(order("A1", "10"))
    close(program)
    assert booked()[1:] == [("expiry", day(6).date())]


def test_what_expired_in_a_closed_period_and_was_told_later_is_booked_later(db):
    program = make_program(unit={"expiry": {"kind": "days", "length": 5}})
    close(program)
    record(order("A1", "10", at=day(1)), now=day(31))
    close(program, dt.date(2024, 4, 30), now=day(60))
    assert booked() == [("accrual", APRIL_1), ("expiry", APRIL_1)]


def test_another_expiry_is_booked_on_an_open_day_too(db):
    program = make_program(unit={"expiry": {"kind": "months", "length": 6}})
    record(order("A1", "10"))
    close(program)
    lot = Lot.objects.get()
    retime([Retiming(lot.pk, lot.spendable_at, day(300), None, "extended", day(5))], now=day(31))
    assert LotChange.objects.get().booked_on == APRIL_1
    assert OutboxEvent.objects.latest("pk").payload["days"] == [
        [program.wallet_types.get().pk, "2024-04-01"]
    ]


def test_a_day_that_is_not_over_cannot_be_closed(program):
    with pytest.raises(DomainError) as refused:
        close(program, until=day(30).date())
    assert refused.value.code == "period_not_over"


def test_days_end_in_the_programs_time_zone(db):
    program = make_program(time_zone="America/New_York")
    midnight = dt.datetime(2024, 4, 1, 4, tzinfo=dt.UTC)
    with pytest.raises(DomainError):
        close(program, now=midnight - dt.timedelta(seconds=1))
    assert close(program, now=midnight).until == MARCH


def test_what_is_closed_is_not_closed_again(program):
    close(program)
    for until in (MARCH, dt.date(2024, 2, 29)):
        with pytest.raises(ConflictError) as refused:
            close(program, until)
        assert refused.value.code == "period_closed"


def test_periods_follow_one_another_and_know_what_was_booked(program):
    record(order("A1", "10"), order("A2", "7", at=day(20)), now=day(20))
    march = close(program)
    april = close(program, dt.date(2024, 4, 30), now=day(60))
    units = str(program.wallet_types.get().pk)
    assert (march.since, march.until) == (None, MARCH)
    assert (april.since, april.until) == (APRIL_1, dt.date(2024, 4, 30))
    nothing = {"money": "0", "lines": 0}
    assert march.booked == {units: {"units": 10, "movements": 1}, "discounts": nothing}
    assert april.booked == {units: {"units": 7, "movements": 1}, "discounts": nothing}
    assert AuditEntry.objects.filter(action="books.closed").count() == 2


def test_the_worth_of_a_unit_is_kept(db):
    program = make_program(unit={"unit_value": "0.015"})
    units = str(program.wallet_types.get().pk)
    assert close(program).unit_values == {units: "0.015000"}


def test_only_the_last_period_is_opened_again_and_only_with_a_reason(program):
    march = close(program)
    april = close(program, dt.date(2024, 4, 30), now=day(60))
    with pytest.raises(DomainError):
        reopen_books(period=april, actor=SYSTEM, reason=" ", now=day(61))
    with pytest.raises(ConflictError):
        reopen_books(period=march, actor=SYSTEM, reason="late invoice", now=day(61))
    reopen_books(period=april, actor=SYSTEM, reason="late invoice", now=day(61))
    assert first_open_day(program) == APRIL_1
    with pytest.raises(ConflictError):
        reopen_books(period=april, actor=SYSTEM, reason="twice", now=day(61))
    entry = AuditEntry.objects.get(action="books.reopened")
    assert entry.reason == "late invoice"
    record(order("A1", "10", at=day(40)), now=day(61))
    assert booked() == [("accrual", day(40).date())]
    again = close(program, dt.date(2024, 4, 30), now=day(62))
    assert again.since == APRIL_1


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE NOT l.granted AND d.datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_what_is_being_booked(program):
    """A posting that began before the books were closed is in them; a later one is not."""
    wallet = make_wallet(program)
    begun, go_on = threading.Event(), threading.Event()

    def post_slowly() -> None:
        try:
            with transaction.atomic():
                adjust(wallet, 5, "slow", now=day(1))
                begun.set()
                assert go_on.wait(20)
        finally:
            connection.close()

    def close_now() -> None:
        try:
            close(program)
        finally:
            connection.close()

    poster, closer = threading.Thread(target=post_slowly), threading.Thread(target=close_now)
    poster.start()
    assert begun.wait(20)
    closer.start()
    assert eventually(somebody_waits)
    assert closer.is_alive()
    go_on.set()
    poster.join(20)
    closer.join(20)
    adjust(wallet, 7, "later", now=day(2))
    assert booked() == [("adjustment", day(1).date()), ("adjustment", APRIL_1)]
    [period] = ClosedPeriod.objects.all()
    units = str(wallet.wallet_type_id)
    assert period.booked == {
        units: {"units": 5, "movements": 1}, "discounts": {"money": "0", "lines": 0}
    }  # fmt: skip
