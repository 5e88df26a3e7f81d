"""Setting goals, changing what is wanted, and closing them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from loyalty.goal_metrics import METRICS, metric_of
from loyalty.goal_progress import Progress
from loyalty.goal_words import goal_title
from loyalty.models import Goal, GoalPoint, Program
from loyalty.selectors.goal_metrics import measure
from loyalty.selectors.goals import progress_of, progress_today, today_of
from loyalty.selectors.tier_sets import tier_set_at
from members.errors import ConflictError, DomainError, FieldError
from members.models import User
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

LONGEST = dt.timedelta(days=5 * 366)
EARLIEST = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a goal says: a figure, how much of it and by the end of which day; counted from the end
    of `starts_on`."""

    metric: str
    target: Decimal
    due_on: dt.date
    starts_on: dt.date
    tier_code: str = ""
    owner: User | None = None
    note: str = ""


def set_goal(
    *, program: Program, wanted: Wanted, actor: Actor, now: dt.datetime
) -> tuple[Goal, bool]:
    """A new goal, measured at once, and whether it is new: the same again is the one that there
    is. Raises DomainError, ConflictError where another one is about the same figure."""

    def write() -> tuple[Goal, bool]:
        held = Program.objects.select_for_update().get(pk=program.pk)
        known = Goal.objects.filter(
            program=held, metric=wanted.metric, tier_code=wanted.tier_code, state=Goal.State.OPEN
        ).first()
        if known is not None:
            if (known.target, known.due_on) == (wanted.target, wanted.due_on):
                return known, False
            raise ConflictError(
                _("There is an open goal for this figure. Change it, or close it first."),
                code="goal_exists",
                errors=[FieldError("metric", _("It has an open goal."), "goal_exists")],
            )
        begun = progress_of_wanted(held, wanted, now)
        goal = Goal.objects.create(
            program=held, metric=wanted.metric, tier_code=wanted.tier_code, target=wanted.target,
            baseline=begun.value, starts_on=wanted.starts_on, due_on=wanted.due_on,
            owner=wanted.owner, note=wanted.note, created_at=now,
        )  # fmt: skip
        GoalPoint.objects.create(goal=goal, day=goal.starts_on, value=begun.value)
        _audit("goal.set", goal, actor)
        return goal, True

    return run_atomically(write)


def progress_of_wanted(program: Program, wanted: Wanted, now: dt.datetime) -> Progress:
    """What a goal would begin with; nothing is written. Raises DomainError naming the field."""
    _check(program, wanted, now)
    today = today_of(program, now)
    if not today - EARLIEST <= wanted.starts_on <= today:
        raise _wrong("starts_on", _("Count from today, or from a day of the last year."))
    baseline = measure(program, wanted.metric, wanted.starts_on, now, wanted.tier_code)
    goal = Goal(
        program=program, metric=wanted.metric, target=wanted.target, baseline=baseline,
        starts_on=wanted.starts_on, due_on=wanted.due_on, tier_code=wanted.tier_code,
    )  # fmt: skip
    progress = progress_of(goal, wanted.starts_on, baseline)
    if progress.is_met:
        words = progress.metric.in_words(progress.value, program.currency)
        raise _wrong("target", _("It is so already: it is %s.") % words)
    return progress


def change_goal(
    *,
    goal: Goal,
    actor: Actor,
    now: dt.datetime,
    target: Decimal | None = None,
    due_on: dt.date | None = None,
    owner: User | None = None,
    note: str | None = None,
) -> Goal:
    """Want more or less, by another day, or give it to somebody else. Its baseline stays."""

    def write() -> Goal:
        found = _open(goal)
        before = goal_title(found)
        found.target = found.target if target is None else target
        found.due_on = due_on or found.due_on
        found.owner = owner or found.owner
        found.note = found.note if note is None else note
        _check(found.program, wanted_of(found), now)
        if not _differs(found, goal.pk):
            return found
        found.save()
        _audit("goal.changed", found, actor, before=before)
        return found

    return run_atomically(write)


