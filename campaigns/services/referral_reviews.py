"""Looking at a referral that something speaks against: somebody lets it pass, or refuses it."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from campaigns.models import Referral
from campaigns.services.referrals import begin_if_member, bring_up_to_date, refuse
from loyalty.services.risk_scores import look_at_members
from members.errors import ConflictError, DomainError, FieldError
from members.selectors.merges import current
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

Status = Referral.Status


def approve_referral(
    *, referral: Referral, note: str, actor: Actor, now: dt.datetime
) -> Referral:  # fmt: skip
    """It goes on as if nothing had spoken against it; what is due is paid at once. Where that is
    not possible, as when the budget is used up, it stays in review and says why. Again changes
    nothing."""

    def approve() -> int:
        row = _locked(referral)
        if row.status != Status.IN_REVIEW:
            _refuse_other(row, Status.REFUSED)
            return int(row.pk)
        row.cleared = sorted({*row.cleared, *row.reasons})
        row.reasons = []
        _decide(row, actor, _said(note), now)
        begin_if_member(row, now)
        row.save()
        _audit("referral.approved", row, actor)
        return int(row.pk)

    pk = run_atomically(approve)
    found = bring_up_to_date(pk, now)
    assert found is not None
    return found


def refuse_referral(*, referral: Referral, note: str, actor: Actor, now: dt.datetime) -> Referral:
    """It brings nothing. Again changes nothing."""

    def decline() -> Referral:
        row = _locked(referral)
        if row.status == Status.REFUSED:
            return row
        if row.status not in (Status.IN_REVIEW, Status.JOINED, Status.PENDING, Status.INVITED):
            raise ConflictError(_("It is closed already."), code="referral_closed")
        _decide(row, actor, _said(note), now)
        refuse(row, "staff", now)
        row.save()
        _audit("referral.refused", row, actor)
        if row.link.membership is not None:
            # Somebody who brings many who are refused is looked at.
            look_at_members([row.link.membership.pk])
        return row

    return run_atomically(decline)


def _said(note: str) -> str:
    text = " ".join(note.replace("\x00", "").split())[:500]
    if not text:
        raise DomainError(_("Say why."), errors=[FieldError("note", _("Say why."), "required")])
    return text


def _refuse_other(row: Referral, status: str) -> None:
    if row.status == status:
        raise ConflictError(_("It was refused already."), code="referral_closed")


def _locked(referral: Referral) -> Referral:
    rows = Referral.objects.select_for_update(of=("self",)).select_related(
        "program", "terms", "friend", "order", "link__membership"
    )
    found: Referral = rows.get(pk=referral.pk)
    return found


def _decide(row: Referral, actor: Actor, note: str, now: dt.datetime) -> None:
    row.decided_by, row.decided_at, row.note = actor.user, now, note


def _audit(action: str, row: Referral, actor: Actor) -> None:
    record_audit(
        actor=actor, action=action, target=current(row.friend), reason=row.note,
        after={"code": row.link.code},
    )  # fmt: skip
