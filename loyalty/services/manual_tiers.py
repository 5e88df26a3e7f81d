"""Tiers by hand: given with a reason and perhaps an end, ended before it. Both are audited."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils.translation import gettext as _

from loyalty.models import ManualTier, Membership, MemberTier
from loyalty.selectors.erased_holders import refuse_erased_member
from loyalty.selectors.rulebooks import ProgramTerms, fresh_terms
from loyalty.services.member_tiers import refresh_tiers
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically


class TierRefusedError(DomainError):
    """A tier that cannot be given like this; `errors` say why."""

    code = "tier_refused"


def give_tier(
    *,
    membership: Membership,
    tier: str,
    reason: str,
    actor: Actor,
    now: dt.datetime,
    until: dt.datetime | None = None,
) -> ManualTier:
    """The member has at least this tier, from now on and until then. Giving the same again while
    it lasts changes nothing. Raises TierRefusedError."""
    return run_atomically(lambda: _give(membership, tier, reason.strip(), actor, now, until))


def end_tier(*, given: ManualTier, reason: str, actor: Actor, now: dt.datetime) -> ManualTier:
    """It ends now; the member goes on with the tier that they have reached. Again changes
    nothing."""
    return run_atomically(lambda: _end(given, reason.strip(), actor, now))


def _give(
    membership: Membership, code: str, reason: str, actor: Actor, now: dt.datetime,
    until: dt.datetime | None,
) -> ManualTier:  # fmt: skip
    _hold(membership)
    lasting = membership.manual_tiers.filter(tier_code=code, until=until, ended_at=None)
    known = lasting.filter(Q(until=None) | Q(until__gt=now)).first()
    if known is None:
        refuse_erased_member(membership)
    program = _terms(membership)
    _refuse(program, membership, code, reason, now, until)
    if known is not None:
        return known
    given = ManualTier.objects.create(
        membership=membership, tier_code=code, since=now, until=until, reason=reason,
        given_by=actor.user, created_at=now,
    )  # fmt: skip
    refresh_tiers(program, [membership], now=now)
    record_audit(
        actor=actor,
        action="tier.given",
        target=membership.customer,
        about=membership,
        reason=reason,
        after={"tier": code, "until": until.isoformat() if until else None},
    )
    return given


def _end(given: ManualTier, reason: str, actor: Actor, now: dt.datetime) -> ManualTier:
    membership = given.membership
    if membership.merged_into is not None:
        membership = membership.merged_into
    _hold(membership)
    given = ManualTier.objects.select_for_update().get(pk=given.pk)
    if given.ended_at is not None:
        return given
    if not reason:
        message = _("Say why.")
        raise TierRefusedError(message, errors=[FieldError("reason", message, "required")])
    if given.until is not None and given.until <= now:
        raise ConflictError(_("It has ended already."), code="tier_ended")
    given.ended_at, given.ended_by, given.ended_why = now, actor.user, reason
    given.save(update_fields=["ended_at", "ended_by", "ended_why"])
    refresh_tiers(_terms(membership), [membership], now=now)
    record_audit(
        actor=actor, action="tier.ended", target=membership.customer, about=membership,
        reason=reason, before={"tier": given.tier_code},
    )  # fmt: skip
    return given


def _hold(membership: Membership) -> None:
    """Two people who do it at once take turns."""
    list(MemberTier.objects.select_for_update().filter(pk=membership.pk))


def _terms(membership: Membership) -> ProgramTerms:
    for program in fresh_terms().programs:
        if program.id == membership.program_id and program.tiers is not None:
            return program
    raise ConflictError(_("The program has no tiers."), code="no_tiers")


def _refuse(
    program: ProgramTerms, membership: Membership, code: str, reason: str, now: dt.datetime,
    until: dt.datetime | None,
) -> None:  # fmt: skip
    ladder = program.tiers.at(now) if program.tiers else None
    if ladder is None:
        raise ConflictError(_("The program has no tiers."), code="no_tiers")
    if membership.status == Membership.Status.MERGED:
        raise ConflictError(_("This membership was merged into another."), code="merged")
    errors = []
    if not ladder.rank_of_code(code):
        known = ", ".join(level.code for level in ladder.levels[1:])
        errors.append(FieldError("tier", _("Write one of %s.") % known, "not_found"))
    if not reason:
        errors.append(FieldError("reason", _("Say why."), "required"))
    if until is not None and until <= now:
        errors.append(FieldError("until", _("Give an end that is still to come.")))
    if errors:
        raise TierRefusedError(_("The tier cannot be given like this."), errors=errors)
