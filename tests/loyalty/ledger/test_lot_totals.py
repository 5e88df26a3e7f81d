"""What the totals of days and months say lots held is what the lots say, to the unit."""

import datetime as dt
import os
from collections import Counter

from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.ledger.past import BOOKED, OF_TYPES, lots_then
from loyalty.ledger.reports import totals
from loyalty.models import NEVER, LotPosition, LotTotal, Program, WalletType
from loyalty.rules.calendar import last_instant
from loyalty.selectors.liability import get_liability, liability_trend
from loyalty.selectors.lot_totals import cohort_kinds, held_by_end, unwritten_lapses
from loyalty.services.closing import close_books
from loyalty.services.totals import rebuild_days, write_month_ends
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import day, make_program, order, record
from tests.loyalty.histories import EXPIRIES, LONG, History

EXAMPLES = 200 if os.environ.get("SETIA_HYPOTHESIS") == "long" else 6

histories = st.builds(
    dict,
    seed=st.integers(0, 10**6),
    expiry=st.sampled_from(sorted(EXPIRIES)),
    debt=st.sampled_from(["carry", "write_off", "refuse_redemption_only"]),
    pending=st.sampled_from([0, 5]),
)


def delivered() -> None:
    while deliver_waiting(1000):
        pass


def exact(program: Program, at: dt.date) -> int:
    """Outstanding less owed, by adding up every transfer and lot."""
    figures = totals(program, last_instant(at, program.zone), booked_by=at)["points"]
    return figures.outstanding - figures.owed


def exact_ends(wallet_type: WalletType, at: dt.date) -> Counter:
    """What lots hold, by the month of their last day of use, lot by lot."""
    zone = wallet_type.program.zone
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT expires_at, renewable, remaining FROM ({lots_then(OF_TYPES, BOOKED)}) l"
            " WHERE ends > %(at)s",
            {"types": [wallet_type.pk], "at": last_instant(at, zone), "day": at, "never": NEVER},
        )
        found: Counter = Counter()
        for expires_at, renewable, remaining in cursor.fetchall():
            last = expires_at and expires_at.astimezone(zone).date() - dt.timedelta(days=1)
            month = None if renewable or last is None else last.replace(day=1)
            found[month] += int(remaining)
    return Counter({month: units for month, units in found.items() if units})


def rows() -> list[tuple]:
    names = ("wallet_type", "day", "kind", "earned_in", "ends", "expires_on", "granted", "used")
    return sorted(LotTotal.objects.values_list(*names), key=str)


