"""The first ninety days of a program: enrollment, first redemptions, who keeps buying."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.launches import launch_tabs
from loyalty.backoffice.links import program_crumbs
from loyalty.models import Membership, Program
from loyalty.selectors.enrollment import joined_by_day
from loyalty.selectors.launch_figures import (
    ACTIVE_DAYS,
    TARGET,
    LaunchFigures,
    opened_until,
)
from loyalty.slow_figures import LAUNCH
from members.charts import Chart, Series
from members.formatting import format_number, format_percent
from members.policy import staff_view
from members.responses import asks_figures, figures_for


@require_safe
@staff_view("programs.view")
def launch_dashboard(request: HttpRequest, code: str) -> HttpResponse:
    """Figures as of now and day by day, with what each of them counts, once they are added up."""
    program, now = get_object_or_404(Program, code=code), timezone.now()
    found = None
    if asks_figures(request):
        found = figures_for(request, LAUNCH, now, program=program.pk)
    figures: LaunchFigures | None = found.value if found else None
    context: dict[str, Any] = {
        "program": program,
        "title": _("Launch"),
        "breadcrumbs": program_crumbs(program),
        "tabs": launch_tabs(program, "launch_dashboard"),
        "worked_out": found,
        "figures": figures,
        "opened": opened_until(program, now),
        "target": TARGET,
        "active_days": ACTIVE_DAYS,
    }
    if figures is not None:
        context |= {
            "charts": [
                (_("Enrollment"), _enrollment(figures)),
                (_("Active"), _active(figures)),
                (_("First redemptions"), _redeemed(figures)),
            ],
            "by_source": _by_source(program, figures),
            "now": _now(figures),
        }
    return render(request, "loyalty/backoffice/launch_dashboard.html", context)


def _now(figures: LaunchFigures) -> dict[str, Any]:
    """What is true at the end of the last day shown."""
    shares = {
        "enrollment": figures.enrollment(),
        "active": figures.active_share(),
        "redeemed": figures.redeemed_share(),
    }
    texts = {name: _percent(values[-1]) for name, values in shares.items()}
    return texts | {
        "buyers": figures.buyers[-1],
        "enrolled": figures.enrolled[-1],
        "missing": figures.buyers[-1] - figures.enrolled[-1],
        "members": figures.members[-1],
        "with_redemption": figures.redeemed[-1],
        "active_members": figures.active[-1],
        "reached": (shares["enrollment"][-1] or 0) >= TARGET,
        "day": len(figures.days),
    }


def _percent(value: float | None) -> str:
    return "–" if value is None else format_percent(value / 100)


def _enrollment(figures: LaunchFigures) -> Chart:
    values = figures.enrollment()
    return _chart(
        figures, "launch-enrollment", _("Buyers who are members, in percent"),
        [
            Series(_("Of those who bought since the launch"), values),
            Series(_("Aim"), [TARGET] * len(values)),
        ],
        _("%(share)s of the buyers are members; the aim is %(aim)s.")
        % {"share": _percent(values[-1]), "aim": _percent(TARGET)},
    )  # fmt: skip


def _active(figures: LaunchFigures) -> Chart:
    values = figures.active_share()
    return _chart(
        figures, "launch-active", _("Active members, in percent"),
        [Series(_("Bought in the last %s days") % ACTIVE_DAYS, values)],
        _("%s of the members have bought lately.") % _percent(values[-1]),
    )  # fmt: skip


def _redeemed(figures: LaunchFigures) -> Chart:
    return _chart(
        figures, "launch-redeemed", _("Members with a first redemption"),
        [Series(_("Members"), figures.redeemed)],
        _("%s members have redeemed.") % format_number(figures.redeemed[-1]),
    )  # fmt: skip


def _chart(
    figures: LaunchFigures, name: str, title: str, series: Sequence[Series], summary: str
) -> Chart:
    return Chart(
        id=name, title=title, labels=figures.days, series=series, kind="line", summary=summary,
        x_label=_("Day"), height="sm",
    )  # fmt: skip


def _by_source(program: Program, figures: LaunchFigures) -> list[tuple[str, str, int]]:
    """Who joined in these days, by how: source, its label, members."""
    labels = dict(Membership.Source.choices)
    found = joined_by_day(program, figures.days[0], figures.days[-1])
    rows = [
        (source, str(labels[Membership.Source(source)]), sum(counted.values()))
        for source, counted in found.items()
    ]
    return sorted(rows, key=lambda row: -row[2])
