"""One kind of units of a program as a form."""

from __future__ import annotations

from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from loyalty.backoffice.definition_errors import DefinitionErrors
from loyalty.backoffice.gift_settings import GiftSettingsForm
from loyalty.backoffice.unit_forms import UnitForm, unit_initial
from loyalty.definitions import ProgramDefinition
from loyalty.unit_definitions import WalletTypeDefinition

EARNED, STORED = "earned", "stored"
SORTS = [
    (EARNED, gettext_lazy("Earned: points, stars, cashback, or units that tiers count")),
    (STORED, gettext_lazy("Paid in: gift cards and store credit")),
]
# Money that is owed is worth itself, is there at once, and is given as a gift card only.
OF_EARNED = ("decimals", "unit_value", "pending_from", "pending_days")


class WalletTypeForm(DefinitionErrors, UnitForm, GiftSettingsForm):
    """A kind of units: what it is, what it is called, and its terms."""

    sort = forms.ChoiceField(
        label=gettext_lazy("What it is"), choices=SORTS, widget=forms.RadioSelect,
        help_text=gettext_lazy("Stays as it is."),
    )  # fmt: skip
    code = forms.SlugField(
        label=gettext_lazy("Short name"),
        max_length=64,
        help_text=gettext_lazy("For files, rules and the API: a-z, 0-9, hyphens. Stays as it is."),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, data: Any = None, *, program: ProgramDefinition, code: str = "",
        counted: bool = False, initial: dict[str, Any],
    ) -> None:  # fmt: skip
        """`code`: the kind that is changed, empty for a new one; `counted`: units of it exist."""
        self.program = program
        self.known = next((item for item in program.wallet_types if item.code == code), None)
        shown = self.known or WalletTypeDefinition()
        tiers = program.tiers.tiers if program.tiers else ()
        super().__init__(data, tiers=tiers, initial=unit_initial(shown) | initial)
        if self.known is None:
            if any(item.stored_value for item in program.wallet_types):
                # A program has one of them.
                self._without("sort")
            return
        self._without("code", "sort")
        if self.known.stored_value:
            gifts = [name for name in self.fields if name.startswith("gifts_")]
            self._without(*OF_EARNED, *gifts, *(f"value_{tier.code}" for tier in tiers))
            self.tiers = ()
        elif counted:
            field = self.fields["decimals"]
            field.disabled = True
            field.help_text = _("Units exist with so many: it stays as it is.")

    def _without(self, *names: str) -> None:
        for name in names:
            del self.fields[name]

    @property
    def is_stored(self) -> bool:
        if self.known is not None:
            return self.known.stored_value
        return self.cleaned_data.get("sort") == STORED

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"].lower()
        if any(item.code == code for item in self.program.wallet_types):
            raise forms.ValidationError(_("Another kind of units has this short name."))
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.is_stored:
            # What is not asked then may be anything.
            for name in [name for name in self.errors if name in OF_EARNED or _is_of_gifts(name)]:
                del self.errors[name]
        return cleaned

    def definition(self) -> ProgramDefinition | None:
        """The program with this kind of units; None, with errors added, if it cannot be."""
        kept = self.known.model_dump() if self.known else {"code": self.cleaned_data["code"]}
        try:
            said = WalletTypeDefinition.model_validate({**kept, **self._said()})
        except ValidationError as error:
            self.show_invalid(error)
            return None
        units = [said if item is self.known else item for item in self.program.wallet_types]
        return self.validated(with_units(self.program, units if self.known else [*units, said]))

    def _said(self) -> dict[str, Any]:
        if not self.is_stored:
            return {**self.unit_values(), "gifts": self.gift_values()}
        return {
            **self.name_values(),
            "stored_value": True,
            "decimals": min(get_currency_precision(self.program.currency), 4),
            "expiry": self.expiry_values(),
            "spending": self.spending_values(),
        }


def _is_of_gifts(name: str) -> bool:
    return name.startswith(("gifts_", "value_"))


def with_units(program: ProgramDefinition, units: list[WalletTypeDefinition]) -> dict[str, Any]:
    """The program with these kinds of units, to be validated."""
    said = {name: getattr(program, name) for name in ProgramDefinition.model_fields}
    return said | {"wallet_types": units}
