"""Where a customer is signed in, and signing out there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from members.account.access import CustomerRequest, customer_view
from members.models import SignIn
from members.services.audit import Actor
from members.services.sign_ins import end_sign_ins, open_sign_ins


@require_safe
@customer_view
def sign_ins(request: CustomerRequest) -> HttpResponse:
    """Their devices, with this one marked."""
    here = request.session.session_key
    rows = [(row, row.session_key == here) for row in open_sign_ins(request.user)]
    others = any(not is_here for _row, is_here in rows)
    return render(request, "mypage/sign_in_list.html", {"rows": rows, "others": others})


@require_POST
@customer_view
def sign_in_end(request: CustomerRequest, pk: int) -> HttpResponse:
    """One of their own."""
    row = get_object_or_404(SignIn, pk=pk, user=request.user)
    return _ended(request, [row])


@require_POST
@customer_view
def sign_ins_end(request: CustomerRequest) -> HttpResponse:
    """All of their own but this one."""
    here = request.session.session_key
    others = [row for row in open_sign_ins(request.user) if row.session_key != here]
    return _ended(request, others)


def _ended(request: CustomerRequest, rows: list[SignIn]) -> HttpResponse:
    end_sign_ins(actor=Actor.of_user(request.user), sign_ins=rows, now=timezone.now())
    messages.success(request, _("Signed out there."))
    return redirect("mypage:sign_ins")
