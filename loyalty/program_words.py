"""A program's pauses and its end in words: for members, for staff, and in the record."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.models import Program, ProgramEnding, ProgramPause
from loyalty.selectors.program_times import ProgramState
from members.formatting import format_day, format_moment


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about a program that everybody reads first."""

    kind: str
    icon: str
    title: str
    text: str


def notices(state: ProgramState, *, for_staff: bool = False) -> list[Notice]:
    """What is to be said of a program now. Members are told of its end from the day on that is
    planned for it."""
    found = []
    if state.ending is not None and (for_staff or state.is_told) and state.state != "archived":
        found.append(_ending_notice(state, state.ending))
    if state.pause is not None and state.state in {"live", "paused"}:
        found.append(_pause_notice(state, state.pause))
    return found


def pause_in_words(pause: ProgramPause, program: Program) -> str:
    """One line of the record."""
    since = _moment(pause.starts_at, program)
    if pause.ends_at is None:
        words = _("Paused from %(since)s on") % {"since": since}
    else:
        until = _moment(pause.ends_at, program)
        words = _("Paused from %(since)s to %(until)s") % {"since": since, "until": until}
    return f"{words}; {_spending_in_words(pause.spending)}"


def ending_in_words(ending: ProgramEnding) -> str:
    """One line of the record."""
    return _("Ends: earned for the last time on %(earn)s, spent for the last time on %(spend)s") % {
        "earn": format_day(ending.last_earning_day), "spend": format_day(ending.last_spending_day),
    }  # fmt: skip


def why_nothing_earned(state_word: str) -> str:
    """Of an order that was placed while nothing could be earned."""
    if state_word == "paused":
        return _("The program was paused when the order was placed.")
    return _("The program had stopped giving anything when the order was placed.")


def _pause_notice(state: ProgramState, pause: ProgramPause) -> Notice:
    program, name = state.program, state.program.name
    if pause.starts_at > state.at:
        title = _("%(program)s will pause on %(day)s") % {
            "program": name, "day": _moment(pause.starts_at, program),
        }  # fmt: skip
    else:
        title = _("%s is paused") % name
    text = [_("Purchases earn nothing meanwhile.")]
    if pause.spending:
        text.append(_("What has been collected can be spent as always."))
    else:
        text.append(_("What has been collected stays, and can be spent again afterwards."))
    if pause.ends_at is not None:
        text.append(_("It goes on %s.") % _moment(pause.ends_at, program))
    return Notice("warning", "player-pause", title, " ".join(text))


def _ending_notice(state: ProgramState, ending: ProgramEnding) -> Notice:
    name, spend = state.program.name, format_day(ending.last_spending_day)
    if state.state == "ended":
        title, text = _("%s has ended") % name, _(
            "What was left expired after %s."
        ) % spend  # fmt: skip
    elif state.state == "ending":
        title = _("%s ends") % name
        text = _(
            "Purchases earn nothing any more. What is left can be spent to the end of %s; then it "
            "expires."
        ) % spend  # fmt: skip
    else:
        title = _("%s will end") % name
        text = _(
            "Purchases earn to the end of %(earn)s. What is collected can be spent to the end of "
            "%(spend)s; what is left then expires."
        ) % {"earn": format_day(ending.last_earning_day), "spend": spend}
    return Notice("warning", "flag", title, text)


def _spending_in_words(spending: bool) -> str:
    return _("units can be spent meanwhile") if spending else _("nothing can be spent meanwhile")


def _moment(at: dt.datetime, program: Program) -> str:
    return str(format_moment(at.astimezone(program.zone)))
