"""The command line."""

import sys

import pytest
from django.core.management import BaseCommand

import manage


def test_a_command_begins_without_checks_that_would_load_every_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[object] = []
    monkeypatch.setattr(BaseCommand, "requires_system_checks", "__all__")
    monkeypatch.setattr(
        "django.core.management.execute_from_command_line",
        lambda arguments: begun.append((arguments[1], BaseCommand().requires_system_checks)),
    )
    monkeypatch.setattr(sys, "argv", ["manage.py", "version"])
    manage.main()
    assert begun == [("version", ["database"])]
    # Those who skip them may go on to say so.
    assert BaseCommand().create_parser("manage.py", "version").parse_args(["--skip-checks"])
