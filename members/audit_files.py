"""The audit log as files: a table for people, lines of JSON for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC

from members.audit import readable
from members.file_cells import cell
from members.models import AuditEntry

FIELDS = (
    "id", "at", "actor", "actor_id", "action", "target", "target_name", "before", "after", "reason",
    "erased_at", "way", "way_name", "place", "program",
)  # fmt: skip
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


class _Line:
    """What a csv writer writes is the line."""

    def write(self, text: str) -> str:
        return text


def as_csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """One row an entry; before and after as JSON."""
    writer = csv.writer(_Line())
    yield writer.writerow(FIELDS)
    for entry in entries:
        yield writer.writerow([cell(value) for value in _values(entry)])


def as_ndjson(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """One object a line."""
    for entry in entries:
        yield json.dumps(dict(zip(FIELDS, _values(entry), strict=True)), ensure_ascii=False) + "\n"


KINDS: dict[str, Callable[[Iterable[AuditEntry]], Iterator[str]]] = {
    "csv": as_csv, "ndjson": as_ndjson,
}  # fmt: skip


def _values(entry: AuditEntry) -> tuple[object, ...]:
    erased = entry.erased_at.astimezone(UTC).isoformat() if entry.erased_at else None
    return (
        entry.pk, entry.at.astimezone(UTC).isoformat(), entry.actor_label, entry.actor_id,
        entry.action, entry.target, readable(entry, entry.target_label),
        readable(entry, entry.before), readable(entry, entry.after), entry.reason, erased,
        entry.way, entry.way_name, entry.place, entry.program,
    )  # fmt: skip
