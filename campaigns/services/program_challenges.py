"""Challenges in a program's definition: read from it, and brought to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _

from campaigns.challenge_definitions import NOT_SAID, definition_of_challenge
from campaigns.models import Campaign, Challenge
from campaigns.program_definitions import ProgramChallenge
from campaigns.selectors.challenges import challenges
from campaigns.services.campaigns import publish_campaign
from campaigns.services.challenges import change_challenge, create_challenge
from loyalty.models import Program
from loyalty.services.applied import Applied
from members.errors import ConflictError, DomainError, FieldError
from members.prepared import KeptQuery
from members.services.audit import Actor

Status = Campaign.Status


def challenges_of(program: Program) -> list[ProgramChallenge]:
    """In the order in which they were written."""
    return [_item(row) for row in _challenges.rows(program.pk, Status.ENDED)]


_challenges: KeptQuery[Challenge] = KeptQuery(
    lambda program, ended: (
        challenges()
        .filter(campaign__program=program)
        .exclude(campaign__status=ended)
        .order_by("pk")
    )
)


def apply_challenges(
    applied: Applied, wanted: Sequence[ProgramChallenge], actor: Actor, now: dt.datetime
) -> None:
    """Challenges that the definition names are made, changed while they are drafts, and published
    if it says so. One that has ended stays as it is. Raises DomainError naming the place."""
    rows = challenges().filter(campaign__program=applied.program) if wanted else ()
    known = {row.campaign.code: row for row in rows}
    for index, item in enumerate(wanted):
        try:
            _apply(applied, known.get(item.code), item, actor, now)
        except DomainError as error:
            error.place_fields(f"challenges[{index}]")
            raise


def _apply(
    applied: Applied, found: Challenge | None, wanted: ProgramChallenge, actor: Actor,
    now: dt.datetime,
) -> None:  # fmt: skip
    if found is None:
        found = create_challenge(
            program=applied.program, definition=wanted.definition, actor=actor, now=now,
            code=wanted.code,
        )  # fmt: skip
        if found.campaign.code != wanted.code:
            # Known by another code, it would be made anew each time.
            message = _("A promotion has this code already. Give the challenge another one.")
            raise ConflictError(message, errors=[FieldError("code", message)])
        applied.changes.append(_("New challenge: %s") % found.campaign.name)
    elif found.campaign.status != Status.DRAFT:
        _refuse_other(found, wanted)
        return
    elif _item(found).body != wanted.body:
        found = change_challenge(
            challenge=found, definition=wanted.definition, actor=actor, now=now
        )
        applied.changes.append(_("Challenge changed: %s") % found.campaign.name)
    if wanted.state == "live":
        publish_campaign(campaign=found.campaign, actor=actor, now=now)
        applied.changes.append(_("Challenge published: %s") % found.campaign.name)


def _refuse_other(found: Challenge, wanted: ProgramChallenge) -> None:
    """What it asks stays as it was when it was published; when it began may have been later."""
    if found.campaign.status == Status.ENDED:
        return
    before, after = (
        {name: value for name, value in body.items() if name != "starts_at"}
        for body in (_item(found).body, wanted.body)
    )
    if before != after:
        message = _("It is planned already. Give it another code, or end it.")
        raise ConflictError(message, errors=[FieldError("body", message)])
    if wanted.state == "draft":
        message = _("It was published, and can only rest or end.")
        raise ConflictError(message, errors=[FieldError("state", message)])


def _item(challenge: Challenge) -> ProgramChallenge:
    campaign = challenge.campaign
    body = definition_of_challenge(challenge).model_dump(mode="json", exclude=NOT_SAID)
    state = "draft" if campaign.status == Status.DRAFT else "live"
    return ProgramChallenge(code=campaign.code, state=state, body=body)
