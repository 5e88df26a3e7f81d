from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.documents.data_model import NAME, PAGE, data_model
from config.documents.parts import write_part


class Command(BaseCommand):
    help = "Renew the description of every table in docs/data-model.md."

    def handle(self, *args: Any, **options: Any) -> None:
        changed = write_part(PAGE, NAME, data_model())
        self.stdout.write(f"docs/{PAGE} {'renewed' if changed else 'unchanged'}.")
