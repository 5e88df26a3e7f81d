"""Django's command, in a quarter of its time (`config/database/rendering.py`)."""

from typing import Any

from django.core.management.commands import migrate

from config.database.rendering import rendered_when_needed


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with rendered_when_needed():
            super().handle(*args, **options)
