"""The merchant's year: its seasons, the campaigns in them, gaps, and what quarters shall bring."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.calendar_grid import Shown, lanes_of
from campaigns.backoffice.season_forms import QuarterForm, SeasonDatesForm, SeasonForm
from campaigns.models import Season
from campaigns.selectors.calendar import Span, entries
from campaigns.selectors.seasons import SeasonDays, days_of, gaps, seasons
from campaigns.services.seasons import (
    archive_season,
    begin_in_season,
    copy_year,
    plan_quarter,
    save_season,
    write_dates,
)
from campaigns.slow_figures import YEAR, SoldInYear
from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.models import Program
from members.errors import DomainError
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done, figures_for

NAMESPACE = "calendar_backoffice"
KINDS = ("season", "promotion", "challenge", "game")


def plan_url(program: Program, year: int) -> str:
    return f"{reverse(f'{NAMESPACE}:year_plan', args=[program.code])}?year={year}"


@require_safe
@staff_view("programs.view")
def year_plan(request: HttpRequest, code: str) -> HttpResponse:
    """All of a year on one page."""
    program, now = get_object_or_404(Program, code=code), timezone.now()
    today = now.astimezone(program.zone).date()
    year = _year(request.GET.get("year", ""), today.year)
    span = Span(dt.date(year, 1, 1), dt.date(year, 12, 31))
    found = entries([program], span, now, KINDS)
    there = [(season, days_of(season, year)) for season in seasons(program)]
    context = {
        "title": _("Year plan"), "program": program, "year": year,
        "breadcrumbs": program_crumbs(program),
        "lanes": lanes_of([Shown(item) for item in found], span, 7, today),
        "seasons": [_row(season, days, found, today) for season, days in _in_order(there)],
        "gaps": [gap for gap in gaps(program, year) if gap.last >= today],
        **_sold(request, program, year, now), "today": today,
        "before": plan_url(program, year - 1), "after": plan_url(program, year + 1),
        "others": [(item.name, plan_url(item, year)) for item in Program.objects.order_by("name")],
        "may_edit": is_allowed(request.user, "programs.edit"),
        "may_draft": is_allowed(request.user, "rules.draft"),
    }  # fmt: skip
    return render(request, "calendar/backoffice/year_plan.html", context)


def _sold(request: HttpRequest, program: Program, year: int, now: dt.datetime) -> dict[str, Any]:
    """Of the orders of two years."""
    plans = program.quarter_plans.filter(year=year).order_by("quarter")
    planned = [str(row) for row in plans.values_list("quarter", "aim", "revenue", "budget")]
    figures = figures_for(request, YEAR, now, program=program.pk, year=year, plans=planned)
    if figures is None:
        return {"figures": None}
    sold: SoldInYear = figures.value
    return {
        "figures": figures, "peaks": sold.peaks,
        "quarters": zip(sold.quarters, sold.outlooks, strict=True),
    }  # fmt: skip


def _in_order(
    there: list[tuple[Season, SeasonDays | None]],
) -> list[tuple[Season, SeasonDays | None]]:
    return sorted(there, key=lambda pair: (pair[1] is None, pair[1].first if pair[1] else None))


def _row(
    season: Season, days: SeasonDays | None, found: list[Any], today: dt.date
) -> dict[str, Any]:
    inside = Span(days.first, days.last) if days else None
    own = [item for item in found if item.kind != "season" and inside and item.meets(inside)]
    return {"season": season, "days": days, "campaigns": own,
            "over": bool(days and days.last < today)}  # fmt: skip


def _year(text: str, otherwise: int) -> int:
    return int(text) if len(text) == 4 and text.isdecimal() and _is_known(int(text)) else otherwise


def _is_known(year: int) -> bool:
    return 2000 <= year <= 2100


def _known(year: int) -> int:
    if not _is_known(year):
        raise Http404("There is no such year.")
    return year


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def season_create(request: HttpRequest, code: str) -> HttpResponse:
    """A further season; one that was suggested comes filled in."""
    program = get_object_or_404(Program, code=code)
    said = {name: request.GET[name] for name in SeasonForm.base_fields if name in request.GET}
    form = SeasonForm(posted(request), said=said)
    return _season_page(request, program, form, None, _("New season"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def season_edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Another wording, for all years that have no days of their own."""
    season = _season(public_id)
    form = SeasonForm(posted(request), season=season)
    title = _("Change %s") % season.name
    return _season_page(request, season.program, form, season, title)


