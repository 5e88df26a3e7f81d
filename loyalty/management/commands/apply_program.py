from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.program_files import load_program
from loyalty.services.program_changes import change_program, rehearse_definition
from members.errors import DomainError
from members.services.audit import SYSTEM


class Command(BaseCommand):
    help = "Create or update a program from a YAML file. Applying it twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the program file, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="only say what it would change")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            definition = load_program(_read(options["file"]))
            trying = options["dry_run"]
            apply = rehearse_definition if trying else change_program
            change = apply(definition, actor=SYSTEM, now=timezone.now())
        except DomainError as error:
            lines = [f"  {wrong.field}: {wrong.message}" for wrong in error.errors]
            raise CommandError("\n".join([str(error.message), *lines])) from error
        for words in change.words:
            self.stdout.write(f"  {words}")
        state = "changed" if change.words else "unchanged"
        state = f"would be {state}" if trying and change.words else state
        self.stdout.write(f"Program {change.after.code} {state}.")


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} cannot be read: {error}") from error
