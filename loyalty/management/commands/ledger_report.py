from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand

from loyalty.ledger.reports import NAMES, as_plain, per_customer, totals
from loyalty.management.arguments import add_as_of, add_program, as_of, program_named
from loyalty.models import Program


class Command(BaseCommand):
    help = (
        "What the books of a program say: accrued, clawed back, redeemed, adjusted, expired, "
        "pending, spendable, owed and outstanding units."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_program(parser)
        add_as_of(parser)
        parser.add_argument(
            "--customers", metavar="FILE", help="also write one CSV row per customer; - for stdout"
        )
        parser.add_argument("--format", choices=["json", "table"], default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        program = program_named(options["program"])
        at = as_of(options["as_of"], program)
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
