"""A membership ends because its member has said so, on the phone or at the counter."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.links import customer_url
from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.models import Membership
from loyalty.selectors.balances import get_balances
from loyalty.services.leaving import leave_program
from members.formatting import format_units
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done

Status = Membership.Status


@dataclass(frozen=True, slots=True)
class Held:
    """What a member holds of one kind of units, and what of it is gone first, unless they are back
    before. `since`: the first instant without it."""

    units: str
    pending: str
    lapses: str
    since: dt.datetime | None


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.edit")
def membership_leaving(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog in which a member leaves; what they give up is said first."""
    found = Membership.objects.select_related("customer", "program")
    member = get_object_or_404(found, public_id=public_id)
    if member.status not in (Status.ACTIVE, Status.LEFT):
        raise Http404("Nobody leaves who takes no part.")
    form, back, now = ReasonForm(posted(request)), customer_url(member.customer), timezone.now()
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            leave_program(
                membership=member, reason=form.cleaned_data["reason"], actor=acting(request),
                now=now,
            )  # fmt: skip
            told = {"customer": member.customer, "program": member.program}
            message = _("%(customer)s has left %(program)s.") % told
            return dialog_done(request, url=back, changed="wallet", message=message)
    context = {
        "title": _("Have them leave?"),
        "form": form,
        "member": member,
        "held": _held(member, now),
        "back": back,
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/membership_leaving.html", context, status=status)


def _held(member: Membership, now: dt.datetime) -> list[Held]:
    return [
        Held(
            format_units(item.spendable, item.wallet_type),
            format_units(item.pending, item.wallet_type) if item.pending else "",
            format_units(item.next_lapse.units, item.wallet_type) if item.next_lapse else "",
            item.next_lapse.at if item.next_lapse else None,
        )
        for item in get_balances(member, now)
        if item.spendable or item.pending
    ]
