"""A list of the back-office as a file for spreadsheets: what its filter leaves, in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from members.csv_files import csv_response
from members.file_cells import cell
from members.paging import in_order
from members.policy import acting, is_allowed, require
from members.program_scope import limited_to, programs_in_scope
from members.selectors.merchants import get_merchant
from members.services.audit import record_audit

Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], object]]

TOGETHER = 1000
# What is typed into a search box may be about a person, who can be forgotten: it is not written
# into the log. Nor are the place within the list, and how it is drawn.
SEARCHED = "q"
NOT_FILTERS = frozenset({"cursor", "sort", "figures", "csrfmiddlewaretoken"})


@dataclass(frozen=True, slots=True)
class ListFile(Generic[Row]):
    """`columns`: what a row has in each, by its name in the first line. `personal`: names and
    addresses of customers are among them."""

    name: str
    columns: Columns[Row]
    personal: bool = False

    @property
    def action(self) -> str:
        return "lists.hand_out_personal" if self.personal else "lists.hand_out"

    def offered(self, request: HttpRequest) -> ListFile[Row] | None:
        """For the table's `file`: None where the reader may not have it."""
        return self if is_allowed(request.user, self.action) else None


def hand_out(
    request: HttpRequest,
    file: ListFile[Row],
    found: QuerySet[Any] | Sequence[Row],
    *,
    orderings: Mapping[str, Sequence[str]] | None = None,
    default: str = "",
) -> HttpResponse:
    """The whole list, sent as it is read, and noted with its filter. What the rows lead to is
    selected with them."""
    require(request.user, file.action)
    filters = {
        _noted(name): "…" if name == SEARCHED else _noted(str(value))
        for name, value in request.GET.items()
        if value and name not in NOT_FILTERS
    }
    record_audit(
        actor=acting(request), action="list.handed_out", target=get_merchant(),
        after={"list": file.name, "filter": filters},
    )  # fmt: skip
    rows: Iterable[Row] = found
    if isinstance(found, QuerySet):
        if orderings is not None:
            found = in_order(found, request=request, orderings=orderings, default=default)
        rows = found.iterator(chunk_size=TOGETHER)
    name = f"{file.name}-{timezone.localdate():%Y-%m-%d}.csv"
    return csv_response(name, _lines(file, iter(rows), programs_in_scope() or ()))


def _noted(text: str) -> str:
    """As much of what an address says as the log keeps, which holds no NUL."""
    return text.replace("\x00", "")[:200]


def _lines(
    file: ListFile[Any], rows: Iterator[Any], programs: Iterable[int]
) -> Iterator[list[str]]:
    """Read by the server once the request is over, so the reader's programs and the language of
    the back-office are said again for each piece."""
    yield list(file.columns)
    while True:
        with limited_to(frozenset(programs)), translation.override(settings.LANGUAGE_CODE):
            piece = [
                [_text(column(row)) for column in file.columns.values()]
                for row in islice(rows, TOGETHER)
            ]
        if not piece:
            return
        yield from piece


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    said = value if isinstance(value, int | str) else cell(value)
    return str(cell(str(said)))
