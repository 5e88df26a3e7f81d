from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.selectors.import_undos import UndoPreview, preview_undo
from loyalty.services.balance_imports import KIND as BALANCES
from loyalty.services.balance_undoing import (
    balance_undo_words,
    preview_balance_undo,
    refuse_balance_undo,
    run_balance_undo,
    start_balance_undo,
)
from loyalty.services.import_undoing import refuse_undo, run_undo, start_undo, undo_words
from loyalty.services.imports import KIND
from members.errors import DomainError
from members.formatting import format_units
from members.models import Job
from members.services.audit import SYSTEM

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Undo an import of orders: cancel the orders that it brought in, with all that they earned;"
        " or of balances: take back what was booked."
        " Without --reason it says what would happen. Safe to repeat and to kill."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", help="the import, by the identifier in its page's address")
        parser.add_argument("--reason", default="", help="why; this is what starts it")
        parser.add_argument(
            "--erase", action="store_true",
            help="also erase the people whom it brought and of whom nothing else is known",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            job = Job.objects.get(kind__in=(KIND, BALANCES), public_id=options["job"])
        except (Job.DoesNotExist, ValidationError) as error:
            raise CommandError(f"There is no import {options['job']}.") from error
        try:
            if job.kind == BALANCES:
                self._balances(job, options["reason"])
                return
            if not options["reason"]:
                preview = preview_undo(job, now=timezone.now())
                refuse_undo(job, preview, erase=options["erase"])
                self._say(preview)
                return
            undo = run_undo(
                start_undo(
                    job=job, reason=options["reason"], actor=SYSTEM, erase=options["erase"]
                ).pk
            )  # fmt: skip
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        if undo is None:
            raise CommandError("Another worker is on it already.")
        self._report(undo)

    def _balances(self, job: Job, reason: str) -> None:
        if not reason:
            preview = preview_balance_undo(job)
            refuse_balance_undo(job, preview)
            for kind, units in preview.units:
                self.stdout.write(f"{format_units(units, kind)} would be taken back.")
            self.stdout.write("Say --reason to undo it.")
            return
        undo = run_balance_undo(start_balance_undo(job=job, reason=reason, actor=SYSTEM).pk)
        if undo is None:
            raise CommandError("Another worker is on it already.")
        self.stdout.write(balance_undo_words(undo))

    def _say(self, preview: UndoPreview) -> None:
        self.stdout.write(f"{preview.due} orders would be canceled.")
        for item in preview.units:
            units = format_units(item.units, item.wallet_type)
            missing = format_units(item.missing, item.wallet_type)
            self.stdout.write(
                f"{item.wallet_type.program.name}: {units} taken back from {item.wallets} balances;"
                f" {item.short} of them have too little, {missing} in all."
            )
        stays = preview.changed + preview.otherwise + preview.returns
        self.stdout.write(f"{stays} orders and returns would stay as they are.")
        self.stdout.write("Say --reason to undo it.")

    def _report(self, undo: Job) -> None:
        self.stdout.write(f"{undo.get_state_display()}: {undo_words(undo)}")
        for error in undo.errors.all()[:SHOWN]:
            self.stderr.write(f"{error.file} {error.value}: {error.reason}")
        more = undo.errors.count() - SHOWN
        if more > 0:
            self.stderr.write(f"… and {more} more; the import's page in the back-office has all.")
