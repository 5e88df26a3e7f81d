"""A program's pauses and its end in words: for members, for staff, and in the record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.models import EndingConversion, Program, ProgramEnding, ProgramPause
from loyalty.selectors.ending_conversions import conversions_in, rate_of
from loyalty.selectors.program_times import ProgramState
from members.formatting import (
    format_day,
    format_moment,
    format_number,
    format_sentences,
    format_units,
)


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
    words = _("Ends: earned for the last time on %(earn)s, spent for the last time on %(spend)s")
    words %= {
        "earn": format_day(ending.last_earning_day), "spend": format_day(ending.last_spending_day),
    }  # fmt: skip
    return "; ".join([words, *map(conversion_in_words, conversions_in(ending))])


def conversion_in_words(conversion: EndingConversion) -> str:
    """ "2 points become 1 star in Star Club" """
    rate, other = rate_of(conversion), conversion.to_wallet_type
    return _("%(take)s become %(give)s in %(program)s") % {
        "take": format_units(int(rate.take.scaleb(rate.scale)), conversion.wallet_type)
        if not rate.take.scaleb(rate.scale) % 1
        else f"{format_number(rate.take.normalize())} {conversion.wallet_type.plural}",
        "give": format_units(int(rate.give.scaleb(rate.to_scale)), other)
        if not rate.give.scaleb(rate.to_scale) % 1
        else f"{format_number(rate.give.normalize())} {other.plural}",
        "program": other.program.name,
    }  # fmt: skip


def leftover_words(state: ProgramState, held: Mapping[int, int]) -> list[str]:
    """What becomes of what a member has, if they spend nothing more. `held`: by kind of units. From
    the day on that members are told."""
    ending = state.ending
    if ending is None or not state.is_told or state.state in {"ended", "archived"}:
        return []
    day = format_day(ending.last_spending_day + dt.timedelta(days=1))
    said = []
    for conversion in conversions_in(ending):
        units = held.get(conversion.wallet_type_id, 0)
        found = rate_of(conversion).convert(units)
        if not units:
            continue
        words = {
            "day": day, "units": format_units(units, conversion.wallet_type),
            "given": format_units(found.given, conversion.to_wallet_type),
            "rest": format_units(found.rest, conversion.wallet_type),
            "program": conversion.to_wallet_type.program.name,
        }  # fmt: skip
        if not found.given:
            said.append(_("On %(day)s your %(units)s expire: they are too few to go on.") % words)
        elif found.rest:
            said.append(_("On %(day)s your %(units)s become %(given)s in %(program)s; %(rest)s "
                          "expire, too few for another one.") % words)  # fmt: skip
        else:
            said.append(_("On %(day)s your %(units)s become %(given)s in %(program)s.") % words)
    return said


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
    return Notice("warning", "player-pause", title, format_sentences(text))


def _ending_notice(state: ProgramState, ending: ProgramEnding) -> Notice:
    name, spend = state.program.name, format_day(ending.last_spending_day)
    goes_on = [_("%s.") % conversion_in_words(item) for item in conversions_in(ending)]
    if goes_on and state.state != "ended":
        goes_on.insert(0, _("Instead, this goes on:"))
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
    return Notice("warning", "flag", title, format_sentences([text, *goes_on]))


def _spending_in_words(spending: bool) -> str:
    return _("units can be spent meanwhile") if spending else _("nothing can be spent meanwhile")


def _moment(at: dt.datetime, program: Program) -> str:
    return str(format_moment(at.astimezone(program.zone)))
