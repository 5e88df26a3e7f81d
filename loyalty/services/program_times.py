"""Bringing a program's pause and its end to what a definition says."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.definitions import ProgramDefinition
from loyalty.models import ProgramPause
from loyalty.program_words import ending_in_words, pause_in_words
from loyalty.selectors.program_times import ending_definition, program_state
from loyalty.services.applied import Applied
from loyalty.services.ending_conversions import ConversionTerms
from loyalty.services.program_endings import EndingDays, call_off_ending, plan_ending
from loyalty.services.program_pauses import move_pause_end, pause_program, resume_program
from loyalty.time_definitions import PauseDefinition
from members.errors import DomainError
from members.services.audit import Actor


def apply_times(
    applied: Applied, definition: ProgramDefinition, actor: Actor, now: dt.datetime
) -> None:
    """What a file leaves out is over: a pause ends now, and an end is called off as long as it can
    be. Raises ConflictError."""
    state = program_state(applied.program, now)
    with _placed("pause"):
        _apply_pause(applied, state.pause, definition.pause, actor, now)
    if ending_definition(state.ending) != definition.ending:
        with _placed("ending"):
            _apply_ending(applied, definition, actor, now)


def _apply_pause(
    applied: Applied, known: ProgramPause | None, wanted: PauseDefinition | None, actor: Actor,
    now: dt.datetime,
) -> None:  # fmt: skip
    program = applied.program
    if wanted is not None and wanted.ends_at is not None and wanted.ends_at <= now:
        wanted = None
    if known is not None and wanted is not None and _begin_alike(known, wanted, now):
        if known.ends_at != wanted.ends_at:
            move_pause_end(program=program, actor=actor, now=now, ends_at=wanted.ends_at)
            applied.changes.append(_("The pause ends at another time"))
        return
    if known is not None:
        resume_program(program=program, actor=actor, now=now)
        applied.changes.append(_("The program goes on"))
    if wanted is not None:
        pause = pause_program(
            program=program, actor=actor, now=now, starts_at=max(wanted.starts_at, now),
            ends_at=wanted.ends_at, spending=wanted.spending,
        )  # fmt: skip
        applied.changes.append(pause_in_words(pause, program))


def _begin_alike(known: ProgramPause, wanted: PauseDefinition, now: dt.datetime) -> bool:
    """What has begun has begun: a pause cannot begin in the past."""
    begun = known.starts_at <= now and wanted.starts_at <= now
    return known.spending == wanted.spending and (begun or known.starts_at == wanted.starts_at)


def _apply_ending(
    applied: Applied, definition: ProgramDefinition, actor: Actor, now: dt.datetime
) -> None:
    program, wanted = applied.program, definition.ending
    if wanted is None:
        call_off_ending(program=program, actor=actor, now=now)
        applied.changes.append(_("The end of the program was called off"))
        return
    conversions = tuple(ConversionTerms(**item.model_dump()) for item in wanted.conversions)
    days = EndingDays(
        wanted.announced_on, wanted.last_earning_day, wanted.last_spending_day, conversions
    )
    ending = plan_ending(program=program, days=days, actor=actor, now=now)
    applied.changes.append(ending_in_words(ending))


class _placed:  # noqa: N801  (reads as a statement: with _placed("pause"):)
    """Name the fields as the file does; what has none is about the part as a whole."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DomainError):
            error.place_fields(self.path)
