"""Who is about to lose a tier: the list for managers, and as a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.links import program_crumbs
from loyalty.models import MemberTier, Program
from loyalty.selectors.member_tiers import about_to_fall, member_standings
from loyalty.selectors.tier_sets import tier_set_at
from members.csv_files import csv_response
from members.file_cells import harmless
from members.navigation import Tab
from members.paging import paginate
from members.policy import staff_view

PERIODS = (30, 60, 90, 366)
USUAL = 60
PIECE = 500


@require_safe
@staff_view("customers.view")
def tier_falls(request: HttpRequest, code: str) -> HttpResponse:
    """Members who lose their tier soon unless something happens, soonest first."""
    program = get_object_or_404(Program, code=code)
    now, days = timezone.now(), _days(request)
    page = paginate(
        _rows(program, now, days), request=request, orderings={"": ("lost_at", "membership_id")},
        default="",
    )  # fmt: skip
    path = reverse("loyalty_backoffice:tier_falls", args=[program.code])
    context = {
        "program": program,
        "title": _("About to lose a tier"),
        "breadcrumbs": program_crumbs(program),
        "has_tiers": tier_set_at(program, now) is not None,
        "page": page,
        "rows": _shown(list(page), now),
        "days": days,
        "tabs": [
            Tab(_("%s days") % period, f"{path}?days={period}", current=period == days)
            for period in PERIODS
        ],
    }
    return render(request, "loyalty/backoffice/tier_falls.html", context)


@require_safe
@staff_view("customers.view")
def tier_falls_csv(request: HttpRequest, code: str) -> HttpResponse:
    """The list as a file."""
    program = get_object_or_404(Program, code=code)
    now, days = timezone.now(), _days(request)
    name = f"about-to-lose-a-tier-{program.code}-{now.astimezone(program.zone).date()}.csv"
    return csv_response(name, _lines(program, now, days))


def _days(request: HttpRequest) -> int:
    given = request.GET.get("days", "")
    days = int(given) if given.isdecimal() and len(given) < 5 else USUAL
    return days if days in PERIODS else USUAL


def _rows(program: Program, now: dt.datetime, days: int) -> QuerySet[MemberTier]:
    return about_to_fall(program, now=now, until=now + dt.timedelta(days=days))


def _shown(rows: list[MemberTier], now: dt.datetime) -> list[tuple[MemberTier, str]]:
    """Each with what keeps the tier."""
    found = member_standings([row.membership for row in rows], now)
    return [
        (row, shown.voice.to_keep(shown.stands) if (shown := found.get(row.pk)) else "")
        for row in rows
    ]


def _lines(program: Program, now: dt.datetime, days: int) -> Iterator[tuple[str, ...]]:
    yield "customer", "name", "email", "tier", "falls_to", "last_day", "what_keeps_it"
    rows = list(_rows(program, now, days))
    for start in range(0, len(rows), PIECE):
        for row, keeps in _shown(rows[start : start + PIECE], now):
            person = row.membership.customer
            assert row.lost_at is not None
            assert row.falls_to is not None
            last = (row.lost_at - dt.timedelta(microseconds=1)).astimezone(program.zone).date()
            yield (
                harmless(person.external_id or ""), harmless(str(person)),
                harmless(person.email or ""), harmless(row.tier.name), harmless(row.falls_to.name),
                last.isoformat(), harmless(keeps),
            )  # fmt: skip
