"""How many units of what: the part that forms about a pool's wallet have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy

from loyalty.models import WalletType
from loyalty.moving_forms import MovingForm
from loyalty.unit_input import read_amount


class AmountForm(MovingForm):
    """What and how many; what is asked only where there are several kinds of units."""

    too_few = gettext_lazy("Only %s are there.")

    wallet_type = forms.ModelChoiceField(
        WalletType.objects.none(), label=gettext_lazy("Of what"), empty_label=None
    )
    units = forms.CharField(
        label=gettext_lazy("How many"),
        max_length=32,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(self, data: Any, *, wallet_types: Sequence[WalletType]) -> None:
        super().__init__(data)
        kinds = self.fields["wallet_type"]
        assert isinstance(kinds, forms.ModelChoiceField)
        kinds.queryset = WalletType.objects.filter(pk__in=[item.pk for item in wallet_types])
        self.initial["wallet_type"] = wallet_types[0].pk
        self.only = wallet_types[0] if len(wallet_types) == 1 else None
        if self.only is not None:
            del self.fields["wallet_type"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["wallet_type"] = self.only or cleaned.get("wallet_type")
        if cleaned["wallet_type"] is not None and "units" in cleaned:
            try:
                cleaned["amount"] = read_amount(cleaned["units"], cleaned["wallet_type"])
            except forms.ValidationError as error:
                self.add_error("units", error)
        return cleaned

    @property
    def chosen_type(self) -> WalletType:
        return cast(WalletType, self.cleaned_data["wallet_type"])

    @property
    def moved_type(self) -> WalletType:
        return self.chosen_type

    @property
    def amount(self) -> int:
        return cast(int, self.cleaned_data["amount"])
