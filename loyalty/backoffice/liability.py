"""Insights → Liability: what is owed to members as of a day, by when it expires, month by month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import dropwhile

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.insights import (
    Choice,
    csv_name,
    insight_context,
    month_texts,
    read_choice,
    read_known_choice,
    unit_choices,
)
from loyalty.models import LotFigures, WalletType
from loyalty.plain_numbers import exact, whole
from loyalty.rules.calendar import add_months
from loyalty.selectors.charities import charities_in
from loyalty.selectors.holders import holders_of
from loyalty.selectors.impact import owed_to
from loyalty.selectors.liability import (
    Liability,
    MonthEnd,
    get_liability,
    liability_now,
    liability_trend,
)
from loyalty.selectors.lot_totals import HeldUntil
from loyalty.slow_figures import HOLDERS
from members.charts import Chart, Series
from members.csv_files import csv_response
from members.formatting import format_day, format_money, format_short_month, format_units
from members.policy import staff_view
from members.responses import figures_for

SHOWN_MONTHS = 24
MOST_HOLDERS = 100
Ends = LotFigures.Ends


@dataclass(frozen=True, slots=True)
class EndRow:
    """One line of the table by expiry: units that will be used for the last time in a month."""

    label: str
    units: int
    worth: Decimal
    share: Decimal | None
    query: str


@require_safe
@staff_view("reports.view")
def liability(request: HttpRequest) -> HttpResponse:
    """The figure, its parts and its past; each part leads to the members behind it."""
    choice = read_choice(request)
    context = insight_context(
        choice,
        title=_("Liability"),
        summary=_("What members hold and may still spend, and what that is worth."),
    )
    if choice.wallet_type is not None:
        found = get_liability(choice.wallet_type, choice.day)
        trend = _begun(liability_trend(choice.wallet_type, choice.day, SHOWN_MONTHS))
        context |= {
            "csv_url": reverse("loyalty_backoffice:liability_csv"),
            "liability": found,
            "program": choice.wallet_type.program,
            "rows": _rows(found, choice),
            "by_end": _by_end(found),
            "trend": _trend(choice.wallet_type, trend),
            "months": list(reversed(trend)),
            "others": _others(),
            "charities": [
                item
                for item in owed_to(
                    charities_in(choice.wallet_type.program, live=False), choice.day
                )
                if item.money
            ],
            "soon": found.expiring_by(add_months(choice.day, 2)),
        }
    return render(request, "loyalty/backoffice/liability.html", context)


@require_safe
@staff_view("reports.view")
def liability_csv(request: HttpRequest) -> HttpResponse:
    """The table by expiry as a file, with what members owe as a line below zero."""
    wallet_type, day = read_known_choice(request)
    name = csv_name("liability", wallet_type, day)
    return csv_response(name, _lines(get_liability(wallet_type, day)))


@require_safe
@staff_view("reports.view")
def liability_members(request: HttpRequest) -> HttpResponse:
    """Who holds it, or the part of it that ends in a month or otherwise."""
    choice = read_choice(request)
    if choice.wallet_type is None:
        raise Http404
    ends, month = _asked_end(request)
    figures = figures_for(
        request,
        HOLDERS,
        timezone.now(),
        wallet_type=choice.wallet_type.pk,
        day=choice.day.isoformat(),
        ends=ends,
        month=month.isoformat() if month else "",
        most=MOST_HOLDERS,
    )
    context = {
        "title": _("Who holds it"),
        "breadcrumbs": [
            (_("Liability"), f"{reverse('loyalty_backoffice:liability')}?{choice.query}")
        ],
        "choice": choice,
        "wallet_type": choice.wallet_type,
        "summary": " · ".join(
            [
                *([end_label(ends, month)] if ends else []),
                _("As of the end of %s") % format_day(choice.day),
            ]
        ),
        "figures": figures,
        "holders": holders_of(figures.value) if figures else [],
        "most": MOST_HOLDERS,
    }
    return render(request, "loyalty/backoffice/liability_members.html", context)


def end_label(ends: str, month: dt.date | None) -> str:
    """When units end, in words."""
    if month is not None:
        return format_short_month(month)
    return str(Ends(ends).label)


def _asked_end(request: HttpRequest) -> tuple[str, dt.date | None]:
    ends = request.GET.get("ends", "")
    if ends in {Ends.INACTIVITY, Ends.NONE}:
        return ends, None
    try:
        return Ends.DATE.value, dt.date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return "", None


def _rows(found: Liability, choice: Choice) -> list[EndRow]:
    held = found.held_units
    return [
        EndRow(
            end_label(item.ends, item.month),
            item.units,
            found.worth_of(item.units),
            Decimal(item.units) / held if held else None,
            f"{choice.query}&{_end_query(item)}",
        )
        for item in found.held
    ]


def _end_query(item: HeldUntil) -> str:
    return f"month={item.month:%Y-%m}" if item.month else f"ends={item.ends}"


def _by_end(found: Liability) -> Chart | None:
    months = [item for item in found.held if item.month]
    if not months:
        return None
    wallet_type = found.wallet_type
    return Chart(
        id=f"liability-end-{wallet_type.pk}",
        title=capfirst(_("%s by the month of their last day of use") % wallet_type.plural),
        labels=month_texts([item.month for item in months if item.month]),
        series=[Series(_("Held"), [whole(item.units, wallet_type) for item in months])],
        kind="bar",
        unit=wallet_type.plural,
        summary=_("%(units)s expire until %(month)s.")
        % {
            "units": format_units(sum(item.units for item in months), wallet_type),
            "month": end_label(months[-1].ends, months[-1].month),
        },
        x_label=_("Month"),
    )


def _begun(trend: Sequence[MonthEnd]) -> list[MonthEnd]:
    """Without the months before there was anything."""
    return [*dropwhile(lambda item: not item.units, trend[:-1]), trend[-1]]


def _trend(wallet_type: WalletType, trend: Sequence[MonthEnd]) -> Chart:
    program = wallet_type.program
    last = trend[-1]
    return Chart(
        id=f"liability-trend-{wallet_type.pk}",
        title=_("Liability at the ends of months"),
        labels=[item.day for item in trend],
        series=[Series(_("Liability"), [whole(item.units, wallet_type) for item in trend])],
        kind="area",
        unit=wallet_type.plural,
        summary=_("%(units)s (%(money)s) on %(day)s.")
        % {
            "units": format_units(last.units, wallet_type),
            "money": format_money(last.worth, program.currency),
            "day": format_day(last.day),
        },
        x_label=_("Day"),
    )


def _others() -> list[Liability]:
    """All units there are, to compare and to go there; nothing where there are no others."""
    found = [liability_now(item, timezone.now()) for item in unit_choices()]
    return found if len(found) > 1 else []


def _lines(found: Liability) -> Iterator[tuple[str, ...]]:
    wallet_type = found.wallet_type
    program = wallet_type.program
    yield (
        "program", "wallet_type", "as_of", "ends", "expiry_month", "units", "worth", "currency",
    )  # fmt: skip

    def line(ends: str, month: str, units: int) -> tuple[str, ...]:
        return (
            program.code, wallet_type.code, found.day.isoformat(), ends, month,
            exact(whole(units, wallet_type), 0), exact(found.worth_of(units), 2), program.currency,
        )  # fmt: skip

    for item in found.held:
        yield line(item.ends, f"{item.month:%Y-%m}" if item.month else "", item.units)
    yield line("owed", "", -found.owed)
    yield line("liability", "", found.units)
