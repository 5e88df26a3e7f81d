from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyalty.selectors.programs import get_program
from loyalty.services.balance_imports import (
    balance_words,
    book_balances,
    run_balance_import,
    start_balance_check,
)
from members.errors import DomainError
from members.models import Job
from members.services.audit import SYSTEM

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Try a file of balances (CSV or NDJSON, also gzipped), lot by lot, of members, pools and "
        "gift cards, and say what it would book. Safe to repeat and to kill: no row is ever booked "
        "twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("program", help="the program's code")
        parser.add_argument("file", type=Path, help="balances.csv or .ndjson, also .gz")
        parser.add_argument("--source", default="shop", help="the system the references come from")
        parser.add_argument("--book", action="store_true", help="book what was tried")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        try:
            job = start_balance_check(
                program=get_program(options["program"]), path=path.resolve(), name=path.name,
                source=options["source"], actor=SYSTEM,
            )  # fmt: skip
            tried = self._run(job)
            if options["book"]:
                self._run(book_balances(job=tried, actor=SYSTEM))
        except DomainError as error:
            raise CommandError(str(error.message)) from error

    def _run(self, job: Job) -> Job:
        done = run_balance_import(job.pk)
        if done is None:
            raise CommandError("Another worker is on this import already.")
        self.stdout.write(f"{done.label}: {balance_words(done)}")
        errors = done.errors.all()
        for error in errors[:SHOWN]:
            self.stderr.write(f"row {error.row}, {error.column or 'row'}: {error.reason}")
        if errors.count() > SHOWN:
            self.stderr.write(f"… and {errors.count() - SHOWN} more.")
        return done
