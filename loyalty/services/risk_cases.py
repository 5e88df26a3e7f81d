"""Cases of members who may take advantage of a program: opened by what was found, held, released,
and what was taken unduly taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.models import Membership, RiskCase, RiskScore
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.errors import ConflictError, DomainError, FieldError
from members.selectors.erased import refuse_erased
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.transactions import run_atomically

State = RiskCase.State
HELD_BY_ITSELF = gettext_noop("Held by itself, as %(points)s points speak against it.")


def note_case(
    *, membership: Membership, points: int, signals: list[dict[str, Any]], now: dt.datetime
) -> tuple[RiskCase, bool]:
    """The case that waits of a member, opened if there is none, and whether it was. One that waits
    takes up what is new. In the caller's transaction, which has the score's row as lock."""
    case = RiskCase.objects.select_for_update().filter(
        membership=membership, state__in=RiskCase.WAITING
    ).first()  # fmt: skip
    if case is None:
        case = RiskCase.objects.create(
            membership=membership, points=points, signals=signals, opened_at=now
        )
        audit_case("risk.opened", case, SYSTEM, after={"points": points})
        return case, True
    if not fact_names(signals) <= fact_names(case.signals):
        case.points, case.signals, case.grown_at = points, signals, now
        case.save(update_fields=["points", "signals", "grown_at"])
    return case, False


def hold_for_itself(case: RiskCase, *, points: int, now: dt.datetime) -> None:
    """As the program says, without anybody deciding it. Who does not take part is left alone."""
    if case.state == State.OPEN and case.membership.status == Membership.Status.ACTIVE:
        hold_case(case=case, note=_(HELD_BY_ITSELF) % {"points": points}, actor=SYSTEM, now=now)


def hold_case(*, case: RiskCase, note: str, actor: Actor, now: dt.datetime) -> RiskCase:
    """Suspend the member until it is decided: what they do earns nothing and they take nothing;
    what they hold stays. Again changes nothing. Raises ConflictError for who has left."""

    def hold() -> RiskCase:
        row = locked_case(case)
        if row.state == State.HELD:
            return row
        require_waiting(row)
        said = required_note(note)
        was_active = row.membership.status == Membership.Status.ACTIVE
        suspend_membership(membership=row.membership, reason=said, actor=actor, now=now)
        row.state, row.held_at, row.suspended = State.HELD, now, was_active
        row.note = said
        row.save(update_fields=["state", "held_at", "suspended", "note"])
        audit_case("risk.held", row, actor, reason=said)
        return row

    return run_atomically(hold)


def release_case(*, case: RiskCase, note: str, actor: Actor, now: dt.datetime) -> RiskCase:
    """It is fine: what it rests on never counts again, and who was held takes part again. Again
    changes nothing."""

    def release() -> RiskCase:
        row = locked_case(case)
        if row.state == State.RELEASED:
            return row
        require_waiting(row)
        said = required_note(note)
        if row.suspended and row.membership.status == Membership.Status.SUSPENDED:
            resume_membership(membership=row.membership, reason=said, actor=actor, now=now)
        close_case(row, State.RELEASED, note=said, actor=actor, now=now)
        audit_case("risk.released", row, actor, reason=said)
        return row

    return run_atomically(release)


def close_case(
    row: RiskCase, state: str, *, note: str, actor: Actor, now: dt.datetime
) -> None:  # fmt: skip
    """What it rests on is dealt with, and counts no more."""
    row.state, row.decided_at, row.decided_by, row.note = state, now, actor.user, note
    row.save(update_fields=["state", "decided_at", "decided_by", "note"])
    score, _made = RiskScore.objects.select_for_update(of=("self",)).get_or_create(
        membership=row.membership
    )
    score.cleared = sorted({*score.cleared, *fact_names(row.signals)})
    # What is left of it is worked out soon; until then nothing is said.
    score.points, score.signals, score.due_at = 0, [], now
    score.save(update_fields=["cleared", "points", "signals", "due_at"])


def fact_names(signals: Sequence[dict[str, Any]]) -> set[str]:
    return {f"{fact['kind']}:{fact['id']}" for item in signals for fact in item["facts"]}


def locked_case(case: RiskCase) -> RiskCase:
    """With its lock. The score's comes first, as whoever works it out takes it."""
    list(RiskScore.objects.select_for_update(of=("self",)).filter(membership=case.membership_id))
    row = (
        RiskCase.objects.select_for_update(of=("self",))
        .select_related("membership__customer", "membership__program")
        .get(pk=case.pk)
    )
    refuse_erased(row.membership.customer)
    return row


def require_waiting(row: RiskCase) -> None:
    if row.state not in RiskCase.WAITING:
        raise ConflictError(
            _("This was decided already: %s.") % row.get_state_display().lower(),
            code="already_decided",
        )


def required_note(note: str) -> str:
    text = " ".join(note.replace("\x00", "").split())[:500]
    if not text:
        raise DomainError(_("Say why."), errors=[FieldError("note", _("Say why."), "required")])
    return text


def audit_case(action: str, row: RiskCase, actor: Actor, **told: Any) -> None:
    record_audit(
        actor=actor, action=action, target=row.membership.customer, about=row.membership, **told
    )
