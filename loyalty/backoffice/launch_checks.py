"""The checklist before a launch, which checks itself."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.launches import launch_tabs
from loyalty.backoffice.links import program_crumbs
from loyalty.launch_registry import registered_checks
from loyalty.models import Program
from loyalty.selectors.launch_checks import launch_checks
from members.policy import is_allowed, staff_view

# Where each is done, and who may go there.
PLACES = {
    "rules": ("loyalty_backoffice:rule_list", "programs.view"),
    "worth": ("loyalty_backoffice:program_edit", "programs.edit"),
    "terms": ("loyalty_backoffice:program_edit", "programs.edit"),
    "backtest": ("loyalty_backoffice:backtest_list", "reports.view"),
    "sign_in": ("account_request_login_code", "programs.view"),
    "team": ("loyalty_backoffice:knowledge", "programs.view"),
    "order": ("loyalty_backoffice:import_create", "imports.run"),
}
WITHOUT_PROGRAM = ("backtest", "sign_in", "order")


@require_safe
@staff_view("programs.view")
def launch_checklist(request: HttpRequest, code: str) -> HttpResponse:
    """What is ready and what is not, with why and where to do it."""
    program = get_object_or_404(Program, code=code)
    checks = launch_checks(program, timezone.now())
    done = sum(check.done for check in checks)
    context = {
        "program": program,
        "title": _("Launch"),
        "breadcrumbs": program_crumbs(program),
        "tabs": launch_tabs(program, "launch_checklist"),
        "checks": [(check, _place(request, check.key, program)) for check in checks],
        "done": done,
        "all": len(checks),
    }
    return render(request, "loyalty/backoffice/launch_checklist.html", context)


def _place(request: HttpRequest, key: str, program: Program) -> str:
    added = {item.key: item for item in registered_checks()}
    own = added.get(key)
    found = PLACES.get(key) or ((own.place, own.permission) if own else None)
    if found is None:
        return ""
    name, permission = found
    if not is_allowed(request.user, permission):
        return ""
    alone = key in WITHOUT_PROGRAM or (own is not None and not own.of_program)
    return reverse(name, args=[] if alone else [program.code])
