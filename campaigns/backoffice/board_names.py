"""The names that members are seen by on leaderboards: one that should not be there is hidden."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.backoffice.challenge_menu import NAMESPACE
from campaigns.backoffice.challenges import crumbs
from campaigns.models import BoardName
from campaigns.selectors.leaderboards import board_names
from campaigns.services.leaderboards import hide_name, let_choose
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view

ORDERINGS = {"": ("-pk",)}


@require_safe
@staff_view("customers.view")
def board_name_list(request: HttpRequest) -> HttpResponse:
    """The newest first; or those like what is looked for."""
    asked = request.GET.get("q", "").replace("\x00", "").strip()
    rows = board_names()
    if asked:
        rows = rows.filter(name__icontains=asked)
    context = {
        "title": _("Names on leaderboards"), "breadcrumbs": crumbs(), "asked": asked,
        "page": paginate(rows, request=request, orderings=ORDERINGS, default=""),
        "may_edit": is_allowed(request.user, "customers.edit"),
    }  # fmt: skip
    return render(request, "challenges/backoffice/board_names.html", context)


@require_POST
@staff_view("customers.edit")
def board_name_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Hide it, or let the member choose again."""
    row = get_object_or_404(BoardName, pk=pk)
    if request.POST.get("act") == "hide":
        found = hide_name(row=row, actor=acting(request), now=timezone.now())
        messages.success(request, _("It is hidden. Others see %s.") % found.name)
    else:
        let_choose(row=row, actor=acting(request))
        messages.success(request, _("They can choose a name again."))
    return redirect(f"{NAMESPACE}:board_name_list")
