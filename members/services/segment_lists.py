"""Lists of customers from a file: one in each row, by customer number or e-mail address."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext as _

from members.errors import DomainError, FieldError
from members.models import Customer, Segment, SegmentMember
from members.services.audit import Actor, record_audit
from members.services.segment_refresh import note_size
from members.services.segments import lock_list

MOST_ROWS = 200_000
MOST_BYTES = 20_000_000
_AT_ONCE = 5_000
_LONGEST = 254
# What a first row may be called that names its column.
_HEADINGS = {"customer", "customer number", "customer_number", "number", "external_id", "email",
             "e-mail", "id"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that names nobody. `row` counts from 1, as a spreadsheet does."""

    row: int
    value: str
    message: str


@dataclass(slots=True)
class Loaded:
    """What became of a file."""

    added: int = 0
    removed: int = 0
    already: int = 0
    errors: list[RowError] = field(default_factory=list)


@transaction.atomic
def load_list(
    *, actor: Actor, segment: Segment, content: bytes, replace: bool = False, now: dt.datetime
) -> Loaded:
    """Put everybody in the file on a list; with `replace`, those who are not in it go. Rows that
    name nobody are left out and said. The same file again changes nothing."""
    named = _read(content)
    row = lock_list(segment)
    loaded = Loaded()
    found = _find(named, loaded)
    if replace and not found:
        message = _("No row of the file names a customer, so the list stays as it is.")
        raise DomainError(message, errors=[FieldError("file", message, "nobody_found")])
    loaded.added = _add(row, found, now)
    loaded.already = len(found) - loaded.added
    if replace:
        others = SegmentMember.objects.filter(segment=row).exclude(customer__in=found)
        loaded.removed = others.filter(customer__merged_into=None).count()
        others.delete()
    if loaded.added or loaded.removed:
        note_size(row, now=now, by=loaded.added - loaded.removed)
        record_audit(
            actor=actor, action="segment.list_loaded", target=row,
            after={"added": loaded.added, "removed": loaded.removed},
        )  # fmt: skip
    return loaded


def _read(content: bytes) -> list[tuple[int, str]]:
    """The rows that say something, by number."""
    if len(content) > MOST_BYTES:
        raise _wrong(_("The file is larger than 20 MB. Split it, and load one after the other."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(_("Save the file as UTF-8 first.")) from None
    rows: list[tuple[int, str]] = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline="")), start=1):
            value = cells[0].partition(";")[0].replace("\x00", "").strip() if cells else ""
            if value and not (number == 1 and value.casefold() in _HEADINGS):
                rows.append((number, value))
    except csv.Error as error:
        raise _wrong(_("This is not a CSV file: %(why)s") % {"why": error}) from None
    if not rows:
        raise _wrong(_("The file is empty."))
    if len(rows) > MOST_ROWS:
        raise _wrong(_("At most 200,000 rows at once. Split the file, and load both parts."))
    return rows


def _find(named: Sequence[tuple[int, str]], loaded: Loaded) -> list[int]:
    """The customers whom rows name, those who were merged as who they are now."""
    found: dict[int, None] = {}
    for few in _in_pieces(named):
        numbers = {value for _row, value in few}
        addresses = {value.lower() for value in numbers if "@" in value}
        now_is = Coalesce("merged_into_id", "id")
        by_number = dict(
            Customer.objects.filter(external_id__in=numbers).values_list("external_id", now_is)
        )
        by_address = dict(
            Customer.objects.annotate(address=Lower("email"))
            .filter(address__in=addresses)
            .exclude(email="")
            .values_list("address", now_is)
        )
        for row, value in few:
            customer = by_number.get(value) or by_address.get(value.lower())
            if customer is None:
                message = (
                    _("There is no customer with this e-mail address.")
                    if "@" in value
                    else _("There is no customer with this number.")
                )
                loaded.errors.append(RowError(row, value[:_LONGEST], message))
            else:
                found[customer] = None
    return list(found)


def _add(segment: Segment, customers: Sequence[int], now: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO members_segmentmember (segment_id, customer_id, since)
               SELECT %s, customer, %s FROM unnest(%s::bigint[]) AS x(customer)
               ON CONFLICT (segment_id, customer_id) DO NOTHING""",
            [segment.pk, now, list(customers)],
        )
        return int(cursor.rowcount)


def _in_pieces(rows: Sequence[tuple[int, str]]) -> Iterator[Sequence[tuple[int, str]]]:
    return (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))


def _wrong(message: str) -> DomainError:
    return DomainError(message, errors=[FieldError("file", message, "invalid")])
