from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from loyalty.selectors.programs import get_program
from loyalty.services.imports import run_import, start_import
from members.errors import DomainError
from members.models import Job
from members.services.audit import SYSTEM

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Import an order history (CSV, also gzipped) into a program. Safe to repeat and to kill: "
        "it goes on where it stopped and never counts an order twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("program", help="the program's code")
        parser.add_argument("orders", type=Path, help="orders.csv[.gz]")
        parser.add_argument("lines", type=Path, help="order_lines.csv[.gz]")
        parser.add_argument("--source", default="shop", help="the system the numbers come from")

    def handle(self, *args: Any, **options: Any) -> None:
        for path in (options["orders"], options["lines"]):
            if not path.is_file():
                raise CommandError(f"There is no file {path}.")
        try:
            job = start_import(
                program=get_program(options["program"]),
                orders_path=options["orders"].resolve(),
                lines_path=options["lines"].resolve(),
                actor=SYSTEM,
                source=options["source"],
            )
            finished = self._run(job)
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        if finished is None:
            raise CommandError("Another worker is on this import already.")
        self._report(finished)

    def _run(self, job: Job) -> Job | None:
        with tqdm(unit=" orders", disable=None, desc="Importing") as bar:

            def show(current: Job) -> None:
                bar.total = current.total
                bar.update(current.done - bar.n)

            return run_import(job.pk, watch=show)

    def _report(self, job: Job) -> None:
        counts = ", ".join(f"{value} {name}" for name, value in job.result.items())
        self.stdout.write(f"{job.get_state_display()}: {counts}")
        errors = job.errors.all()
        for error in errors[:SHOWN]:
            self.stderr.write(
                f"{error.file} row {error.row}, {error.column or 'row'}"
                f" {error.value!r}: {error.reason}"
            )
        more = errors.count() - SHOWN
        if more > 0:
            self.stderr.write(f"… and {more} more; the import's page in the back-office has all.")
