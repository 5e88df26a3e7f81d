"""What the storefront script says, in the visitor's language. `{units}` and the like are filled in
by the script."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.models import Program
from members.branding import (
    LIGHT_SURFACE,
    foreground_on,
    hovered,
    parse_hex,
    readable_on,
    to_hex,
)
from members.formatting import format_end, format_start
from rewards.selectors.access_windows import OwnWindow


def texts_of(program: Program) -> dict[str, str]:
    name = {"program": program.name}
    return {
        "earn": _("Buy this and earn {units}"),
        "basketEarns": _("You earn {units} with this basket"),
        "basketNothing": _("Nothing in the basket yet earns anything"),
        "parts": _("How it adds up"),
        "keep": _("Join %(program)s to keep them.") % name,
        "join": _("Join %(program)s") % name,
        "joinTitle": _("Get more out of every purchase"),
        "joined": _("Welcome to %(program)s!") % name,
        "waiting": _("You are on the waiting list."),
        "later": _("Not now"),
        "close": _("Close"),
        "worth": _("worth {money}"),
        "yourRewards": _("Rewards that you can take"),
        "almost": _("Almost there"),
        "take": _("Take for {units}"),
        "missing": _("{units} more"),
        "taken": _("“{reward}” is yours. Your code: {code}"),
        "takenWithoutCode": _("“{reward}” is yours."),
        "notTaken": _("That did not work. Please try again."),
        "yourCodes": _("Codes that you have"),
        "use": _("Use {code}"),
        "typedCodes": _("Your code"),
        "codeCounts": _("{code} counts: {name}"),
        "codeNot": _("{code} does not count. {why}"),
        "tier": _("{tier} member"),
        "account": _("Open my %(program)s page") % name,
    }


def words_of_window(own: OwnWindow, program: Program, now: dt.datetime) -> str:
    """When a sale is there for a member, as their own page says it."""
    if own.opens_at is None:
        return _("Only for invited members")
    if own.is_open(now):
        when = format_end(own.window.closes_at, program.zone)
        return _("Open for you until %(when)s") % {"when": when}
    return _("Opens for you on %(when)s") % {"when": format_start(own.opens_at, program.zone)}


def theme_of(accent: str) -> dict[str, str]:
    """The merchant's color, and what stays readable on and beside it."""
    color = parse_hex(accent)
    return {
        "accent": accent,
        "hover": to_hex(hovered(color)),
        "on": to_hex(foreground_on(color)),
        "text": to_hex(readable_on(color, LIGHT_SURFACE)),
    }
