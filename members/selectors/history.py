"""What this application knows of a customer's history."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from members.models import Customer
from members.timeline import TimelineEvent, register_timeline_source


def notes_in_timeline(
    customer: Customer, *, before: datetime | None, limit: int
) -> list[TimelineEvent]:
    """The notes that staff wrote."""
    notes = customer.notes.select_related("author")
    if before is not None:
        notes = notes.filter(created_at__lt=before)
    return [
        TimelineEvent(
            icon="note",
            title=_("Note"),
            text=note.text,
            moment=note.created_at,
            actor=str(note.author) if note.author else "",
            id=f"note-{note.pk}",
        )
        for note in notes[:limit]
    ]


def beginning_in_timeline(
    customer: Customer, *, before: datetime | None, limit: int
) -> list[TimelineEvent]:
    """When the customer became known here."""
    if limit < 1 or (before is not None and customer.created_at >= before):
        return []
    return [
        TimelineEvent(
            icon="user-plus",
            title=_("Added to the customers"),
            moment=customer.created_at,
            id="beginning",
        )
    ]


def register() -> None:
    register_timeline_source(notes_in_timeline)
    register_timeline_source(beginning_in_timeline)
