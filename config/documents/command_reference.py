"""The project's commands with what they take, read off the commands themselves."""

from __future__ import annotations

from argparse import Action, ArgumentParser
from collections.abc import Iterator

from django.core import management
from django.core.management import find_commands, get_commands, load_command_class
from django.core.management.base import BaseCommand

from config.documents.parts import cell, table

PAGE = "commands.md"
NAME = "command_reference"
APPS = ("config", "members", "loyalty", "rewards", "campaigns")


def command_reference() -> str:
    """Each command under a heading of its own, in the order of the alphabet."""
    return "\n\n".join(_described(app, name) for app, name in own_commands())


def own_commands() -> Iterator[tuple[str, str]]:
    """Those of Django's that are quicker here are Django's still."""
    django = set(find_commands(management.__path__[0]))
    for name, app in sorted(get_commands().items()):
        if app in APPS and name not in django:
            yield str(app), name


def _described(app: str, name: str) -> str:
    command = load_command_class(app, name)
    parser = command.create_parser("manage.py", name)
    known = {action.dest for action in _actions(BaseCommand().create_parser("manage.py", name))}
    rows = [_row(action) for action in _actions(parser) if action.dest not in known]
    lines = [f"### {name}", command.help.strip()]
    if rows:
        lines.append(table(["argument", "what it says"], rows))
    return "\n\n".join(lines)


def _actions(parser: ArgumentParser) -> list[Action]:
    # argparse has no other way to ask.
    return parser._actions  # noqa: SLF001


def _row(action: Action) -> list[str]:
    name = ", ".join(f"`{option}`" for option in action.option_strings) or f"`{action.dest}`"
    if not action.option_strings and action.nargs in ("?", "*"):
        name += " (may be left out)"
    said = cell((action.help or "").replace("%(default)s", str(action.default)))
    choices = ", ".join(f"`{choice}`" for choice in action.choices or ())
    required = "required" if action.option_strings and action.required else ""
    return [name, "; ".join(part for part in (said, choices, required) if part)]