def close_goal(*, goal: Goal, state: str, actor: Actor, now: dt.datetime, note: str = "") -> Goal:
    """Say how it ended. Reached is what the figure says; missed only what had its time; what is
    given up says why. Raises DomainError."""

    def write() -> Goal:
        found = Goal.objects.select_for_update(of=("self",)).select_related("program").get(
            pk=goal.pk
        )  # fmt: skip
        if found.state == state:
            return found
        found = _open(goal)
        progress = progress_today(found, now)
        _check_end(found, state, progress, note, now)
        found.state, found.closed_at, found.closed_note = state, now, note
        day = min(progress.day, found.due_on)
        GoalPoint.objects.update_or_create(goal=found, day=day, defaults={"value": progress.value})
        found.save()
        _audit("goal.closed", found, actor, reason=note, how=found.get_state_display())
        return found

    return run_atomically(write)


def wanted_of(goal: Goal) -> Wanted:
    return Wanted(
        goal.metric, goal.target, goal.due_on, goal.starts_on, goal.tier_code, goal.owner, goal.note
    )


def _open(goal: Goal) -> Goal:
    found: Goal = (
        Goal.objects.select_for_update(of=("self",))
        .select_related("program", "owner")
        .get(pk=goal.pk)
    )
    if found.state != Goal.State.OPEN:
        raise ConflictError(_("This goal is closed."), code="goal_closed")
    return found


def _differs(goal: Goal, pk: int) -> bool:
    names = ("target", "due_on", "owner_id", "note")
    stored = Goal.objects.filter(pk=pk).values(*names).get()
    return any(stored[name] != getattr(goal, name) for name in names)


def _check(program: Program, wanted: Wanted, now: dt.datetime) -> None:
    metric, today = METRICS[wanted.metric], today_of(program, now)
    if wanted.target < 0 or wanted.target >= Decimal(10) ** 14:
        raise _wrong("target", _("Give a number from zero on."))
    if metric.most is not None and wanted.target > metric.most:
        raise _wrong("target", _("It is a share: at most %s percent.") % metric.most)
    if not max(today, wanted.starts_on) < wanted.due_on <= today + LONGEST:
        raise _wrong("due_on", _("Choose a day that is to come, within five years."))
    if wanted.metric == Goal.Metric.TIER:
        found = tier_set_at(program, now)
        codes = [tier.code for tier in found.tiers.all()] if found else []
        if wanted.tier_code not in codes:
            raise _wrong("tier_code", _("Choose a tier of the program."))
    elif wanted.tier_code:
        raise _wrong("tier_code", _("Only a goal for a tier names one."))


def _check_end(goal: Goal, state: str, progress: Progress, note: str, now: dt.datetime) -> None:
    if state == Goal.State.REACHED and not progress.is_met:
        words = metric_of(goal).in_words(progress.value, goal.program.currency)
        raise _wrong("state", _("It is not reached: it is %s.") % words)
    if state == Goal.State.MISSED:
        if progress.is_met:
            raise _wrong("state", _("It is reached."))
        if today_of(goal.program, now) <= goal.due_on:
            raise _wrong("state", _("There is time left: give it up, or wait for its day."))
    if state == Goal.State.GIVEN_UP and not note.strip():
        raise _wrong("note", _("Say why it is given up."))


def _wrong(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message)])


def _audit(action: str, goal: Goal, actor: Actor, reason: str = "", **more: Any) -> None:
    words = {
        "goal.set": _("Goal set: %s"),
        "goal.changed": _("Goal changed: %s"),
        "goal.closed": _("Goal closed: %s"),
    }
    record_audit(
        actor=actor, action=action, target=goal.program,
        after={"changes": [words[action] % goal_title(goal)], **more}, reason=reason,
    )  # fmt: skip
