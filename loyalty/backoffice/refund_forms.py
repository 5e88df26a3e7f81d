"""What staff choose to give back of an order: lines and quantities, an amount, or everything."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.typed_numbers import read_number_from_zero
from loyalty.models import Order
from loyalty.services.refund_drafts import Chosen, LineLeft, OrderLeft
from members.formatting import format_money


def _typed(**values: Any) -> forms.CharField:
    """A number in the reader's format; what is wrong with it is found in `clean`."""
    widget = forms.TextInput(
        attrs={
            "inputmode": "decimal",
            "autocomplete": "off",
            "class": "form-control",
            "placeholder": "0",
        }
    )
    return forms.CharField(max_length=32, required=False, widget=widget, **values)


class RefundForm(forms.Form):
    """One field for each line that is left, and the other ways to say how much comes back."""

    what = forms.ChoiceField(
        label=gettext_lazy("How much"),
        choices=[
            ("lines", gettext_lazy("Some of the products")),
            ("amount", gettext_lazy("An amount of money")),
            ("all", gettext_lazy("Everything that is left")),
        ],
        widget=forms.RadioSelect,
        initial="lines",
    )
    shipping = forms.BooleanField(required=False)
    amount = _typed(label=gettext_lazy("Amount"))
    # Minted with the form: however often it arrives, it is one refund.
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, order: Order, left: OrderLeft, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order, self.left = order, left
        self.initial.setdefault("key", uuid.uuid4())
        for item in left.lines:
            self.fields[_name(item)] = _typed(label=item.line.name or item.line.sku)
        if left.shipping:
            money = format_money(left.shipping, order.currency)
            self.fields["shipping"].label = _("Shipping too: %s") % money
        else:
            del self.fields["shipping"]

    def lines(self) -> list[tuple[LineLeft, BoundField]]:
        """Each line that is left with the field of its quantity."""
        return [(item, self[_name(item)]) for item in self.left.lines]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        match cleaned.get("what"):
            case "lines":
                quantities = {item.line.line_no: self._quantity(item) for item in self.left.lines}
                shipping = bool(cleaned.get("shipping"))
                if not self.errors and not any(quantities.values()) and not shipping:
                    self.add_error(None, _("Choose what comes back."))
                cleaned["chosen"] = Chosen("lines", quantities, shipping=shipping)
            case "amount":
                cleaned["chosen"] = Chosen("amount", amount=self._amount(cleaned))
            case "all":
                cleaned["chosen"] = Chosen("all")
        return cleaned

    def _quantity(self, item: LineLeft) -> Decimal:
        name = _name(item)
        try:
            typed = self.cleaned_data.get(name, "")
            return read_number_from_zero(typed, decimals=3, most=item.quantity)
        except forms.ValidationError as error:
            self.add_error(name, error)
            return Decimal(0)

    def _amount(self, cleaned: dict[str, Any]) -> Decimal:
        places = get_currency_precision(self.order.currency)
        try:
            amount = read_number_from_zero(cleaned.get("amount", ""), decimals=places)
        except forms.ValidationError as error:
            self.add_error("amount", error)
            return Decimal(0)
        if not amount:
            self.add_error("amount", _("Give a number other than zero."))
        elif amount > self.left.total:
            money = format_money(self.left.total, self.order.currency)
            self.add_error("amount", _("Only %s are left to give back.") % money)
        return amount


def _name(item: LineLeft) -> str:
    return f"quantity-{item.line.line_no}"
