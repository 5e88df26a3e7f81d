from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.documents.condition_reference import NAME, PAGE, condition_reference
from config.documents.parts import write_part


class Command(BaseCommand):
    help = "Renew the reference of fields and questions in docs/conditions.md."

    def handle(self, *args: Any, **options: Any) -> None:
        changed = write_part(PAGE, NAME, condition_reference())
        self.stdout.write(f"docs/{PAGE} {'renewed' if changed else 'unchanged'}.")
