"""The part of the program form that says what is collected and how long it lasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.gift_settings import gifts_initial
from loyalty.backoffice.program_fields import amount, plain
from loyalty.backoffice.spending_settings import SpendingSettingsForm, spending_initial
from loyalty.backoffice.term_fields import TermsForm, terms_initial
from loyalty.backoffice.unit_names import UnitNamesForm, names_initial
from loyalty.tier_definitions import TierDefinition
from loyalty.unit_definitions import WalletTypeDefinition

DECIMALS = [
    (0, gettext_lazy("None: 12")),
    (1, gettext_lazy("One: 12.3")),
    (2, gettext_lazy("Two: 12.34")),
    (3, gettext_lazy("Three: 12.345")),
    (4, gettext_lazy("Four: 12.3456")),
]


class UnitForm(UnitNamesForm, SpendingSettingsForm, TermsForm):
    """What is collected: its names, its worth, its life, and how it is used."""

    decimals = forms.TypedChoiceField(
        label=gettext_lazy("Decimals"),
        choices=DECIMALS,
        coerce=int,
        help_text=gettext_lazy("Stays as it is once points have been earned."),
    )
    unit_value = amount(
        gettext_lazy("One is worth"),
        6,
        gettext_lazy("0.01 when a hundred are worth 1.00. Zero when they are not worth money."),
        least="0",
    )

    def __init__(self, *args: Any, tiers: Sequence[TierDefinition] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tiers = tiers
        for tier in tiers:
            field = amount(_("Worth in %s") % tier.name, 6, _("Empty: as for everybody."))
            field.required = False
            self.fields[f"value_{tier.code}"] = field

    @property
    def tier_value_fields(self) -> list[forms.BoundField]:
        """What one pays in each tier."""
        return [self[f"value_{tier.code}"] for tier in self.tiers]

    def _tier_values(self) -> dict[str, Any]:
        said = {tier.code: self.cleaned_data.get(f"value_{tier.code}") for tier in self.tiers}
        return {code: value for code, value in said.items() if value}

    def unit_values(self) -> dict[str, Any]:
        """What the fields say, as the wallet type's definition takes it."""
        return {
            **self.name_values(),
            **{name: self.cleaned_data[name] for name in ("decimals", "unit_value")},
            "tier_values": self._tier_values(),
            **self.pending_values(),
            "expiry": self.expiry_values(),
            "spending": self.spending_values(),
        }


def unit_initial(wallet_type: WalletTypeDefinition) -> dict[str, Any]:
    return {
        **names_initial(wallet_type),
        "decimals": wallet_type.decimals,
        "unit_value": plain(wallet_type.unit_value),
        **{f"value_{code}": plain(value) for code, value in wallet_type.tier_values.items()},
        **terms_initial(wallet_type, wallet_type.expiry),
        **gifts_initial(wallet_type.gifts),
        **spending_initial(wallet_type.spending),
    }
