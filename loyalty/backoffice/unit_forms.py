"""The part of the program form that says what is collected and how long it lasts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.gift_settings import gifts_initial
from loyalty.backoffice.program_fields import amount, at_times, plain
from loyalty.definitions import COUNTED, WalletTypeDefinition
from loyalty.models import LotPolicy

DECIMALS = [
    (0, gettext_lazy("None: 12")),
    (1, gettext_lazy("One: 12.3")),
    (2, gettext_lazy("Two: 12.34")),
    (3, gettext_lazy("Three: 12.345")),
    (4, gettext_lazy("Four: 12.3456")),
]
RENEWALS = [
    ("accrual", gettext_lazy("Earning")),
    ("redemption", gettext_lazy("Redeeming")),
    ("gift", gettext_lazy("Giving to another member")),
    ("pool", gettext_lazy("Sharing in a pool")),
]


class UnitForm(forms.Form):
    """What is collected: its names, its worth, its life."""

    singular = forms.CharField(label=gettext_lazy("One is called"), max_length=40)
    plural = forms.CharField(label=gettext_lazy("Several are called"), max_length=40)
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
    pending_from = forms.ChoiceField(
        label=gettext_lazy("They wait until"), choices=LotPolicy.PendingFrom.choices
    )
    pending_days = forms.IntegerField(
        label=gettext_lazy("And so many days more"),
        min_value=0,
        max_value=365,
        help_text=gettext_lazy("As long as orders can be returned. 0: right away."),
    )
    expiry_kind = forms.ChoiceField(
        label=gettext_lazy("They expire"), choices=LotPolicy.Kind.choices
    )
    expiry_period = at_times(
        forms.ChoiceField(
            label=gettext_lazy("End of the"), choices=[("", "–"), *LotPolicy.Period.choices]
        )
    )
    expiry_length = at_times(
        forms.IntegerField(label=gettext_lazy("How many"), min_value=0, max_value=3650)
    )
    expiry_month_day = at_times(
        forms.RegexField(
            r"^(0[1-9]|1[0-2])-[0-3]\d$", label=gettext_lazy("Day of the year"),
            help_text=gettext_lazy("Month and day, such as 12-31."),
        )
    )  # fmt: skip
    expiry_counted_from = forms.ChoiceField(
        label=gettext_lazy("Counted from when"), choices=LotPolicy.CountedFrom.choices
    )
    expiry_last_day = forms.ChoiceField(
        label=gettext_lazy("On the last day"),
        choices=[
            ("end_of_day", gettext_lazy("they can be used to its end")),
            ("start_of_day", gettext_lazy("they are gone when it begins")),
        ],
    )
    expiry_renewed_by = forms.MultipleChoiceField(
        label=gettext_lazy("What counts as activity"), required=False,
        choices=RENEWALS, widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    expiry_warned_days = forms.IntegerField(
        label=gettext_lazy("Days from a warning to the end"), min_value=1, max_value=365,
        required=False,
        help_text=gettext_lazy("Then they stay until a warning went out. Empty: without one."),
    )  # fmt: skip
    expiry_restored_days = forms.IntegerField(
        label=gettext_lazy("Days left when a redemption is undone"), min_value=0, max_value=3650,
        help_text=gettext_lazy("At least so many; 0: they keep the day on which they expire."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("expiry_kind")
        for name, kinds, message in (
            ("expiry_length", COUNTED, _("Say how many.")),
            ("expiry_period", ("end_of_period",), _("Say at the end of what.")),
            ("expiry_month_day", ("fixed_date",), _("Say on which day.")),
        ):
            missing = cleaned.get(name) in (None, "") and name not in self.errors
            if kind in kinds and missing:
                self.add_error(name, message)
        return cleaned

    def unit_values(self) -> dict[str, Any]:
        """What the fields say, as the wallet type's definition takes it. What belongs to another
        kind of expiry is left out."""
        data = self.cleaned_data
        kind = data["expiry_kind"]
        return {
            "singular": data["singular"],
            "plural": data["plural"],
            "decimals": data["decimals"],
            "unit_value": data["unit_value"],
            "pending_from": data["pending_from"],
            "pending_days": data["pending_days"],
            "expiry": {
                "kind": kind,
                "length": data["expiry_length"] if kind in COUNTED else None,
                "period": data["expiry_period"] if kind == "end_of_period" else "",
                "month_day": data["expiry_month_day"] if kind == "fixed_date" else "",
                "counted_from": data["expiry_counted_from"],
                "last_day": data["expiry_last_day"],
                "renewed_by": data["expiry_renewed_by"] if kind == "inactivity" else (),
                "warned_days": None if kind == "inactivity" else data["expiry_warned_days"],
                "restored_days": data["expiry_restored_days"],
            },
        }


def unit_initial(wallet_type: WalletTypeDefinition) -> dict[str, Any]:
    return {
        "singular": wallet_type.singular,
        "plural": wallet_type.plural,
        "decimals": wallet_type.decimals,
        "unit_value": plain(wallet_type.unit_value),
        "pending_from": wallet_type.pending_from,
        "pending_days": wallet_type.pending_days,
        **{f"expiry_{name}": value for name, value in wallet_type.expiry.model_dump().items()},
        "expiry_renewed_by": wallet_type.expiry.renewals or ("accrual", "redemption"),
        **gifts_initial(wallet_type.gifts),
    }
