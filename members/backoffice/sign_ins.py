"""Where one is signed in, and where a colleague is."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from members.models import SignIn, User
from members.policy import acting, staff_view
from members.selectors.staff import get_staff_member
from members.services.sign_ins import end_sign_ins, open_sign_ins


@require_safe
@staff_view("own_sign_ins.view")
def sign_in_list(request: HttpRequest) -> HttpResponse:
    """One's own, with this one marked."""
    context = {
        "title": _("Where you are signed in"),
        "summary": _("End what you do not know, and choose another password then."),
        "end_all_url": reverse("backoffice:own_sign_ins_end"),
        "end_all": _("End all others"),
        "own": True,
    }
    return _page(request, _user(request), context)


@require_POST
@staff_view("own_sign_ins.view")
def sign_in_end(request: HttpRequest, pk: int) -> HttpResponse:
    """One of one's own."""
    row = get_object_or_404(SignIn, pk=pk, user=_user(request))
    end_sign_ins(actor=acting(request), sign_ins=[row], now=timezone.now())
    messages.success(request, _("Signed out there."))
    return redirect("backoffice:own_sign_ins")


@require_POST
@staff_view("own_sign_ins.view")
def sign_in_end_others(request: HttpRequest) -> HttpResponse:
    """All of one's own but this one."""
    here = request.session.session_key
    others = [row for row in open_sign_ins(_user(request)) if row.session_key != here]
    _say(request, end_sign_ins(actor=acting(request), sign_ins=others, now=timezone.now()))
    return redirect("backoffice:own_sign_ins")


@require_safe
@staff_view("staff.manage")
def team_sign_ins(request: HttpRequest, pk: int) -> HttpResponse:
    """A colleague's."""
    person = get_staff_member(pk).user
    context = {
        "title": _("Where %(name)s is signed in") % {"name": person},
        "summary": _("Ending all signs this person out everywhere, at once."),
        "end_all_url": reverse("backoffice:team_sign_ins_end", args=[pk]),
        "end_all": _("End all"),
        "breadcrumbs": [(_("Team"), reverse("backoffice:team"))],
    }
    return _page(request, person, context)


@require_POST
@staff_view("staff.manage")
def team_sign_ins_end(request: HttpRequest, pk: int) -> HttpResponse:
    """All of a colleague's."""
    rows = open_sign_ins(get_staff_member(pk).user)
    _say(request, end_sign_ins(actor=acting(request), sign_ins=rows, now=timezone.now()))
    return redirect("backoffice:team_sign_ins", pk)


def _page(request: HttpRequest, user: User, context: dict[str, Any]) -> HttpResponse:
    rows = open_sign_ins(user)
    here = request.session.session_key
    known = {"rows": [(row, row.session_key == here) for row in rows]}
    return render(request, "backoffice/sign_in_list.html", known | context)


def _say(request: HttpRequest, ended: int) -> None:
    words = ngettext("%(n)s sign-in ended.", "%(n)s sign-ins ended.", ended) % {"n": ended}
    messages.success(request, words)


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user
