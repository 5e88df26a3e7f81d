"""A program's paid plans: what they bring in, what they are, and the form that changes one, its
effect first."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import ValidationError

from loyalty.backoffice.links import program_crumbs
from loyalty.backoffice.plan_forms import PlanForm
from loyalty.models import PlanVersion, Program, Subscription
from loyalty.plan_definitions import PlanDefinition
from loyalty.plan_words import STATES, dunning_words, price_words, trial_words, what_it_brings
from loyalty.selectors.member_tiers import unit_names
from loyalty.selectors.plan_figures import plan_figures, subscribers
from loyalty.selectors.plan_previews import preview_plan
from loyalty.selectors.plans import current_versions, plan_definition
from loyalty.services.plans import save_plan
from members.forms import errors_on
from members.navigation import Tab
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view

FILTERS = ("", "active", "trialing", "waiting", "past_due", "refund_failed", "leaving", "ended")
ORDERINGS = {"renewal": ("period_end", "pk"), "newest": ("-asked_at", "-pk")}


@require_safe
@staff_view("programs.view")
def plan_list(request: HttpRequest, code: str) -> HttpResponse:
    """What the program's paid plans are, who has them, and what they bring in."""
    program = get_object_or_404(Program, code=code)
    now, units = timezone.now(), unit_names(program.pk)
    versions = current_versions(program)
    context = {
        "program": program,
        "title": _("Paid plans"),
        "breadcrumbs": program_crumbs(program),
        "plans": [_shown(version, program, units) for version in versions],
        "figures": plan_figures(program, now=now) if versions else None,
        "since": now - dt.timedelta(days=30),
        "may_edit": is_allowed(request.user, "programs.edit"),
    }
    return render(request, "loyalty/backoffice/plan_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def plan_new(request: HttpRequest, code: str) -> HttpResponse:
    """A new plan: the form, what it means, then it is there."""
    return _edit(request, get_object_or_404(Program, code=code), None)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def plan_edit(request: HttpRequest, code: str, plan: str) -> HttpResponse:
    """Change a plan: the form, what changes for whom, then it is saved."""
    program = get_object_or_404(Program, code=code)
    for version in current_versions(program):
        if version.plan.code == plan:
            return _edit(request, program, plan_definition(version))
    raise Http404("The program has no such plan.")


@require_safe
@staff_view("customers.view")
def subscriber_list(request: HttpRequest, code: str) -> HttpResponse:
    """Who has a paid plan, in which state, and when it renews."""
    program = get_object_or_404(Program, code=code)
    state = request.GET.get("state", "")
    state = state if state in FILTERS else ""
    page = paginate(
        subscribers(program, state), request=request, orderings=ORDERINGS,
        default="newest" if state in ("waiting", "ended", "refund_failed") else "renewal",
    )  # fmt: skip
    path = reverse("loyalty_backoffice:subscriber_list", args=[program.code])
    context = {
        "program": program,
        "title": _("Who has a paid plan"),
        "breadcrumbs": [*program_crumbs(program), (_("Paid plans"), _page(program))],
        "page": page,
        "rows": [(item, *STATES[Subscription.State(item.state)]) for item in page],
        "tabs": [
            Tab(_filter_words(name), f"{path}?state={name}" if name else path, name == state)
            for name in FILTERS
        ],
    }
    return render(request, "loyalty/backoffice/subscriber_list.html", context)


def _filter_words(name: str) -> str:
    words = {
        "": _("All of them"), "leaving": _("Leaving"), "ended": _("Ended"),
        "refund_failed": _("Refund failed"),
    }  # fmt: skip
    return words.get(name) or str(STATES[Subscription.State(name)][0])


def _shown(version: PlanVersion, program: Program, units: Any) -> dict[str, Any]:
    return {
        "version": version,
        "price": price_words(version, program.currency),
        "trial": trial_words(version.trial_days) if version.trial_days else "",
        "brings": what_it_brings(version, program.currency, units),
        "dunning": list(dunning_words(version)),
        "have": version.plan.subscriptions.filter(ended_at=None).count(),
    }


def _edit(request: HttpRequest, program: Program, base: PlanDefinition | None) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = PlanForm(data, program=program, base=base)
    if data is not None and "edit" not in data and form.is_valid():
        answer = _save(request, program, base, form)
        if answer is not None:
            return answer
    context = {
        "program": program,
        "title": _("Edit %s") % base.name if base else _("New plan"),
        "breadcrumbs": [*program_crumbs(program), (_("Paid plans"), _page(program))],
        "form": form,
        "back": _page(program),
        "kept_expiry": bool(
            base and base.credits and base.credits.expiry and base.credits.expiry.kind != "days"
        ),
    }
    failed = data is not None and "edit" not in data
    return render(
        request, "loyalty/backoffice/plan_form.html", context, status=422 if failed else 200
    )


def _save(
    request: HttpRequest, program: Program, base: PlanDefinition | None, form: PlanForm
) -> HttpResponse | None:
    """Show what it changes, or save it; None when the form now says what is wrong."""
    said = _definition(program, base, form)
    if said is None:
        return None
    if said == base:
        messages.info(request, _("Nothing was different, so nothing was changed."))
        return redirect(_page(program))
    now = timezone.now()
    if "confirmed" not in request.POST:
        context = {
            "program": program,
            "title": _("Save this plan?"),
            "breadcrumbs": [*program_crumbs(program), (_("Paid plans"), _page(program))],
            "said": said,
            "preview": preview_plan(program, said, now=now),
            "sent": [
                (name, value)
                for name, values in request.POST.lists()
                for value in values
                if name not in ("csrfmiddlewaretoken", "edit")
            ],
        }
        return render(request, "loyalty/backoffice/plan_confirm.html", context)
    with errors_on(form):
        save_plan(program=program, definition=said, actor=acting(request), now=now)
    if form.errors:
        return None
    messages.success(request, _("The plan was saved."))
    return redirect(_page(program))


def _definition(
    program: Program, base: PlanDefinition | None, form: PlanForm
) -> PlanDefinition | None:
    try:
        said = PlanDefinition.model_validate(form.said())
    except ValidationError as wrong:
        for error in wrong.errors():
            place = str(error["loc"][0]) if error["loc"] else ""
            name = {"credits": "units", "benefits": "more"}.get(place, place)
            message = error["msg"].removeprefix("Value error, ")
            form.add_error(name if name in form.fields else None, message)
        return None
    if base is None and program.plans.filter(code=said.code, ended_at=None).exists():
        form.add_error("name", _("There is a plan of that name already."))
        return None
    return said


def _page(program: Program) -> str:
    return reverse("loyalty_backoffice:plan_list", args=[program.code])
