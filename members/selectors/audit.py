"""Reading the audit log, newest first."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from members.audit import target_of
from members.models import AuditEntry, User


def list_entries(
    *,
    target: str | None = None,
    actor: User | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[AuditEntry]:
    """Entries that fit all the given conditions; `before_id` continues below an entry."""
    rows = filter_entries(target=target, actor=actor, action=action, since=since, until=until)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return list(rows[:limit])


def filter_entries(
    *,
    target: str | None = None,
    actor: User | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: str = "",
) -> QuerySet[AuditEntry]:
    """The same as a queryset, for lists that page. `text`: what is in the name of the object or of
    who acted, in the reason, or in what was before and after."""
    rows = AuditEntry.objects.select_related("actor").order_by("-pk")
    if target:
        rows = rows.filter(target=target)
    if actor is not None:
        rows = rows.filter(actor=actor)
    if action:
        rows = rows.filter(action=action)
    if text:
        said = Q(target_label__icontains=text) | Q(actor_label__icontains=text)
        said |= Q(reason__icontains=text) | Q(before_text__icontains=text)
        rows = rows.annotate(
            before_text=Cast("before", TextField()), after_text=Cast("after", TextField())
        ).filter(said | Q(after_text__icontains=text))
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    return rows


def entries_of(instance: Model, limit: int = 50) -> list[AuditEntry]:
    """What was done to one object."""
    return list_entries(target=target_of(instance), limit=limit)
