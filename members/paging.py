"""Pages of a list by keyset cursor: the same cost on page 1 and page 1,000, steady under writes."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some rows, and the cursors of the pages before and after them."""

    items: list[Item]
    sort: str = ""
    next_cursor: str | None = None
    previous_cursor: str | None = None

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class _Cursor:
    values: list[Any]
    backwards: bool

    def encode(self) -> str:
        raw = json.dumps([int(self.backwards), *self.values], default=_plain).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, fields: int) -> _Cursor | None:
        """Read a cursor; what cannot be read counts as none, so an old link shows page one."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            backwards, *values = json.loads(raw)
        except (ValueError, TypeError, binascii.Error):
            return None
        plain = len(values) == fields and all(map(_fits, values))
        return cls(values, bool(backwards)) if plain else None


def _fits(value: Any) -> bool:
    """Whether a column could hold it: none holds a NUL, and no number is beyond all others."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) or (isinstance(value, str) and "\x00" not in value)


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"A list cannot be paged by {type(value).__name__}.")


def _reversed(ordering: Sequence[str]) -> list[str]:
    return [name[1:] if name.startswith("-") else f"-{name}" for name in ordering]


def _beyond(ordering: Sequence[str], values: Sequence[Any]) -> Q:
    """The rows that come after the one with these values, in this ordering. What is said of the
    first field alone follows from the rest: an index begins there by it, and not at page one."""
    condition = Q()
    equal: dict[str, Any] = {}
    for name, value in zip(ordering, values, strict=True):
        field = name.removeprefix("-")
        comparison = "lt" if name.startswith("-") else "gt"
        condition |= Q(**equal, **{f"{field}__{comparison}": value})
        equal[field] = value
    first, way = ordering[0].removeprefix("-"), "lte" if ordering[0].startswith("-") else "gte"
    return Q(**{f"{first}__{way}": values[0]}) & condition


def _values(row: Model, ordering: Sequence[str]) -> list[Any]:
    values = []
    for name in ordering:
        value: Any = row
        for part in name.removeprefix("-").split("__"):
            value = getattr(value, part)
        values.append(value)
    return values


def paginate(
    queryset: QuerySet[Row],
    *,
    request: HttpRequest,
    orderings: Mapping[str, Sequence[str]],
    default: str,
    per_page: int = 25,
) -> Page[Row]:
    """Return the page that `?sort=` and `?cursor=` ask for.

    Each ordering names its fields in order; the last must be unique and none may be null.
    """
    sort = _sort(request, orderings, default)
    ordering = orderings[sort]
    cursor = _Cursor.decode(request.GET.get("cursor", ""), len(ordering))
    try:
        return _page(queryset, ordering, sort, cursor, per_page)
    except (ValidationError, ValueError, TypeError):
        # A cursor made by hand: its values do not fit the fields.
        return _page(queryset, ordering, sort, None, per_page)


def in_order(
    queryset: QuerySet[Row],
    *,
    request: HttpRequest,
    orderings: Mapping[str, Sequence[str]],
    default: str,
) -> QuerySet[Row]:
    """All rows as the pages that `?sort=` asks for have them one after the other."""
    return queryset.order_by(*orderings[_sort(request, orderings, default)])


def _sort(request: HttpRequest, orderings: Mapping[str, Sequence[str]], default: str) -> str:
    sort = request.GET.get("sort", default)
    return sort if sort in orderings else default


def page_of(items: Sequence[Item], *, request: HttpRequest, per_page: int = 25) -> Page[Item]:
    """The page that `?cursor=` asks for of a list that does not change: its cursors are places."""
    cursor = _Cursor.decode(request.GET.get("cursor", ""), 1)
    first = cursor.values[0] if cursor and isinstance(cursor.values[0], int) else 0
    first = min(max(first, 0), len(items))
    after, before = first + per_page, first - per_page
    return Page(
        list(items[first:after]),
        next_cursor=_Cursor([after], False).encode() if after < len(items) else None,
        previous_cursor=_Cursor([max(before, 0)], False).encode() if first else None,
    )


def _page(
    queryset: QuerySet[Row],
    ordering: Sequence[str],
    sort: str,
    cursor: _Cursor | None,
    per_page: int,
) -> Page[Row]:
    backwards = cursor is not None and cursor.backwards
    direction = _reversed(ordering) if backwards else list(ordering)
    rows = queryset.order_by(*direction)
    if cursor is not None:
        rows = rows.filter(_beyond(direction, cursor.values))
    found = list(rows[: per_page + 1])
    more = len(found) > per_page
    found = found[:per_page]
    if backwards:
        found.reverse()
    has_next, has_previous = (True, more) if backwards else (more, cursor is not None)
    if not found:
        return Page([], sort)
    return Page(
        found,
        sort,
        _Cursor(_values(found[-1], ordering), False).encode() if has_next else None,
        _Cursor(_values(found[0], ordering), True).encode() if has_previous else None,
    )
