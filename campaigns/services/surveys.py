"""Surveys: written, asked, ended, copied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from pydantic import ValidationError

from campaigns.models import Survey, SurveyQuestion
from campaigns.selectors.surveys import surveys
from campaigns.survey_definitions import SurveyDefinition, definition_of_survey
from loyalty.activity_data import problems_of_data
from loyalty.models import ActivityType, Program
from loyalty.rule_conditions import read_condition
from members.conditions.tree import ConditionError
from members.errors import ConflictError, DomainError, FieldError
from members.free_codes import first_free
from members.services.audit import Actor, record_audit

State = Survey.State
# What may change while it is asked: not what was asked, of whom, and for what.
WHILE_LIVE = frozenset({"closes_at", "on_page", "by_message", "anonymous", "thanks"})


@transaction.atomic
def create_survey(*, program: Program, definition: SurveyDefinition, actor: Actor) -> Survey:
    """A draft. Raises DomainError naming each wrong field, ConflictError where its code is
    taken."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    if Survey.objects.filter(program=program, code=definition.code).exists():
        message = _("The program has a survey with this code.")
        raise ConflictError(message, errors=[FieldError("code", message, "taken")])
    survey = Survey(program=program, **_columns(definition))
    survey.save()
    _write_questions(survey, definition)
    _audit("survey.created", survey, actor)
    return _fresh(survey)


@transaction.atomic
def change_survey(*, survey: Survey, definition: SurveyDefinition, actor: Actor) -> Survey:
    """Bring it to what is said. Once it is live, its questions and who is asked stay: copy it
    instead. Raises DomainError for what does not fit, ConflictError `survey_live`,
    `survey_ended`."""
    _refuse_unfit(definition)
    found = _locked(survey)
    before = definition_of_survey(found)
    changed = {name for name in SurveyDefinition.model_fields
               if getattr(before, name) != getattr(definition, name)}  # fmt: skip
    if not changed:
        return found
    _refuse_change(found, changed)
    for name, value in _columns(definition).items():
        setattr(found, name, value)
    found.save()
    if "questions" in changed:
        found.questions.all().delete()
        _write_questions(found, definition)
    _audit("survey.changed", found, actor, changes=sorted(changed))
    return _fresh(found)


@transaction.atomic
def publish_survey(*, survey: Survey, actor: Actor, now: dt.datetime) -> Survey:
    """Ask from now on. Again changes nothing. Raises DomainError where it cannot be asked."""
    found = _locked(survey)
    if found.state == State.LIVE:
        return found
    if found.state == State.ENDED:
        raise ConflictError(_("It has ended. Copy it to ask again."), code="survey_ended")
    if found.state == State.PAUSED:
        raise ConflictError(_("It is paused. Resume it."), code="survey_paused")
    _check_ready(found, now)
    found.state, found.live_at = State.LIVE, now
    found.save(update_fields=["state", "live_at"])
    _audit("survey.published", found, actor)
    return found


@transaction.atomic
def pause_survey(*, survey: Survey, actor: Actor) -> Survey:
    """Ask nobody for now; what was answered stays. Again changes nothing."""
    return _change_state(survey, State.LIVE, State.PAUSED, "survey.paused", actor)


@transaction.atomic
def resume_survey(*, survey: Survey, actor: Actor) -> Survey:
    """Ask again. Again changes nothing."""
    return _change_state(survey, State.PAUSED, State.LIVE, "survey.resumed", actor)


@transaction.atomic
def end_survey(*, survey: Survey, actor: Actor, now: dt.datetime) -> Survey:
    """Ask nobody any more, for good. Again changes nothing."""
    found = _locked(survey)
    if found.state == State.ENDED:
        return found
    if found.state == State.DRAFT:
        raise ConflictError(_("It was never asked."), code="survey_draft")
    found.state, found.ended_at = State.ENDED, now
    found.save(update_fields=["state", "ended_at"])
    _audit("survey.ended", found, actor)
    return found


@transaction.atomic
def copy_survey(*, survey: Survey, actor: Actor) -> Survey:
    """A draft that asks the same, without times."""
    known = definition_of_survey(survey)
    Program.objects.select_for_update(no_key=True).get(pk=survey.program_id)
    code = free_code(survey.program, survey.code[:60])
    fresh = known.model_copy(update={"code": code, "opens_at": None, "closes_at": None})
    return create_survey(program=survey.program, definition=fresh, actor=actor)


