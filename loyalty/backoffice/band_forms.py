"""The form of a target band."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l


class BandForm(forms.Form):
    """From what to what a figure is to be; either end may stay open."""

    low = forms.DecimalField(
        label=_l("From"), required=False, max_digits=18, decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    high = forms.DecimalField(
        label=_l("To"), required=False, max_digits=18, decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_l("Leave one empty where it is open; both, and the usual band applies again."),
    )  # fmt: skip

    def __init__(self, data: Any, *, unit: str, currency: str, **kwargs: Any) -> None:
        """`unit`: that of the figure, or of what only a comparison tells."""
        super().__init__(data, **kwargs)
        units = {
            "percent": _("In percent, from 0 to 100."),
            "money": _("In %s.") % currency,
        }
        self.fields["low"].help_text = units.get(unit, "")
