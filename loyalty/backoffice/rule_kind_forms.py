"""The forms of rules, kind by kind: the fields of its own, and what the form starts with."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.cap_fields import OF_ONE, caps_initial
from loyalty.backoffice.discount_forms import DiscountForm, rows_wanted
from loyalty.backoffice.program_fields import amount, optional, plain, switch
from loyalty.backoffice.rule_editor_forms import AwardForm, RuleEditorForm
from loyalty.backoffice.rule_forms import RuleForm
from loyalty.backoffice.term_fields import terms_initial
from loyalty.rule_conditions import ACTIVITY_SCOPES, OCCASION_SCOPES
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.rules.bodies import EarningBody, MultiplierBody, RuleBody
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.unit_definitions import ExpiryDefinition, PendingDefinition
from members.backoffice.condition_builder import ConditionField

WINDOWS = [
    ("day", gettext_lazy("In a day")),
    ("week", gettext_lazy("In a week")),
    ("month", gettext_lazy("In a month")),
    ("quarter", gettext_lazy("In a quarter")),
    ("year", gettext_lazy("In a year")),
    ("lifetime", gettext_lazy("Ever")),
]
ROUNDINGS = [
    ("down", gettext_lazy("Down")),
    ("nearest", gettext_lazy("To the nearest")),
    ("up", gettext_lazy("Up")),
]


class RateForm(AwardForm):
    kind = "rate"
    own = ("measure", "units", "per")

    measure = RuleForm.base_fields["measure"]
    units = amount(gettext_lazy("This many"), 4)
    per = amount(gettext_lazy("For each"), 4, gettext_lazy("Of the currency, or of the quantity."))


class CashbackForm(AwardForm):
    kind = "cashback"
    own = ("percent",)

    percent = forms.DecimalField(
        label=gettext_lazy("Percent back"), min_value=0, max_value=100, decimal_places=4,
        required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text=gettext_lazy("Of everything that earns. Leave it empty if it goes by category, by"
                               " margin or by what was spent in the year."),
    )  # fmt: skip

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.rows = {
            kind: rows_wanted(data, self.initial, kind)
            for kind in ("category", "margin", "bracket")
        }
        for number in range(self.rows["category"]):
            self.fields[f"category_{number}"] = forms.CharField(
                label=_("Category"), max_length=128, required=False
            )
            self.fields[f"category_percent_{number}"] = _percent()
        for number in range(self.rows["margin"]):
            self.fields[f"margin_{number}"] = forms.DecimalField(
                label=_("Margin"), min_value=-100, max_value=100, decimal_places=2,
                required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}),
            )  # fmt: skip
            self.fields[f"margin_percent_{number}"] = _percent()
        for number in range(self.rows["bracket"]):
            self.fields[f"bracket_{number}"] = amount(_("Spent above"), 4, least="0")
            self.fields[f"bracket_{number}"].required = False
            self.fields[f"bracket_percent_{number}"] = _percent()

    def category_rows(self) -> list[tuple[BoundField, BoundField]]:
        return self._bound("category")

    def margin_rows(self) -> list[tuple[BoundField, BoundField]]:
        return self._bound("margin")

    def bracket_rows(self) -> list[tuple[BoundField, BoundField]]:
        return self._bound("bracket")

    def _bound(self, kind: str) -> list[tuple[BoundField, BoundField]]:
        return [
            (self[f"{kind}_{number}"], self[f"{kind}_percent_{number}"])
            for number in range(self.rows[kind])
        ]

    def clean(self) -> dict[str, Any]:
        """Half a row is none."""
        super().clean()
        for kind in self.rows:
            for number in range(self.rows[kind]):
                left = self.cleaned_data.get(f"{kind}_{number}")
                right = self.cleaned_data.get(f"{kind}_percent_{number}")
                if left in (None, "") and right is not None:
                    self.add_error(f"{kind}_{number}", _("Say what the percentage is for."))
                elif left not in (None, "") and right is None:
                    self.add_error(f"{kind}_percent_{number}", _("Say how many percent."))
        return self.cleaned_data

    def own_values(self) -> dict[str, Any]:
        data = self.cleaned_data
        return super().own_values() | {
            "by_category": [
                {"category": data[f"category_{number}"],
                 "percent": data[f"category_percent_{number}"]}
                for number in range(self.rows["category"])
                if data.get(f"category_{number}")
            ],
            "by_margin": [
                {"at_least": data[f"margin_{number}"], "percent": data[f"margin_percent_{number}"]}
                for number in range(self.rows["margin"])
                if data.get(f"margin_{number}") is not None
            ],
            "brackets": [
                {"above": data[f"bracket_{number}"], "percent": data[f"bracket_percent_{number}"]}
                for number in range(self.rows["bracket"])
                if data.get(f"bracket_{number}") is not None
            ],
        }  # fmt: skip

    def refuse(self, field: str, message: str) -> None:
        name, _dot, text = message.partition(": ")
        if name in ("percent", "brackets", "by_category", "by_margin"):
            field, message = "percent", text.capitalize()
        super().refuse(field, message)


def _percent() -> forms.DecimalField:
    return forms.DecimalField(
        label=_("Percent"), min_value=0, max_value=100, decimal_places=4, required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )  # fmt: skip


class FixedForm(AwardForm):
    kind = "fixed"
    own = ("units",)
    sections = ("base", "lines", "caps", "budget", "group", "stops")

    units = amount(gettext_lazy("This many for each order"), 4)


class MultiplierForm(AwardForm):
    kind = "multiplier"
    own = ("factor", "of")
    sections = ("lines", "caps", "budget", "group", "stops")

    factor = forms.DecimalField(
        label=gettext_lazy("Times"), max_value=1000, decimal_places=4,
        min_value=Decimal("1.0001"), widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text=gettext_lazy("2 doubles, 1.5 gives half as much again."),
    )  # fmt: skip
    of = forms.MultipleChoiceField(
        label=gettext_lazy("What it multiplies"), required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Choose none, and it multiplies every rate and cashback of its"
                               " units."),
    )  # fmt: skip


class BonusForm(AwardForm):
    kind = "threshold_bonus"
    own = ("units", "reach", "window", "repeats")
    sections = ("base", "lines", "caps", "budget", "group", "stops")

    units = amount(gettext_lazy("This many"), 4)
    reach = amount(gettext_lazy("When this much money is reached"), 4)
    window = forms.ChoiceField(
        label=gettext_lazy("Reached"),
        choices=[("order", gettext_lazy("In one order")), *WINDOWS],
    )
    repeats = switch(
        gettext_lazy("Again each time that it is reached"),
        gettext_lazy("For 50 also at 100, 150 and so on."),
    )

    def clean(self) -> dict[str, Any]:
        """Limits and stacking are for single orders."""
        super().clean()
        if self.cleaned_data.get("window", "order") != "order":
            for name in (*OF_ONE, "group", "stops"):
                if self.cleaned_data.get(name):
                    self.add_error(
                        name, _("Only with “In one order”: a window brings its bonus once.")
                    )
        return self.cleaned_data


class WindowedForm(AwardForm):
    """What belongs to a window of orders has no caps but a budget, and no place among others."""

    sections = ("base", "lines", "budget")

    units = amount(gettext_lazy("This many"), 4)


class CountingForm(WindowedForm):
    """What counts orders may count only those that are worth it."""

    least = optional(
        gettext_lazy("Only orders of at least"),
        gettext_lazy("Money for what earns in it. Empty: every order counts."),
    )


class NthPurchaseForm(CountingForm):
    kind = "nth_purchase"
    own = ("units", "number", "window", "repeats", "least")

    number = forms.IntegerField(
        label=gettext_lazy("With order number"), min_value=1, max_value=10_000,
        help_text=gettext_lazy("1 is the first as a member."),
    )  # fmt: skip
    window = forms.ChoiceField(label=gettext_lazy("Counted"), choices=WINDOWS)
    repeats = switch(
        gettext_lazy("With every so many orders again"),
        gettext_lazy("For 5 also with the 10th, the 15th and so on."),
    )


class StampsForm(WindowedForm):
    kind = "stamps"
    own = ("units", "full_at", "stamp_per", "each")

    units = amount(gettext_lazy("A full card brings this many"), 4)
    full_at = forms.IntegerField(
        label=gettext_lazy("Stamps on a card"), min_value=2, max_value=1000
    )
    stamp_per = forms.ChoiceField(
        label=gettext_lazy("A stamp"),
        choices=[
            ("visit", gettext_lazy("For each order")),
            ("quantity", gettext_lazy("For so many items")),
            ("money", gettext_lazy("For so much money")),
        ],
    )
    each = amount(
        gettext_lazy("So many items, or so much money"), 4,
        gettext_lazy("Does not matter for stamps by order."),
    )  # fmt: skip


class StreakForm(CountingForm):
    kind = "streak"
    own = ("units", "length", "of_period", "repeats", "least")

    length = forms.IntegerField(label=gettext_lazy("In a row"), min_value=2, max_value=366)
    of_period = forms.ChoiceField(
        label=gettext_lazy("Of these"),
        choices=[
            ("day", gettext_lazy("Days")),
            ("week", gettext_lazy("Weeks")),
            ("month", gettext_lazy("Months")),
        ],
    )
    repeats = switch(
        gettext_lazy("Again for each further such streak"), gettext_lazy("Otherwise once.")
    )

    def own_values(self) -> dict[str, Any]:
        said = super().own_values()
        return {("of" if name == "of_period" else name): value for name, value in said.items()}


class GrantForm(AwardForm):
    """What is given without an order: there are no lines, no money, and no order to wait for."""

    sections = ("caps", "budget")

    units = amount(gettext_lazy("This many"), 4)

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.fields["pending_from"].widget = forms.HiddenInput()
        days = self.fields["pending_days"]
        days.label, days.help_text = _("Days before they can be spent"), _("0: right away.")


class ActivityForm(GrantForm):
    kind = "activity"
    own = ("activity", "units", "times", "fractions")

    activity = forms.ChoiceField(label=gettext_lazy("What is done"))
    when = ConditionField(
        scopes=ACTIVITY_SCOPES, label=gettext_lazy("Only when"),
        everything=gettext_lazy("It counts for every activity of this type."),
    )  # fmt: skip
    times = forms.CharField(
        label=gettext_lazy("For each of this number"), max_length=64, required=False,
        help_text=gettext_lazy("The name of a number that comes along, such as kilometers. Empty:"
                               " once for each activity."),
    )  # fmt: skip
    fractions = forms.ChoiceField(
        label=gettext_lazy("Fractions are rounded"), choices=ROUNDINGS, required=False,
        help_text=gettext_lazy("Only with a number."),
    )  # fmt: skip
    cap_per_order = optional(gettext_lazy("At most for one activity"))


class AnniversaryForm(GrantForm):
    kind = "occasion"
    own = ("day", "units", "days_before")

    day = forms.ChoiceField(
        label=gettext_lazy("Once a year, for"),
        choices=[
            ("birthday", gettext_lazy("The birthday")),
            ("enrollment", gettext_lazy("The day of joining the program")),
            ("first_purchase", gettext_lazy("The day of the first purchase")),
        ],
        help_text=gettext_lazy("Joining and the first purchase from the first year on."),
    )
    when = ConditionField(
        scopes=OCCASION_SCOPES, label=gettext_lazy("Only when"),
        everything=gettext_lazy("It counts for every member."),
    )  # fmt: skip
    days_before = forms.IntegerField(
        label=gettext_lazy("Given so many days before"), min_value=0, max_value=60, required=False,
        help_text=gettext_lazy("So that they can be used on the day. 0: on the day itself."),
    )  # fmt: skip
    cap_per_order = optional(gettext_lazy("At most for one such day"))


FORMS: Mapping[str, type[RuleEditorForm]] = {
    form.kind: form
    for form in (
        RateForm, CashbackForm, FixedForm, MultiplierForm, BonusForm, NthPurchaseForm, StampsForm,
        StreakForm, ActivityForm, AnniversaryForm, DiscountForm,
    )
}  # fmt: skip


def rule_initial(name: str, wallet_type: str, body: RuleBody) -> dict[str, Any]:
    """What the form of a rule starts with, but for its terms."""
    said = body.model_dump()
    initial: dict[str, Any] = {
        "name": name,
        "wallet_type": wallet_type,
        "when": said["when"],
        "rounding_mode": said.get("rounding", {}).get("mode", "down"),
        "rounding_per": said.get("rounding", {}).get("per", "order"),
    }
    if not isinstance(body, DiscountBody):
        initial |= caps_initial(body.caps)
    if isinstance(body, EarningBody | DiscountBody):
        initial |= {
            "group": body.group,
            "stops": body.stops,
            **said.get("base", {}),
            **{f"include_{kind}": values for kind, values in said["include"].items()},
            **{f"exclude_{kind}": values for kind, values in said["exclude"].items()},
        }
    for field in FORMS[body.kind].own:
        initial[field] = _shown(said["of" if field == "of_period" else field])
    if "bundle" in said:
        initial["bundle"] = said["bundle"]
    for number, item in enumerate(said.get("by_category", ())):
        initial[f"category_{number}"] = item["category"]
        initial[f"category_percent_{number}"] = _shown(item["percent"])
    for number, item in enumerate(said.get("by_margin", ())):
        initial[f"margin_{number}"] = _shown(item["at_least"])
        initial[f"margin_percent_{number}"] = _shown(item["percent"])
    for number, item in enumerate(said.get("brackets", ())):
        initial[f"bracket_{number}"] = _shown(item["above"])
        initial[f"bracket_percent_{number}"] = _shown(item["percent"])
        initial[f"bracket_amount_{number}"] = _shown(item.get("amount"))
    return initial


def own_terms_initial(
    own: EarningRuleDefinition | None, pending: PendingDefinition, expiry: ExpiryDefinition
) -> dict[str, Any]:
    """What it says of terms of its own; where it has none, those of its units to begin with."""
    return {
        "own_pending": own is not None and own.pending is not None,
        "own_expiry": own is not None and own.expiry is not None,
        **terms_initial((own and own.pending) or pending, (own and own.expiry) or expiry),
    }


def unasked(body: RuleBody) -> dict[str, Any]:
    """What a rule says that no field asks for, since its kind makes nothing of it."""
    if isinstance(body, MultiplierBody):
        return {"base": body.base.model_dump()}
    return {}


def _shown(value: Any) -> Any:
    return plain(value) if isinstance(value, Decimal) else value
