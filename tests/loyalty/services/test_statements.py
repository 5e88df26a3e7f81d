"""A statement adds up: what there was, what came, what went, and what there is."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.ledger.balances import holdings
from loyalty.ledger.posting import expire_due
from loyalty.models import Membership
from loyalty.selectors.statements import Statement, make_statement, parse_period, periods_of
from members.errors import DomainError
from tests.loyalty.factories import NOW, adjust, day, make_program, make_wallet, order, record
from tests.loyalty.histories import EXPIRIES, LONG, History
from tests.sharing import rolled_back


def statement_of(wallet, period: str, now: dt.datetime) -> Statement:
    membership = Membership.objects.select_related("program").get(account=wallet.account_id)
    return make_statement(membership, parse_period(period), now)


def test_a_month_begins_with_what_the_one_before_ended_with(program):
    wallet = make_wallet(program)
    record(order("A1", "100", at=dt.datetime(2024, 1, 20, tzinfo=dt.UTC)))
    adjust(wallet, -30, "spent", now=dt.datetime(2024, 2, 3, tzinfo=dt.UTC))
    later = dt.datetime(2024, 3, 9, tzinfo=dt.UTC)
    [january] = statement_of(wallet, "2024-01", later).wallets
    [february] = statement_of(wallet, "2024-02", later).wallets
    assert (january.opening, january.added, january.taken, january.closing) == (0, 100, 0, 100)
    assert (february.opening, february.added, february.taken, february.closing) == (100, 0, 30, 70)
    assert [line.balance for line in february.lines] == [70]


def test_the_year_has_all_its_months_and_says_that_it_still_runs(program):
    wallet = make_wallet(program)
    record(order("A1", "100"))
    record(order("A2", "40", at=day(20)))
    found = statement_of(wallet, "2024", day(21))
    [points] = found.wallets
    assert found.runs
    assert found.until == day(21)
    assert [line.balance for line in points.lines] == [100, 140]
    assert not statement_of(wallet, "2024", day(400)).runs


def test_days_are_those_of_the_program(db):
    program = make_program(time_zone="Asia/Singapore")
    wallet = make_wallet(program)
    # Half past midnight on the first of March over there.
    record(order("A1", "10", at=dt.datetime(2024, 2, 29, 16, 30, tzinfo=dt.UTC)), now=day(90))
    assert statement_of(wallet, "2024-02", day(90)).wallets == []
    [march] = statement_of(wallet, "2024-03", day(90)).wallets
    assert march.added == 10


def test_units_are_gone_on_the_day_they_expire_also_before_the_ledger_says_so(db):
    program = make_program(unit={"expiry": {"kind": "months", "length": 1}})
    wallet = make_wallet(program)
    record(order("A1", "100", at=dt.datetime(2024, 3, 15, 12, tzinfo=dt.UTC)))
    later = dt.datetime(2024, 5, 9, tzinfo=dt.UTC)
    [before] = statement_of(wallet, "2024-04", later).wallets
    assert (before.opening, before.unwritten, before.closing) == (100, -100, 0)
    expire_due(most=10, now=later)
    [after] = statement_of(wallet, "2024-04", later).wallets
    assert (after.opening, after.taken, after.unwritten, after.closing) == (100, 100, 0, 0)


@pytest.mark.parametrize("text", ["", "2024-13", "2024-1", "24", "2024-01-01", "yesterday"])
def test_what_is_no_period_is_told(text):
    with pytest.raises(DomainError, match="2026-10"):
        parse_period(text)


def test_a_period_that_has_not_begun_is_refused(program):
    wallet = make_wallet(program)
    with pytest.raises(DomainError, match="not begun"):
        statement_of(wallet, "2031-01", NOW)


def test_the_periods_are_those_since_the_member_joined(program):
    wallet = make_wallet(program)
    membership = Membership.objects.select_related("program").get(account=wallet.account_id)
    membership.enrolled_at = dt.datetime(2023, 11, 5, tzinfo=dt.UTC)
    months, years = periods_of(membership, dt.date(2024, 1, 9))
    assert [item.key for item in months] == ["2024-01", "2023-12", "2023-11"]
    assert [item.key for item in years] == ["2024", "2023"]


@settings(max_examples=12)
@given(
    seed=st.integers(0, 10**6),
    expiry=st.sampled_from(sorted(EXPIRIES)),
    debt=st.sampled_from(["carry", "write_off", "refuse_redemption_only"]),
)
def test_whatever_happened_each_month_ends_with_what_was_held(db, seed, expiry, debt):
    with transaction.atomic():
        history = History(seed=seed, expiry=expiry, debt=debt)
        history.play(25 if LONG else 15)
        for wallet in history.wallets:
            holding = holdings([history.fresh(0), history.fresh(1)], history.now)[wallet.pk]
            whole = statement_of(wallet, f"{history.now:%Y}", history.now)
            closing = sum(item.closing for item in whole.wallets)
            assert closing == holding.balance + holding.pending - holding.owed
            for item in whole.wallets:
                moved = item.added - item.taken + item.unwritten
                assert item.opening + moved == item.closing
        transaction.set_rollback(True)


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6), debt=st.sampled_from(["carry", "write_off"]))
def test_the_movements_alone_say_it_where_nothing_expires(db, seed, debt):
    with rolled_back():
        history = History(seed=seed, expiry="never", debt=debt)
        history.play(25 if LONG else 15)
        periods = ("2023", "2024-01", "2024-02", "2024-03", "2024-04", "2024", "2025")
        for number, wallet in enumerate(history.wallets):
            # Every second one of each member, and those of the other member the next time.
            for period in periods[(number + seed) % 2 :: 2]:
                if parse_period(period).first < history.now.date():
                    found = statement_of(wallet, period, history.now)
                    assert [item.unwritten for item in found.wallets] == [0] * len(found.wallets)
