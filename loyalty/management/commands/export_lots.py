from __future__ import annotations

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.selectors.programs import get_program
from loyalty.services.import_files import discard_folder
from loyalty.services.lot_exports import (
    FORMATS,
    fetch_export,
    lot_export_words,
    run_lot_export,
    start_lot_export,
)
from members.errors import DomainError
from members.services.audit import SYSTEM


class Command(BaseCommand):
    help = (
        "Write all balances of a program into a file, as of now: lots, what is owed, who is in "
        "pools; import_balances takes it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("program", help="the program's code")
        parser.add_argument("--wallet-type", default="", help="only of these units")
        parser.add_argument("--format", choices=FORMATS, default="csv")
        parser.add_argument("--output", type=Path, help="write here instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            job = start_lot_export(
                program=get_program(options["program"]), wallet_type=options["wallet_type"],
                form=options["format"], actor=SYSTEM, now=timezone.now(),
            )  # fmt: skip
            done = run_lot_export(job.pk)
            if done is None:
                raise CommandError("Another worker is on this export already.")
            path = fetch_export(job=done, actor=SYSTEM)
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        if options["output"]:
            shutil.move(path, options["output"])
        else:
            with path.open(encoding="utf-8") as file:
                shutil.copyfileobj(file, self.stdout)
        discard_folder(path.parent)
        self.stderr.write(lot_export_words(done))
