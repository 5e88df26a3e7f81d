"""How programs are doing: figures of a period, and ninety days as a picture."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.links import program_crumbs
from loyalty.models import Program, WalletType
from loyalty.selectors.liability import liability_now
from loyalty.selectors.member_tallies import active_members_in
from loyalty.selectors.totals import Activity, activity, daily_figures
from members.charts import Chart, Series
from members.formatting import format_money, format_points, format_units, unit_name
from members.policy import is_allowed, staff_view

PERIODS = (1, 7, 30)
SHOWN_DAYS = 90


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; `trend` is its change in percent against the period before, `href` leads to what
    it is made of."""

    label: str
    value: str
    unit: str = ""
    sub: str = ""
    trend: float | None = None
    trend_good: str = "up"
    icon: str = ""
    href: str = ""


@require_safe
@staff_view("home.view")
def figures_panel(request: HttpRequest) -> HttpResponse:
    """The figures of the unit that was chosen, on the home page."""
    wallet_types = _wallet_types()
    may_create = is_allowed(request.user, "programs.create") and not Program.objects.exists()
    context = _figures_context(request, wallet_types) | {
        "title": _("Figures"),
        "choices": wallet_types,
        "may_create": may_create,
        "create_label": _("New program") if may_create else "",
    }
    return render(request, "loyalty/backoffice/figures_panel.html", context)


@require_safe
@staff_view("programs.view")
def program_figures(request: HttpRequest, code: str) -> HttpResponse:
    """The figures of one program."""
    program = get_object_or_404(Program, code=code)
    wallet_types = _wallet_types(program)
    context = _figures_context(request, wallet_types) | {
        "title": _("Figures"),
        "choices": wallet_types,
        "breadcrumbs": program_crumbs(program),
    }
    return render(request, "loyalty/backoffice/figures_panel.html", context)


@require_safe
@staff_view("home.view")
def trend_panel(request: HttpRequest) -> HttpResponse:
    """Ninety days of the unit that was chosen, on the home page."""
    wallet_types = _wallet_types()
    context = _trend_context(request, wallet_types) | {"choices": wallet_types}
    return render(request, "loyalty/backoffice/trend_panel.html", context)


@require_safe
@staff_view("programs.view")
def program_trend(request: HttpRequest, code: str) -> HttpResponse:
    """Ninety days of one program."""
    program = get_object_or_404(Program, code=code)
    wallet_types = _wallet_types(program)
    context = _trend_context(request, wallet_types) | {
        "choices": wallet_types,
        "breadcrumbs": program_crumbs(program),
    }
    return render(request, "loyalty/backoffice/trend_panel.html", context)


def _wallet_types(program: Program | None = None) -> list[WalletType]:
    """The units to choose from: of one program, or of all that are or were live."""
    found = WalletType.objects.select_related("program").order_by("program__name", "pk")
    if program is not None:
        return list(found.filter(program=program))
    return list(found.filter(program__status=Program.Status.LIVE))


def _chosen(request: HttpRequest, choices: list[WalletType]) -> WalletType | None:
    wanted = request.GET.get("units", "")
    return next(
        (item for item in choices if str(item.pk) == wanted), choices[0] if choices else None
    )


def _figures_context(request: HttpRequest, choices: list[WalletType]) -> dict[str, Any]:
    wallet_type = _chosen(request, choices)
    period = int(days) if (days := request.GET.get("days", "")) in map(str, PERIODS) else 30
    context: dict[str, Any] = {
        "panel_id": "figures",
        "panel_icon": "chart-bar",
        "wallet_type": wallet_type,
        "period": period,
        "periods": [(1, _("Today")), (7, _("7 days")), (30, _("30 days"))],
    }
    if wallet_type is not None:
        today = timezone.now().astimezone(wallet_type.program.zone).date()
        first = today - dt.timedelta(days=period - 1)
        links = _links(request, wallet_type, first, today)
        context["figures"] = _figures(wallet_type, first, today, links)
    return context


