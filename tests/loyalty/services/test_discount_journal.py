"""What discounts cost, in the journal: booked line by line, and never again in closed books."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from importlib import import_module

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction

from loyalty.ledger.checks import RULES, check_rule
from loyalty.ledger.discounts import RULES_BOOKED
from loyalty.models import ClosedPeriod, DiscountEntry, OrderDiscount, Program
from loyalty.selectors.discount_journal import DISCOUNTS, DiscountJournal, read_discount_journal
from loyalty.services.closing import close_books
from loyalty.services.discount_costs import book_rule_discounts
from members.services.audit import SYSTEM
from tests.loyalty.factories import day, give_back, make_program, order, record, refund
from tests.loyalty.services.test_discounts import CARD, with_card
from tests.loyalty.services.test_journal import delivered
from tests.sharing import of_each_test

MARCH = (dt.date(2024, 3, 1), dt.date(2024, 3, 31))
APRIL = (dt.date(2024, 4, 1), dt.date(2024, 4, 30))


def make_club() -> Program:
    return make_program(discount_rules=[CARD])


_made_once, club = of_each_test(make_club)


def short(journal: DiscountJournal) -> list[tuple[str, str, str]]:
    return [(item.debit.role, item.credit.role, f"{item.worth:.2f}") for item in journal.entries]


def closing(journal: DiscountJournal) -> dict[str, Decimal]:
    assert sum(item.closing_worth for item in journal.balances) == 0
    return {item.account.role: item.closing_worth for item in journal.balances}


def holds() -> bool:
    names = [name for name in RULES if "discount" in name]
    assert len(names) == 2
    return all(check_rule(name, day(90)) is None for name in names)


def test_what_a_rule_took_off_is_a_cost_on_the_day_of_its_order_and_less_when_it_comes_back(club):
    record(with_card())
    give_back(refund(of="A", total="45", at=day(40)))
    assert short(read_discount_journal(club, *MARCH)) == [("rule_discounts", DISCOUNTS, "10.00")]
    april = read_discount_journal(club, *APRIL)
    assert short(april) == [(DISCOUNTS, "rule_discounts", "5.00")]
    assert closing(april) == {"rule_discounts": 5, DISCOUNTS: -5}
    assert april.cost == -5
    assert holds()


def test_a_canceled_order_cost_nothing_and_one_that_is_taken_up_again_does(club):
    record(with_card())
    record(with_card(status="cancelled"), now=day(2))
    assert closing(read_discount_journal(club, *MARCH)) == {"rule_discounts": 0, DISCOUNTS: 0}
    record(with_card(), now=day(3))
    assert [item.amount for item in DiscountEntry.objects.order_by("turn")] == [10, -10, 10]
    assert holds()


def test_another_amount_is_booked_as_the_difference_and_the_same_one_not_again(club):
    record(with_card())
    record(with_card())
    record(with_card(off="4", discount_total=Decimal(4), total="96"), now=day(1))
    record(order("A", "96"), now=day(2))
    assert [item.amount for item in DiscountEntry.objects.order_by("turn")] == [10, -6, -4]
    assert holds()


def test_a_refund_that_came_before_its_order_counts(club):
    give_back(refund(of="A", total="90", at=day(1)))
    record(with_card())
    assert closing(read_discount_journal(club, *MARCH)) == {"rule_discounts": 0, DISCOUNTS: 0}
    assert holds()


def test_an_order_of_nobody_known_costs_as_well(club):
    record(with_card(buyer=None))
    give_back(refund(of="A", total="45", at=day(1), buyer=None))
    assert closing(read_discount_journal(club, *MARCH))["rule_discounts"] == 5
    assert holds()


def test_what_is_told_late_is_booked_on_the_first_open_day(club):
    record(with_card())
    close_books(program=club, until=MARCH[1], actor=SYSTEM, now=day(41))
    record(with_card("B"), now=day(45))
    give_back(refund(of="A", total="90", at=day(2)), now=day(45))
    assert closing(read_discount_journal(club, *MARCH)) == {"rule_discounts": 10, DISCOUNTS: -10}
    april = read_discount_journal(club, *APRIL)
    assert {item.since for item in april.entries} == {APRIL[0]}
    assert closing(april)["rule_discounts"] == 10
    assert holds()


def test_lines_never_change_and_none_is_written_twice(club):
    record(with_card())
    entry = DiscountEntry.objects.get()
    book_rule_discounts([entry.order_id], now=day(3))
    assert DiscountEntry.objects.count() == 1
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        DiscountEntry.objects.update(amount=1)
    entry.pk = None
    with pytest.raises(IntegrityError, match="discount_entry_once"), transaction.atomic():
        entry.save(force_insert=True)


def test_the_self_check_finds_a_discount_that_is_not_booked(club):
    record(with_card())
    delivered()
    OrderDiscount.objects.update(amount=7)
    wrong = check_rule(RULES_BOOKED, day(9))
    assert wrong is not None
    assert wrong.count == 1
    with pytest.raises(CommandError, match="Discounts"):
        call_command("journal", "club", "--month", "2024-03", stdout=io.StringIO())
    OrderDiscount.objects.update(amount=10)


def test_the_self_check_finds_a_line_in_closed_books(club):
    record(with_card())
    close_books(program=club, until=MARCH[1], actor=SYSTEM, now=day(41))
    line = DiscountEntry.objects.get()
    line.pk, line.kind, line.subject = None, DiscountEntry.Kind.REWARD, "x"
    line.order = line.rule_version = None
    with transaction.atomic():
        line.save(force_insert=True)
        assert not holds()
        transaction.set_rollback(True)
    assert holds()


def test_the_file_of_a_program_has_what_discounts_cost(club):
    record(with_card())
    delivered()
    said = io.StringIO()
    call_command("journal", "club", "--month", "2024-03", stdout=said)
    rows = [row for row in csv.DictReader(io.StringIO(said.getvalue())) if not row["wallet_type"]]
    assert [(row["row"], row["account"], row["debit"], row["credit"]) for row in rows] == [
        ("opening", "4350", "0.00", ""),
        ("opening", "6340", "0.00", ""),
        ("entry", "6340", "10.00", ""),
        ("entry", "4350", "", "10.00"),
        ("closing", "4350", "", "10.00"),
        ("closing", "6340", "10.00", ""),
    ]
    assert {row["debit_units"] + row["credit_units"] for row in rows} == {""}


def told_before_the_journal(statement: str) -> list[tuple[str, dt.date]]:
    """What the migration books of what is there, as (amount, day)."""
    with pgtrigger.ignore("loyalty.DiscountEntry:discount_entry_immutable"):
        DiscountEntry.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    rows = DiscountEntry.objects.order_by("occurred_at", "pk")
    return [(f"{row.amount:.2f}", row.booked_on) for row in rows]


def test_what_was_told_before_the_journal_is_in_its_own_month_where_that_is_open(club):
    book = import_module("loyalty.migrations.0048_discounts_in_the_books").BOOK
    record(with_card())
    record(with_card("B", at=day(40)), now=day(40))
    record(with_card("C", at=day(41), status="cancelled"), now=day(41))
    give_back(refund(of="B", total="45", at=day(45)), now=day(45))
    days = [("10.00", day(0).date()), ("5.00", day(40).date())]
    assert told_before_the_journal(book) == days
    assert holds()
    closed = close_books(program=club, until=MARCH[1], actor=SYSTEM, now=day(41))
    # As it was closed then: of discounts nothing was known.
    ClosedPeriod.objects.filter(pk=closed.pk).update(
        booked={name: said for name, said in closed.booked.items() if name != "discounts"}
    )
    assert told_before_the_journal(book) == [("10.00", APRIL[0]), days[1]]
