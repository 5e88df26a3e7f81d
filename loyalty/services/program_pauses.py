"""Pausing a program and going on: when nothing is earned in it.

What was earned is asked of the instant at which something happened, so a pause that is over stays
as it was, and only what is still to come changes.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import F
from django.utils.translation import gettext as _

from loyalty.models import Program, ProgramPause
from loyalty.program_words import pause_in_words
from loyalty.selectors.program_times import ProgramState, program_state
from members.errors import ConflictError, FieldError
from members.formatting import format_moment
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically


def pause_program(
    *,
    program: Program,
    actor: Actor,
    now: dt.datetime,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    spending: bool = True,
    note: str = "",
) -> ProgramPause:
    """Let a live program rest from `starts_at` (now) until `ends_at` (until somebody resumes it).
    The same pause again is the one that there is. Raises ConflictError."""
    return run_atomically(
        lambda: _pause(program, actor, now, starts_at or now, ends_at, spending, note)
    )


def resume_program(
    *, program: Program, actor: Actor, now: dt.datetime, at: dt.datetime | None = None
) -> ProgramPause | None:
    """End the pause now, or let it end at another moment to come; one that has not begun is called
    off. Returns the pause as it is then; None: there is none any more. Without a pause nothing is
    done."""
    return move_pause_end(program=program, actor=actor, now=now, ends_at=at or now)


def move_pause_end(
    *, program: Program, actor: Actor, now: dt.datetime, ends_at: dt.datetime | None
) -> ProgramPause | None:
    """As `resume_program`; without an end the pause lasts until somebody resumes it."""
    return run_atomically(lambda: _move_end(program, actor, now, ends_at))


def hold_program(program: Program, now: dt.datetime) -> ProgramState:
    """Lock a live program, so that whoever decides about its time does it one after the other."""
    held = Program.objects.select_for_update().get(pk=program.pk)
    if held.status != Program.Status.LIVE:
        raise ConflictError(_("Only a live program can be paused or ended."), code="not_live")
    return program_state(held, now)


def times_changed(program: Program, actor: Actor, action: str, words: str, note: str = "") -> None:
    """Whoever judges orders loads the program anew; who did what is kept."""
    Program.objects.filter(pk=program.pk).update(revision=F("revision") + 1)
    program.has_times = True
    record_audit(
        actor=actor, action=action, target=program, after={"changes": [words]}, reason=note
    )


def _pause(
    program: Program, actor: Actor, now: dt.datetime, starts_at: dt.datetime,
    ends_at: dt.datetime | None, spending: bool, note: str,
) -> ProgramPause:  # fmt: skip
    state = hold_program(program, now)
    if state.pause is not None:
        if _is_same(state.pause, starts_at, ends_at, spending, now):
            return state.pause
        raise ConflictError(
            _("The program is paused already, or will be. Resume it first."), code="paused"
        )
    _check(state, starts_at, ends_at, now)
    pause = ProgramPause.objects.create(
        program=state.program, starts_at=starts_at, ends_at=ends_at, spending=spending, note=note,
        decided_by=actor.user, decided_at=now,
    )  # fmt: skip
    times_changed(program, actor, "program.paused", pause_in_words(pause, state.program), note)
    return pause


def _is_same(
    pause: ProgramPause, starts_at: dt.datetime, ends_at: dt.datetime | None, spending: bool,
    now: dt.datetime,
) -> bool:  # fmt: skip
    """A pause that is asked for now has begun, if it is under way."""
    begun = pause.starts_at == starts_at or (pause.starts_at <= now and starts_at == now)
    return begun and (pause.ends_at, pause.spending) == (ends_at, spending)


def _check(
    state: ProgramState, starts_at: dt.datetime, ends_at: dt.datetime | None, now: dt.datetime
) -> None:
    if starts_at < now:
        raise _refused("starts_at", _("Choose a time that is still to come."))
    if ends_at is not None and ends_at <= starts_at:
        raise _refused("ends_at", _("It resumes after it has paused."))
    if state.times.end is not None and starts_at >= state.times.end.earn_until:
        raise _refused("starts_at", _("The program ends before."))


def _move_end(
    program: Program, actor: Actor, now: dt.datetime, at: dt.datetime | None
) -> ProgramPause | None:
    state = hold_program(program, now)
    pause = state.pause
    if pause is None or pause.ends_at == at:
        return pause
    if at is not None and at < now:
        raise _refused("ends_at", _("Choose a time that is still to come."))
    if at is not None and at <= pause.starts_at:
        pause.delete()
        times_changed(program, actor, "program.resumed", _("The pause was called off."))
        return None
    pause.ends_at = at
    pause.save(update_fields=["ends_at"])
    if at is None:
        times_changed(program, actor, "program.paused", pause_in_words(pause, state.program))
        return pause
    words = _("Goes on %s") % format_moment(at.astimezone(state.program.zone))
    times_changed(program, actor, "program.resumed", words)
    return None if at <= now else pause


def _refused(field: str, message: str) -> ConflictError:
    return ConflictError(
        message, code="invalid_request", status=422, errors=[FieldError(field, message)]
    )
