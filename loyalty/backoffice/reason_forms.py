"""What every dialog asks that does something by hand: why; and often how many units, and until
when."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.models import WalletType
from loyalty.unit_input import ADD, read_units
from members.formatting import format_points


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For your colleagues. Customers do not see it."),
    )


class KeyedForm(ReasonForm):
    """A form that moves units once, however often it arrives."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("key", uuid.uuid4())

    def renew_key(self) -> None:
        """The form had moved units already and came back changed: start afresh."""
        data = cast(QueryDict, self.data).copy()
        data["key"] = str(uuid.uuid4())
        self.data = data


class UnitsForm(KeyedForm):
    """How many of the units there are left."""

    units = forms.CharField(
        label=gettext_lazy("How many"),
        max_length=32,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, wallet_type: WalletType, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wallet_type = wallet_type
        self.initial.setdefault("units", format_points(most, wallet_type.scale))

    def clean_units(self) -> int:
        units = read_units(self.cleaned_data["units"], self.wallet_type, direction=ADD)
        if units < 0:
            raise forms.ValidationError(_("Give a number above zero."))
        return units
