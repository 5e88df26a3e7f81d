"""The form of a discount rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.program_fields import amount, at_times, optional, switch
from loyalty.backoffice.rule_editor_forms import RuleEditorForm
from loyalty.bundle_texts import BundleField, bundle_text
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.rules.body_parts import BundlePart

FEWEST_ROWS = 4
BRACKET = ("bracket", "bracket_percent", "bracket_amount")


def rows_wanted(data: Any, initial: Mapping[str, Any], kind: str) -> int:
    """As many rows of a kind as there are, and some to write into."""
    known = data if data is not None else initial
    said = (name.removeprefix(f"{kind}_") for name in known if name.startswith(f"{kind}_"))
    filled = [int(number) for number in said if re.fullmatch("[0-9]{1,3}", number)]
    used = max(filled, default=-1) + 1
    if data is not None and data.get("more") == kind:
        used += FEWEST_ROWS
    return min(max(used if data is not None else used + 2, FEWEST_ROWS), 200)


class DiscountForm(RuleEditorForm):
    kind = "discount"
    own = ("off", "percent", "amount", "pieces", "every", "price", "times", "brackets_by", "least",
           "most", "budget", "with_tax", "reduced_too", "step")  # fmt: skip
    definitions = DiscountRuleDefinition

    off = forms.ChoiceField(
        label=gettext_lazy("Taken off"),
        choices=[
            ("order", gettext_lazy("All that counts of the order, together")),
            ("items", gettext_lazy("Each item")),
            ("cheapest", gettext_lazy("The cheapest pieces")),
            ("bundle", gettext_lazy("Pieces that cost one price together")),
        ],
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Percent"), min_value=0, max_value=100, decimal_places=4,
        required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text=gettext_lazy("100: free."),
    )  # fmt: skip
    amount = optional(gettext_lazy("Or money"), gettext_lazy("Off the order, or off each piece."))
    pieces = at_times(
        forms.IntegerField(
            label=gettext_lazy("How many of the cheapest"), min_value=1, max_value=100
        )
    )
    every = at_times(
        forms.IntegerField(
            label=gettext_lazy("Of every so many pieces"), min_value=2, max_value=1000,
            help_text=gettext_lazy("3 with 1: three for the price of two. Empty: once."),
        )
    )  # fmt: skip
    bundle = BundleField()
    price = optional(gettext_lazy("Their price together"))
    times = at_times(
        forms.IntegerField(
            label=gettext_lazy("So often in one order"), min_value=1, max_value=1000,
            help_text=gettext_lazy("Empty: as often as there are pieces for it."),
        )
    )  # fmt: skip
    brackets_by = forms.ChoiceField(
        label=gettext_lazy("What has to be reached"), required=False,
        choices=[
            ("order", gettext_lazy("What the order’s goods cost")),
            ("quantity", gettext_lazy("Number of pieces")),
            ("spent_year", gettext_lazy("Spent before, in the year")),
            ("spent_lifetime", gettext_lazy("Spent before, ever")),
            ("company_year", gettext_lazy("Spent before by the company, in the year")),
            ("company_lifetime", gettext_lazy("Spent before by the company, ever")),
        ],
    )  # fmt: skip
    least = optional(
        gettext_lazy("Only for goods of at least"), gettext_lazy("Empty: for every order.")
    )
    most = optional(gettext_lazy("At most, off one order"), gettext_lazy("Empty: no limit."))
    budget = optional(
        gettext_lazy("At most, off all orders together"),
        gettext_lazy("Empty: no limit. What comes back is there for others."),
    )
    with_tax = switch(
        gettext_lazy("Prices are compared with their tax"),
        gettext_lazy("For “at least” and for brackets."),
    )
    reduced_too = switch(
        gettext_lazy("Items that are reduced already count too"),
        gettext_lazy("Otherwise a discount is never on top of another one of the shop."),
    )
    step = optional(
        gettext_lazy("Rounded to multiples of"),
        gettext_lazy("0.05 for example. Empty: to the smallest coin."),
    )

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        stops = self.fields["stops"]
        stops.label = _("Later discounts do not count")
        stops.help_text = _("Where this one takes something off, those that come after it do not.")
        self.fields["group"].help_text = _(
            "Of the discounts with the same group only the largest counts."
        )
        self.rows = rows_wanted(data, self.initial, "bracket")
        parts = self.initial.get("bundle") or ()
        self.initial["bundle"] = bundle_text(BundlePart.model_validate(part) for part in parts)
        for number in range(self.rows):
            self.fields[f"bracket_{number}"] = at_times(amount(_("Above"), 4, least="0"))
            self.fields[f"bracket_percent_{number}"] = at_times(
                forms.DecimalField(label=_("Percent"), min_value=0, max_value=100, decimal_places=4)
            )
            self.fields[f"bracket_amount_{number}"] = at_times(amount(_("Money off"), 4))

    def own_fields(self) -> Iterator[BoundField]:
        """Those that stand together at the top; the template places the others."""
        for name in ("off", "percent", "amount"):
            yield self[name]

    def bracket_rows(self) -> list[tuple[BoundField, ...]]:
        return [tuple(self[f"{name}_{number}"] for name in BRACKET) for number in range(self.rows)]

    def clean(self) -> dict[str, Any]:
        """Half a row is none."""
        super().clean()
        for number in range(self.rows):
            above, percent, money = (self.cleaned_data.get(f"{name}_{number}") for name in BRACKET)
            if above is None and (percent is not None or money is not None):
                self.add_error(f"bracket_{number}", _("Say above how much."))
            elif above is not None and (percent is None) == (money is None):
                self.add_error(f"bracket_percent_{number}", _("Say percent or money."))
        return self.cleaned_data

    def own_values(self) -> dict[str, Any]:
        data, said = self.cleaned_data, super().own_values()
        if said.get("off") != "cheapest":
            said.pop("pieces", None)
            said.pop("every", None)
        if said.get("off") == "bundle":
            said["bundle"] = [part.model_dump(mode="json") for part in data["bundle"]]
        else:
            said.pop("price", None)
            said.pop("times", None)
        said["brackets"] = [
            {
                "above": data[f"bracket_{number}"],
                "percent": data[f"bracket_percent_{number}"],
                "amount": data[f"bracket_amount_{number}"],
            }
            for number in range(self.rows)
            if data.get(f"bracket_{number}") is not None
        ]
        return said

    def refuse(self, field: str, message: str) -> None:
        name, _dot, text = message.partition(": ")
        if name in self.fields or name == "brackets":
            field, message = ("percent" if name == "brackets" else name), text.capitalize()
        super().refuse(field, message)
