"""What bringing friends brings in a program's definition: read from it, and brought to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _

from campaigns.models import ReferralProgram
from campaigns.referral_definitions import read_definition, stored
from campaigns.referral_program_definitions import ProgramReferrals
from campaigns.services.referral_programs import (
    pause_referrals,
    publish_terms,
    resume_referrals,
    write_terms,
)
from loyalty.models import Program
from loyalty.services.applied import Applied
from members.errors import ConflictError, DomainError, FieldError
from members.prepared import KeptQuery
from members.services.audit import Actor

Status = ReferralProgram.Status


def referrals_of(program: Program) -> list[ProgramReferrals]:
    """What is in force, or was written where nothing is; none, or one."""
    row = _referrals.first(program.pk)
    if row is None:
        return []
    terms = row.terms.first()
    body = terms.body if terms else row.draft
    if not body:
        return []
    said = stored(read_definition(body))
    return [ProgramReferrals.model_validate({"state": row.status, "body": said})]


_referrals: KeptQuery[ReferralProgram] = KeptQuery(
    lambda program: ReferralProgram.objects.filter(program=program)
)


def apply_referrals(
    applied: Applied, wanted: Sequence[ProgramReferrals], actor: Actor, now: dt.datetime
) -> None:
    """What the definition says is written, and published if it says so. Raises DomainError naming
    the place."""
    for item in wanted:
        try:
            _apply(applied, item, actor, now)
        except DomainError as error:
            error.place_fields("referrals[0]")
            raise


def _apply(applied: Applied, item: ProgramReferrals, actor: Actor, now: dt.datetime) -> None:
    before = next(iter(referrals_of(applied.program)), None)
    if before == item:
        return
    program = applied.program
    if item.state == "draft" and before is not None and before.state != "draft":
        message = _("It was put live, and can only rest.")
        raise ConflictError(message, errors=[FieldError("state", message)])
    if before is None or before.body != item.body:
        definition = read_definition(dict(item.body))
        write_terms(program=program, definition=definition, actor=actor, now=now)
        applied.changes.append(
            _("New: what bringing friends brings") if before is None
            else _("What bringing friends brings changed")
        )  # fmt: skip
    if item.state == "draft":
        return
    if before is None or before.body != item.body or before.state == "draft":
        # Else it is in force, and a draft beside it is somebody's who has not finished it.
        publish_terms(program=program, actor=actor, now=now)
    row = ReferralProgram.objects.get(program=program)
    if item.state == "paused" and row.status == Status.LIVE:
        pause_referrals(program=program, actor=actor, now=now)
    elif item.state == "live" and row.status == Status.PAUSED:
        resume_referrals(program=program, actor=actor, now=now)
