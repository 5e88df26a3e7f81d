"""Leaving a program from one's own pages, after reading what becomes of what one holds."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.account.chosen import choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.models import Membership
from loyalty.selectors.balances import get_balances
from loyalty.services.leaving import leave_program
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.formatting import format_units
from members.services.audit import Actor


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def leave(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """What there is to lose is shown first."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member, now, problem = chosen.membership, timezone.now(), ""
    if request.method == "POST":
        try:
            leave_program(membership=member, actor=Actor.of_user(request.user), now=now)
        except DomainError as error:
            problem = str(error.message)
        else:
            messages.success(request, _("You have left %s.") % member.program.name)
            return HttpResponseRedirect(reverse("mypage:profile"))
    held = [
        format_units(item.spendable, item.wallet_type)
        for item in get_balances(member, now)
        if item.spendable
    ]
    context = {
        "title": _("Leave %s?") % member.program.name,
        "held": held,
        "problem": problem,
        "left": member.status == Membership.Status.LEFT,
        "back": reverse("mypage:profile"),
    }
    status = 409 if problem else 200
    return render_page(request, "mypage/leave.html", chosen, context, status=status)
