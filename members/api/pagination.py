"""Pages by keyset cursor: signed, so that a cursor is one that was handed out or it is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from pydantic import Field
from rest_framework.request import Request

from members.api.bodies import Answer, Query
from members.api.problems import ApiError
from members.errors import FieldError

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")

LARGEST_PAGE = 100


class PageQuery(Query):
    """What every list takes."""

    limit: int = Field(25, ge=1, le=LARGEST_PAGE, description="Objects on a page.")
    cursor: str = Field(
        "", max_length=512, description="Taken from `next` or `previous` of another page."
    )


class Page(Answer):
    """Some of a list. Follow `next` until it is null."""

    next: str | None = Field(description="Address of the following page.")
    previous: str | None = Field(description="Address of the page before.")


def paginate(
    request: Request,
    queryset: QuerySet[Row],
    query: PageQuery,
    *,
    ordering: Sequence[str],
    row: Callable[[Row], Any],
) -> dict[str, Any]:
    """The page that `query` asks for, as the fields of a `Page`.

    The ordering's fields have one direction and are never null; the last one is unique.
    """
    salt = f"cursor:{request.path}"
    values, backwards = _read(query.cursor, salt, len(ordering))
    descending = ordering[0].startswith("-")
    names = [name.removeprefix("-") for name in ordering]
    sign = "-" if descending != backwards else ""
    rows = queryset.order_by(*(f"{sign}{name}" for name in names))
    if values:
        rows = rows.filter(_beyond(names, values, "lt" if sign else "gt"))
    found = list(rows[: query.limit + 1])
    more = len(found) > query.limit
    found = found[: query.limit]
    if backwards:
        found.reverse()
    ends = (True, more) if backwards else (more, bool(values))

    def place(item: Row) -> list[Any]:
        return [_plain(getattr(item, name)) for name in names]

    return {**_links(request, found, place, ends), "results": [row(item) for item in found]}


def paginate_list(
    request: Request,
    items: Sequence[Item],
    query: PageQuery,
    *,
    place: Callable[[Item], list[Any]],
    row: Callable[[Item], Any],
) -> dict[str, Any]:
    """The page of what is in memory already, in the order of its `place`: plain values that are
    different for each."""
    values, backwards = _read(query.cursor, f"cursor:{request.path}", None)
    if backwards:
        before = [item for item in items if place(item) < values]
        found, ends = before[-query.limit :], (True, len(before) > query.limit)
    else:
        rest = [item for item in items if not values or place(item) > values]
        found, ends = rest[: query.limit], (len(rest) > query.limit, bool(values))
    return {**_links(request, found, place, ends), "results": [row(item) for item in found]}


def _links(
    request: Request,
    found: Sequence[Item],
    place: Callable[[Item], list[Any]],
    ends: tuple[bool, bool],
) -> dict[str, str | None]:
    """`next` and `previous`; `ends` says whether there is something there."""
    salt = f"cursor:{request.path}"

    def link(item: Item, back: bool) -> str:
        parameters = request.query_params.copy()
        parameters["cursor"] = signing.dumps([back, *place(item)], salt=salt)
        return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")

    has_next, has_previous = ends
    return {
        "next": link(found[-1], False) if found and has_next else None,
        "previous": link(found[0], True) if found and has_previous else None,
    }


def _read(cursor: str, salt: str, count: int | None) -> tuple[list[Any], bool]:
    if not cursor:
        return [], False
    try:
        backwards, *values = signing.loads(cursor, salt=salt)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            _("This cursor was not made for this list."),
            code="invalid_cursor",
            errors=[FieldError("cursor", _("Take it from next or previous."), "invalid_cursor")],
        ) from error
    if count is not None and len(values) != count:
        raise AssertionError("a signed cursor of another ordering")
    return values, bool(backwards)


def _beyond(names: Sequence[str], values: Sequence[Any], comparison: str) -> Q:
    """The rows after these values. The first condition alone bounds the index range."""
    condition = Q()
    equal: dict[str, Any] = {}
    for name, value in zip(names, values, strict=True):
        condition |= Q(**equal, **{f"{name}__{comparison}": value})
        equal[name] = value
    return Q(**{f"{names[0]}__{comparison}e": values[0]}) & condition


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime) else value
