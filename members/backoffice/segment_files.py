"""Who is in a segment, as a file: for a call center, a printer, a tool of one's own."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from members.csv_files import csv_response
from members.file_cells import harmless
from members.models import Segment
from members.policy import acting, staff_view
from members.selectors.segments import members_of
from members.services.audit import record_audit

TOGETHER = 1000
# Of the customer; what an import of people calls them too.
COLUMNS = ("external_id", "email", "phone", "given_name", "family_name", "locale")


@require_POST
@staff_view("segments.edit")
def segment_file(request: HttpRequest, code: str) -> HttpResponse:
    """Hand it out, and note who did. What somebody wants to be told is not in it: messages go by
    that themselves."""
    segment = get_object_or_404(Segment, code=code)
    record_audit(
        actor=acting(request), action="segment.handed_out", target=segment,
        after={"customers": segment.size},
    )  # fmt: skip
    return csv_response(f"{code}-{timezone.localdate():%Y-%m-%d}.csv", _lines(segment))


def _lines(segment: Segment) -> Iterator[list[str]]:
    yield [*COLUMNS, "since"]
    for row in members_of(segment).iterator(chunk_size=TOGETHER):
        own = [harmless(str(getattr(row.customer, name) or "")) for name in COLUMNS]
        yield [*own, row.since.isoformat(timespec="seconds")]
