"""A program's members: how they came, who was invited or waits, and the list of them."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.links import program_crumbs
from loyalty.models import Candidate, Membership, Program
from loyalty.selectors.candidates import candidate_counts, candidates
from loyalty.selectors.enrollment import (
    Joined,
    members_of,
)
from loyalty.selectors.launch_figures import NARROWED, narrowed_members
from loyalty.slow_figures import JOINED
from members.charts import Chart, Series
from members.formatting import format_number
from members.navigation import Tab
from members.paging import paginate
from members.policy import is_allowed, staff_view
from members.responses import figures_for

DAYS = 90
NEWEST = {"": ("-enrolled_at", "-pk")}


@require_safe
@staff_view("programs.view")
def program_members(request: HttpRequest, code: str) -> HttpResponse:
    """Members by source, as figures, as a picture and as rows."""
    program = get_object_or_404(Program, code=code)
    now = timezone.now()
    figures = figures_for(request, JOINED, now, program=program.pk, days=DAYS)
    chosen = request.GET.get("source", "")
    chosen = chosen if chosen in Membership.Source.values else ""
    narrow = request.GET.get("show", "")
    narrow = narrow if narrow in NARROWED else ""
    rows = members_of(program).select_related("customer")
    if chosen:
        rows = rows.filter(source=chosen)
    if narrow:
        rows = narrowed_members(rows, narrow, program, now)
    page = paginate(rows, request=request, orderings=NEWEST, default="")
    context = {
        "program": program,
        "title": _("Members"),
        "breadcrumbs": program_crumbs(program),
        "figures": figures,
        "chart": _chart(figures.value) if figures else None,
        "states": _states(program, now),
        "page": page,
        "begun": bool(page) or members_of(program).exists(),
        "chosen": dict(Membership.Source.choices).get(chosen, ""),
        "narrowed": NARROWED.get(narrow, ""),
        "may_import": is_allowed(request.user, "imports.run"),
        "may_enroll": is_allowed(request.user, "customers.edit"),
    }
    return render(request, "loyalty/backoffice/program_members.html", context)


@require_safe
@staff_view("programs.view")
def candidate_list(request: HttpRequest, code: str) -> HttpResponse:
    """Who was invited or waits, and how those answered who were asked before."""
    program = get_object_or_404(Program, code=code)
    now = timezone.now()
    state = request.GET.get("state", "")
    rows: QuerySet[Candidate] = candidates().filter(program=program)
    if state in Candidate.State.values:
        rows = rows.filter(state=state)
    path = reverse("loyalty_backoffice:candidate_list", args=[program.code])
    counts = candidate_counts(program, now)
    counts["invited"] += counts["expired"]
    context = {
        "program": program,
        "title": _("Invited and waiting"),
        "breadcrumbs": [
            *program_crumbs(program),
            (_("Members"), reverse("loyalty_backoffice:program_members", args=[program.code])),
        ],
        "now": now,
        "page": paginate(rows, request=request, orderings={"": ("-pk",)}, default=""),
        "tabs": [
            Tab(_("All"), path, current=state not in Candidate.State.values),
            *(
                Tab(label, f"{path}?state={value}", state == value, counts[value])
                for value, label in Candidate.State.choices
            ),
        ],
    }
    return render(request, "loyalty/backoffice/candidate_list.html", context)


def _states(program: Program, now: dt.datetime) -> list[tuple[str, int, str]]:
    """Candidates in figures; nothing where there never were any."""
    counts = candidate_counts(program, now)
    if not any(counts.values()):
        return []
    path = reverse("loyalty_backoffice:candidate_list", args=[program.code])
    return [
        (str(label), counts[value], f"{path}?state={value}")
        for value, label in Candidate.State.choices
        if value != Candidate.State.JOINED
    ]


def _chart(found: Joined) -> Chart | None:
    """New members by source, day by day; None: nobody has joined in these days."""
    if not found.days:
        return None
    length = (found.last - found.first).days + 1
    days = [found.first + dt.timedelta(days=number) for number in range(length)]
    joined = sum(sum(counted.values()) for counted in found.days.values())
    return Chart(
        id="members-by-source",
        title=_("New members by source"),
        labels=days,
        series=[
            Series(str(Membership.Source(source).label), [counted.get(day, 0) for day in days])
            for source, counted in found.days.items()
        ],
        kind="stacked",
        summary=_("%(count)s new members in %(days)s days.")
        % {"count": format_number(joined), "days": length},
        x_label=_("Day"),
    )
