"""Journeys: begun, written, put live, paused and ended by people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from pydantic import ValidationError

from campaigns.journey_definitions import (
    JourneyDefinition,
    RewardStep,
    UnitsStep,
    tiers_asked_for,
)
from campaigns.journey_triggers import TRIGGERS
from campaigns.models import Journey, JourneyDue, JourneyVersion, Passage
from loyalty.models import Program, Tier
from loyalty.selectors.adjustment_reasons import usable_reasons
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit
from rewards.models import Reward

Status = Journey.Status
NAME_LENGTH = 80


def read_body(body: Mapping[str, Any]) -> JourneyDefinition:
    """Raises DomainError that says what is wrong."""
    try:
        return JourneyDefinition.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        words = str(first["msg"]).removeprefix("Value error, ")
        place = ".".join(str(part) for part in first["loc"])
        raise DomainError(
            words, code="journey_invalid", errors=[FieldError(place or "steps", words)]
        ) from error


@transaction.atomic
def create_journey(
    *, program: Program, name: str, trigger: str, body: Mapping[str, Any], actor: Actor,
    now: dt.datetime,
) -> Journey:  # fmt: skip
    """A draft. Raises DomainError."""
    if trigger not in TRIGGERS:
        message = _("There is no such beginning.")
        raise DomainError(message, errors=[FieldError("trigger", message)])
    journey = Journey.objects.create(
        program=program, name=_name(name), trigger=trigger, created_at=now
    )
    definition = read_body(body)
    journey.versions.create(
        number=1, body=definition.model_dump(mode="json"), author=actor.user, created_at=now
    )
    record_audit(
        actor=actor, action="journey.created", target=journey,
        after={"name": journey.name, "trigger": trigger},
    )  # fmt: skip
    return journey


@transaction.atomic
def save_draft(
    *, journey: Journey, body: Mapping[str, Any], actor: Actor, now: dt.datetime, name: str = "",
) -> JourneyVersion:  # fmt: skip
    """What is being written; members notice nothing of it until it is published."""
    row = _locked(journey)
    if row.status == Status.ENDED:
        raise ConflictError(_("It has ended."), code="journey_state")
    if name:
        Journey.objects.filter(pk=row.pk).update(name=_name(name))
    body = read_body(body).model_dump(mode="json")
    last = row.versions.select_for_update().first()
    assert last is not None
    if last.published_at is None:
        last.body, last.author, last.created_at = body, actor.user, now
        last.save()
        return last
    if last.body == body:
        return last
    version: JourneyVersion = row.versions.create(
        number=last.number + 1, body=body, author=actor.user, created_at=now
    )
    return version


@transaction.atomic
def publish_journey(*, journey: Journey, actor: Actor, now: dt.datetime) -> Journey:
    """Put what was written last into force: for who enters from now on. Raises DomainError where it
    cannot be done. What is in force already stays."""
    row = _locked(journey)
    version = row.versions.select_for_update().first()
    if row.status == Status.ENDED or version is None:
        raise ConflictError(_("It has ended."), code="journey_state")
    definition = read_body(version.body)
    _check_whole(row, definition)
    if version.published_at is None:
        version.published_at = now
        version.save()
    # When members are due may be worked out differently from now on.
    row.noted_until = None
    if row.status == Status.DRAFT:
        row.status, row.since, row.looked_until = Status.LIVE, now, now
    row.save()
    record_audit(
        actor=actor, action="journey.published", target=row, after={"version": version.number}
    )
    return row


def pause_journey(*, journey: Journey, actor: Actor) -> Journey:
    """Nobody enters, and nobody goes on."""
    return _change(journey, Status.LIVE, Status.PAUSED, "journey.paused", actor)


def resume_journey(*, journey: Journey, actor: Actor, now: dt.datetime) -> Journey:
    """Whoever is in it goes on; what happened meanwhile leads nobody into it."""
    times = {"since": now, "looked_until": now}
    return _change(journey, Status.PAUSED, Status.LIVE, "journey.resumed", actor, times)


@transaction.atomic
def end_journey(*, journey: Journey, actor: Actor, now: dt.datetime) -> Journey:
    """For good: whoever is in it leaves. Again changes nothing."""
    row = _locked(journey)
    if row.status == Status.ENDED:
        return row
    row.status, row.ended_at = Status.ENDED, now
    row.save()
    JourneyDue.objects.filter(journey=row).delete()
    Passage.objects.filter(journey=row, state=Passage.State.ACTIVE).update(
        state=Passage.State.DONE, due_at=None, left_at=now, why="journey_ended"
    )
    record_audit(actor=actor, action="journey.ended", target=row)
    return row


@transaction.atomic
def _change(
    journey: Journey, was: str, becomes: str, action: str, actor: Actor,
    times: Mapping[str, dt.datetime] | None = None,
) -> Journey:  # fmt: skip
    row = _locked(journey)
    if row.status == becomes:
        return row
    if row.status != was:
        raise ConflictError(_("That is not possible now."), code="journey_state")
    row.status = becomes
    for name, at in (times or {}).items():
        setattr(row, name, at)
    row.save()
    record_audit(actor=actor, action=action, target=row)
    return row


def _locked(journey: Journey) -> Journey:
    # Not against those who only name it: whoever goes a step on in it adds to its tally.
    return Journey.objects.select_for_update(of=("self",), no_key=True).get(pk=journey.pk)


def _check_whole(journey: Journey, definition: JourneyDefinition) -> None:
    """What may be missing while it is written."""
    if not definition.steps:
        raise _wrong(_("Add at least one step."))
    if journey.trigger == "balance" and not definition.start.balances:
        message = _("Say which balances.")
        raise DomainError(message, errors=[FieldError("start.balances", message)])
    if journey.trigger == "expiring" and not definition.start.distances:
        message = _("Say how many days before.")
        raise DomainError(message, errors=[FieldError("start.distances", message)])
    own = Tier.objects.filter(tier_set__program=journey.program_id).values_list("code", flat=True)
    if strange := sorted(tiers_asked_for(definition) - set(own)):
        raise _wrong(_("The program has no tier “%s”.") % strange[0])
    _check_units(journey, [step for step in definition.steps if isinstance(step, UnitsStep)])
    named = {step.reward for step in definition.steps if isinstance(step, RewardStep)}
    known = Reward.objects.filter(
        program=journey.program_id, code__in=named, status=Reward.Status.LIVE
    ).values_list("code", flat=True)
    if missing := sorted(named - set(known)):
        raise _wrong(_("There is no live reward “%s”.") % missing[0])


def _check_units(journey: Journey, gifts: Sequence[UnitsStep]) -> None:
    unit = journey.program.wallet_types.order_by("pk").first()
    usable = {reason.code for reason in usable_reasons()}
    for step in gifts:
        if unit is None:
            raise _wrong(_("The program has no units."))
        if step.units != round(step.units, unit.scale):
            raise _wrong(_("%s are not given in such small parts.") % capfirst(unit.plural))
        if step.reason not in usable:
            raise _wrong(_("The reason “%s” cannot be given.") % step.reason)


def _wrong(message: str) -> DomainError:
    return DomainError(message, errors=[FieldError("steps", message)])


def _name(name: str) -> str:
    name = " ".join(name.replace("\x00", "").split())
    if not 0 < len(name) <= NAME_LENGTH:
        message = _("Write a name of at most %s characters.") % NAME_LENGTH
        raise DomainError(message, errors=[FieldError("name", message)])
    return name
