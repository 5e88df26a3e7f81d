"""Insights → Cohorts: what members who joined in the same month did in each month since; two
segments beside each other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_safe

from loyalty.backoffice.insight_programs import (
    ProgramForm,
    asked_program,
    insight_programs,
    known_program,
    measuring_context,
    today_text,
)
from loyalty.cohort_grids import FIGURES, CohortFigure, Grid, grid_of
from loyalty.models import Program
from loyalty.plain_numbers import exact
from loyalty.selectors.cohorts import CohortSums, kept_cohorts
from loyalty.selectors.insights import all_months, is_measured
from loyalty.slow_figures import COHORTS
from members.charts import Chart, Series
from members.csv_files import csv_response
from members.formatting import format_money, format_number, format_percent, format_short_month
from members.models import Segment
from members.policy import is_allowed, staff_view
from members.responses import figures_for
from members.slow_figures import Figures


class CohortForm(ProgramForm):
    """Which program, which figure, and which segments to compare. What the address says that is no
    choice is passed over."""

    figure = forms.ChoiceField(
        label=_l("Figure"), required=False,
        choices=[(figure.code, figure.label) for figure in FIGURES.values()],
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    segment = forms.ChoiceField(
        label=_l("Segment"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    other = forms.ChoiceField(
        label=_l("Compared with"), required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip

    def __init__(self, data: Any, programs: Sequence[Program], segments: Sequence[Segment]) -> None:
        super().__init__(data, programs)
        found = [(str(item.public_id), item.name) for item in segments]
        for name, none in (("segment", _("All members")), ("other", _("Nobody"))):
            self.fields[name].choices = [("", none), *found]  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the address says. `segment` None: all members; `other` None: nothing beside them."""

    program: Program
    figure: CohortFigure
    segment: Segment | None
    other: Segment | None
    form: CohortForm


@dataclass(frozen=True, slots=True)
class CellText:
    since: int
    label: str
    text: str
    shade: int


@dataclass(frozen=True, slots=True)
class HeatRow:
    label: str
    members: int
    cells: Sequence[CellText]
    empty: range


@dataclass(frozen=True, slots=True)
class Heat:
    """A table of heat, and whose it is."""

    key: str
    title: str
    grid: Grid
    rows: Sequence[HeatRow]
    figures: Figures | None


@require_safe
@staff_view("reports.view")
def cohorts(request: HttpRequest) -> HttpResponse:
    """The figure that was chosen, cohort by cohort, as a table of heat and as a line."""
    program = asked_program(request, insight_programs())
    context: dict[str, Any] = {"title": _("Cohorts"), "program": program}
    if program is not None:
        choice = _choice(request, program)
        heats = _heats(request, choice)
        context |= {
            "choice": choice,
            "form": choice.form,
            "waits": heats is None,
            "heats": heats or [],
            "chart": _chart(heats, choice) if heats else None,
            # A segment's are worked out now, also where the night has not been there.
            "measured": (
                heats is None
                or all(heat.figures is not None for heat in heats)
                or is_measured(program)
            ),
            "csv_url": reverse("loyalty_backoffice:cohorts_csv"),
            "may_edit": is_allowed(request.user, "programs.edit"),
            **measuring_context(program, request.user),
        }
    return render(request, "loyalty/backoffice/cohorts.html", context)


@require_safe
@staff_view("reports.view")
def cohorts_csv(request: HttpRequest) -> HttpResponse:
    """What all members did, every figure of every cohort; segments are compared on the page."""
    program = known_program(request)
    found = kept_cohorts(program, all_months(program, timezone.now()))
    name = f"cohorts-{program.code}-{today_text(program)}.csv"
    return csv_response(name, _lines(program, found))


def _choice(request: HttpRequest, program: Program) -> Choice:
    segments = list(Segment.objects.filter(archived_at=None).order_by("name", "pk"))
    by_id = {str(item.public_id): item for item in segments}
    figure = FIGURES.get(request.GET.get("figure", ""), FIGURES["bought"])
    segment = by_id.get(request.GET.get("segment", ""))
    other = by_id.get(request.GET.get("other", ""))
    shown = {
        "program": program.code, "figure": figure.code,
        "segment": str(segment.public_id) if segment else "",
        "other": str(other.public_id) if other else "",
    }  # fmt: skip
    form = CohortForm(shown, insight_programs(), segments)
    return Choice(program, figure, segment, other, form)


def _heats(request: HttpRequest, choice: Choice) -> list[Heat] | None:
    """None: a segment's take longer, and the page asks for itself with them."""
    asked = [choice.segment] if choice.other is None else [choice.segment, choice.other]
    found = []
    for place, segment in enumerate(asked):
        if segment is None:
            months = all_months(choice.program, timezone.now())
            sums, figures = kept_cohorts(choice.program, months), None
        else:
            figures = figures_for(
                request, COHORTS, timezone.now(), program=choice.program.pk, segment=segment.pk
            )
            if figures is None:
                return None
            sums = figures.value
        found.append(_heat(f"heat-{place}", segment, sums, figures, choice))
    return found


def _heat(
    key: str,
    segment: Segment | None,
    sums: Sequence[CohortSums],
    figures: Figures | None,
    choice: Choice,
) -> Heat:
    grid = grid_of(sums, choice.figure)
    rows = [
        HeatRow(
            format_short_month(row.joined),
            row.members,
            [
                CellText(cell.since, since_text(cell.since), _text(cell.value, choice), cell.shade)
                for cell in row.cells
            ],
            range(len(row.cells), len(grid.means)),
        )
        for row in grid.rows
    ]
    title = segment.name if segment is not None else _("All members")
    return Heat(key, title, grid, rows, figures)


def since_text(since: int) -> str:
    return _("Month %s") % since


def _text(value: Decimal | None, choice: Choice) -> str:
    if value is None:
        return "–"
    if choice.figure.unit == "percent":
        return format_percent(value / 100, digits=0)
    if choice.figure.unit == "money":
        return format_money(value, choice.program.currency)
    return format_number(round(value, 1))


def _chart(heats: Sequence[Heat], choice: Choice) -> Chart:
    """Over all cohorts, each member counted alike."""
    width = max(len(heat.grid.means) for heat in heats)

    def padded(means: Sequence[Decimal | None]) -> list[Decimal | None]:
        known = [None if value is None else round(value, 2) for value in means]
        return [*known, *([None] * (width - len(known)))]

    return Chart(
        id="cohorts",
        title=_("%s, by months since they joined") % choice.figure.label,
        labels=[since_text(since) for since in range(width)],
        series=[Series(heat.title, padded(heat.grid.means)) for heat in heats],
        unit={"percent": "%", "money": choice.program.currency}.get(choice.figure.unit, ""),
        summary=_("All cohorts together; each member counts alike."),
        x_label=_("Since joining"),
    )


def _lines(program: Program, found: Sequence[CohortSums]) -> Iterator[tuple[str, ...]]:
    yield (
        "program", "joined", "month", "members", "buyers", "orders", "revenue", "currency",
        "units_spent",
    )  # fmt: skip
    for item in found:
        yield (
            program.code, _month(item.joined), _month(item.month), str(item.members),
            str(item.buyers), str(item.orders), exact(item.revenue, 2), program.currency,
            exact(item.units, 0),
        )  # fmt: skip


def _month(day: dt.date) -> str:
    return f"{day:%Y-%m}"
