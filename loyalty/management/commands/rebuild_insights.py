from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from loyalty.selectors.programs import get_program
from loyalty.services.insight_points import measured_programs, rebuild_points


class Command(BaseCommand):
    help = "Measure the figures of the last twelve months anew, from what is known of them now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("program", nargs="?", help="code of one program; by default all")

    def handle(self, *args: Any, **options: Any) -> None:
        code = options["program"]
        programs = [get_program(code)] if code else measured_programs()
        self.stdout.write(f"{rebuild_points(programs, timezone.now())} figures measured.")
