"""The form of a program: from a definition to fields and back; the definition validates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.definition_errors import DefinitionErrors
from loyalty.backoffice.gift_settings import GiftSettingsForm
from loyalty.backoffice.rule_forms import RuleForm, rule_initial
from loyalty.backoffice.unit_forms import UnitForm, unit_initial
from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.rule_definitions import RateRule
from members.choices import currencies, time_zones

CHOSEN = ("unlinked_returns", "linked_returns", "debt_policy", "clawback_order", "multiplying",
          "discounting", "foreign_orders")  # fmt: skip
# What is said on pages of its own, and stays as it is here.
SAID_ELSEWHERE = (
    "four_eyes", "tiers", "discount_rules", "activity_types", "launch", "plans", "pause", "ending",
    "companies",
)  # fmt: skip


class ProgramForm(DefinitionErrors, UnitForm, GiftSettingsForm, RuleForm):
    """A whole program with its first kind of unit and one base rule; further ones stay as they are,
    and have pages of their own."""

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
    joinable = forms.BooleanField(
        label=gettext_lazy("Customers join by themselves"),
        required=False,
        initial=True,
        help_text=gettext_lazy(
            "On the program’s public page, by link or QR code, and at the checkout."
        ),
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
    multiplying = forms.ChoiceField(
        label=gettext_lazy("When several multipliers are for the same item"),
        choices=Program.Multiplying.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("2× and 3× come to 3×, to 4×, or to 6×."),
    )
    discounting = forms.ChoiceField(
        label=gettext_lazy("When several discounts are for the same order"),
        choices=Program.Discounting.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("10% and 20% off 100 come to 20, to 30, or to 28."),
    )
    foreign_orders = forms.ChoiceField(
        label=gettext_lazy("Orders in another currency"),
        choices=Program.ForeignOrders.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("The rate comes with the order, or from Settings → Exchange rates."),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, base: ProgramDefinition | None = None, **kwargs: Any) -> None:
        tiers = base.tiers.tiers if base and base.tiers else ()
        super().__init__(*args, tiers=tiers, **kwargs)
        self.base = base
        self._choices("currency", currencies(base.currency if base else ""))
        self._choices("time_zone", time_zones(base.time_zone if base else ""))
        if base is not None:
            # The code addresses the program everywhere: it is shown, and cannot be typed.
            del self.fields["code"]
        if not self.asks_rule:
            for name in RuleForm.base_fields:
                del self.fields[name]

    @property
    def asks_rule(self) -> bool:
        """Whether there is a rate to ask about: a new program begins with one, others may have
        rules of other kinds alone."""
        rules = self.base.earning_rules if self.base else ()
        return self.base is None or any(isinstance(rule, RateRule) for rule in rules)

    def _choices(self, name: str, choices: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

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
            "joinable": data["joinable"],
            **{name: data[name] for name in CHOSEN},
            "partners": base.partners if base else (),
            "charities": base.charities if base else (),
            "pledges": base.pledges if base else (),
            "account_codes": base.account_codes if base else {},
            **({name: getattr(base, name) for name in SAID_ELSEWHERE} if base else {}),
            "wallet_types": self._wallet_types(),
            "earning_rules": self._rules(),
            **self._kept(),
        }
        return self.validated(values)

    def _kept(self) -> dict[str, Any]:
        """What has pages of its own, as it is."""
        if self.base is None:
            return {}
        named = ("activity_types", "discount_rules", "tiers")
        return {name: getattr(self.base, name) for name in named}

    def _wallet_types(self) -> list[dict[str, Any]]:
        kept = [item.model_dump() for item in self.base.wallet_types] if self.base else [{}]
        first = {**kept[0], **self.unit_values(), "gifts": self.gift_values()}
        return [first, *kept[1:]]

    def _rules(self) -> list[dict[str, Any]]:
        kept = [item.model_dump() for item in self.base.earning_rules] if self.base else []
        rates = [number for number, item in enumerate(kept) if item["kind"] == "rate"]
        if self.base and not rates:
            return kept
        if not rates:
            unit = self._wallet_types()[0].get("code", "points")
            return [{"wallet_type": unit, **self.rule_values()}]
        kept[rates[0]] |= self.rule_values()
        return kept


def initial_of(definition: ProgramDefinition) -> dict[str, Any]:
    """What the form shows for a program: its settings, its first unit and its first rule."""
    values = definition.model_dump(
        include={
            "code", "name", "description", "currency", "time_zone", "enrollment",
            "joinable", *CHOSEN,
        }
    )  # fmt: skip
    rates = (rule for rule in definition.earning_rules if isinstance(rule, RateRule))
    rule = next(rates, RateRule())
    return values | unit_initial(definition.wallet_types[0]) | rule_initial(rule)
