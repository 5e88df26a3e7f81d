"""The part of the program form that says what earns."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from loyalty.backoffice.cap_fields import CapsForm, caps_initial
from loyalty.backoffice.line_values import ChosenValuesField
from loyalty.backoffice.program_fields import amount, plain, switch
from loyalty.rule_definitions import RateRule
from loyalty.rules.body_parts import BasePolicy, LineFilter


class RuleForm(CapsForm):
    """The base rule: what it takes to earn one unit, and what counts."""

    measure = forms.ChoiceField(
        label=gettext_lazy("Points are earned by"),
        choices=[
            ("money", gettext_lazy("What is spent")),
            ("quantity", gettext_lazy("Quantity: items, liters, nights")),
        ],
        widget=forms.RadioSelect,
    )
    units = amount(gettext_lazy("This many"), 4)
    per = amount(gettext_lazy("For each"), 4, gettext_lazy("Of the currency, or of the quantity."))
    after_discounts = switch(
        gettext_lazy("Count prices after discounts"),
        gettext_lazy("Otherwise a discounted product earns as if it had been sold at full price."),
    )
    include_tax = switch(
        gettext_lazy("Tax earns"),
        gettext_lazy("Otherwise only the net price earns. It matters where orders name their tax."),
    )
    include_shipping = switch(
        gettext_lazy("Shipping earns"), gettext_lazy("Otherwise only what is in the parcel earns.")
    )
    paid_with_stored_value = switch(
        gettext_lazy("Paying with a gift card or credit earns"),
        gettext_lazy("Buying a gift card never earns, so nothing is counted twice."),
    )
    paid_with_units = switch(
        gettext_lazy("Paying with points earns"),
        gettext_lazy("Otherwise an order earns on the part that was paid with money."),
    )
    include_categories = ChosenValuesField(required=False)
    include_skus = ChosenValuesField(required=False)
    include_tags = ChosenValuesField(required=False)
    exclude_categories = ChosenValuesField(required=False)
    exclude_skus = ChosenValuesField(required=False)
    exclude_tags = ChosenValuesField(required=False)
    rounding_mode = forms.ChoiceField(
        label=gettext_lazy("Fractions are rounded"),
        choices=[
            ("down", gettext_lazy("Down")),
            ("nearest", gettext_lazy("To the nearest")),
            ("up", gettext_lazy("Up")),
        ],
    )
    rounding_per = forms.ChoiceField(
        label=gettext_lazy("How often"),
        choices=[
            ("order", gettext_lazy("Once per order")),
            ("line", gettext_lazy("On each line")),
        ],
    )

    def rule_values(self) -> dict[str, Any]:
        """What the fields say, as the rule's definition takes it."""
        data = self.cleaned_data
        return {
            "measure": data["measure"],
            "units": data["units"],
            "per": data["per"],
            "base": {name: data[name] for name in BasePolicy.model_fields},
            "include": {kind: data[f"include_{kind}"] for kind in LineFilter.model_fields},
            "exclude": {kind: data[f"exclude_{kind}"] for kind in LineFilter.model_fields},
            "rounding": {"mode": data["rounding_mode"], "per": data["rounding_per"]},
            "caps": self.caps_values(),
        }


def rule_initial(rule: RateRule) -> dict[str, Any]:
    return {
        "measure": rule.measure,
        "units": plain(rule.units),
        "per": plain(rule.per),
        **rule.base.model_dump(),
        **{f"include_{kind}": values for kind, values in rule.include.model_dump().items()},
        **{f"exclude_{kind}": values for kind, values in rule.exclude.model_dump().items()},
        "rounding_mode": rule.rounding.mode,
        "rounding_per": rule.rounding.per,
        **caps_initial(rule.caps),
    }