@transaction.atomic
def delete_survey(*, survey: Survey, actor: Actor) -> None:
    """Throw a draft away. Raises ConflictError for one that was live."""
    found = _locked(survey)
    if found.state != State.DRAFT:
        raise ConflictError(_("Only a draft can be deleted."), code="survey_live")
    _audit("survey.deleted", found, actor)
    found.delete()


def free_code(program: Program, wanted: str) -> str:
    taken = set(Survey.objects.filter(program=program).values_list("code", flat=True))
    return first_free(wanted, taken)


def data_told(survey: Survey) -> dict[str, Any]:
    """What rules may ask of the activity that an answer is."""
    return {"survey": survey.code}


def _change_state(survey: Survey, was: str, becomes: str, action: str, actor: Actor) -> Survey:
    found = _locked(survey)
    if found.state == becomes:
        return found
    if found.state != was:
        raise ConflictError(_("That is not possible now."), code="survey_state")
    found.state = becomes
    found.save(update_fields=["state"])
    _audit(action, found, actor)
    return found


def _refuse_change(survey: Survey, changed: set[str]) -> None:
    if survey.state == State.ENDED:
        raise ConflictError(_("It has ended. Copy it to ask again."), code="survey_ended")
    fixed = sorted(changed - WHILE_LIVE)
    if survey.state in (State.LIVE, State.PAUSED) and fixed:
        message = _("It is being asked, so this stays as it is. Copy it instead.")
        raise ConflictError(
            message, code="survey_live",
            errors=[FieldError(name, message, "survey_live") for name in fixed],
        )  # fmt: skip


def _check_ready(survey: Survey, now: dt.datetime) -> None:
    errors = []
    if not survey.questions.exists():
        errors.append(FieldError("questions", _("Ask something first."), "required"))
    if survey.closes_at is not None and survey.closes_at <= now:
        errors.append(FieldError("closes_at", _("Choose a time that is to come.")))
    kind = survey.activity_type
    if kind is not None:
        unfit = problems_of_data(data_told(survey), kind.data_schema)
        if not kind.active or kind.proof == ActivityType.Proof.REQUIRED or unfit:
            words = _("Answers cannot be activities of this type: it asks for more, or rests.")
            errors.append(FieldError("activity", words))
    if errors:
        raise DomainError(str(errors[0].message), errors=errors)


def _refuse_unfit(definition: SurveyDefinition) -> None:
    """What was made of another by changing parts of it was not checked as a whole."""
    try:
        SurveyDefinition.model_validate(definition.model_dump())
    except ValidationError as error:
        errors = [
            FieldError(
                ".".join(map(str, item["loc"])) or "questions",
                str(item["msg"]).removeprefix("Value error, "),
            )
            for item in error.errors(include_url=False)
        ]
        raise DomainError(str(errors[0].message), errors=errors) from error


def _columns(definition: SurveyDefinition) -> Mapping[str, Any]:
    if definition.when:
        try:
            read_condition(definition.when, "occasion")
        except ConditionError as error:
            raise DomainError(str(error), errors=[FieldError("when", str(error))]) from error
    kind = ActivityType.objects.filter(code=definition.activity).first()
    if definition.activity and kind is None:
        message = _("There is no such type of activity.")
        raise DomainError(message, errors=[FieldError("activity", message, "not_found")])
    values = definition.model_dump(mode="json", exclude={"questions", "activity"})
    return values | {
        "opens_at": definition.opens_at, "closes_at": definition.closes_at, "activity_type": kind,
    }  # fmt: skip


def _write_questions(survey: Survey, definition: SurveyDefinition) -> None:
    SurveyQuestion.objects.bulk_create(
        SurveyQuestion(survey=survey, position=place, **question.model_dump(mode="json"))
        for place, question in enumerate(definition.questions)
    )


def _locked(survey: Survey) -> Survey:
    return surveys().select_for_update(of=("self",)).get(pk=survey.pk)


def _fresh(survey: Survey) -> Survey:
    return surveys().get(pk=survey.pk)


def _audit(action: str, survey: Survey, actor: Actor, **more: Any) -> None:
    record_audit(actor=actor, action=action, target=survey, after={"title": survey.title, **more})
