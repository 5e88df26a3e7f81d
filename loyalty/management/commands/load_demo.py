from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from members.errors import DomainError
from members.models import Job


class Command(BaseCommand):
    help = (
        "Load the demonstration: a grocery chain's real purchase history with invented names. "
        "Safe to repeat; --all later adds the other households."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="all 2 469 households")
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing when the installation is in use"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # The history's reader is installed for demonstrations only.
        try:
            from loyalty.demo.load import load_demo, needs_demo
        except ModuleNotFoundError as error:
            raise CommandError(f"{error.name} is not installed. Run: make setup") from error
        if options["if_empty"] and not needs_demo():
            self.stdout.write("The installation is in use; the demonstration was left out.")
            return
        with tqdm(unit=" orders", disable=None, desc="Importing") as bar:

            def show(job: Job) -> None:
                bar.total = job.total
                bar.update(job.done - bar.n)

            try:
                load_demo(
                    settings.VAR_DIR / "demo",
                    everyone=options["all"],
                    say=self.stdout.write,
                    watch=show,
                )
            except DomainError as error:
                raise CommandError(str(error.message)) from error
