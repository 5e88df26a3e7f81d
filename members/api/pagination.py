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
    has_next, has_previous = (True, more) if backwards else (more, bool(values))

    def link(place: Row, back: bool) -> str:
        values = [_plain(getattr(place, name)) for name in names]
        parameters = request.query_params.copy()
        parameters["cursor"] = signing.dumps([back, *values], salt=salt)
        return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")

    return {
        "next": link(found[-1], False) if found and has_next else None,
        "previous": link(found[0], True) if found and has_previous else None,
        "results": [row(item) for item in found],
    }


def _read(cursor: str, salt: str, count: int) -> tuple[list[Any], bool]:
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
    if len(values) != count:
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
