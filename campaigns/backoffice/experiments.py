"""Experiments: which there are, and writing one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.backoffice.experiment_forms import ExperimentForm, arm_formset, arms_said
from campaigns.backoffice.experiment_menu import NAMESPACE
from campaigns.backoffice.list_filter import ListFilter
from campaigns.experiment_definitions import ExperimentDefinition
from campaigns.experiment_words import verdict_words
from campaigns.models import Experiment
from campaigns.selectors.experiments import experiments
from campaigns.services.experiments import change_experiment, create_experiment
from loyalty.backoffice.links import Crumbs
from loyalty.models import Program
from members.forms import errors_on, posted
from members.navigation import Tab
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view

ORDERINGS = {
    "newest": ("-created_at", "-pk"), "name": ("name", "pk"), "-name": ("-name", "-pk"),
}  # fmt: skip
Compares = Experiment.Compares
WAITING = "waiting"
STATES = (Experiment.Status.DRAFT, WAITING, Experiment.Status.RUNNING, Experiment.Status.ENDED)


def find_experiment(public_id: uuid.UUID) -> Experiment:
    return get_object_or_404(experiments(), public_id=public_id)


def experiment_url(experiment: Experiment, name: str = "experiment") -> str:
    return reverse(f"{NAMESPACE}:{name}", args=[experiment.public_id])


def crumbs(experiment: Experiment | None = None) -> Crumbs:
    found = [(_("Experiments"), reverse(f"{NAMESPACE}:experiment_list"))]
    return [*found, (experiment.name, experiment_url(experiment))] if experiment else found


def state_of(experiment: Experiment) -> str:
    return WAITING if experiment.asked_at else experiment.status


@require_safe
@staff_view("programs.view")
def experiment_list(request: HttpRequest) -> HttpResponse:
    """All of them, newest first, with what they have shown."""
    chosen = ListFilter.of(request, STATES)
    found = experiments().filter(chosen.named("name"))
    if chosen.state == WAITING:
        found = found.filter(asked_at__isnull=False)
    elif chosen.state:
        found = found.filter(status=chosen.state, asked_at=None)
    page = paginate(found, request=request, orderings=ORDERINGS, default="newest")
    context = {
        "title": _("Experiments"),
        "page": page,
        "filter": chosen,
        "rows": [
            {"experiment": item, "status": state_of(item), "verdict": verdict_words(item)}
            for item in page.items
        ],
        "may_edit": is_allowed(request.user, "rules.draft"),
    }  # fmt: skip
    return render(request, "experiments/backoffice/experiment_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def experiment_create(request: HttpRequest) -> HttpResponse:
    """A draft of a program; where there are several, that is asked first."""
    live = list(Program.objects.filter(status=Program.Status.LIVE).order_by("name"))
    code = request.GET.get("program", "") or (live[0].code if len(live) == 1 else "")
    program = next((item for item in live if item.code == code), None)
    if program is None:
        context = {"title": _("New experiment"), "breadcrumbs": crumbs(), "programs": live}
        return render(request, "experiments/backoffice/experiment_program.html", context)
    return _edit(request, program, None)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def experiment_edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A draft, with its arms."""
    found = find_experiment(public_id)
    if found.status != Experiment.Status.DRAFT:
        messages.error(request, _("It runs, and stays as it is. Write another one."))
        return redirect(experiment_url(found))
    return _edit(request, found.program, found)


def _edit(request: HttpRequest, program: Program, known: Experiment | None) -> HttpResponse:
    data = posted(request)
    compares = known.compares if known else _compared(request)
    form = ExperimentForm(data, compares=compares, experiment=known)
    arms = arm_formset(data, program, known, compares)
    if request.method == "POST" and form.is_valid() and arms.is_valid():
        said = arms_said(arms, known, form.cleaned_data.get("message", ""))
        definition = form.definition(said)
        if definition is not None:
            with errors_on(form):
                saved = _save(request, definition, program, known)
                messages.success(request, _("Saved. Nobody gets anything before it is started."))
                return redirect(experiment_url(saved))
    back = experiment_url(known) if known else reverse(f"{NAMESPACE}:experiment_list")
    context = {
        "title": _("Change %s") % known.name if known else _("New experiment"),
        "form": form, "arms": arms, "program": program, "back": back, "breadcrumbs": crumbs(known),
        "compares": compares, "tabs": [] if known else _tabs(program, compares),
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "experiments/backoffice/experiment_form.html", context, status=status)


def _compared(request: HttpRequest) -> str:
    asked = request.GET.get("compares", "")
    return asked if asked in Compares.values else Compares.PROMOTIONS


def _tabs(program: Program, compares: str) -> list[Tab]:
    """What a new one compares."""
    url = reverse(f"{NAMESPACE}:experiment_create")
    return [
        Tab(str(label), f"{url}?program={program.code}&compares={value}", current=value == compares)
        for value, label in Compares.choices
    ]


def _save(
    request: HttpRequest, definition: ExperimentDefinition, program: Program,
    known: Experiment | None,
) -> Experiment:  # fmt: skip
    how: dict[str, Any] = {
        "definition": definition, "actor": acting(request), "now": timezone.now()
    }  # fmt: skip
    if known is not None:
        return change_experiment(experiment=known, **how)
    return create_experiment(program=program, **how)
