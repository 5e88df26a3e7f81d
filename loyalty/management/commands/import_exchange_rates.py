from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.services.exchange_rate_files import import_rates
from members.errors import DomainError
from members.services.audit import SYSTEM

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Take a CSV file of exchange rates (date, from, to, rate, source) into their table, as a "
        "whole or not at all. Safe to repeat: a rate that is there already stays as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="rates.csv")
        parser.add_argument("--dry-run", action="store_true", help="only say what it would do")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        trying = options["dry_run"]
        try:
            found = import_rates(path.read_bytes(), actor=SYSTEM, now=timezone.now(), trying=trying)
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        for wrong in found.errors[:SHOWN]:
            self.stderr.write(f"row {wrong.row}, {wrong.column} {wrong.value!r}: {wrong.reason}")
        if found.errors:
            raise CommandError(f"{len(found.errors)} values are wrong; nothing was kept.")
        counts = ", ".join(f"{number} {name}" for name, number in sorted(found.counts.items()))
        self.stdout.write(f"{'Would be' if trying else 'Done'}: {counts}.")
