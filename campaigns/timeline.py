"""What a customer was told, on their timeline: by which ways, and what became of it."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.channels import channel_named
from campaigns.models import Delivery, Message
from campaigns.occasions import occasion_named, subject_for_staff
from members.models import Customer
from members.timeline import register_timeline_source
from members.timeline_view import TimelineEntry


def message_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """Two queries, however many there are."""
    found = Message.objects.filter(customer=customer).prefetch_related("deliveries")
    if before is not None:
        found = found.filter(created_at__lt=before)
    return [_entry(message) for message in found.order_by("-created_at", "-pk")[:limit]]


def became(row: Delivery) -> str:
    """The furthest that a delivery is known to have come."""
    if row.state != Delivery.State.SENT:
        return str(row.get_state_display())
    if row.clicked_at:
        return _("clicked")
    if row.opened_at or row.read_at:
        return _("opened")
    # What is read here has arrived as soon as it is written.
    if row.delivered_at and row.delivered_at != row.sent_at:
        return _("delivered")
    return _("sent")


def register() -> None:
    """Called once, when the application is ready."""
    register_timeline_source(message_events, "messages")


def _entry(message: Message) -> TimelineEntry:
    occasion = occasion_named(message.occasion)
    ways = sorted(message.deliveries.all(), key=lambda row: row.pk)
    subject = next((row.subject for row in ways if row.subject), "")
    return TimelineEntry(
        icon=occasion.icon if occasion else "mail",
        title=_("Told: %s") % subject_for_staff(message.occasion, subject),
        moment=message.created_at,
        text=" · ".join(f"{_way(row)}: {became(row)}" for row in ways),
        url=reverse("messages_backoffice:delivery", args=[ways[0].public_id]) if ways else "",
    )


def _way(row: Delivery) -> str:
    channel = channel_named(row.channel)
    return str(channel.label) if channel else row.channel
