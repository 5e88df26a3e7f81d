"""Promotions in a program's definition: read from it, and brought to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _

from campaigns.campaign_definitions import (
    CampaignDefinition,
    campaign_as_said,
    codes_of,
    definition_of_campaign,
)
from campaigns.models import Campaign, Experiment
from campaigns.program_definitions import ProgramCampaign
from campaigns.selectors.campaigns import campaigns, status_at
from campaigns.selectors.experiments import experiment_of
from campaigns.services.campaigns import (
    change_campaign,
    create_campaign,
    pause_campaign,
    publish_campaign,
    resume_campaign,
    second_person_missing,
    withdraw_campaign,
)
from loyalty.models import Program
from loyalty.services.applied import Applied
from members.errors import ConflictError, DomainError, FieldError
from members.prepared import KeptQuery
from members.services.audit import Actor

Status = Campaign.Status
STATES = {Status.DRAFT: "draft", Status.PAUSED: "paused"}


def campaigns_of(program: Program) -> list[ProgramCampaign]:
    """But those that an experiment has begun: who gets them is drawn among the members here."""
    return [
        ProgramCampaign(code=row.code, state=_state(row), body=campaign_as_said(row))
        for row in _campaigns.rows(program.pk, Status.ENDED, Experiment.Status.RUNNING)
    ]


_campaigns: KeptQuery[Campaign] = KeptQuery(
    lambda program, ended, running: (
        campaigns()
        .filter(program=program)
        .exclude(status=ended)
        .exclude(arm__experiment__status=running)
        .order_by("pk")
    )
)


def apply_campaigns(
    applied: Applied, wanted: Sequence[ProgramCampaign], actor: Actor, now: dt.datetime
) -> None:
    """Promotions that the definition names are made or changed, and brought into its state."""
    rows = campaigns().filter(program=applied.program) if wanted else ()
    known = {row.code: row for row in rows}
    for index, item in enumerate(wanted):
        try:
            _apply(applied, known.get(item.code), item, actor, now)
        except DomainError as error:
            error.place_fields(f"campaigns[{index}]")
            raise


def _apply(
    applied: Applied, found: Campaign | None, wanted: ProgramCampaign, actor: Actor,
    now: dt.datetime,
) -> None:  # fmt: skip
    definition = wanted.definition
    if found is None:
        if wanted.state != "draft" and definition.ends_at is not None and definition.ends_at <= now:
            return
        found = create_campaign(
            program=applied.program, definition=definition, actor=actor, now=now, code=wanted.code
        )
        applied.changes.append(_("New promotion: %s") % found.name)
    elif status_at(found, now) == Status.ENDED or _is_compared(found):
        return
    elif not _says(found, definition):
        found = _change(found, definition, actor, now)
        applied.changes.append(_("Promotion changed: %s") % found.name)
    _bring(applied, found, wanted.state, actor, now)


def _is_compared(found: Campaign) -> bool:
    """By an experiment that runs: that ends it, and nothing else changes it."""
    experiment = experiment_of(found)
    return experiment is not None and experiment.status == Experiment.Status.RUNNING


def _says(found: Campaign, definition: CampaignDefinition) -> bool:
    """Whether it is as is said. What was published after its beginning began then."""
    said = definition_of_campaign(found)
    if said == definition:
        return True
    begun = found.status in (Status.SCHEDULED, Status.LIVE, Status.PAUSED)
    earlier = said.starts_at and definition.starts_at and definition.starts_at < said.starts_at
    if not (begun and earlier):
        return False
    return said == definition.model_copy(update={"starts_at": said.starts_at})


def _change(
    found: Campaign, definition: CampaignDefinition, actor: Actor, now: dt.datetime
) -> Campaign:
    """What is planned is taken back for it, and is planned again after it."""
    if found.status == Status.SCHEDULED and status_at(found, now) == Status.SCHEDULED:
        found = withdraw_campaign(campaign=found, actor=actor, now=now)
    if found.status != Status.DRAFT:
        message = _("It has begun, and can only rest or end.")
        raise ConflictError(message, errors=[FieldError("body", message)])
    return change_campaign(campaign=found, definition=definition, actor=actor, now=now)


def _bring(applied: Applied, found: Campaign, state: str, actor: Actor, now: dt.datetime) -> None:
    was = _state(found)
    if was == state:
        return
    if state == "draft":
        message = _("It was published. Take it back by hand, or end it.")
        raise ConflictError(message, errors=[FieldError("state", message)])
    if found.status == Status.DRAFT:
        if _waits(found, actor, now):
            return
        found = publish_campaign(campaign=found, actor=actor, now=now)
        applied.changes.append(_("Promotion published: %s") % found.name)
    if state == "paused" and status_at(found, now) == Status.LIVE:
        pause_campaign(campaign=found, actor=actor, now=now)
        applied.changes.append(_("Promotion paused: %s") % found.name)
    elif state == "planned" and found.status == Status.PAUSED:
        resume_campaign(campaign=found, actor=actor, now=now)
        applied.changes.append(_("Promotion goes on: %s") % found.name)


def _waits(found: Campaign, actor: Actor, now: dt.datetime) -> bool:
    """Whether something is missing that is in no file: its codes, the second person, a program that
    is live, or the start of the experiment that it is an arm of."""
    if found.program.live_since is None or experiment_of(found) is not None:
        return True
    if codes_of(found).kind == "single" and not found.promo_codes.exists():
        return True
    return bool(second_person_missing(found, actor, now))


def _state(found: Campaign) -> str:
    return STATES.get(Status(found.status), "planned")
