"""What every page of a membership is rendered with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from loyalty.account.chosen import Chosen
from loyalty.account.movements import by_month
from loyalty.models import Program
from members.account.access import CustomerRequest
from members.paging import Page
from members.responses import is_htmx
from members.timeline_view import TimelineEntry


def no_membership(request: CustomerRequest) -> HttpResponse:
    """The page of a customer who is in no program, with those that they can join."""
    programs = Program.objects.filter(status=Program.Status.LIVE, joinable=True).order_by("name")
    return render(request, "mypage/no_membership.html", {"programs": programs})


def render_page(
    request: CustomerRequest,
    template: str,
    chosen: Chosen,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Days begin in the program's time zone."""
    membership = chosen.membership
    shared = {"membership": membership, "program": membership.program, "customer": request.customer}
    with timezone.override(membership.program.zone):
        return render(request, template, {**shared, **context}, status=status)


def render_months(
    request: CustomerRequest,
    chosen: Chosen,
    page: Page[Any],
    entries: Iterable[TimelineEntry],
    context: dict[str, Any],
) -> HttpResponse:
    """Entries newest first under their months; HTMX is given those of the next page alone.

    The context says title, summary, icon, empty (title and text where there is nothing) and added
    (what is announced when the next ones have come).
    """
    fragment = is_htmx(request)
    months = by_month(
        entries,
        zone=chosen.membership.program.zone,
        continuing=request.GET.get("month", "") if fragment else "",
    )
    shown = {
        "months": months,
        "last_month": months[-1].key if months else "",
        "page": page,
        "fragment": fragment,
    }
    template = "mypage/months.html" if fragment else "mypage/timeline.html"
    return render_page(request, template, chosen, {**context, **shown})
