"""The part of a form that says when units can be spent and when they are gone: of a kind of units,
and of a rule with terms of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.program_fields import at_times
from loyalty.models import LotPolicy
from loyalty.unit_definitions import COUNTED, ExpiryDefinition, PendingDefinition

RENEWALS = [
    ("accrual", gettext_lazy("Earning")),
    ("redemption", gettext_lazy("Redeeming")),
    ("gift", gettext_lazy("Giving to another member")),
    ("pool", gettext_lazy("Sharing in a pool")),
]

# What renews units where nothing is named.
USUAL = {"accrual", "redemption"}


class TermsForm(forms.Form):
    """How long units wait, and how long they last."""

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

    def pending_values(self) -> dict[str, Any]:
        """When they can be spent, as a definition takes it."""
        names = PendingDefinition.model_fields
        return {name: self.cleaned_data[name] for name in names}

    def expiry_values(self) -> dict[str, Any]:
        """When they expire, as a definition takes it. What belongs to another kind of expiry is
        left out."""
        data = self.cleaned_data
        kind = data["expiry_kind"]
        renewed_by = data["expiry_renewed_by"]
        if kind != "inactivity" or set(renewed_by) == USUAL:
            renewed_by = ()
        return {
            "kind": kind,
            "length": data["expiry_length"] if kind in COUNTED else None,
            "period": data["expiry_period"] if kind == "end_of_period" else "",
            "month_day": data["expiry_month_day"] if kind == "fixed_date" else "",
            "counted_from": data["expiry_counted_from"],
            "last_day": data["expiry_last_day"],
            "renewed_by": renewed_by,
            "warned_days": None if kind == "inactivity" else data["expiry_warned_days"],
            "restored_days": data["expiry_restored_days"],
        }


def terms_initial(pending: PendingDefinition, expiry: ExpiryDefinition) -> dict[str, Any]:
    """What the form shows of such terms."""
    return {
        "pending_from": pending.pending_from,
        "pending_days": pending.pending_days,
        **{f"expiry_{name}": value for name, value in expiry.model_dump().items()},
        "expiry_renewed_by": expiry.renewals or tuple(sorted(USUAL)),
    }
