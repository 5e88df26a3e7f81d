"""The first day: what there is to do, on the home page, in order, looked up and never ticked off;
and the ways to the first members, on a program's page."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.models import Membership, Program
from loyalty.selectors.first_day import FirstDay, first_day
from members.policy import AnyUser, is_allowed, staff_view

NAMESPACE = "loyalty_backoffice"
# Where the ways to the first members are on a program's page.
WAYS = "panel-first-members"


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
            f"{page}#{WAYS}" if day.live else wizard, "programs.edit", day.members,
        ),
    ]  # fmt: skip


def ways_to_members(user: AnyUser, program: Program) -> list[tuple[Step, str]]:
    """How a live program gets its first members, each with its link for those who may go there;
    nothing once somebody is in it."""
    if program.status != Program.Status.LIVE or _has_members(program):
        return []
    ways = [
        Step(
            _("Hand out the link or the QR code"),
            _("On a poster, a receipt or a post: it leads to the page where people join."),
            reverse(f"{NAMESPACE}:join_link", args=[program.code]), "programs.view", False,
        ),
        Step(
            _("Bring in orders"),
            _("Their buyers become members and the orders earn, also those kept as history."),
            reverse(f"{NAMESPACE}:import_upload"), "imports.run", False,
        ),
        Step(
            _("Enroll from a file"),
            _("People who have agreed to take part; you see who they are before."),
            reverse(f"{NAMESPACE}:enrollment_file", args=[program.code]), "imports.run", False,
        ),
        Step(
            _("Connect the shop"),
            _("With a key it sends each order as it happens. Tools are under Connections."),
            reverse("backoffice:api_key_list"), "api_keys.view", False,
        ),
        Step(
            _("Invite the best customers first"),
            _("A launch in phases: what is wrong shows while few are affected."),
            reverse(f"{NAMESPACE}:launch_page", args=[program.code]), "programs.edit", False,
        ),
    ]  # fmt: skip
    if not program.joinable:
        del ways[0]
    return [(way, way.url if is_allowed(user, way.permission) else "") for way in ways]


def _has_members(program: Program) -> bool:
    return Membership.objects.filter(program=program).exists()
