"""A customer's rewards and parcels on their timeline. What units were paid for is a movement, which
says so itself: here is what was given, used, ran out or was sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Case, F, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.selectors.selves import selves_of
from members.models import Customer
from members.timeline import register_timeline_source
from members.timeline_view import TimelineEntry
from rewards.backoffice.links import NAMESPACE
from rewards.models import FulfillmentTask, Redemption

KIND = "rewards"
Status = Redemption.Status


def reward_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """The newest events are of the rewards that had something happen last, so one query finds
    them."""
    rows = Redemption.objects.filter(membership__in=selves_of(customer))
    last: Case | Coalesce = Coalesce("closed_at", "created_at")
    if before is not None:
        rows = rows.filter(created_at__lt=before)
        last = Case(When(closed_at__lt=before, then=F("closed_at")), default=F("created_at"))
    found = rows.select_related("reward", "staff").order_by(last.desc(), "-pk")[:limit]
    events = [
        event
        for row in found
        for event in _of_reward(row)
        if before is None or event.moment < before
    ]
    return sorted(events, key=lambda event: event.moment, reverse=True)[:limit]


def parcel_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    rows = FulfillmentTask.objects.filter(membership__in=selves_of(customer), sent_at__isnull=False)
    if before is not None:
        rows = rows.filter(sent_at__lt=before)
    return [
        TimelineEntry(
            icon="package",
            kind="info",
            title=_("Sent: %s") % row.what,
            text=" · ".join(part for part in (row.carrier, row.tracking_number) if part),
            moment=row.sent_at,
            url=reverse(f"{NAMESPACE}:task", args=[row.public_id]),
            id=f"parcel-{row.pk}",
        )
        for row in rows.order_by("-sent_at", "-pk")[:limit]
        if row.sent_at is not None
    ]


def register() -> None:
    """Called once, when the application is ready."""
    register_timeline_source(reward_events, KIND)
    register_timeline_source(parcel_events, KIND)


def _of_reward(row: Redemption) -> Iterator[TimelineEntry]:
    url = reverse(f"{NAMESPACE}:reward_by_id", args=[row.reward.public_id])
    if row.spent_id is None:
        yield TimelineEntry(
            icon="gift",
            title=(_("Given: %s") if row.gift else _("Taken: %s")) % row.reward,
            text=" · ".join(part for part in (_why_given(row), row.message) if part),
            moment=row.created_at,
            actor=str(row.staff) if row.staff else str(row.get_source_display()),
            url=url,
            id=f"reward-{row.pk}",
        )
    words = {
        Status.USED: _("Used: %s"),
        Status.EXPIRED: _("Ran out: %s"),
        Status.CANCELED: _("Given up: %s"),
    }.get(Status(row.status))
    if words and row.closed_at is not None:
        yield TimelineEntry(
            icon="ticket",
            kind="info",
            title=words % row.reward,
            text=row.reason,
            moment=row.closed_at,
            url=url,
            id=f"reward-{row.pk}-closed",
        )


def _why_given(row: Redemption) -> str:
    return str(row.get_gift_display()) if row.gift else ""
