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
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.channels import Channel
from campaigns.models import ContactAddress
from campaigns.selectors.ways import contact_addresses_of, usable_senders
from campaigns.services.contact_addresses import (
    LONGEST,
    LONGEST_LABEL,
    NAMED,
    name_address,
    remove_address,
)
from campaigns.services.number_codes import DIGITS, confirm_number, send_code
from campaigns.short_texts import WHATSAPP
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.forms import errors_on, posted
from members.services.audit import Actor

PAGE = "messages_account:devices"
_SENT = gettext_lazy(
    "A code was sent to %s by WhatsApp. Type it below: then WhatsApp reaches you there."
)


class DeviceForm(forms.Form):
    channel = forms.ChoiceField(label=gettext_lazy("For"))
    address = forms.CharField(
        label=gettext_lazy("Number, or the key of the device"), max_length=LONGEST,
        help_text=gettext_lazy(
            "A number with + and the country code. A device’s key is in its app."
        ),
    )  # fmt: skip
    label = forms.CharField(
        label=gettext_lazy("What you call it"), max_length=LONGEST_LABEL, required=False
    )

    def __init__(self, ways: list[tuple[str, str]], data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        channel = self.fields["channel"]
        assert isinstance(channel, forms.ChoiceField)
        channel.choices = ways


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("The code that was sent there"), max_length=16,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "size": DIGITS}
        ),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def devices(request: CustomerRequest) -> HttpResponse:
    """What there is, and another one."""
    ways = _ways()
    form = DeviceForm([(way.key, str(way.label)) for way in ways.values()], posted(request))
    if form.is_valid():
        with errors_on(form):
            row = name_address(
                customer=request.customer, actor=Actor.of_user(request.user), now=timezone.now(),
                vouched=False, **form.cleaned_data,
            )  # fmt: skip
            messages.success(request, _("Saved.") if row.confirmed_at else _SENT % row.address)
            return redirect(PAGE)
    return _page(request, form if ways else None, ways)


@require_POST
@customer_view
def device_confirm(request: CustomerRequest, address_id: uuid.UUID) -> HttpResponse:
    """The code that was sent to a number."""
    found, form = _own(request, address_id), CodeForm(request.POST)
    if form.is_valid():
        with errors_on(form):
            confirm_number(
                address=found, code=form.cleaned_data["code"], now=timezone.now(),
                actor=Actor.of_user(request.user),
            )  # fmt: skip
            messages.success(request, _("This number is yours. WhatsApp reaches you there."))
            return redirect(PAGE)
    ways = _ways()
    empty = DeviceForm([(way.key, str(way.label)) for way in ways.values()])
    return _page(request, empty if ways else None, ways, code_form=form, of=found)


@require_POST
@customer_view
def device_code(request: CustomerRequest, address_id: uuid.UUID) -> HttpResponse:
    """Another code to a number."""
    found = _own(request, address_id)
    try:
        row = send_code(address=found, now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(PAGE)
    messages.success(request, _("Saved.") if row.confirmed_at else _SENT % row.address)
    return redirect(PAGE)


def _ways() -> dict[str, Channel]:
    return {way.key: way for way in usable_senders() if way.key in NAMED}


def _page(
    request: CustomerRequest, form: DeviceForm | None, ways: dict[str, Channel],
    code_form: CodeForm | None = None, of: ContactAddress | None = None,
) -> HttpResponse:  # fmt: skip
    rows = [
        (row, ways.get(row.channel), _code_form(row, code_form, of))
        for row in contact_addresses_of(request.customer)
    ]
    context = {
        "form": form,
        "rows": rows,
        "phone": request.customer.phone if WHATSAPP in ways else "",
        "breadcrumbs": [(_("What you are told"), reverse("messages_account:choices"))],
    }
    wrong = (form is not None and form.errors) or (code_form is not None and code_form.errors)
    status = 422 if wrong else 200
    return render(request, "messages/account/devices.html", context, status=status)


@require_POST
@customer_view
def device_remove(request: CustomerRequest, address_id: uuid.UUID) -> HttpResponse:
    """Nothing is sent there any more."""
    remove_address(address=_own(request, address_id), actor=Actor.of_user(request.user))
    messages.success(request, _("Nothing is sent there any more."))
    return redirect(PAGE)


def _own(request: CustomerRequest, address_id: uuid.UUID) -> ContactAddress:
    found = contact_addresses_of(request.customer).filter(public_id=address_id).first()
    if found is None:
        raise Http404("This customer has no such device or number.")
    return found


def _code_form(
    row: ContactAddress, sent: CodeForm | None, of: ContactAddress | None
) -> CodeForm | None:
    """Of a number that is to be shown to be theirs, with what was wrong."""
    if row.confirmed_at is not None:
        return None
    return sent if sent is not None and of == row else CodeForm()
