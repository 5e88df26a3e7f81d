"""The form of a rule, by its kind: only the fields that the kind has, and the definition they
make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from loyalty.backoffice.cap_fields import OF_ALL, OF_ONE, CapsForm
from loyalty.backoffice.line_values import ChosenValuesField
from loyalty.backoffice.program_fields import at_times, switch
from loyalty.backoffice.rule_forms import RuleForm
from loyalty.backoffice.term_fields import TermsForm
from loyalty.models import WalletType
from loyalty.rule_conditions import RULE_SCOPES
from loyalty.rule_definitions import EarningRuleDefinition, RuleDefinition
from loyalty.rules.body_parts import BasePolicy, LineFilter
from members.backoffice.condition_builder import ConditionField

# What some kinds have, and with which fields.
SECTIONS = {
    "base": tuple(BasePolicy.model_fields),
    "lines": tuple(
        f"{part}_{kind}" for part in ("include", "exclude") for kind in LineFilter.model_fields
    ),
    "rounding": ("rounding_mode", "rounding_per"),
    "caps": OF_ONE,
    "budget": OF_ALL,
    "group": ("group",),
    "stops": ("stops",),
}

# Where what the definition refuses is shown.
PLACES = {
    "caps": "cap_per_order", "caps.budget_money": "cap_budget_money",
    "exclude": "exclude_categories", "pending": "pending_days", "expiry": "expiry_length",
}  # fmt: skip

# A rule's own terms: the switch that says it has them, and how their fields begin.
OWN_TERMS = (("pending", "own_pending", "pending_"), ("expiry", "own_expiry", "expiry_"))


class RuleEditorForm(forms.Form):
    """What rules of every kind say. `sections` names what a kind has besides its own fields."""

    kind = ""
    own: tuple[str, ...] = ()
    sections: tuple[str, ...] = ("lines", "rounding", "group", "stops")
    definitions: type[RuleDefinition]

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120,
        help_text=gettext_lazy("Members read it where their points are explained. A new name shows"
                               " at once."),
    )  # fmt: skip
    code = forms.SlugField(
        label=gettext_lazy("Short name"), max_length=64, required=False,
        help_text=gettext_lazy("For files and the API: a-z, 0-9, hyphens. Stays as it is. Empty: it"
                               " follows from the name."),
    )  # fmt: skip
    when = ConditionField(
        scopes=RULE_SCOPES, label=gettext_lazy("Only when"),
        everything=gettext_lazy("It counts for every order."),
    )  # fmt: skip
    include_categories = ChosenValuesField(required=False)
    include_skus = ChosenValuesField(required=False)
    include_tags = ChosenValuesField(required=False)
    exclude_categories = ChosenValuesField(required=False)
    exclude_skus = ChosenValuesField(required=False)
    exclude_tags = ChosenValuesField(required=False)
    rounding_mode = RuleForm.base_fields["rounding_mode"]
    rounding_per = RuleForm.base_fields["rounding_per"]
    group = forms.SlugField(
        label=gettext_lazy("Group"), max_length=64, required=False,
        help_text=gettext_lazy("Of the rules with the same group only the one that gives most"
                               " counts."),
    )  # fmt: skip
    stops = switch(
        gettext_lazy("Later rules do not count"),
        gettext_lazy("Where this one gives something, rules for the same units that come after it"
                     " give nothing."),
    )  # fmt: skip
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        wallet_types: Sequence[WalletType],
        multiplied: Sequence[tuple[str, str]] = (),
        activity_types: Sequence[tuple[str, str]] = (),
        known: bool = False,
        **options: Any,
    ) -> None:
        """`multiplied`: codes and names of the rules that can be; `activity_types`: those of the
        types of activities there are; `known`: the rule is there already, and keeps its units and
        its short name."""
        super().__init__(data, **options)
        self.wallet_types = wallet_types
        if known:
            del self.fields["code"]
        for section, names in SECTIONS.items():
            if section not in self.sections:
                for name in names:
                    self.fields.pop(name, None)
        if "of" in self.fields:
            of = self.fields["of"]
            assert isinstance(of, forms.MultipleChoiceField)
            of.choices = multiplied
        if "activity" in self.fields:
            kinds = self.fields["activity"]
            assert isinstance(kinds, forms.ChoiceField)
            kinds.choices = [("", _("Choose one")), *activity_types]

    @property
    def has(self) -> dict[str, bool]:
        """Which sections the page shows."""
        return dict.fromkeys(self.sections, True)

    def own_fields(self) -> Iterator[BoundField]:
        for name in self.own:
            yield self[name]

    def unit(self) -> WalletType:
        """The units that its condition may ask about."""
        return self.wallet_types[0]

    def own_values(self) -> dict[str, Any]:
        """What the kind's own fields say; a left out field says what it says without."""
        return {
            name: self.cleaned_data[name]
            for name in self.own
            if self.cleaned_data.get(name) not in (None, "")
        }

    def values(self, code: str) -> dict[str, Any]:
        """What the whole form says, as a definition takes it."""
        data = self.cleaned_data
        said: dict[str, Any] = {
            "kind": self.kind,
            "code": code,
            "name": data["name"],
            "when": data["when"],
            **self.own_values(),
        }
        if "lines" in self.sections:
            for part in ("include", "exclude"):
                said[part] = {name: data[f"{part}_{name}"] for name in LineFilter.model_fields}
        if "rounding" in self.sections:
            said["rounding"] = {"mode": data["rounding_mode"], "per": data["rounding_per"]}
        for name in ("group", "stops"):
            if name in self.sections:
                said[name] = data[name]
        return said

    def definition(
        self, code: str, keeps: Mapping[str, Any] | None = None
    ) -> RuleDefinition | None:
        """The rule that a valid form describes; None, with errors at the fields, if there is none.
        `keeps`: what it says besides, which no field asks."""
        try:
            return self.definitions.model_validate(self.values(code) | dict(keeps or {}))
        except ValidationError as error:
            for item in error.errors():
                message = item["msg"].removeprefix("Value error, ")
                self.refuse(".".join(str(part) for part in item["loc"]), message)
            return None

    def refuse(self, field: str, message: str) -> None:
        """Show what is wrong at its field, or at the top."""
        first = field.split(".", maxsplit=1)[0]
        name = PLACES.get(field) or PLACES.get(first, first)
        self.add_error(name if name in self.fields else None, message)


