"""The journal: double entries whose balances are those of the ledger and of the liability."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.definitions import AccountCodes
from loyalty.journal_files import HEADER, journal_rows
from loyalty.ledger.reports import booked_net, totals
from loyalty.models import Program, WalletType
from loyalty.rules.calendar import last_instant
from loyalty.selectors.journal import MEMBERS, Journal, read_journal
from loyalty.services.closing import close_books
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import (
    adjust,
    day,
    define,
    give_back,
    make_program,
    make_wallet,
    record,
    refund,
)
from tests.loyalty.factories import order as bought
from tests.loyalty.histories import EXPIRIES, History

FIRST = day(0).date()
MARCH = (dt.date(2024, 3, 1), dt.date(2024, 3, 31))
APRIL = (dt.date(2024, 4, 1), dt.date(2024, 4, 30))


def delivered() -> None:
    while deliver_waiting(1000):
        pass


def kind_of(program: Program) -> WalletType:
    return program.wallet_types.select_related("program").get()


def assert_ties_out(journal: Journal) -> None:
    """Debits are credits in all, and what is owed to members is what ledger and liability say."""
    wallet_type = journal.wallet_type
    for name in ("opening_units", "opening_worth", "closing_units", "closing_worth"):
        assert sum(getattr(item, name) for item in journal.balances) == 0, name
    assert journal.owed_units == booked_net(wallet_type, journal.until)
    assert journal.owed_worth == journal.liability.worth_of(journal.owed_units)
    at = last_instant(journal.until, wallet_type.program.zone)
    exact = totals(wallet_type.program, at, booked_by=journal.until)[wallet_type.code]
    assert journal.owed_units - journal.unwritten == exact.outstanding - exact.owed
    assert all(entry.units >= 0 and entry.worth >= 0 for entry in journal.entries)


@settings(max_examples=6)
@given(
    seed=st.integers(0, 10**6), expiry=st.sampled_from(sorted(EXPIRIES)), steps=st.integers(5, 30),
    cut=st.integers(1, 40),
)  # fmt: skip
def test_whatever_happened_it_ties_out_and_goes_on_where_it_closed(db, seed, expiry, steps, cut):
    with transaction.atomic():
        history = History(seed=seed, expiry=expiry, debt="carry", pending=0)
        history.play(steps)
        delivered()
        wallet_type = kind_of(history.program)
        first, last = FIRST - dt.timedelta(days=40), history.now.date()
        middle = first + dt.timedelta(days=cut)
        whole = read_journal(wallet_type, first, last)
        early = read_journal(wallet_type, first, middle)
        late = read_journal(wallet_type, middle + dt.timedelta(days=1), last, monthly=True)
        for journal in (whole, early, late):
            assert_ties_out(journal)
        closed = {item.account: item.closing_units for item in early.balances}
        for item in late.balances:
            assert item.opening_units == closed.get(item.account, 0)
        ended = {item.account: item.closing_worth for item in whole.balances}
        assert {item.account: item.closing_worth for item in late.balances} == ended
        transaction.set_rollback(True)


@pytest.fixture
def club(db: None) -> Program:
    """In March 100 were earned, 30 spent and 20 taken back; in April 50 earned. A cent each."""
    program = make_program(unit={"unit_value": "0.01"})
    wallet = make_wallet(program)
    record(bought("A1", "100"))
    adjust(wallet, -30, "spent", now=day(3))
    give_back(refund("R1", "20", of="A1", at=day(5)))
    record(bought("A2", "50", at=day(40)))
    delivered()
    return program


def short(journal: Journal) -> list[tuple[str, str, str, int, str]]:
    return [
        (item.kind, item.debit.role, item.credit.role, item.units, f"{item.worth:.2f}")
        for item in journal.entries
    ]


def test_each_movement_has_a_debit_and_a_credit(club):
    journal = read_journal(kind_of(club), *MARCH)
    assert short(journal) == [
        ("accrual", "issued", "members", 100, "1.00"),
        ("adjustment", "members", "adjusted", 30, "0.30"),
        ("clawback", "members", "issued", 20, "0.20"),
    ]
    assert journal.owed_units == 50
    assert journal.liability.units == 50
    assert_ties_out(journal)


def test_months_are_added_up_and_open_with_what_was_before(club):
    journal = read_journal(kind_of(club), MARCH[0], APRIL[1], monthly=True)
    assert [(item.since, item.until) for item in journal.entries] == [MARCH] * 3 + [APRIL]
    april = read_journal(kind_of(club), *APRIL)
    assert april.members.opening_units == -50
    assert april.owed_units == 100
    assert_ties_out(april)


def test_closed_books_keep_their_worth_and_a_new_one_is_an_entry(club):
    close_books(program=club, until=MARCH[1], actor=SYSTEM, now=day(41))
    before = read_journal(kind_of(club), *MARCH)
    changed = define(unit={"unit_value": "0.03"})
    apply_definition(changed, actor=SYSTEM, now=day(42))
    assert read_journal(kind_of(club), *MARCH).entries == before.entries
    assert before.closed
    april = read_journal(kind_of(club), *APRIL)
    assert not april.closed
    assert short(april) == [
        ("revaluation", "revaluation", "members", 0, "1.00"),
        ("accrual", "issued", "members", 50, "1.50"),
    ]
    assert april.members.opening_worth == Decimal("-0.50")
    assert april.owed_worth == Decimal("3.00")
    assert_ties_out(april)


def test_what_is_told_late_of_closed_books_is_in_the_first_open_month(club):
    close_books(program=club, until=MARCH[1], actor=SYSTEM, now=day(41))
    before = read_journal(kind_of(club), *MARCH)
    record(bought("late", "7", at=day(2)), now=day(43))
    delivered()
    assert read_journal(kind_of(club), *MARCH) == before
    assert read_journal(kind_of(club), *APRIL).owed_units == 107


def test_what_expired_without_an_entry_is_what_the_liability_is_less(db):
    program = make_program(unit={"expiry": {"kind": "days", "length": 10}})
    record(bought("A1", "100"))
    delivered()
    journal = read_journal(kind_of(program), *MARCH)
    assert (journal.owed_units, journal.unwritten, journal.liability.units) == (100, 100, 0)
    rows = [dict(zip(HEADER, row, strict=True)) for row in journal_rows(journal)]
    last = {row["row"]: row for row in rows[-2:]}
    assert last["expired_unwritten"]["debit_units"] == "100"
    assert last["liability"]["debit_units"] == "0"


def test_accounts_have_the_codes_that_the_program_gives_them(club):
    codes = AccountCodes(members="2099", issued="GL 6/1")
    changed = define(unit={"unit_value": "0.01"}, account_codes=codes)
    applied = apply_definition(changed, actor=SYSTEM, now=day(41))
    assert applied.changes == ["Account codes of the journal: 2300 → 2099, 6300 → GL 6/1"]
    [entry, *_rest] = read_journal(kind_of(club), *MARCH).entries
    assert (entry.debit.code, entry.credit.code) == ("GL 6/1", "2099")
    assert apply_definition(changed, actor=SYSTEM, now=day(42)).changes == []


@pytest.mark.parametrize("code", ["", "=1+1", "-5", "a" * 33])
def test_what_is_no_account_code_is_refused(code: str):
    with pytest.raises(ValueError, match="members"):
        AccountCodes(members=code)


# --- The command ---------------------------------------------------------------------------------


def written(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def export(club: Program, tmp_path: Path) -> Callable[..., list[dict[str, str]]]:
    def export(*arguments: str) -> list[dict[str, str]]:
        path = tmp_path / "journal.csv"
        call_command("journal", club.code, *arguments, "--output", str(path))
        return written(path)

    return export


def test_the_file_balances(export):
    rows = export("--month", "2024-03")
    for name in ("opening", "entry", "closing"):
        mine = [row for row in rows if row["row"] == name]
        for side in ("_units", ""):
            assert sum(Decimal(row[f"debit{side}"] or 0) for row in mine) == sum(
                Decimal(row[f"credit{side}"] or 0) for row in mine
            )
    first = [row for row in rows if row["entry"] == "1"]
    assert [(row["account"], row["debit"], row["credit"]) for row in first] == [
        ("6300", "1.00", ""), ("2300", "", "1.00"),
    ]  # fmt: skip
    [members] = [r for r in rows if r["row"] == "closing" and r["account_name"] == MEMBERS]
    assert (members["credit_units"], members["credit"]) == ("50", "0.50")
    assert [r["credit_units"] for r in rows if r["row"] == "liability"] == ["50"]


def test_days_and_months_and_their_limits(export):
    rows = export("--since", "2024-03-02", "--until", "2024-03-20", "--per", "month")
    assert {row["date"] for row in rows if row["row"] == "entry"} == {"2024-03-20"}
    assert [r for r in export() if r["row"] == "entry"] == []
    with pytest.raises(CommandError, match="before the first"):
        export("--since", "2024-03-02", "--until", "2024-03-01")
    with pytest.raises(CommandError, match="not both"):
        export("--since", "2024-03-02", "--month", "2024-03")
    with pytest.raises(CommandError, match="no wallet type"):
        export("--wallet-type", "stars")


def test_only_closed_books_if_asked(export, club):
    with pytest.raises(CommandError, match="not closed to 2024-03-31"):
        export("--month", "2024-03", "--closed")
    close_books(program=club, until=MARCH[1], actor=SYSTEM, now=day(41))
    assert {row["books"] for row in export("--month", "2024-03", "--closed")} == {"closed"}


def test_a_journal_that_does_not_tie_out_is_not_written(export, club, tmp_path):
    record(bought("A3", "9", at=day(6)))
    with pytest.raises(CommandError, match="closes with 50, the ledger with 59"):
        export("--month", "2024-03")
    assert not (tmp_path / "journal.csv").exists()
    delivered()
    assert export("--month", "2024-03")
