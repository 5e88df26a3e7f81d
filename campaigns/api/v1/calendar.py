"""/calendar: what is live, planned and recurring in some days, and what conflicts."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Self

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field, model_validator
from rest_framework.request import Request

from campaigns.calendar_entries import KINDS, Entry, Span
from campaigns.selectors.calendar import conflicts_in, entries
from loyalty.models import Program
from members.api.bodies import Answer, Query, answer, read_query
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError

LONGEST = 366


class CalendarQuery(Query):
    first: dt.date = Field(description="The first day.")
    last: dt.date = Field(description=f"The last day, {LONGEST} days at most.")
    program: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="Code of a program; by default all of them."
    )

    @model_validator(mode="after")
    def _is_some_days(self) -> Self:
        if not 0 <= (self.last - self.first).days < LONGEST:
            raise ValueError(_("last: up to a year from the first day on."))
        if not 1990 <= self.first.year <= 2200:
            raise ValueError(_("first: a day of our time."))
        return self


class CalendarEntryOut(Answer):
    kind: str = Field(description=f"One of {', '.join(KINDS)}.")
    key: str = Field(description="Tells it from others of its kind; a public id, if it has one.")
    program: str
    title: str
    state: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None = Field(description="Null: no end is known, or it is a moment.")
    moment: bool


class CalendarConflictOut(Answer):
    kind: str = Field(description="rules, messages, stock, budget.")
    keys: list[str] = Field(description="Of the entries that are in each other's way.")
    message: str


class CalendarOut(Answer):
    entries: list[CalendarEntryOut]
    conflicts: list[CalendarConflictOut]


class Calendar(ApiView):
    scopes = {"GET": "campaigns:read"}

    @extend_schema(
        operation_id="readCalendar",
        parameters=query_parameters(CalendarQuery),
        responses={200: CalendarOut},
    )
    def get(self, request: Request) -> HttpResponse:
        """List what is on in some days, by its beginning, and what conflicts."""
        query, now = read_query(request, CalendarQuery), timezone.now()
        programs = list(Program.objects.order_by("pk"))
        if query.program is not None:
            programs = [item for item in programs if item.code == query.program]
            if not programs:
                raise NotFoundError("There is no such program.")
        found = entries(programs, Span(query.first, query.last), now)
        return answer(
            CalendarOut(
                entries=[_entry_out(item) for item in found],
                conflicts=[
                    CalendarConflictOut(
                        kind=item.kind, keys=sorted(item.keys), message=item.message
                    )
                    for item in conflicts_in(programs, found, now)
                ],
            )
        )


def _entry_out(item: Entry) -> CalendarEntryOut:
    return CalendarEntryOut(
        kind=item.kind, key=item.key, program=item.program.code, title=item.title,
        state=item.state, starts_at=item.starts_at, ends_at=item.ends_at, moment=item.is_moment,
    )  # fmt: skip
