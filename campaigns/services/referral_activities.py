"""That somebody has brought a friend, told as an activity for rules, challenges and pledges."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import Referral
from campaigns.selectors.referrals import advocate_of, referrals
from loyalty.models import Activity, Transfer
from loyalty.ready_activities import OWN_SOURCE, REFERRAL
from loyalty.services.activity_decisions import reject_activity, reverse_activity
from loyalty.services.own_activities import OwnDeed, is_told, tell_own
from members.models import OutboxEvent
from members.selectors.merges import current
from members.services.audit import SYSTEM

Status = Referral.Status


def follow_outcomes(events: Sequence[OutboxEvent]) -> None:
    """Of a referral that was paid, once; taken back with it."""
    named = {pk for event in events for pk in event.payload["referrals"]}
    rows = list(referrals().filter(pk__in=named).order_by("pk"))
    if is_told(REFERRAL):
        deeds = [deed for row in rows if (deed := _deed(row)) is not None]
        tell_own(REFERRAL, deeds, now=timezone.now())
    for row in rows:
        if row.status == Status.TAKEN_BACK:
            _take_back(row)


def _number(row: Referral) -> str:
    return f"{REFERRAL}:{row.public_id}"


def _deed(row: Referral) -> OwnDeed | None:
    """None: it is not paid, or an affiliate's, who is no customer."""
    advocate = advocate_of(row.link)
    if row.status != Status.PAID or row.closed_at is None or advocate is None:
        return None
    return OwnDeed(_number(row), current(advocate.customer).pk, row.closed_at, row.program.code)


def _take_back(row: Referral) -> None:
    note, now = _("The referral was taken back."), timezone.now()
    told = Activity.objects.filter(source=OWN_SOURCE, external_id=_number(row)).first()
    if told is None:
        return
    if told.state == Activity.State.APPROVED:
        reverse_activity(
            activity=told, actor=SYSTEM, note=note, source=Transfer.Source.JOB, now=now
        )
    elif told.state == Activity.State.PENDING:
        reject_activity(activity=told, actor=SYSTEM, note=note, now=now)
