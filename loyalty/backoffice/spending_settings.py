"""The part of a program's form that says how many units can be used at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from loyalty.backoffice.program_fields import optional
from loyalty.unit_definitions import FULL, SpendingDefinition


class SpendingSettingsForm(forms.Form):
    """From how many on, in which steps, and up to which share of an order."""

    spending_least = optional(
        gettext_lazy("From how many can they be used?"), gettext_lazy("Empty: from the first.")
    )
    spending_step = optional(
        gettext_lazy("In steps of how many?"),
        gettext_lazy("50: 50, 100, 150 and so on. Empty: any number."),
    )
    spending_share = forms.DecimalField(
        label=gettext_lazy("They pay so much of an order at most"),
        help_text=gettext_lazy("Empty: all of it. Less asks for a worth above zero."),
        required=False,
        max_digits=7,
        decimal_places=4,
        min_value=Decimal("0.0001"),
        max_value=Decimal(100),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def spending_values(self) -> dict[str, Any]:
        """What the fields say, as the wallet type's definition takes it."""
        said = {
            name: self.cleaned_data[f"spending_{name}"] for name in SpendingDefinition.model_fields
        }
        return said | {"share": said["share"] or FULL}


def spending_initial(spending: SpendingDefinition) -> dict[str, Any]:
    """What the form shows of these terms."""
    said = spending.model_dump(mode="json") | ({"share": ""} if spending.share == FULL else {})
    return {f"spending_{name}": value for name, value in said.items()}
