"""Insights → Breakage: what became of the units of each month in which they were earned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.insights import (
    csv_name,
    insight_context,
    month_texts,
    read_choice,
    read_known_choice,
)
from loyalty.models import WalletType
from loyalty.plain_numbers import exact, whole
from loyalty.selectors.breakage import Cohort, breakage, total_of
from members.charts import Chart, Series
from members.csv_files import csv_response
from members.formatting import format_percent
from members.policy import staff_view

DRAWN_MONTHS = 36


@dataclass(frozen=True, slots=True)
class CohortRow:
    cohort: Cohort
    share: Decimal | None


@require_safe
@staff_view("reports.view")
def breakage_page(request: HttpRequest) -> HttpResponse:
    """Cohorts as a picture and a table."""
    choice = read_choice(request)
    context = insight_context(
        choice,
        title=_("Breakage"),
        summary=_(
            "What became of the units of each month: spent, expired, taken back, or still there."
        ),
    )
    if choice.wallet_type is not None:
        cohorts = breakage(choice.wallet_type, choice.day)
        total = total_of(cohorts, choice.day)
        context |= {
            "csv_url": reverse("loyalty_backoffice:breakage_csv") if cohorts else "",
            "rows": [CohortRow(item, item.share(item.expired)) for item in reversed(cohorts)],
            "total": total,
            "expired": total.share(total.expired),
            "chart": _chart(choice.wallet_type, cohorts[-DRAWN_MONTHS:]) if cohorts else None,
        }
    return render(request, "loyalty/backoffice/breakage.html", context)


@require_safe
@staff_view("reports.view")
def breakage_csv(request: HttpRequest) -> HttpResponse:
    """The table as a file."""
    wallet_type, day = read_known_choice(request)
    cohorts = breakage(wallet_type, day)
    return csv_response(
        csv_name("breakage", wallet_type, day), _lines(wallet_type, day.isoformat(), cohorts)
    )


def _chart(wallet_type: WalletType, cohorts: Sequence[Cohort]) -> Chart:
    parts = (
        ("spent", _("Spent"), "good"),
        ("outstanding", _("Outstanding"), "neutral"),
        ("taken_back", _("Taken back"), "warning"),
        ("by_hand", _("Taken by staff"), ""),
        ("expired", _("Expired"), "bad"),
    )
    shown = [part for part in parts if any(getattr(item, part[0]) for item in cohorts)]
    total = total_of(cohorts, cohorts[0].month)
    share = total.share(total.expired)
    return Chart(
        id=f"breakage-{wallet_type.pk}",
        title=capfirst(_("%s by the month they were earned in") % wallet_type.plural),
        labels=month_texts([item.month for item in cohorts]),
        series=[
            Series(label, [whole(getattr(item, name), wallet_type) for item in cohorts])
            for name, label, _color in shown
        ],
        kind="stacked",
        colors=tuple(color for _name, _label, color in shown),
        unit=wallet_type.plural,
        summary=_("%(share)s of what was earned in these months has expired.")
        % {"share": format_percent(share) if share is not None else "–"},
        x_label=_("Earned in"),
        height="lg",
    )


def _lines(
    wallet_type: WalletType, as_of: str, cohorts: Sequence[Cohort]
) -> Iterator[tuple[str, ...]]:
    names = ("granted", "spent", "expired", "taken_back", "by_hand", "outstanding")
    yield ("program", "wallet_type", "as_of", "earned_in", *names, "expired_share")
    for item in cohorts:
        share = item.share(item.expired)
        yield (
            wallet_type.program.code,
            wallet_type.code,
            as_of,
            f"{item.month:%Y-%m}",
            *(exact(whole(getattr(item, name), wallet_type), 0) for name in names),
            "" if share is None else f"{share:.4f}",
        )
