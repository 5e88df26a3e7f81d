"""An address as a form, for members and staff alike."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from members.choices import countries
from members.errors import DomainError
from members.forms import add_domain_errors
from members.models import Customer
from members.phones import region_of_time_zone
from members.selectors.merchants import get_merchant
from rewards.addresses import Address, read_address

NAMES = tuple(Address.model_fields)


class AddressForm(forms.Form):
    """Where something is sent to."""

    recipient = forms.CharField(
        label=gettext_lazy("Name"), max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    street = forms.CharField(
        label=gettext_lazy("Street and number"), max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "address-line1"}),
    )  # fmt: skip
    extra = forms.CharField(
        label=gettext_lazy("Floor, company"), max_length=120, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line2"}),
    )  # fmt: skip
    postal_code = forms.CharField(
        label=gettext_lazy("Postal code"), max_length=16, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )  # fmt: skip
    city = forms.CharField(
        label=gettext_lazy("City"), max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
    )  # fmt: skip
    region = forms.CharField(
        label=gettext_lazy("State or province"), max_length=120, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-level1"}),
    )  # fmt: skip
    country = forms.ChoiceField(
        label=gettext_lazy("Country"), choices=countries,
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )  # fmt: skip
    phone = forms.CharField(
        label=gettext_lazy("Phone"), max_length=32, required=False,
        help_text=gettext_lazy("For the carrier."),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )  # fmt: skip

    def address(self) -> Address | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        if not self.is_valid():
            return None
        try:
            return read_address({name: self.cleaned_data[name] for name in NAMES})
        except DomainError as error:
            add_domain_errors(self, error)
            return None


def first_guess(customer: Customer, known: Address | None) -> dict[str, Any]:
    """What the form begins with: where the last parcel went, else what is known of the person."""
    if known is not None:
        return known.model_dump()
    return {
        "recipient": f"{customer.given_name} {customer.family_name}".strip(),
        "country": customer.country or region_of_time_zone(get_merchant().time_zone),
        "phone": customer.phone,
    }
