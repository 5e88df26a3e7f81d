"""The part of a program's form that says what members may give away."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from loyalty.unit_definitions import GiftsDefinition


def _units(label: Any, *, required: bool) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        max_digits=14,
        decimal_places=4,
        min_value=Decimal("0.0001"),
        required=required,
        help_text="" if required else gettext_lazy("Empty: as many as they like."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class GiftSettingsForm(forms.Form):
    """Whether members may give to each other and to charities, and how many."""

    gifts_to_members = forms.BooleanField(
        label=gettext_lazy("Members may give to each other"),
        required=False,
        help_text=gettext_lazy("What they give keeps the day on which it expires."),
    )
    gifts_least = _units(gettext_lazy("The smallest gift"), required=True)
    gifts_step = _units(gettext_lazy("In multiples of"), required=False)
    gifts_most_per_day = _units(gettext_lazy("A member may give in a day at most"), required=False)
    gifts_most_received_per_day = _units(
        gettext_lazy("A member may be given in a day at most"), required=False
    )
    gifts_to_charities = forms.BooleanField(
        label=gettext_lazy("Members may give to charities"),
        required=False,
        help_text=gettext_lazy("To those of the program, as its page “Giving” has them."),
    )

    def gift_values(self) -> dict[str, Any]:
        """What the fields say, as the wallet type's definition takes it."""
        names = GiftsDefinition.model_fields
        return {name: self.cleaned_data[f"gifts_{name}"] for name in names}


def gifts_initial(gifts: GiftsDefinition) -> dict[str, Any]:
    """What the form shows of these terms."""
    return {f"gifts_{name}": value for name, value in gifts.model_dump(mode="json").items()}
