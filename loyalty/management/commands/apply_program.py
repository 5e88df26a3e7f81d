from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.program_files import load_program
from loyalty.services.programs import apply_definition
from members.errors import DomainError
from members.services.audit import SYSTEM


class Command(BaseCommand):
    help = "Create or update a program from a YAML file. Applying it twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the program file, or - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            definition = load_program(_read(options["file"]))
            applied = apply_definition(definition, actor=SYSTEM, now=timezone.now())
        except DomainError as error:
            lines = [f"  {wrong.field}: {wrong.message}" for wrong in error.errors]
            raise CommandError("\n".join([str(error.message), *lines])) from error
        for change in applied.changes:
            self.stdout.write(f"  {change}")
        state = "changed" if applied.changes else "unchanged"
        self.stdout.write(f"Program {applied.program.code} {state}.")


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} cannot be read: {error}") from error
