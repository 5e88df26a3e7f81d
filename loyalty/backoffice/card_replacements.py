"""Another card number for who lost their card."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.links import customer_url
from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.card_numbers import grouped
from loyalty.models import Membership
from loyalty.selectors.balances import get_balances
from loyalty.services.card_replacements import TAKES_PART, replace_card
from members.formatting import format_units
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done


class LostCardForm(ReasonForm):
    """The number that was shown: sent twice, it changes nothing."""

    lost = forms.CharField(max_length=32, widget=forms.HiddenInput)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.edit")
def membership_card(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that says what goes over to the new number, and gives one."""
    found = Membership.objects.select_related("customer", "program").filter(status__in=TAKES_PART)
    member = get_object_or_404(found, public_id=public_id)
    form = LostCardForm(posted(request), initial={"lost": member.card_number})
    back = customer_url(member.customer)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            replaced = replace_card(
                membership=member, lost=form.cleaned_data["lost"],
                reason=form.cleaned_data["reason"], actor=acting(request),
            )  # fmt: skip
            message = _("The new card number is %s.") % grouped(replaced.card_number)
            return dialog_done(request, url=back, changed="wallet", message=message)
    held = [
        format_units(item.spendable, item.wallet_type)
        for item in get_balances(member, timezone.now())
        if item.spendable
    ]
    context = {
        "title": _("Replace this card?"),
        "form": form,
        "member": member,
        "number": grouped(member.card_number),
        "held": held,
        "back": back,
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/membership_card.html", context, status=status)