def days_of(history: History) -> list[dt.date]:
    """The first and last days, and some between and after."""
    first, last = day(-31).date(), history.now.date()
    span = (last - first).days
    return [first + dt.timedelta(days=span * part // 5) for part in range(6)] + [
        last + dt.timedelta(days=n) for n in (1, 20, 70)
    ]


@settings(max_examples=EXAMPLES)
@given(how=histories, steps=st.integers(1, 25 if LONG else 15))
def test_the_liability_of_any_day_is_the_exact_sum(db, how, steps):
    """Whatever expired without being written down, was told late, moved, or got another expiry."""
    with transaction.atomic():
        history = History(**how)
        for _ in range(steps):
            history.step()
            if history.chance.random() < 0.3:
                delivered()
        delivered()
        wallet_type = history.program.wallet_types.get()
        for at in days_of(history):
            liability = get_liability(wallet_type, at)
            assert liability.units == exact(history.program, at), at
            assert liability.held_units - liability.owed == liability.units
        trend = liability_trend(wallet_type, history.now.date(), months=3)
        assert [item.units for item in trend] == [
            get_liability(wallet_type, item.day).units for item in trend
        ]
        transaction.set_rollback(True)


@settings(max_examples=EXAMPLES)
@given(how=histories, steps=st.integers(1, 25 if LONG else 15))
def test_by_month_of_expiry_it_is_what_the_lots_say(db, how, steps):
    with transaction.atomic():
        history = History(**how, late=False)
        history.play(steps)
        delivered()
        wallet_type = history.program.wallet_types.get()
        for at in days_of(history):
            found: Counter = Counter()
            for item in held_by_end(wallet_type, at, unwritten_lapses(wallet_type, at)):
                found[item.month] += item.units
            assert Counter({m: n for m, n in found.items() if n}) == exact_ends(wallet_type, at)
        transaction.set_rollback(True)


@settings(max_examples=EXAMPLES)
@given(how=histories, steps=st.integers(1, 20 if LONG else 12))
def test_days_rebuilt_in_any_order_and_month_ends_change_nothing(db, how, steps):
    with transaction.atomic():
        history = History(**how)
        history.play(steps)
        delivered()
        wallet_type = history.program.wallet_types.get()
        before = rows()
        liabilities = [get_liability(wallet_type, at) for at in days_of(history)]
        days = sorted({row[1] for row in before})
        history.chance.shuffle(days)
        assert sum(rebuild_days({wallet_type.pk: [at]}) for at in days) == 0
        write_month_ends(wallet_type.pk, history.now.date())
        assert [get_liability(wallet_type, at) for at in days_of(history)] == liabilities
        trend = liability_trend(wallet_type, history.now.date(), months=3)
        LotTotal.objects.all().delete()
        LotPosition.objects.all().delete()
        rebuild_days({wallet_type.pk: days})
        assert rows() == before
        assert liability_trend(wallet_type, history.now.date(), months=3) == trend
        transaction.set_rollback(True)


@settings(max_examples=EXAMPLES)
@given(how=histories, steps=st.integers(1, 15), more=st.integers(1, 15 if LONG else 8))
def test_what_is_closed_never_changes(db, how, steps, more):
    """Neither by what is told late of it, nor by what expired in it, nor in its ends."""
    with transaction.atomic():
        history = History(**how)
        history.play(steps)
        last = history.now.date() - dt.timedelta(days=2)
        close_books(program=history.program, until=last, actor=SYSTEM, now=history.now)
        delivered()
        wallet_type = history.program.wallet_types.get()
        days = [at for at in days_of(history) if at <= last]
        before = [get_liability(wallet_type, at) for at in days]
        history.play(more)
        delivered()
        assert [get_liability(wallet_type, at) for at in days] == before
        for at in days_of(history):
            assert get_liability(wallet_type, at).units == exact(history.program, at)
        transaction.set_rollback(True)


def test_a_cohort_is_granted_what_it_spent_lost_and_still_has(db):
    history = History(seed=5, late=False)
    history.play(40)
    delivered()
    wallet_type = history.program.wallet_types.get()
    today = history.now.date()
    found = cohort_kinds(wallet_type, today)
    left = sum(item.granted - item.used - item.lapsed for item in found)
    assert left == get_liability(wallet_type, today).held_units


def test_month_ends_are_dropped_where_a_day_before_changes(program):
    wallet_type = program.wallet_types.get()
    for number in range(4):
        record(order(f"A{number}", "10", at=day(31 * number)))
    delivered()
    assert write_month_ends(wallet_type.pk, day(93).date()) == 3
    ends = [dt.date(2024, 3, 31), dt.date(2024, 4, 30), dt.date(2024, 5, 31)]
    assert sorted(set(LotPosition.objects.values_list("until", flat=True))) == ends
    record(order("late", "5", at=day(33)), now=day(93))
    delivered()
    assert sorted(set(LotPosition.objects.values_list("until", flat=True))) == ends[:1]
    assert get_liability(wallet_type, dt.date(2024, 5, 31)).units == 35
    assert write_month_ends(wallet_type.pk, day(93).date()) == 2
    assert get_liability(wallet_type, dt.date(2024, 5, 31)).units == 35


def test_reading_a_day_does_not_go_further_back_than_the_last_month_end(db):
    program = make_program(unit={"expiry": {"kind": "months", "length": 1}})
    wallet_type = program.wallet_types.get()
    for number in range(12):
        record(order(f"A{number}", "10", at=day(31 * number)))
    delivered()
    write_month_ends(wallet_type.pk, day(341).date())
    before = get_liability(wallet_type, day(341).date())
    LotTotal.objects.filter(day__lte=day(310).date()).delete()
    assert get_liability(wallet_type, day(341).date()) == before
