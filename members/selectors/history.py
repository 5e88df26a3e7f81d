"""What this application knows of a customer's history."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from members.models import Customer, CustomerMerge
from members.selectors.merges import merges
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


def merges_in_timeline(
    customer: Customer, *, before: datetime | None, limit: int
) -> list[TimelineEvent]:
    """When the customer was merged with whom, and parted again."""
    found = merges().filter(Q(kept=customer) | Q(merged=customer))
    events = [event for merge in found for event in _merge_events(merge, customer)]
    if before is not None:
        events = [event for event in events if event.moment < before]
    return sorted(events, key=lambda event: event.moment, reverse=True)[:limit]


def _merge_events(merge: CustomerMerge, customer: Customer) -> list[TimelineEvent]:
    is_kept = merge.kept_id == customer.pk
    other = merge.merged if is_kept else merge.kept
    words = _("Merged with the duplicate %s") if is_kept else _("Merged into %s")
    url = reverse("backoffice:customer", args=[other.public_id])
    events = [
        TimelineEvent(
            icon="git-merge",
            kind="accent",
            title=words % other,
            text=merge.reason,
            moment=merge.merged_at,
            actor=str(merge.merged_by or ""),
            url=url,
            id=f"merge-{merge.pk}",
        )
    ]
    if merge.undone_at is not None:
        events.append(
            TimelineEvent(
                icon="git-branch",
                title=_("The merge with %s was undone") % other,
                moment=merge.undone_at,
                actor=str(merge.undone_by or ""),
                url=url,
                id=f"merge-{merge.pk}-undone",
            )
        )
    return events


def register() -> None:
    register_timeline_source(notes_in_timeline, "notes")
    register_timeline_source(beginning_in_timeline, "notes")
    register_timeline_source(merges_in_timeline, "notes")
