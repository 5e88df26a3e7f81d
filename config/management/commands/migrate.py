"""Django's command, in a quarter of its time (`config/database/rendering.py`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from config.database.rendering import rendered_when_needed


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with rendered_when_needed(), without_waiting(options["database"]):
            super().handle(*args, **options)


@contextmanager
def without_waiting(database: str) -> Iterator[None]:
    """Steps do not wait until each is on the disk. Whose power fails has the first of them, and
    applies the others again; whatever else is written waits for the steps before it, too."""
    with connections[database].cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    try:
        yield
    finally:
        # What comes after it waits for the disk again, also where a step has failed.
        with connections[database].cursor() as cursor:
            cursor.execute("RESET synchronous_commit")
