"""What a definition or a service refuses, beside the fields of the form that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from pydantic import ValidationError

from loyalty.definitions import ProgramDefinition
from members.errors import DomainError
from members.wrong_values import place_of

# Where a message of the definition belongs in a form; what is not here belongs to the whole.
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
    "tier_values": "unit_value",
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
    "spending": "spending_least",
    "step": "spending_step",
    "share": "spending_share",
    "plural_forms": "plural_language",
    "language": "plural_language",
    "units": "units",
    "per": "per",
}


class DefinitionErrors(forms.Form):
    """A form that becomes a program's definition."""

    def validated(self, values: Mapping[str, Any]) -> ProgramDefinition | None:
        """The program that says this; None, with errors added, if there can be none."""
        try:
            return ProgramDefinition.model_validate(values)
        except ValidationError as error:
            self.show_invalid(error)
            return None

    def show_invalid(self, error: ValidationError) -> None:
        for item in error.errors(include_url=False):
            self._refuse(place_of(item), item["msg"])

    def show(self, error: DomainError) -> None:
        """Put what a service refuses beside the fields that it names."""
        for item in error.errors:
            place = item.field.replace("[", ".").replace("]", "")
            self._refuse(tuple(place.split(".")), str(item.message))
        if not error.errors:
            self.add_error(None, str(error.message))

    def _refuse(self, loc: tuple[int | str, ...], message: str) -> None:
        message = message.removeprefix("Value error, ")
        about, colon, rest = message.partition(": ")
        if colon and about in FIELDS:
            # A message about a whole names its part.
            loc, message = (*loc, about), rest
        if "spending" in loc and loc[-1] == "least":
            loc = ("spending",)
        named = [FIELDS[str(part)] for part in loc if str(part) in FIELDS]
        name = next((name for name in reversed(named) if name in self.fields), None)
        self.add_error(name, message)
