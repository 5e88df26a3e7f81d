from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.documents.command_reference import NAME, PAGE, command_reference
from config.documents.parts import write_part


class Command(BaseCommand):
    help = "Renew the reference of commands in docs/commands.md."

    def handle(self, *args: Any, **options: Any) -> None:
        changed = write_part(PAGE, NAME, command_reference())
        self.stdout.write(f"docs/{PAGE} {'renewed' if changed else 'unchanged'}.")
