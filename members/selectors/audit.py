"""Reading the audit log, newest first."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model, Q, QuerySet

from members.audit import target_of
from members.models import AuditEntry, User
from members.models.audit import AuditText
from members.program_scope import programs_in_scope

# Letter triples are what the index is made of.
SHORTEST_TEXT = 3


def filter_entries(
    *,
    target: str | None = None,
    actor: User | None = None,
    action: str | None = None,
    way: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: str = "",
) -> QuerySet[AuditEntry]:
    """Entries that fit all the given conditions, newest first. `text`: what is in the name of the
    object or of who acted, in the reason, or in what was before and after; at least
    `SHORTEST_TEXT` letters, of which the index `audit_text` is made. Whose role is limited to
    programs reads what is about them."""
    rows = AuditEntry.objects.select_related("actor").order_by("-pk")
    programs = programs_in_scope()
    if programs is not None:
        rows = rows.filter(program__in=programs)
    for name, value in {"target": target, "actor": actor, "action": action, "way": way}.items():
        if value:
            rows = rows.filter(**{name: value})
    if len(text) >= SHORTEST_TEXT:
        rows = rows.alias(said=AuditText()).filter(said__contains=text.lower())
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    return rows


def entries_of(instance: Model, limit: int = 50) -> list[AuditEntry]:
    """What was done to one object that the reader has found; of a customer not what concerns a
    program that they do not see."""
    rows = AuditEntry.objects.select_related("actor").filter(target=target_of(instance))
    programs = programs_in_scope()
    if programs is not None:
        rows = rows.filter(Q(program=None) | Q(program__in=programs))
    return list(rows.order_by("-pk")[:limit])
