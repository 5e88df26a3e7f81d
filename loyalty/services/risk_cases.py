"""Cases of members who may take advantage of a program: opened by what was found, held, released,
and what was taken unduly taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.models import (
    Absence,
    AdjustmentRequest,
    Membership,
    RiskCase,
    RiskScore,
    Wallet,
)
from loyalty.selectors.risk_takings import members_of, requests_of
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.errors import ConflictError, DomainError, FieldError
from members.models import Customer
from members.selectors.erased import refuse_erased
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.transactions import run_atomically

State = RiskCase.State


class Unasked(Enum):
    """Whoever decides does not say what they have looked at."""

    UNASKED = "unasked"


UNASKED = Unasked.UNASKED
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
        audit_case("risk.opened", case, SYSTEM, after={"risk_points": points})
        return case, True
    if not fact_names(signals) <= fact_names(case.signals):
        case.points, case.signals, case.grown_at = points, signals, now
        case.save(update_fields=["points", "signals", "grown_at"])
    return case, False


def hold_for_itself(case: RiskCase, *, points: int, now: dt.datetime) -> None:
    """As the program says, without anybody deciding it. Who does not take part is left alone."""
    if case.state != State.OPEN or case.membership.status != Membership.Status.ACTIVE:
        return
    # Who has left meanwhile is none to be held.
    with suppress(ConflictError), transaction.atomic():
        hold_case(case=case, note=_(HELD_BY_ITSELF) % {"points": points}, actor=SYSTEM, now=now)


def hold_case(
    *,
    case: RiskCase,
    note: str,
    actor: Actor,
    now: dt.datetime,
    seen: dt.datetime | Unasked | None = UNASKED,
) -> RiskCase:
    """Suspend the member until it is decided: what they do earns nothing and they take nothing;
    what they hold stays. Again changes nothing, unless somebody let them take part meanwhile.
    Raises ConflictError for who has left."""

    def hold() -> RiskCase:
        row = locked_case(case)
        status = _lock_member(row)
        if row.state == State.HELD and status != Membership.Status.ACTIVE:
            return row
        require_waiting(row)
        require_seen(row, seen)
        said = required_note(note)
        suspend_membership(membership=row.membership, reason=said, actor=actor, now=now)
        if status == Membership.Status.ACTIVE:
            row.absence = _open_absence(row)
        row.state, row.held_at, row.note = State.HELD, now, said
        row.save(update_fields=["state", "held_at", "absence", "note"])
        audit_case("risk.held", row, actor, reason=said)
        return row

    return run_atomically(hold)


def release_case(
    *,
    case: RiskCase,
    note: str,
    actor: Actor,
    now: dt.datetime,
    seen: dt.datetime | Unasked | None = UNASKED,
) -> RiskCase:
    """It is fine: what it rests on never counts again, and who was held takes part again. Again
    changes nothing. `seen`: what `grown_at` was when it was looked at; raises ConflictError where
    something was found since."""

    def release() -> RiskCase:
        row = locked_case(case)
        if row.state == State.RELEASED:
            return row
        require_waiting(row)
        require_seen(row, seen)
        require_nothing_asked(row)
        said = required_note(note)
        end_hold(row, said, actor, now)
        close_case(row, State.RELEASED, note=said, actor=actor, now=now)
        audit_case("risk.released", row, actor, reason=said)
        return row

    return run_atomically(release)


def end_hold(row: RiskCase, said: str, actor: Actor, now: dt.datetime) -> None:
    """Who was held takes part again; who was suspended otherwise, before or since, stays so."""
    if row.absence_id is None:
        return
    suspended = _lock_member(row) == Membership.Status.SUSPENDED
    if suspended and _open_absence(row) == row.absence:
        resume_membership(membership=row.membership, reason=said, actor=actor, now=now)


def _lock_member(row: RiskCase) -> str:
    """Their status, which stays so until this is over."""
    Customer.objects.select_for_update().get(pk=row.membership.customer_id)
    row.membership.refresh_from_db(fields=["status"])
    return row.membership.status


def _open_absence(row: RiskCase) -> Absence | None:
    return Absence.objects.filter(membership=row.membership_id, ended_at=None).first()


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
        .select_related("membership__customer", "membership__program", "absence")
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


def require_seen(row: RiskCase, seen: dt.datetime | Unasked | None) -> None:
    """Nobody decides about what they have not looked at."""
    if not isinstance(seen, Unasked) and seen != row.grown_at:
        raise ConflictError(
            _("Something new was found since you looked. Look at the case again, then decide."),
            code="changed",
        )


def require_nothing_asked(row: RiskCase) -> None:
    """What a second person was asked to take is decided first."""
    wallets = Wallet.objects.filter(account__membership__in=members_of(row.membership))
    if requests_of(row, wallets).filter(state=AdjustmentRequest.State.WAITING).exists():
        raise ConflictError(
            _("An adjustment of this case waits for a second person. That is decided first."),
            code="approval_waits",
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
