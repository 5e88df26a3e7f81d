from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.documents.parts import write_part
from config.documents.program_reference import NAME, PAGE, program_reference


class Command(BaseCommand):
    help = "Renew the field reference of program files in docs/programs.md."

    def handle(self, *args: Any, **options: Any) -> None:
        changed = write_part(PAGE, NAME, program_reference())
        self.stdout.write(f"docs/{PAGE} {'renewed' if changed else 'unchanged'}.")
