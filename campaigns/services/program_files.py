"""Journeys and surveys in a program's definition: read from it, and brought to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.utils.translation import gettext as _

from campaigns.models import Journey, Survey
from campaigns.program_definitions import ProgramJourney, ProgramSurvey
from campaigns.selectors.surveys import surveys
from campaigns.services.journeys import (
    create_journey,
    pause_journey,
    publish_journey,
    resume_journey,
    save_draft,
)
from campaigns.services.surveys import (
    change_survey,
    create_survey,
    pause_survey,
    publish_survey,
    resume_survey,
)
from campaigns.survey_definitions import definition_of_survey
from loyalty.models import Program
from loyalty.services.applied import Applied
from members.errors import ConflictError, DomainError, FieldError
from members.prepared import KeptQuery
from members.services.audit import Actor

Status = Journey.Status
Item = TypeVar("Item")


def journeys_of(program: Program) -> list[ProgramJourney]:
    """By name, with what is in force, or was written last where nothing is."""
    return [_journey_item(row) for row in _journeys(program).values()]


def surveys_of(program: Program) -> list[ProgramSurvey]:
    return [_survey_item(row) for row in _surveys.rows(program.pk, Survey.State.ENDED)]


_surveys: KeptQuery[Survey] = KeptQuery(
    lambda program, ended: surveys().filter(program=program).exclude(state=ended).order_by("pk")
)


def apply_journeys(
    applied: Applied, wanted: Sequence[ProgramJourney], actor: Actor, now: dt.datetime
) -> None:
    """Journeys that the definition names are made or changed, and brought into its state."""
    known = _journeys(applied.program) if wanted else {}
    _each("journeys", wanted, lambda item: _apply_journey(applied, known, item, actor, now))


def apply_surveys(
    applied: Applied, wanted: Sequence[ProgramSurvey], actor: Actor, now: dt.datetime
) -> None:
    """Surveys that the definition names are made or changed, and asked if it says so. One that has
    ended stays as it is."""
    rows = surveys().filter(program=applied.program) if wanted else ()
    known = {row.code: row for row in rows}
    _each("surveys", wanted, lambda item: _apply_survey(applied, known, item, actor, now))


def _each(name: str, wanted: Sequence[Item], apply: Callable[[Item], None]) -> None:
    """Raises DomainError naming the place."""
    for index, item in enumerate(wanted):
        try:
            apply(item)
        except DomainError as error:
            error.place_fields(f"{name}[{index}]")
            raise


def _journeys(program: Program) -> dict[str, Journey]:
    """Those that have not ended, by name; of two with the same the older one."""
    return {row.name: row for row in _unended.rows(program.pk, Status.ENDED)}


_unended: KeptQuery[Journey] = KeptQuery(
    lambda program, ended: (
        Journey.objects.filter(program=program)
        .exclude(status=ended)
        .select_related("program")
        .prefetch_related("versions")
        .order_by("name", "-pk")
    )
)


def _journey_item(journey: Journey) -> ProgramJourney:
    versions = list(journey.versions.all())
    published = [row for row in versions if row.published_at is not None]
    return ProgramJourney(
        name=journey.name, trigger=journey.trigger, state=journey.status,
        body=(published or versions)[0].body,
    )  # fmt: skip


def _apply_journey(
    applied: Applied, known: dict[str, Journey], wanted: ProgramJourney, actor: Actor,
    now: dt.datetime,
) -> None:  # fmt: skip
    found = known.get(wanted.name)
    before = _journey_item(found) if found else None
    if before == wanted:
        return
    if found is None:
        found = create_journey(
            program=applied.program, name=wanted.name, trigger=wanted.trigger, body=wanted.body,
            actor=actor, now=now,
        )  # fmt: skip
        applied.changes.append(_("New journey: %s") % wanted.name)
    else:
        _refuse_journey(found, wanted)
        save_draft(journey=found, body=wanted.body, actor=actor, now=now)
        applied.changes.append(_("Journey changed: %s") % wanted.name)
    changed = before is None or before.body != wanted.body
    _bring(found, wanted.state, changed, actor, now)


def _refuse_journey(found: Journey, wanted: ProgramJourney) -> None:
    if found.trigger != wanted.trigger:
        message = _("It begins with something else already. Give it another name.")
        raise ConflictError(message, errors=[FieldError("trigger", message)])
    if wanted.state == "draft" and found.status != Status.DRAFT:
        message = _("It was put live, and can only rest or end.")
        raise ConflictError(message, errors=[FieldError("state", message)])


def _bring(found: Journey, state: str, changed: bool, actor: Actor, now: dt.datetime) -> None:
    if state == Status.DRAFT:
        return
    if changed or found.status == Status.DRAFT:
        found = publish_journey(journey=found, actor=actor, now=now)
    if state == Status.PAUSED and found.status == Status.LIVE:
        pause_journey(journey=found, actor=actor)
    elif state == Status.LIVE and found.status == Status.PAUSED:
        resume_journey(journey=found, actor=actor, now=now)


def _survey_item(survey: Survey) -> ProgramSurvey:
    body = definition_of_survey(survey).model_dump(mode="json", exclude={"code"})
    return ProgramSurvey(code=survey.code, state=survey.state, body=body)


def _apply_survey(
    applied: Applied, known: dict[str, Survey], wanted: ProgramSurvey, actor: Actor,
    now: dt.datetime,
) -> None:  # fmt: skip
    found = known.get(wanted.code)
    if found is not None and found.state == Survey.State.ENDED:
        return
    if found is not None and _survey_item(found) == wanted:
        return
    if found is None:
        found = create_survey(program=applied.program, definition=wanted.definition, actor=actor)
        applied.changes.append(_("New survey: %s") % found.title)
    else:
        if wanted.state == "draft" and found.state != Survey.State.DRAFT:
            message = _("It is being asked, and can only rest or end.")
            raise ConflictError(message, errors=[FieldError("state", message)])
        found = change_survey(survey=found, definition=wanted.definition, actor=actor)
        applied.changes.append(_("Survey changed: %s") % found.title)
    _bring_survey(found, wanted.state, actor, now)


def _bring_survey(found: Survey, state: str, actor: Actor, now: dt.datetime) -> None:
    if state == Survey.State.DRAFT:
        return
    if found.state == Survey.State.DRAFT:
        found = publish_survey(survey=found, actor=actor, now=now)
    if state == Survey.State.PAUSED:
        pause_survey(survey=found, actor=actor)
    else:
        resume_survey(survey=found, actor=actor)
