"""Insights → Overview: the key figures of a program, whether each is inside its band, what to do
about it, and how it went. Nothing is measured while somebody waits: a job does that each night."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.band_forms import BandForm
from loyalty.backoffice.figure_cards import (
    card_groups,
    day_before,
    figure_card,
    joining_row,
    touchpoint_rows,
    with_parts,
)
from loyalty.backoffice.insight_programs import (
    ProgramForm,
    asked_program,
    insight_programs,
    known_program,
    measuring_context,
    today_text,
)
from loyalty.backoffice.lifts import lift_context
from loyalty.goal_metrics import METRICS
from loyalty.models import Program
from loyalty.plain_numbers import exact
from loyalty.selectors.insights import Figure, Overview, band_now, get_overview
from loyalty.services.insight_points import start_measuring
from loyalty.services.target_bands import band_label, set_band, unit_of_band
from loyalty.slow_figures import COMPARISONS
from loyalty.target_bands import state_in
from loyalty.tier_definitions import plain
from members.backoffice.jobs import hand_over
from members.csv_files import csv_response
from members.errors import ConflictError, NotFoundError
from members.formatting import format_day
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import figures_for, htmx_redirect


@require_safe
@staff_view("reports.view")
def overview(request: HttpRequest) -> HttpResponse:
    """The figures of the program that the address names."""
    programs, now = insight_programs(), timezone.now()
    program = asked_program(request, programs)
    context: dict[str, Any] = {
        "title": _("Overview"),
        "program": program,
        "several": len(programs) > 1,
    }
    if program is not None:
        found = get_overview(program, now)
        cards = [
            with_parts(figure_card(item, program), found.loyalty, program)
            for item in found.figures
            if _is_told(item)
        ]
        tiers = [figure_card(item, program) for item in found.tiers]
        figures = figures_for(request, COMPARISONS, now, program=program.pk)
        context |= {
            "form": ProgramForm({"program": program.code}, programs),
            "found": found,
            "groups": card_groups(cards),
            "tiers": tiers,
            "touchpoints": touchpoint_rows(found),
            "before": _before(found),
            "joining": joining_row(found),
            "judged": [card for card in (*cards, *tiers) if card.figure.band],
            "csv_url": reverse("loyalty_backoffice:overview_csv") if found.measured else "",
            "may_edit": is_allowed(request.user, "programs.edit"),
            "figures": figures,
            **(lift_context(figures.value, found.lifts, program, request.user) if figures else {}),
            **measuring_context(program, request.user),
        }
    return render(request, "loyalty/backoffice/overview.html", context)


@require_safe
@staff_view("reports.view")
def overview_csv(request: HttpRequest) -> HttpResponse:
    """Every figure at the end of every month, with its band."""
    program = known_program(request)
    name = f"figures-{program.code}-{today_text(program)}.csv"
    return csv_response(name, _lines(get_overview(program, timezone.now())))


@require_POST
@staff_view("programs.edit")
def overview_measure(request: HttpRequest, code: str) -> HttpResponse:
    """Have all months measured now; the page that was left shows how far it is."""
    program = get_object_or_404(Program.objects.exclude(status=Program.Status.DRAFT), code=code)
    # Where it runs already, the page shows that one.
    with suppress(ConflictError):
        job = start_measuring(program=program, actor=acting(request), now=timezone.now())
        hand_over(request, job)
    page = "cohorts" if request.POST.get("back") == "cohorts" else "overview"
    return redirect(f"{reverse(f'loyalty_backoffice:{page}')}?program={program.code}")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def band_edit(request: HttpRequest, code: str, metric: str, tier: str = "") -> HttpResponse:
    """Choose between what a figure is to be; with both ends empty it is the usual band again."""
    program, now = get_object_or_404(Program, code=code), timezone.now()
    try:
        label = band_label(program, metric, tier, now)
    except NotFoundError as error:
        raise Http404 from error
    band = band_now(program, metric, tier, now)
    form = BandForm(
        posted(request),
        unit=unit_of_band(metric),
        currency=program.currency,
        initial={"low": _typed(band.low), "high": _typed(band.high)} if band else {},
    )
    back = f"{reverse('loyalty_backoffice:overview')}?program={program.code}"
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            set_band(
                program=program, metric=metric, tier_code=tier, actor=acting(request), now=now,
                low=form.cleaned_data["low"], high=form.cleaned_data["high"],
            )  # fmt: skip
            messages.success(request, _("The band is kept."))
            return htmx_redirect(request, back)
    context = {
        "title": _("Band of: %s") % label,
        "breadcrumbs": [(_("Overview"), back)],
        "form": form,
        "submit": _("Save"),
        "back": back,
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/settings_dialog.html", context, status=status)


def _is_told(figure: Figure) -> bool:
    """What surveys tell is only there once somebody answered one."""
    return figure.metric.code in METRICS or any(item.value is not None for item in figure.points)


def _before(found: Overview) -> str:
    """The name of the column with what touchpoints were before."""
    day = day_before(found)
    return _("As of the end of %s") % format_day(day) if day else _("A quarter before")


def _typed(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def _lines(found: Overview) -> Iterator[tuple[str, ...]]:
    yield ("program", "figure", "tier", "unit", "day", "value", "band_low", "band_high", "state")
    plain = (*found.loyalty, *found.touchpoints, *found.joining)
    for item in (*found.figures, *found.tiers, *plain):
        low, high = (item.band.low, item.band.high) if item.band else (None, None)
        for point in item.points:
            yield (
                found.program.code, item.metric.code, item.tier_code,
                found.program.currency if item.metric.unit == "money" else item.metric.unit,
                point.day.isoformat(), _number(point.value), _number(low), _number(high),
                state_in(item.band, point.value),
            )  # fmt: skip


def _number(value: Decimal | None) -> str:
    return "" if value is None else exact(value, 4)
