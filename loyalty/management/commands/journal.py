from __future__ import annotations

import csv
import datetime as dt
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.journal_files import HEADER, Row, journal_rows, money_rows
from loyalty.ledger.checks import check_rule
from loyalty.ledger.discounts import RULES_BOOKED
from loyalty.ledger.reports import booked_net
from loyalty.management.arguments import add_program, day, program_named
from loyalty.models import Program
from loyalty.rules.calendar import end_of_period
from loyalty.selectors.discount_journal import DiscountJournal, read_discount_journal
from loyalty.selectors.giving_journal import read_giving_journal
from loyalty.selectors.journal import Journal, read_journal


def month(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no month; write 2026-03") from error


class Command(BaseCommand):
    help = (
        "Write the journal of a program as CSV: double entries with opening and closing balances."
        " Fails, without writing, when the balances do not tie out to the ledger."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_program(parser)
        parser.add_argument("--month", type=month, help="such as 2026-03; default: the last one")
        parser.add_argument("--since", type=day, help="first day, instead of a month")
        parser.add_argument("--until", type=day, help="last day; default: that of its month")
        parser.add_argument(
            "--wallet-type",
            help="only this kind of unit; default: all, what discounts cost, and"
            " what charities are given in money",
        )
        parser.add_argument(
            "--per",
            choices=["day", "month"],
            default="day",
            help="one entry for each; default: day",
        )
        parser.add_argument(
            "--closed", action="store_true", help="fail unless the books of all days are closed"
        )
        parser.add_argument("--output", type=Path, help="write here instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        program = program_named(options["program"])
        since, until = _days(program, options)
        wallet_types = program.wallet_types.select_related("program").order_by("pk")
        if options["wallet_type"]:
            wallet_types = wallet_types.filter(code=options["wallet_type"])
            if not wallet_types:
                raise CommandError(f"There is no wallet type {options['wallet_type']!r}.")
        monthly = options["per"] == "month"
        rows: list[Row] = []
        for item in wallet_types:
            journal = read_journal(item, since, until, monthly=monthly)
            _check(journal, closed=options["closed"])
            rows += journal_rows(journal)
        if not options["wallet_type"]:
            discounts = read_discount_journal(program, since, until, monthly=monthly)
            _check_discounts(discounts, closed=options["closed"])
            rows += money_rows(discounts)
            giving = read_giving_journal(program, since, until, monthly=monthly)
            if options["closed"] and not giving.closed:
                raise CommandError(f"Giving: the books are not closed to {giving.until}.")
            rows += money_rows(giving)
        self._write([HEADER, *rows], options["output"])

    def _write(self, rows: Iterable[Row], output: Path | None) -> None:
        if output is None:
            csv.writer(self.stdout).writerows(rows)
            return
        with output.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)


def _days(program: Program, options: dict[str, Any]) -> tuple[dt.date, dt.date]:
    if options["since"] and options["month"]:
        raise CommandError("Give a month or days, not both.")
    today = timezone.now().astimezone(program.zone).date()
    last_month = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    since: dt.date = options["since"] or options["month"] or last_month
    until: dt.date = options["until"] or end_of_period(since, 1, 0)
    if until < since:
        raise CommandError("The last day is before the first.")
    return since, until


def _check(journal: Journal, *, closed: bool) -> None:
    """The closing balance is what the transfers add up to, each of them."""
    code = journal.wallet_type.code
    if closed and not journal.closed:
        raise CommandError(f"{code}: the books are not closed to {journal.until}.")
    net = booked_net(journal.wallet_type, journal.until)
    if net != journal.owed_units:
        raise CommandError(
            f"{code}: the journal closes with {journal.owed_units}, the ledger with {net}. Where"
            " movements have only just been posted, try again in a moment; else run verify_ledger"
            " --repair-caches."
        )


def _check_discounts(journal: DiscountJournal, *, closed: bool) -> None:
    """All lines together are what orders were given less."""
    if closed and not journal.closed:
        raise CommandError(f"Discounts: the books are not closed to {journal.until}.")
    wrong = check_rule(RULES_BOOKED, timezone.now())
    if wrong is not None:
        raise CommandError(
            "Discounts: what is booked is not what orders were given less, of "
            + ", ".join(wrong.rows)
        )
