"""The launch of a program: its phases with their numbers, the form that plans them, stop and go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.launch_forms import LaunchForm, launch_initial
from loyalty.backoffice.links import program_crumbs
from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import Launch, LaunchPhase, LaunchPlace, Program
from loyalty.selectors.candidates import candidate_counts
from loyalty.selectors.launches import (
    PhasePreview,
    founding_offer,
    get_launch,
    launch_definition,
    phase_at,
    preview_phases,
)
from loyalty.services.launches import draw_up_list, plan_launch, resume_launch, stop_launch
from loyalty.slow_figures import PHASES
from members.errors import DomainError
from members.forms import errors_on, posted
from members.navigation import Tab
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import asks_figures, figures_for


@dataclass(frozen=True, slots=True)
class ShownPhase:
    """A phase with how many it takes in, those before it among them; None before it is counted."""

    phase: LaunchPhase
    customers: int | None
    least_spend: Decimal | None
    state: str


def launch_tabs(program: Program, current: str) -> list[Tab]:
    """The three views of a launch."""
    views = (
        ("launch_page", _("Phases")),
        ("launch_checklist", _("Checklist")),
        ("launch_dashboard", _("First 90 days")),
    )
    return [
        Tab(label, reverse(f"loyalty_backoffice:{name}", args=[program.code]), name == current)
        for name, label in views
    ]


@require_safe
@staff_view("programs.view")
def launch_page(request: HttpRequest, code: str) -> HttpResponse:
    """The phases with their days, and their numbers once they are counted; what founding members
    get."""
    program = get_object_or_404(Program, code=code)
    now = timezone.now()
    launch = get_launch(program)
    counts = None
    if launch and asks_figures(request):
        percents = [phase.percent for phase in launch.phases.all()]
        counts = figures_for(request, PHASES, now, percents=percents)
    phases = _shown(launch, now, counts.value if counts else None) if launch else []
    context = {
        "program": program,
        "title": _("Launch"),
        "breadcrumbs": program_crumbs(program),
        "tabs": launch_tabs(program, "launch_page"),
        "launch": launch,
        "phases": phases,
        "figures": counts,
        "begun": any(item.state != "planned" for item in phases),
        "founding": founding_offer(program),
        "bonus": getattr(program, "founding_bonus", None),
        "counts": candidate_counts(program, now),
        "may_edit": is_allowed(request.user, "programs.edit"),
    }
    return render(request, "loyalty/backoffice/launch_page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def launch_edit(request: HttpRequest, code: str) -> HttpResponse:
    """Plan the launch: the form, then how many each phase takes in, then it is saved."""
    program = get_object_or_404(Program, code=code)
    initial = launch_initial(launch_definition(program))
    form = LaunchForm(posted(request), program=program, initial=initial)
    preview: list[dict[str, Any]] = []
    if form.is_bound and "edit" not in request.POST and form.is_valid():
        definition = form.definition()
        if definition is not None and "confirmed" in request.POST:
            with errors_on(form):
                plan_launch(
                    program=program, launch=definition, actor=acting(request), now=timezone.now()
                )
            if not form.errors:
                messages.success(request, _("The launch is planned."))
                return redirect("loyalty_backoffice:launch_page", program.code)
        elif definition is not None:
            preview = _preview(definition)
    context = {
        "program": program,
        "title": _("Plan the launch"),
        "breadcrumbs": [*program_crumbs(program), (_("Launch"), _path(program))],
        "form": form,
        "preview": preview,
        "confirming": form.is_bound and "edit" not in request.POST and not form.errors,
        "kept": [
            (name, request.POST[name])
            for name in request.POST
            if name not in {"csrfmiddlewaretoken", "edit", "confirmed"}
        ],
        "back": _path(program),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/launch_form.html", context, status=status)


@require_safe
@staff_view("programs.view")
def launch_places(request: HttpRequest, code: str) -> HttpResponse:
    """Who is on the list, the best first."""
    program = get_object_or_404(Program, code=code)
    places = LaunchPlace.objects.filter(launch__program=program).select_related("customer")
    context = {
        "program": program,
        "title": _("Who may join when"),
        "breadcrumbs": [*program_crumbs(program), (_("Launch"), _path(program))],
        "page": paginate(places, request=request, orderings={"": ("rank", "pk")}, default=""),
    }
    return render(request, "loyalty/backoffice/launch_places.html", context)


@require_POST
@staff_view("programs.edit")
def launch_list(request: HttpRequest, code: str) -> HttpResponse:
    """Draw up the list anew, by what customers have spent until now."""
    return _do(request, code, draw_up_list, _("The list is drawn up anew."))


@require_POST
@staff_view("programs.edit")
def launch_stop(request: HttpRequest, code: str) -> HttpResponse:
    """No further phase begins."""
    return _do(request, code, stop_launch, _("The launch is stopped: no further phase begins."))


@require_POST
@staff_view("programs.edit")
def launch_resume(request: HttpRequest, code: str) -> HttpResponse:
    """The phases to come begin on their days again."""
    return _do(request, code, resume_launch, _("The launch goes on."))


def _do(request: HttpRequest, code: str, act: Any, message: str) -> HttpResponse:
    program = get_object_or_404(Program, code=code)
    try:
        act(program=program, actor=acting(request), now=timezone.now())
        messages.success(request, message)
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(_path(program))


def _path(program: Program) -> str:
    return reverse("loyalty_backoffice:launch_page", args=[program.code])


def _shown(
    launch: Launch, now: dt.datetime, counted: Sequence[PhasePreview] | None
) -> list[ShownPhase]:
    phases = list(launch.phases.all())
    in_force = phase_at(launch, now)
    previews: Sequence[PhasePreview | None] = counted or [None] * len(phases)
    return [
        ShownPhase(
            phase,
            preview.customers if preview else None,
            preview.least_spend if preview else None,
            _state(launch, phase, in_force),
        )
        for phase, preview in zip(phases, previews, strict=True)
    ]


def _state(launch: Launch, phase: LaunchPhase, in_force: LaunchPhase | None) -> str:
    if in_force is not None and phase.position < in_force.position:
        return "over"
    if in_force is not None and phase.position == in_force.position:
        return "in_force"
    return "stopped" if launch.stopped_at else "planned"


def _preview(definition: LaunchDefinition) -> list[dict[str, Any]]:
    words = dict(LaunchPhase.Kind.choices)
    previews = preview_phases([phase.percent for phase in definition.phases])
    return [
        {
            "label": words[LaunchPhase.Kind(phase.kind)],
            "percent": phase.percent,
            "starts_on": phase.starts_on,
            "customers": preview.customers,
            "least_spend": preview.least_spend,
        }
        for phase, preview in zip(definition.phases, previews, strict=True)
    ]
