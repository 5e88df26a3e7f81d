"""The first day on the home page: what there is to do, in order, looked up and never ticked off."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.selectors.first_day import FirstDay, first_day
from members.policy import is_allowed, staff_view

NAMESPACE = "loyalty_backoffice"


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do: why, where, and whether it is done."""

    label: str
    why: str
    url: str
    permission: str
    done: bool


@require_safe
@staff_view("home.view")
def first_steps_panel(request: HttpRequest) -> HttpResponse:
    """Each step with its link, for those who may do it; the next one stands out."""
    steps = _steps(first_day())
    open_steps = [step for step in steps if not step.done]
    context = {
        "title": _("First steps"),
        "panel_id": "first-steps",
        "panel_icon": "list-check",
        "panel_flush": True,
        "steps": [(step, step.url if is_allowed(request.user, step.permission) else "",
                   step in open_steps[:1]) for step in steps],
        "done": len(steps) - len(open_steps),
        "all": len(steps),
    }  # fmt: skip
    return render(request, "loyalty/backoffice/first_steps_panel.html", context)


def _steps(day: FirstDay) -> list[Step]:
    program = day.program
    page = reverse(f"{NAMESPACE}:program_page", args=[program.code]) if program else ""
    wizard = reverse(f"{NAMESPACE}:wizard_start")
    invite = (
        reverse(f"{NAMESPACE}:launch_page", args=[program.code]) if program and day.live else wizard
    )
    return [
        Step(
            _("Say who you are"),
            _("Name, logo, color, currency and time zone. Members see them everywhere."),
            reverse("backoffice:merchant"), "merchant.edit", day.named,
        ),
        Step(
            _("Bring in the orders of the last year"),
            _("The file that your shop exports will do. Advice and costs are then your own."),
            reverse(f"{NAMESPACE}:import_upload"), "imports.run", day.orders,
        ),
        Step(
            _("Make a program"),
            _("Three questions, or step by step with advice. Nothing counts while it is a draft."),
            wizard, "programs.edit", program is not None,
        ),
        Step(
            _("Take it live"),
            _("From then on orders earn."),
            page or wizard, "programs.edit", day.live,
        ),
        Step(
            _("Get the first member"),
            _("Connect the shop, send an order, or hand out the link to join."),
            invite, "programs.edit", day.members,
        ),
    ]  # fmt: skip
