"""Pledges and round-ups in the books: what they cost, what came in, what is owed to whom."""

import datetime as dt
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from loyalty.models import CharityEntry, Program
from loyalty.selectors.giving_journal import read_giving_journal
from loyalty.services.closing import close_books
from loyalty.services.order_inputs import RoundUpInput
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, day, order, record
from tests.loyalty.services.giving import EACH_ORDER, club, count, donate, member

MARCH = (dt.date(2024, 3, 1), dt.date(2024, 3, 31))
APRIL = (dt.date(2024, 4, 1), dt.date(2024, 4, 30))


@pytest.fixture
def program(transactional_db) -> Program:
    return club(EACH_ORDER)


def round_up(number: str, amount: str, told: dt.datetime = NOW) -> None:
    up = RoundUpInput(Program.objects.get().code, "seas", Decimal(amount))
    record(order(number, "9.50", round_up=up, buyer=None), now=told)


def short(journal):
    return [(item.debit.role, item.credit.role, f"{item.worth:.2f}") for item in journal.entries]


def closing(journal):
    return {(item.account.role, item.account.party): item.closing_worth
            for item in journal.balances}  # fmt: skip


def test_what_is_pledged_costs_and_what_is_rounded_up_came_in(program):
    member(bought="20")
    count("ann")
    round_up("B1", "0.50")
    journal = read_giving_journal(program, *MARCH)
    assert short(journal) == [
        ("round_ups", "charity_money", "0.50"), ("pledges", "charity_money", "5.00"),
    ]  # fmt: skip
    assert closing(journal) == {
        ("charity_money", "trees"): -5, ("charity_money", "seas"): Decimal("-0.5"),
        ("pledges", ""): 5, ("round_ups", ""): Decimal("0.5"),
    }  # fmt: skip
    assert sum(closing(journal).values()) == 0
    april = read_giving_journal(program, *APRIL)
    assert (april.entries, closing(april)) == ((), closing(journal))


def test_what_is_undone_comes_back_on_its_day(program):
    round_up("B1", "0.50")
    round_up("B1", "0.75", told=day(25))
    journal = read_giving_journal(program, *APRIL)
    assert short(journal) == [("charity_money", "round_ups", "0.50")]
    whole = read_giving_journal(program, MARCH[0], APRIL[1], monthly=True)
    assert closing(whole) == {
        ("charity_money", "seas"): Decimal("-0.75"), ("round_ups", ""): Decimal("0.75"),
    }  # fmt: skip


def test_what_members_give_in_units_is_not_there_too(program):
    ann = member(bought="100")
    donate(ann, 50)
    assert CharityEntry.objects.get().money > 0
    assert not read_giving_journal(program, *MARCH).used


def test_what_is_told_late_is_booked_on_the_first_open_day(program):
    close_books(program=program, until=MARCH[1], actor=SYSTEM, now=day(30))
    round_up("B1", "0.50", told=day(30))
    assert read_giving_journal(program, *MARCH).entries == ()
    assert read_giving_journal(program, *MARCH).closed
    [entry] = read_giving_journal(program, *APRIL).entries
    assert (entry.since, entry.closed) == (APRIL[0], False)


def test_the_command_writes_it_and_waits_for_closed_books(program):
    round_up("B1", "0.50")
    written = StringIO()
    call_command("journal", program.code, "--month", "2024-03", stdout=written)
    rows = [row for row in written.getvalue().splitlines() if ",giving," in row]
    assert len(rows) == 2
    assert any("2321,charity_money,seas" in row for row in rows)
    with pytest.raises(CommandError, match="not closed"):
        call_command("journal", program.code, "--month", "2024-03", "--closed", stdout=StringIO())
