"""Arguments that several commands take."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser, ArgumentTypeError

from django.core.management.base import CommandError
from django.utils import timezone

from loyalty.models import Program
from loyalty.rules.calendar import last_instant
from loyalty.selectors.programs import get_program
from members.errors import DomainError


def day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no date; write 2026-03-31") from error


def add_program(parser: ArgumentParser) -> None:
    parser.add_argument("program", help="the program's code")


def add_as_of(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--as-of",
        type=day,
        help="to the end of this day in the program's time zone; default: now",
    )


def program_named(code: str) -> Program:
    """Raises CommandError naming the codes there are."""
    try:
        return get_program(code)
    except DomainError as error:
        raise CommandError(str(error.message)) from error


def as_of(day: dt.date | None, program: Program) -> dt.datetime:
    """The last instant of the day, or now, in the program's time zone."""
    zone = program.zone
    return last_instant(day, zone) if day else timezone.now().astimezone(zone)
