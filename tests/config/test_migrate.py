"""What migrates does not wait for the disk at each step."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connection


def shown(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


def set_to(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET synchronous_commit = {value}")


def test_a_step_does_not_wait_until_it_is_on_the_disk_and_what_follows_does(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile: list[str] = []

    def handle(*_about: Any, **_options: Any) -> None:
        meanwhile.append(shown("synchronous_commit"))

    monkeypatch.setattr(migrate.Command, "handle", handle)
    configured = shown("synchronous_commit")
    set_to("local")
    call_command("migrate")
    assert (meanwhile, shown("synchronous_commit")) == (["off"], configured)
