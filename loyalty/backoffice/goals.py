"""Goals: what is wanted of a program, how far it is day by day, and how it ended."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.goal_forms import ChangeGoalForm, CloseGoalForm, GoalForm
from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.goal_metrics import METRICS, metric_of
from loyalty.goal_words import effort_sentence, target_warnings
from loyalty.models import Goal, Program
from loyalty.selectors.goal_metrics import measure
from loyalty.selectors.goals import SHOWN_AT_HOME, FollowedGoal, followed, goals
from loyalty.services.goals import (
    Wanted,
    change_goal,
    close_goal,
    progress_of_wanted,
    set_goal,
)
from loyalty.tier_definitions import plain
from members.charts import Chart, Series
from members.errors import DomainError
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import htmx_redirect, is_htmx

PREVIEW = "preview"
# Days in a picture.
DRAWN = 120


@require_safe
@staff_view("home.view")
def goals_panel(request: HttpRequest) -> HttpResponse:
    """The open goals of all programs, those that are due first."""
    found = list(goals().filter(state=Goal.State.OPEN)[: SHOWN_AT_HOME + 1])
    context = {
        "title": _("Goals"),
        "panel_id": "goals",
        "panel_icon": "target-arrow",
        "goals": followed(found[:SHOWN_AT_HOME], timezone.now()),
        "more": len(found) > SHOWN_AT_HOME,
        "several": Program.objects.exclude(status=Program.Status.DRAFT).count() > 1,
        **_start(request),
    }
    return render(request, "loyalty/backoffice/goals_panel.html", context)


@require_safe
@staff_view("programs.view")
def goal_list(request: HttpRequest, code: str = "") -> HttpResponse:
    """The goals of a program, or of all: open ones with how they went, and how others ended."""
    program = get_object_or_404(Program, code=code) if code else None
    found = goals() if program is None else goals().filter(program=program)
    now = timezone.now()
    shown = followed(list(found.filter(state=Goal.State.OPEN)), now)
    context = {
        "title": _("Goals"),
        "program": program,
        "breadcrumbs": program_crumbs(program) if program else [],
        "open": [(item, _chart(item), metric_of(item.goal)) for item in shown],
        "closed": followed(list(found.exclude(state=Goal.State.OPEN).order_by("-closed_at")), now),
        "several": program is None and Program.objects.count() > 1,
        "may_edit": is_allowed(request.user, "programs.edit"),
        **_start(request, program),
    }
    return render(request, "loyalty/backoffice/goal_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def goal_create(request: HttpRequest, code: str) -> HttpResponse:
    """Set a goal; what it is today and what it takes is said while it is written."""
    program = get_object_or_404(Program, code=code)
    form = GoalForm(posted(request), program=program)
    looks = PREVIEW in request.POST
    if request.method == "POST" and not looks and form.is_valid():
        with errors_on(form):
            goal, _new = set_goal(
                program=program, wanted=form.wanted(), actor=acting(request), now=timezone.now()
            )
            return redirect(_page(goal.program))
    context = {
        "title": _("Set a goal for %s") % program.name,
        "program": program,
        "breadcrumbs": _crumbs(program),
        "form": form,
        "back": _page(program),
        "quiet": looks,
        **_effect(form),
    }
    if looks and is_htmx(request):
        return render(request, "loyalty/backoffice/goal_effect.html", context)
    status = 422 if request.method == "POST" and not looks else 200
    return render(request, "loyalty/backoffice/goal_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def goal_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Want something else of an open goal."""
    goal = _open_goal(public_id)
    initial = {
        "target": plain(goal.target), "due_on": goal.due_on,
        "owner": str(goal.owner_id or ""), "note": goal.note,
    }  # fmt: skip
    form = ChangeGoalForm(posted(request), program=goal.program, initial=initial)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            change_goal(
                goal=goal, actor=acting(request), now=timezone.now(),
                target=form.cleaned_data["target"], due_on=form.cleaned_data["due_on"],
                owner=form.chosen_owner(), note=form.cleaned_data["note"],
            )  # fmt: skip
            return htmx_redirect(request, _page(goal.program))
    title = _("Change the goal: %s") % metric_of(goal).label
    return _dialog(request, "settings_dialog", goal, form, title, {"submit": _("Save")})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def goal_close(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say how a goal ended."""
    goal = _open_goal(public_id)
    (shown,) = followed([goal], timezone.now())
    proposed = {"reached": "reached", "overdue": "missed"}.get(shown.state, "given_up")
    form = CloseGoalForm(posted(request), initial={"state": proposed})
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            closed = close_goal(
                goal=goal, actor=acting(request), now=timezone.now(),
                state=form.cleaned_data["state"], note=form.cleaned_data["note"],
            )  # fmt: skip
            messages.success(request, _("The goal is closed: %s.") % closed.get_state_display())
            return htmx_redirect(request, _page(goal.program))
    title = _("Close the goal: %s") % metric_of(goal).label
    return _dialog(request, "goal_close", goal, form, title, {"shown": shown})


def _effect(form: GoalForm) -> dict[str, Any]:
    """What the goal in the form would begin with and ask for; nothing while it is incomplete."""
    code = str(form["metric"].value() or next(iter(METRICS)))
    metric = METRICS.get(code)
    known: dict[str, Any] = {"metric": metric, "currency": form.program.currency}
    if not form.is_bound or not form.is_valid():
        return known
    wanted, now = form.wanted(), timezone.now()
    try:
        progress = progress_of_wanted(form.program, wanted, now)
    except DomainError as error:
        said = [item.message for item in error.errors] or [error.message]
        return known | {"problem": str(said[0])}
    currency = form.program.currency
    return known | {
        "start": progress.metric.in_words(progress.value, currency),
        "target": progress.metric.in_words(progress.target, currency),
        "effort": effort_sentence(progress, currency),
        "warnings": list(target_warnings(progress, _before(form.program, wanted, now), currency)),
    }


def _before(program: Program, wanted: Wanted, now: dt.datetime) -> Any:
    """What it was as long before the goal's first day as it will last."""
    day = wanted.starts_on - (wanted.due_on - wanted.starts_on)
    return measure(program, wanted.metric, day, now, wanted.tier_code)


def _chart(item: FollowedGoal) -> Chart:
    """The whole way from the first day to the last, at most `DRAWN` of them."""
    goal, metric, progress = item.goal, metric_of(item.goal), item.progress
    whole = (goal.due_on - goal.starts_on).days
    places = {*range(0, whole + 1, max(whole // DRAWN, 1)), whole}
    if progress.day <= goal.due_on:
        places.add((progress.day - goal.starts_on).days)
    days = [goal.starts_on + dt.timedelta(days=place) for place in sorted(places)]
    values = {point.day: point.value for point in item.points} | {progress.day: progress.value}
    return Chart(
        id=f"goal-{goal.pk}",
        title=_("Day by day"),
        labels=days,
        series=[
            Series(_("It was"), [values.get(day) for day in days]),
            Series(_("Straight line"), [round(progress.expected_on(day), 2) for day in days]),
        ],
        unit={"percent": "%", "money": goal.program.currency}.get(metric.unit, ""),
        summary=item.sentence,
        x_label=_("Day"),
        height="sm",
    )


def _dialog(
    request: HttpRequest, name: str, goal: Goal, form: Any, title: str, context: dict[str, Any]
) -> HttpResponse:
    context |= {"title": title, "goal": goal, "form": form, "back": _page(goal.program)}
    status = 422 if form.is_bound else 200
    return render(request, f"loyalty/backoffice/{name}.html", context, status=status)


def _open_goal(public_id: UUID) -> Goal:
    found: Goal = get_object_or_404(goals().filter(state=Goal.State.OPEN), public_id=public_id)
    return found


def _page(program: Program) -> str:
    return reverse("loyalty_backoffice:goals_of", args=[program.code])


def _start(request: HttpRequest, program: Program | None = None) -> dict[str, str]:
    """The button that sets a goal: for this program, else for the first one that is live."""
    if not is_allowed(request.user, "programs.edit"):
        return {"create_url": "", "create_label": ""}
    program = program or Program.objects.filter(status=Program.Status.LIVE).first()
    if program is None:
        return {"create_url": "", "create_label": ""}
    url = reverse("loyalty_backoffice:goal_create", args=[program.code])
    return {"create_url": url, "create_label": _("Set a goal")}


def _crumbs(program: Program) -> Crumbs:
    """From the list of programs down to the goals of one."""
    return [*program_crumbs(program), (_("Goals"), _page(program))]