def _season_page(
    request: HttpRequest, program: Program, form: SeasonForm, season: Season | None, title: str
) -> HttpResponse:
    back = reverse(f"{NAMESPACE}:year_plan", args=[program.code])
    if form.is_valid():
        with errors_on(form):
            save_season(program=program, terms=form.terms(), actor=acting(request), season=season)
            messages.success(request, _("The season was saved."))
            return redirect(back)
    crumbs: Crumbs = [*program_crumbs(program), (_("Year plan"), back)]
    context = {"title": title, "form": form, "back": back, "breadcrumbs": crumbs}
    status = 422 if form.errors else 200
    return render(request, "calendar/backoffice/season_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def season_dates(request: HttpRequest, public_id: uuid.UUID, year: int) -> HttpResponse:
    """Its days in one year."""
    season = _season(public_id)
    days = days_of(season, _known(year))
    known = {"starts_on": days.first, "ends_on": days.last} if days else {}
    form, back = SeasonDatesForm(posted(request), initial=known), plan_url(season.program, year)
    title = _("%(name)s in %(year)s") % {"name": season.name, "year": year}
    if form.is_valid():
        with errors_on(form):
            write_dates(season=season, year=year, actor=acting(request), **form.cleaned_data)
            return dialog_done(
                request, url=back, changed="year-plan", message=_("The days were saved.")
            )
    return _dialog(request, form, title, back)


@require_POST
@staff_view("rules.draft")
def season_begin(request: HttpRequest, public_id: uuid.UUID, year: int) -> HttpResponse:
    """A draft from its template, with its days."""
    season = _season(public_id)
    days = days_of(season, _known(year))
    if days is None:
        messages.error(request, _("Say first when it is in that year."))
        return redirect(plan_url(season.program, year))
    try:
        made = begin_in_season(days=days, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(plan_url(season.program, year))
    return redirect("campaigns_backoffice:campaign_edit", made.public_id)


@require_POST
@staff_view("programs.edit")
def season_archive(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Put it away."""
    season = _season(public_id)
    archive_season(season=season, actor=acting(request), now=timezone.now())
    messages.success(request, _("%s was put away.") % season.name)
    return redirect(f"{NAMESPACE}:year_plan", season.program.code)


@require_POST
@staff_view("rules.draft")
def year_copy(request: HttpRequest, code: str, year: int) -> HttpResponse:
    """Drafts of what was on the year before."""
    program = get_object_or_404(Program, code=code)
    made = copy_year(program=program, year=_known(year), actor=acting(request), now=timezone.now())
    if made:
        words = ngettext("%s draft was made.", "%s drafts were made.", len(made)) % len(made)
        messages.success(request, words)
    else:
        messages.info(request, _("Nothing was on the year before that is not there already."))
    return redirect(plan_url(program, year))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def quarter_edit(request: HttpRequest, code: str, year: int, quarter: int) -> HttpResponse:
    """What it shall come to."""
    program = get_object_or_404(Program, code=code)
    plan = program.quarter_plans.filter(year=_known(year), quarter=quarter).first()
    form, back = QuarterForm(posted(request), plan=plan), plan_url(program, year)
    if form.is_valid():
        with errors_on(form):
            plan_quarter(
                program=program, year=year, quarter=quarter, actor=acting(request),
                **form.cleaned_data,
            )  # fmt: skip
            return dialog_done(
                request, url=back, changed="year-plan", message=_("The plan was saved.")
            )
    title = _("Quarter %(number)s of %(year)s") % {"number": quarter, "year": year}
    return _dialog(request, form, title, back)


def _dialog(request: HttpRequest, form: Any, title: str, back: str) -> HttpResponse:
    context = {
        "title": title, "form": form, "back": back, "breadcrumbs": [(_("Year plan"), back)],
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "calendar/backoffice/dialog.html", context, status=status)


def _season(public_id: uuid.UUID) -> Season:
    rows = Season.objects.filter(archived_at=None).select_related("program")
    return get_object_or_404(rows.prefetch_related("dates"), public_id=public_id)
