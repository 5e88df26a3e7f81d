from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.program_files import dump_program
from loyalty.selectors.programs import get_program
from members.errors import DomainError


class Command(BaseCommand):
    help = "Write a program as a YAML file that apply_program takes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("program", help="the program's code")
        parser.add_argument("--output", type=Path, help="write here instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = dump_program(get_program(options["program"]), timezone.now())
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        if options["output"]:
            options["output"].write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")