def _links(
    request: HttpRequest, wallet_type: WalletType, first: dt.date, today: dt.date
) -> dict[str, str]:
    """Where the rows behind each figure are, for those who may see them."""
    members = reverse("loyalty_backoffice:program_members", args=[wallet_type.program.code])
    found = {"new_members": members, "members": members}
    if is_allowed(request.user, "reports.view"):
        journal = reverse("loyalty_backoffice:journal")
        days = f"units={wallet_type.pk}&since={first}&until={today}&per=day"
        found |= dict.fromkeys(("earned", "taken_back", "redeemed"), f"{journal}?{days}")
        found["held"] = f"{reverse('loyalty_backoffice:liability')}?units={wallet_type.pk}"
    return found


def _figures(
    wallet_type: WalletType, first: dt.date, today: dt.date, links: dict[str, str]
) -> list[Figure]:
    period = (today - first).days + 1
    now = activity(wallet_type, first, today)
    before = activity(wallet_type, first - dt.timedelta(days=period), first - dt.timedelta(days=1))
    held = liability_now(wallet_type, timezone.now())
    compared = period > 1

    def units(label: str, name: str, icon: str, good: str = "up") -> Figure:
        amount: int = getattr(now, name)
        return Figure(
            label,
            format_points(amount, wallet_type.scale),
            unit=unit_name(amount, wallet_type),
            trend=_trend(now, before, name) if compared else None,
            trend_good=good,
            icon=icon,
            href=links.get(name, ""),
        )

    def count(label: str, name: str, icon: str) -> Figure:
        return Figure(
            label,
            format_points(getattr(now, name)),
            trend=_trend(now, before, name) if compared else None,
            icon=icon,
            href=links.get(name, ""),
        )

    figures = [
        count(_("Orders that earned"), "orders", "receipt"),
        units(_("Earned"), "earned", "coins"),
        units(_("Taken back"), "taken_back", "receipt-refund", "down"),
    ]
    if now.redeemed or before.redeemed:
        figures.append(units(_("Redeemed"), "redeemed", "gift"))
    figures += [
        count(_("New members"), "new_members", "user-plus"),
        Figure(
            _("Members"),
            format_points(active_members_in(wallet_type.program)),
            icon="users",
            href=links["members"],
        ),
        Figure(
            _("Outstanding"),
            format_points(held.units, wallet_type.scale),
            unit=unit_name(held.units, wallet_type),
            sub=_("a liability of %s") % format_money(held.worth, wallet_type.program.currency)
            if held.worth
            else "",
            icon="scale",
            href=links.get("held", ""),
        ),
    ]
    return figures


def _trend(now: Activity, before: Activity, name: str) -> float | None:
    """The change in percent; nothing to compare with is no change."""
    was, is_now = getattr(before, name), getattr(now, name)
    return float(round(Decimal(is_now - was) / was * 100, 1)) if was else None


def _trend_context(request: HttpRequest, choices: list[WalletType]) -> dict[str, Any]:
    wallet_type = _chosen(request, choices)
    context: dict[str, Any] = {
        "title": _("Last %s days") % SHOWN_DAYS,
        "panel_id": "trend",
        "panel_icon": "chart-histogram",
        "wallet_type": wallet_type,
    }
    if wallet_type is not None:
        today = timezone.now().astimezone(wallet_type.program.zone).date()
        context["chart"] = _chart(wallet_type, today)
    return context


def _chart(wallet_type: WalletType, today: dt.date) -> Chart:
    days = daily_figures(wallet_type, today - dt.timedelta(days=SHOWN_DAYS - 1), today)

    def shown(units: int) -> Decimal:
        return Decimal(units).scaleb(-wallet_type.scale)

    summary = _("%(earned)s earned and %(taken)s taken back in %(days)s days.") % {
        "earned": format_units(sum(day.earned for day in days), wallet_type),
        "taken": format_units(sum(day.taken_back for day in days), wallet_type),
        "days": SHOWN_DAYS,
    }
    return Chart(
        id=f"trend-{wallet_type.pk}",
        title=capfirst(_("%s per day") % wallet_type.plural),
        labels=[day.day for day in days],
        series=[
            Series(_("Earned"), [shown(day.earned) for day in days]),
            Series(_("Taken back"), [-shown(day.taken_back) for day in days]),
        ],
        kind="stacked",
        colors=("good", "bad"),
        unit=wallet_type.plural,
        summary=summary,
        x_label=_("Day"),
    )
