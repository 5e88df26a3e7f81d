"""What a program promises for bringing friends: written, published by version, paused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import ReferralProgram, ReferralTerms
from campaigns.referral_definitions import (
    FURTHER,
    ReferralDefinition,
    read_definition,
    stored,
)
from campaigns.referral_words import reward_of, unit_of
from loyalty.models import Program
from members.errors import ConflictError, DomainError, FieldError
from members.prepared import KeptQuery, run_prepared
from members.services.audit import Actor, record_audit
from rewards.models import Reward

Status = ReferralProgram.Status
_HOLD_PROGRAM = "SELECT 1 FROM loyalty_program WHERE id = %s FOR NO KEY UPDATE"
_HELD: KeptQuery[ReferralProgram] = KeptQuery(
    lambda program: ReferralProgram.objects.select_related("program").filter(program=program),
    ending=' FOR UPDATE OF "campaigns_referralprogram"',
)


@transaction.atomic
def write_terms(
    *, program: Program, definition: ReferralDefinition, actor: Actor, now: dt.datetime
) -> ReferralProgram:
    """Keep what is to be promised as a draft. Friends who come meanwhile come by what is
    published."""
    row = _row(program, now)
    said = stored(definition)
    if row.draft == said:
        return row
    row.draft, row.author, row.changed_at = said, actor.user, now
    row.save(update_fields=["draft", "author", "changed_at"])
    _audit("referrals.written", row, actor)
    return row


@transaction.atomic
def discard_draft(*, program: Program, actor: Actor, now: dt.datetime) -> ReferralProgram:
    """Forget what was written and not published. Again changes nothing."""
    row = _row(program, now)
    if row.draft:
        row.draft, row.author, row.changed_at = {}, None, now
        row.save(update_fields=["draft", "author", "changed_at"])
        _audit("referrals.discarded", row, actor)
    return row


@transaction.atomic
def publish_terms(*, program: Program, actor: Actor, now: dt.datetime) -> ReferralTerms:
    """The draft holds for friends who come from now on. Where a second person publishes the rules
    of the program, not the one who wrote it. Raises DomainError where it could never be kept."""
    row = _row(program, now)
    known = row.terms.first()
    if not row.draft:
        if known is not None:
            return known
        raise ConflictError(_("There is nothing to publish. Write it first."), code="no_draft")
    if program.four_eyes and (actor.user is None or row.author_id == actor.user.pk):
        raise ConflictError(_("Somebody else has to publish it."), code="second_person", status=403)
    definition = read_definition(row.draft)
    refuse_broken(program, definition)
    terms = ReferralTerms.objects.create(
        referral_program=row, number=known.number + 1 if known else 1, body=row.draft,
        published_at=now, published_by=actor.user,
    )  # fmt: skip
    row.draft, row.changed_at = {}, now
    if row.status == Status.DRAFT:
        row.status = Status.LIVE
    row.save(update_fields=["draft", "status", "changed_at"])
    _audit("referrals.published", row, actor, after={"version": terms.number})
    return terms


@transaction.atomic
def pause_referrals(*, program: Program, actor: Actor, now: dt.datetime) -> ReferralProgram:
    """Nobody comes by a link any more; who came before is paid. Again changes nothing."""
    return _move(program, Status.LIVE, Status.PAUSED, "referrals.paused", actor, now)


@transaction.atomic
def resume_referrals(*, program: Program, actor: Actor, now: dt.datetime) -> ReferralProgram:
    return _move(program, Status.PAUSED, Status.LIVE, "referrals.resumed", actor, now)


def refuse_broken(program: Program, definition: ReferralDefinition) -> None:
    """Raises DomainError naming what it promises and cannot give."""
    errors: list[FieldError] = []
    places = ["advocate", *(f"steps[{at}].gift" for at in range(len(definition.steps))), "friend"]
    for place, gift in zip(places, definition.gifts, strict=True):
        unit, reward = unit_of(gift, program), reward_of(gift, program)
        if gift.kind in ("units", "percent") and unit is None:
            errors.append(FieldError(f"{place}.unit", _("There are no such units."), "unknown"))
        elif gift.kind == "percent" and unit is not None and not unit.unit_value:
            message = _("Say first what one of these units is worth.")
            errors.append(FieldError(f"{place}.percent", message))
        elif gift.kind == "reward" and (reward is None or reward.status != Reward.Status.LIVE):
            errors.append(FieldError(f"{place}.reward", _("There is no such live reward.")))
        elif gift.kind == "reward" and reward is not None and reward.is_donation:
            errors.append(FieldError(f"{place}.reward", _("A donation cannot be given.")))
    errors += _broken_shares(program, definition)
    shares = any(getattr(definition, name) for name in FURTHER)
    if not shares and all(gift.is_nothing for gift in definition.gifts):
        errors.append(FieldError("advocate.kind", _("Give one of them something."), "required"))
    if errors:
        raise DomainError(errors[0].message, errors=errors)


def _broken_shares(program: Program, definition: ReferralDefinition) -> Iterator[FieldError]:
    """Of further purchases: only units that are worth something can be a part of money."""
    for name in FURTHER:
        share = getattr(definition, name)
        if share is None:
            continue
        unit = unit_of(share.as_gift(), program)
        if unit is None:
            yield FieldError(f"{name}.unit", _("There are no such units."), "unknown")
        elif not unit.unit_value:
            message = _("Say first what one of these units is worth.")
            yield FieldError(f"{name}.percent", message)


def _move(
    program: Program, was: str, becomes: str, action: str, actor: Actor, now: dt.datetime
) -> ReferralProgram:
    row = _row(program, now)
    if row.status == becomes:
        return row
    if row.status != was:
        raise ConflictError(_("That is not possible now."), code="referrals_state")
    row.status, row.changed_at = becomes, now
    row.save(update_fields=["status", "changed_at"])
    _audit(action, row, actor)
    return row


def _row(program: Program, now: dt.datetime) -> ReferralProgram:
    """The program's, made where there is none, with its lock."""
    run_prepared(_HOLD_PROGRAM, [program.pk])
    found = _HELD.first(program.pk)
    if found is None:
        ReferralProgram.objects.create(program=program, created_at=now, changed_at=now)
        found = _HELD.one(program.pk)
    return found


def _audit(
    action: str, row: ReferralProgram, actor: Actor, *, after: dict[str, object] | None = None
) -> None:
    record_audit(actor=actor, action=action, target=row.program, after=after or {})
