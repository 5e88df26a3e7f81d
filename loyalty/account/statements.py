"""Statements: a month or a year of a membership, to read and to keep."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.selectors.statements import Period, make_statement, parse_period, periods_of
from loyalty.statement_files import TooManyPapersError, count_paper, statement_response
from loyalty.statement_words import (
    ToldStatement,
    column_labels,
    nothing_words,
    period_words,
    told_statement,
)
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError


@require_safe
@customer_view
def statement(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """The period in the address; without one the last that has ended, else the first."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    today = timezone.now().astimezone(chosen.membership.program.zone).date()
    months, years = periods_of(chosen.membership, today)
    period = _asked(request.GET.get("period") or (months[1:] or months)[0].key)
    context = {
        "title": _("Statement"),
        "tabs": chosen.tabs("mypage:statement_of"),
        "choices": [(_("Months"), _choices(months)), (_("Years"), _choices(years))],
        "period": period.key,
        "told": _told(chosen, period),
        "columns": column_labels(),
        "nothing": nothing_words(),
        "breadcrumbs": [(_("History"), reverse("mypage:history"))],
    }
    return render_page(request, "mypage/statement.html", chosen, context)


@require_safe
@customer_view
def statement_file(request: CustomerRequest, public_id: uuid.UUID, period: str) -> HttpResponse:
    """The same on paper (PDF)."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        raise Http404("This customer has no such membership.")
    told = _told(chosen, _asked(period))
    try:
        count_paper(chosen.membership)
    except TooManyPapersError as error:
        messages.error(request, str(error.message))
        page = reverse("mypage:statement_of", args=[public_id])
        return redirect(f"{page}?period={period}")
    return statement_response(told, period=period)


def _asked(text: str) -> Period:
    try:
        return parse_period(text)
    except DomainError as error:
        raise Http404(str(error)) from error


def _told(chosen: Chosen, period: Period) -> ToldStatement:
    try:
        return told_statement(make_statement(chosen.membership, period, timezone.now()))
    except DomainError as error:
        raise Http404(str(error)) from error


def _choices(periods: list[Period]) -> list[tuple[str, str]]:
    return [(period.key, period_words(period)) for period in periods]
