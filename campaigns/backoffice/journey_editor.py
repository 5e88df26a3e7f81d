"""Writing a journey: what is settled of it, and its steps."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.backoffice.journey_forms import KINDS, SettingsForm, StepForm
from campaigns.backoffice.journeys import (
    find_journey,
    journey_crumbs,
    journey_url,
    last_version,
)
from campaigns.journey_definitions import JourneyDefinition
from campaigns.journey_triggers import trigger_label
from campaigns.journey_words import shown_steps
from campaigns.models import Journey
from campaigns.selectors.journeys import definition_of
from campaigns.services.journeys import save_draft
from members.errors import DomainError
from members.forms import errors_on, posted
from members.policy import acting, staff_view

Steps = list[dict[str, Any]]
NEW = "new"


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("journeys.edit")
def journey_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What is settled of it; beside it the steps, each with a page of its own."""
    found = find_journey(public_id)
    definition = definition_of(last_version(found))
    form = SettingsForm(found, definition, posted(request))
    if form.is_valid():
        with errors_on(form):
            save_draft(
                journey=found, body=form.body(definition), name=form.cleaned_data["name"],
                actor=acting(request), now=timezone.now(),
            )  # fmt: skip
            messages.success(request, _("Saved. Members notice nothing before you put it live."))
            return redirect(journey_url(found, "journey_edit"))
    context = {
        "title": _("Change %s") % found.name, "breadcrumbs": journey_crumbs(found),
        "journey": found, "form": form, "steps": shown_steps(definition, {}),
        "kinds": KINDS.items(), "trigger": trigger_label(found.trigger),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "journeys/backoffice/journey_edit.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("journeys.edit")
def journey_step(request: HttpRequest, public_id: UUID, key: str) -> HttpResponse:
    """One step, or a new one of a kind at the end."""
    found = find_journey(public_id)
    definition = definition_of(last_version(found))
    steps = _dumped(definition)
    place = len(steps) if key == NEW else _place(steps, key)
    known = steps[place] if place < len(steps) else {}
    kind = known.get("kind") or request.GET.get("kind", "")
    if kind not in KINDS:
        raise Http404("There is no such step.")
    later = [
        (step.key, f"{step.number}: {step.words}")
        for step in shown_steps(definition, {})[place + 1 :]
    ]
    form = StepForm(kind, found.program, later, posted(request), known or None)
    if form.is_valid() or (request.method == "POST" and not form.fields):
        step = {"kind": kind, "key": known.get("key") or _free_key(steps), **form.said()}
        with errors_on(form):
            _save(request, found, definition, [*steps[:place], step, *steps[place + 1 :]])
            return redirect(journey_url(found, "journey_edit"))
    context = {
        "title": KINDS[kind], "breadcrumbs": journey_crumbs(found), "journey": found,
        "form": form, "back": journey_url(found, "journey_edit"),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "journeys/backoffice/step.html", context, status=status)


@require_POST
@staff_view("journeys.edit")
def journey_step_move(request: HttpRequest, public_id: UUID, key: str) -> HttpResponse:
    """To another place: one up, one down, or where it was dropped; or away."""
    found = find_journey(public_id)
    definition = definition_of(last_version(found))
    steps = _dumped(definition)
    place = _place(steps, key)
    step = steps.pop(place)
    dropped = request.POST.get("place", "")
    way = request.POST.get("way", "")
    if dropped.isdecimal() and len(dropped) < 4:
        steps.insert(int(dropped), step)
    elif way in ("up", "down"):
        steps.insert(max(place + (1 if way == "down" else -1), 0), step)
    elif way != "remove":
        raise Http404("There is no such way.")
    try:
        _save(request, found, definition, steps)
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(journey_url(found, "journey_edit"))


def _save(
    request: HttpRequest, found: Journey, definition: JourneyDefinition, steps: Steps
) -> None:
    body = {**definition.model_dump(), "steps": steps}
    save_draft(journey=found, body=body, actor=acting(request), now=timezone.now())


def _dumped(definition: JourneyDefinition) -> Steps:
    return [step.model_dump() for step in definition.steps]


def _place(steps: Steps, key: str) -> int:
    for place, step in enumerate(steps):
        if step["key"] == key:
            return place
    raise Http404("There is no such step.")


def _free_key(steps: Steps) -> str:
    taken = {step["key"] for step in steps}
    return next(key for number in range(1, 100) if (key := f"s{number}") not in taken)
