"""Approving, rejecting and taking back activities: one person's decision, made once."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Activity, ActivityAward, Membership
from loyalty.selectors.rulebooks import Terms
from loyalty.services.activities import open_people
from loyalty.services.activity_awards import Judged, award_activities, take_back
from loyalty.services.cap_books import with_budgets
from loyalty.services.member_tiers import refresh_customers
from loyalty.services.order_batches import Enrolling, Wanted
from loyalty.services.order_inputs import CustomerRef
from members.errors import ConflictError
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.transactions import run_atomically

State = Activity.State


class AlreadyDecidedError(ConflictError):
    code = "already_decided"


def approve_activity(
    *, activity: Activity, actor: Actor, source: str, now: dt.datetime
) -> Activity:
    """Let it count: it brings what the rules said when it occurred. Again changes nothing."""

    def approve(whole: set[int]) -> Activity:
        judged, terms = _open(activity)
        row = judged.activity
        if row.state == State.APPROVED:
            return row
        _require(row, State.PENDING)
        _decide(row, State.APPROVED, actor, now, "")
        award_activities([judged], terms=terms, now=now, transfer_source=source, whole=whole)
        _audit("activity.approved", row, actor)
        return row

    return with_budgets(approve)


def reject_activity(*, activity: Activity, actor: Actor, note: str, now: dt.datetime) -> Activity:
    """Say no, and why; it brings nothing and uses up no limit. Again changes nothing."""

    def reject() -> Activity:
        row = _locked(activity)
        if row.state == State.REJECTED:
            return row
        _require(row, State.PENDING)
        _decide(row, State.REJECTED, actor, now, note)
        _audit("activity.rejected", row, actor)
        return row

    return run_atomically(reject)


def reverse_activity(
    *, activity: Activity, actor: Actor, note: str, source: str, now: dt.datetime
) -> Activity:
    """Take back what it brought, as far as that is there; the rest is owed or written off as the
    program says. Again changes nothing."""

    def reverse(whole: set[int]) -> Activity:
        judged, terms = _open(activity)
        row = judged.activity
        if row.state == State.REVERSED:
            return row
        _require(row, State.APPROVED)
        take_back(judged, terms=terms, now=now, transfer_source=source, whole=whole)
        _decide(row, State.REVERSED, actor, now, note)
        refresh_customers([row.customer_id], terms=terms, now=now, locked=True)
        _audit("activity.reversed", row, actor)
        return row

    return with_budgets(reverse)


def _open(activity: Activity) -> tuple[Judged, Terms]:
    """The activity with its lock, once its customer's wallets are locked."""
    customer_id = Activity.objects.values_list("customer", flat=True).get(pk=activity.pk)
    wanted = Wanted("0", CustomerRef(key=customer_id), activity.occurred_at)
    terms, [known] = open_people([wanted], enrolling=Enrolling(never=True))
    return Judged(_locked(activity), known.members), terms


def _locked(activity: Activity) -> Activity:
    rows = Activity.objects.select_related("type", "customer")
    return rows.select_for_update(of=("self",)).get(pk=activity.pk)


def _require(row: Activity, state: str) -> None:
    if row.state != state:
        raise AlreadyDecidedError(
            _("This was decided already: %s.") % row.get_state_display().lower()
        )


def _decide(row: Activity, state: str, actor: Actor, now: dt.datetime, note: str) -> None:
    row.state, row.decided_by, row.decided_at = state, actor.user, now
    row.decision_note = note.strip()[:500]
    row.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])


def _audit(action: str, row: Activity, actor: Actor) -> None:
    record_audit(
        actor=actor, action=action, target=row.customer, about=_only_member(row),
        after={"activity": str(row)}, reason=row.decision_note,
    )  # fmt: skip


def _only_member(row: Activity) -> Membership | None:
    """Whose program it concerned; what concerned none, or several, is everybody's to read."""
    awards = row.awards.select_related("membership__program")
    members = {award.membership.program_id: award.membership for award in awards}
    return next(iter(members.values())) if len(members) == 1 else None


def preview_approval(*, activity: Activity, source: str, now: dt.datetime) -> list[ActivityAward]:
    """What approving would bring: it is approved, looked at, and left as it was."""
    with transaction.atomic():
        approve_activity(activity=activity, actor=SYSTEM, source=source, now=now)
        found = list(
            ActivityAward.objects.filter(activity=activity)
            .select_related("rule_version__rule__wallet_type", "rule_version__rule__program")
            .order_by("pk")
        )
        transaction.set_rollback(True)
    return found