class AwardForm(RuleEditorForm, TermsForm, CapsForm):
    """What rules say that award units."""

    sections: tuple[str, ...] = ("base", "lines", "rounding", "caps", "budget", "group", "stops")
    definitions = EarningRuleDefinition

    wallet_type = forms.ChoiceField(label=gettext_lazy("Awards"))
    after_discounts = RuleForm.base_fields["after_discounts"]
    include_tax = RuleForm.base_fields["include_tax"]
    include_shipping = RuleForm.base_fields["include_shipping"]
    paid_with_stored_value = RuleForm.base_fields["paid_with_stored_value"]
    paid_with_units = RuleForm.base_fields["paid_with_units"]
    own_pending = switch(
        gettext_lazy("They wait by terms of their own"),
        gettext_lazy("Otherwise they can be spent when others of their kind can."),
    )
    own_expiry = switch(
        gettext_lazy("They expire by terms of their own"),
        gettext_lazy("Otherwise they expire as others of their kind do."),
    )

    def __init__(self, data: Any = None, *, known: bool = False, **options: Any) -> None:
        super().__init__(data, known=known, **options)
        choice = self.fields["wallet_type"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(item.code, item.plural.capitalize()) for item in self.wallet_types]
        choice.disabled = known
        self.with_unit_choice = len(self.wallet_types) > 1
        if not self.with_unit_choice:
            choice.required = False
            choice.widget = forms.HiddenInput()
        for name in TermsForm.base_fields:
            at_times(self.fields[name])

    def unit(self) -> WalletType:
        """The units that it awards, as chosen so far."""
        chosen = self["wallet_type"].value()
        return next(
            (item for item in self.wallet_types if item.code == chosen), self.wallet_types[0]
        )

    def clean(self) -> dict[str, Any]:
        """Terms that the rule does not have are not asked for."""
        super().clean()
        for _part, switched, prefix in OWN_TERMS:
            if not self.cleaned_data.get(switched):
                for name in TermsForm.base_fields:
                    if name.startswith(prefix):
                        self.errors.pop(name, None)
        return self.cleaned_data

    def own_terms(self) -> dict[str, Any]:
        """The terms that it has of its own; what is left empty says what it says without."""
        said: dict[str, Any] = {"pending": None, "expiry": None}
        if self.cleaned_data["own_pending"]:
            said["pending"] = _filled(self.pending_values())
        if self.cleaned_data["own_expiry"]:
            said["expiry"] = _filled(self.expiry_values())
        return said

    def values(self, code: str) -> dict[str, Any]:
        data = self.cleaned_data
        said = super().values(code) | self.own_terms()
        said["wallet_type"] = data.get("wallet_type") or self.wallet_types[0].code
        if "base" in self.sections:
            said["base"] = {name: data[name] for name in BasePolicy.model_fields}
        if "budget" in self.sections:
            said["caps"] = self.caps_values()
        return said


def _filled(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value not in (None, "")}
