"""Devices and numbers of a customer's own by which they are told."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.selectors.ways import contact_addresses_of, usable_senders
from campaigns.services.contact_addresses import (
    LONGEST,
    LONGEST_LABEL,
    NAMED,
    name_address,
    remove_address,
)
from campaigns.short_texts import WHATSAPP
from members.account.access import CustomerRequest, customer_view
from members.forms import errors_on, posted
from members.services.audit import Actor

PAGE = "messages_account:devices"


class DeviceForm(forms.Form):
    channel = forms.ChoiceField(label=_l("For"))
    address = forms.CharField(
        label=_l("Number, or the key of the device"), max_length=LONGEST,
        help_text=_l("A number with + and the country code. A device’s key is in its app."),
    )  # fmt: skip
    label = forms.CharField(label=_l("What you call it"), max_length=LONGEST_LABEL, required=False)

    def __init__(self, ways: list[tuple[str, str]], data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        channel = self.fields["channel"]
        assert isinstance(channel, forms.ChoiceField)
        channel.choices = ways


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def devices(request: CustomerRequest) -> HttpResponse:
    """What there is, and another one."""
    ways = {way.key: way for way in usable_senders() if way.key in NAMED}
    form = DeviceForm([(way.key, str(way.label)) for way in ways.values()], posted(request))
    if form.is_valid():
        with errors_on(form):
            name_address(
                customer=request.customer, actor=Actor.of_user(request.user), now=timezone.now(),
                **form.cleaned_data,
            )  # fmt: skip
            messages.success(request, _("Saved."))
            return redirect(PAGE)
    context = {
        "form": form if ways else None,
        "rows": [(row, ways.get(row.channel)) for row in contact_addresses_of(request.customer)],
        "phone": request.customer.phone if WHATSAPP in ways else "",
        "breadcrumbs": [(_("What you are told"), reverse("messages_account:choices"))],
    }
    status = 422 if form.errors else 200
    return render(request, "messages/account/devices.html", context, status=status)


@require_POST
@customer_view
def device_remove(request: CustomerRequest, address_id: uuid.UUID) -> HttpResponse:
    """Nothing is sent there any more."""
    found = contact_addresses_of(request.customer).filter(public_id=address_id).first()
    if found is None:
        raise Http404("This customer has no such device or number.")
    remove_address(address=found, actor=Actor.of_user(request.user))
    messages.success(request, _("Nothing is sent there any more."))
    return redirect(PAGE)
