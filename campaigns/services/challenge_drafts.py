"""Drafts of challenges from templates."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.challenge_definitions import ChallengeDefinition
from campaigns.challenge_templates import CHALLENGES, UNITS
from campaigns.models import Challenge
from campaigns.services.challenges import create_challenge
from loyalty.models import Program
from loyalty.rules.calendar import start_of_day
from members.errors import DomainError, FieldError
from members.services.audit import Actor


@transaction.atomic
def challenge_from_template(
    *, program: Program, template: str, actor: Actor, now: dt.datetime
) -> Challenge:
    """A draft that says what the template says, from tomorrow on."""
    known = CHALLENGES.get(template)
    if known is None:
        message = _("There is no such template.")
        raise DomainError(message, errors=[FieldError("template", message)])
    first = now.astimezone(program.zone).date() + dt.timedelta(days=1)
    said = {name: str(value) if name == "badge" else value for name, value in known.said.items()}
    definition = ChallengeDefinition.model_validate(
        {
            "name": str(known.label), "title": str(known.title), "text": str(known.text),
            "steps": [dict(step) for step in known.steps], "units": UNITS,
            "starts_at": start_of_day(first, program.zone),
            "ends_at": start_of_day(first + dt.timedelta(days=known.lasts), program.zone),
            **said,
        }
    )  # fmt: skip
    return create_challenge(program=program, definition=definition, actor=actor, now=now)
