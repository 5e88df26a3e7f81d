from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.ledger.reports import NAMES, as_plain, per_customer, totals
from loyalty.models import Program
from loyalty.rules.calendar import last_instant
from loyalty.selectors.programs import get_program
from members.errors import DomainError


def day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no date; write 2026-03-31") from error


class Command(BaseCommand):
    help = (
        "What the books of a program say: accrued, clawed back, redeemed, adjusted, expired, "
        "pending, spendable, owed and outstanding units."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("program", help="the program's code")
        parser.add_argument(
            "--as-of",
            type=day,
            help="to the end of this day in the program's time zone; default: now",
        )
        parser.add_argument(
            "--customers", metavar="FILE", help="also write one CSV row per customer; - for stdout"
        )
        parser.add_argument("--format", choices=["json", "table"], default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            program = get_program(options["program"])
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        day = options["as_of"]
        zone = program.zone
        at = last_instant(day, zone) if day else timezone.now().astimezone(zone)
        scales = {item.code: item.scale for item in program.wallet_types.all()}
        found = {code: as_plain(f, scales[code]) for code, f in totals(program, at).items()}
        if options["format"] == "json":
            report = {"program": program.code, "as_of": at.isoformat(), "wallet_types": found}
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self._table(program, at, found)
        if options["customers"] == "-":
            _write_customers(sys.stdout, program, at, scales)
        elif options["customers"]:
            with Path(options["customers"]).open("w", encoding="utf-8", newline="") as stream:
                _write_customers(stream, program, at, scales)

    def _table(
        self, program: Program, at: dt.datetime, found: dict[str, dict[str, int | str]]
    ) -> None:
        self.stdout.write(f"{program.name} as of {at:%Y-%m-%d %H:%M %Z}")
        width = max(len(name) for name in NAMES)
        for code, figures in found.items():
            self.stdout.write(f"\n{code}")
            for name, value in figures.items():
                text = f"{value:,}" if isinstance(value, int) else value
                self.stdout.write(f"  {name.replace('_', ' '):<{width}}  {text:>16}")


def _write_customers(
    stream: TextIO, program: Program, at: dt.datetime, scales: dict[str, int]
) -> None:
    writer = csv.writer(stream)
    writer.writerow(["customer_id", "wallet_type", *NAMES])
    for row in per_customer(program, at):
        figures = as_plain(row.figures, scales[row.wallet_type])
        writer.writerow([row.customer, row.wallet_type, *figures.values()])
