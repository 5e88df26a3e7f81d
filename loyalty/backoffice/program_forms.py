"""The form of a program: from a definition to fields and back; the definition validates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from loyalty.backoffice.gift_settings import GiftSettingsForm, gifts_initial
from loyalty.backoffice.line_values import ChosenValuesField
from loyalty.definitions import (
    COUNTED,
    EarningRuleDefinition,
    ProgramDefinition,
    WalletTypeDefinition,
)
from loyalty.models import LotPolicy, Program
from loyalty.rules.bodies import BasePolicy, LineFilter
from members.choices import currencies, time_zones

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
RETURNS = ("unlinked_returns", "linked_returns", "debt_policy", "clawback_order")
# Where a message of the definition belongs in the form; what is not here belongs to the whole.
FIELDS = {
    "code": "code",
    "name": "name",
    "description": "description",
    "currency": "currency",
    "time_zone": "time_zone",
    "singular": "singular",
    "plural": "plural",
    "decimals": "decimals",
    "unit_value": "unit_value",
    "pending_days": "pending_days",
    "pending_from": "pending_from",
    "length": "expiry_length",
    "period": "expiry_period",
    "month_day": "expiry_month_day",
    "warned_days": "expiry_warned_days",
    "restored_days": "expiry_restored_days",
    "expiry": "expiry_length",
    "least": "gifts_least",
    "most_per_day": "gifts_most_per_day",
    "most_received_per_day": "gifts_most_received_per_day",
    "gifts": "gifts_least",
    "units": "units",
    "per": "per",
}


def _amount(
    label: Any, places: int, help_text: Any = "", least: str = "0.0001"
) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        max_digits=14,
        decimal_places=places,
        min_value=Decimal(least),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


def _optional(label: Any, help_text: Any = "") -> forms.DecimalField:
    field = _amount(label, 4, help_text)
    field.required = False
    return field


def _switch(label: Any, help_text: Any) -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False)


class RuleForm(forms.Form):
    """The base rule: what it takes to earn one unit, and what counts."""

    measure = forms.ChoiceField(
        label=gettext_lazy("Points are earned by"),
        choices=[
            ("money", gettext_lazy("What is spent")),
            ("quantity", gettext_lazy("Quantity: items, liters, nights")),
        ],
        widget=forms.RadioSelect,
    )
    units = _amount(gettext_lazy("This many"), 4)
    per = _amount(gettext_lazy("For each"), 4, gettext_lazy("Of the currency, or of the quantity."))
    after_discounts = _switch(
        gettext_lazy("Count prices after discounts"),
        gettext_lazy("Otherwise a discounted product earns as if it had been sold at full price."),
    )
    include_tax = _switch(
        gettext_lazy("Tax earns"),
        gettext_lazy("Otherwise only the net price earns. It matters where orders name their tax."),
    )
    include_shipping = _switch(
        gettext_lazy("Shipping earns"), gettext_lazy("Otherwise only what is in the parcel earns.")
    )
    paid_with_stored_value = _switch(
        gettext_lazy("Paying with a gift card or credit earns"),
        gettext_lazy("Buying a gift card never earns, so nothing is counted twice."),
    )
    paid_with_units = _switch(
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

    cap_per_order = _optional(gettext_lazy("At most for one order"))
    cap_per_member = _optional(gettext_lazy("At most for one member"))
    cap_period = forms.ChoiceField(
        label=gettext_lazy("In each"),
        required=False,
        choices=[
            ("day", gettext_lazy("day")),
            ("week", gettext_lazy("week")),
            ("month", gettext_lazy("month")),
            ("year", gettext_lazy("year")),
            ("lifetime", gettext_lazy("lifetime")),
        ],
    )
    cap_budget = _optional(
        gettext_lazy("At most in all"),
        gettext_lazy("For all members together, from when the rule begins to its end."),
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
            "caps": {
                "per_order": data["cap_per_order"],
                "per_member": data["cap_per_member"],
                "period": data["cap_period"] or "month",
                "budget": data["cap_budget"],
            },
        }


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
    unit_value = _amount(
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
    expiry_length = forms.IntegerField(
        label=gettext_lazy("How many"), min_value=0, max_value=3650, required=False
    )
    expiry_counted_from = forms.ChoiceField(
        label=gettext_lazy("Counted from when"), choices=LotPolicy.CountedFrom.choices
    )
    expiry_period = forms.ChoiceField(
        label=gettext_lazy("End of the"), choices=[("", "–"), *LotPolicy.Period.choices],
        required=False,
    )  # fmt: skip
    expiry_month_day = forms.RegexField(
        r"^(0[1-9]|1[0-2])-[0-3]\d$", label=gettext_lazy("Day of the year"), required=False,
        help_text=gettext_lazy("Month and day, such as 12-31."),
    )  # fmt: skip
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
        label=gettext_lazy("Not before a warning, days"), min_value=1, max_value=365,
        required=False,
        help_text=gettext_lazy("Empty: they expire whether a warning went out or not."),
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


class ProgramForm(UnitForm, GiftSettingsForm, RuleForm):
    """A whole program with one kind of unit and one base rule; further ones stay as they are."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    code = forms.SlugField(
        label=gettext_lazy("Short name"),
        max_length=64,
        help_text=gettext_lazy(
            "For files, commands and the API: a-z, 0-9, hyphens. Stays as it is."
        ),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), help_text=gettext_lazy("Its days begin at this midnight.")
    )
    enrollment = forms.ChoiceField(
        label=gettext_lazy("Who takes part"),
        choices=Program.Enrollment.choices,
        widget=forms.RadioSelect,
    )
    unlinked_returns = forms.ChoiceField(
        label=gettext_lazy("Returns that name no order"),
        choices=Program.UnlinkedReturns.choices,
        widget=forms.RadioSelect,
    )
    linked_returns = forms.ChoiceField(
        label=gettext_lazy("Returns with their order"),
        choices=Program.LinkedReturns.choices,
        widget=forms.RadioSelect,
    )
    debt_policy = forms.ChoiceField(
        label=gettext_lazy("When a refund takes more than there is"),
        choices=Program.Debt.choices,
        widget=forms.RadioSelect,
    )
    clawback_order = forms.ChoiceField(
        label=gettext_lazy("What a refund takes first"),
        choices=Program.ClawbackOrder.choices,
        widget=forms.RadioSelect,
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, base: ProgramDefinition | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base = base
        self._choices("currency", currencies(base.currency if base else ""))
        self._choices("time_zone", time_zones(base.time_zone if base else ""))
        if base is not None:
            # The code addresses the program everywhere: it is shown, and cannot be typed.
            del self.fields["code"]

    def _choices(self, name: str, choices: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def renew(self, name: str, value: str) -> None:
        """Give a hidden field another value for the next time the form is sent."""
        data = cast(QueryDict, self.data).copy()
        data[name] = value
        self.data = data

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"].lower()
        if Program.objects.filter(code=code).exists():
            raise forms.ValidationError(_("Another program has this short name."))
        return code

    def definition(self) -> ProgramDefinition | None:
        """The program that a valid form describes; None, with errors added, if it cannot be one."""
        data, base = self.cleaned_data, self.base
        values = {
            "code": base.code if base else data["code"],
            "name": data["name"],
            "description": data["description"],
            "status": base.status if base else "draft",
            "currency": data["currency"],
            "time_zone": data["time_zone"],
            "enrollment": data["enrollment"],
            **{name: data[name] for name in RETURNS},
            "partners": base.partners if base else (),
            "charities": base.charities if base else (),
            "wallet_types": self._wallet_types(),
            "earning_rules": self._rules(),
        }
        try:
            return ProgramDefinition.model_validate(values)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                self._refuse(item["loc"], item["msg"])
            return None

    def refuse(self, path: str, message: str) -> None:
        """Put what a service refuses beside the field that it names."""
        self._refuse(tuple(path.replace("[", ".").replace("]", "").split(".")), message)

    def _refuse(self, loc: tuple[int | str, ...], message: str) -> None:
        named = [FIELDS[str(part)] for part in loc if str(part) in FIELDS]
        name = next((name for name in reversed(named) if name in self.fields), None)
        self.add_error(name, message)

    def _wallet_types(self) -> list[dict[str, Any]]:
        kept = [item.model_dump() for item in self.base.wallet_types] if self.base else [{}]
        first = {**kept[0], **self.unit_values(), "gifts": self.gift_values()}
        return [first, *kept[1:]]

    def _rules(self) -> list[dict[str, Any]]:
        kept = [item.model_dump() for item in self.base.earning_rules] if self.base else []
        first = kept[0] if kept else {"wallet_type": self._wallet_types()[0].get("code", "points")}
        return [{**first, **self.rule_values()}, *kept[1:]]


def initial_of(definition: ProgramDefinition) -> dict[str, Any]:
    """What the form shows for a program: its settings, its first unit and its first rule."""
    values = definition.model_dump(
        include={
            "code", "name", "description", "currency", "time_zone", "enrollment", *RETURNS,
        }
    )  # fmt: skip
    rule = definition.earning_rules[0] if definition.earning_rules else EarningRuleDefinition()
    return values | _unit_initial(definition.wallet_types[0]) | _rule_initial(rule)


def _unit_initial(wallet_type: WalletTypeDefinition) -> dict[str, Any]:
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


def _rule_initial(rule: EarningRuleDefinition) -> dict[str, Any]:
    return {
        "measure": rule.measure,
        "units": plain(rule.units),
        "per": plain(rule.per),
        **rule.base.model_dump(),
        **{f"include_{kind}": values for kind, values in rule.include.model_dump().items()},
        **{f"exclude_{kind}": values for kind, values in rule.exclude.model_dump().items()},
        "rounding_mode": rule.rounding.mode,
        "rounding_per": rule.rounding.per,
        **{
            f"cap_{name}": plain(value) if isinstance(value, Decimal) else value
            for name, value in rule.caps.model_dump().items()
        },
    }


def plain(number: Decimal) -> str:
    """0.010000 as 0.01, and 100 not as 1E+2."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
