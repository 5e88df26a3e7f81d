"""The fields that say how much a rule gives at most."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from loyalty.backoffice.program_fields import optional, plain
from loyalty.rules.body_parts import Caps, MemberCaps

# What holds for one order and one member; and for all of them.
OF_ONE = ("cap_per_order", *(f"cap_{period}" for period in MemberCaps.model_fields))
OF_ALL = ("cap_budget", "cap_budget_money")


class CapsForm(forms.Form):
    cap_per_order = optional(gettext_lazy("At most for one order"))
    cap_day = optional(gettext_lazy("At most for one member a day"))
    cap_week = optional(gettext_lazy("At most for one member a week"))
    cap_month = optional(gettext_lazy("At most for one member a month"))
    cap_year = optional(gettext_lazy("At most for one member a year"))
    cap_lifetime = optional(gettext_lazy("At most for one member, ever"))
    cap_budget = optional(
        gettext_lazy("At most in all"),
        gettext_lazy("For all members together, from when the rule begins to its end."),
    )
    cap_budget_money = optional(
        gettext_lazy("At most in all, in money"),
        gettext_lazy("What they are worth when they are given, for all members together."),
    )

    def caps_values(self) -> dict[str, Any]:
        """What the fields that are there say, as the rule's definition takes it."""
        data = self.cleaned_data
        said = {
            name: data[f"cap_{name}"]
            for name in ("per_order", "budget", "budget_money")
            if f"cap_{name}" in self.fields
        }
        periods = [name for name in MemberCaps.model_fields if f"cap_{name}" in self.fields]
        if periods:
            said["per_member"] = {name: data[f"cap_{name}"] for name in periods}
        return said


def caps_initial(caps: Caps) -> dict[str, Any]:
    """What the fields start with."""
    said = caps.model_dump()
    return {
        f"cap_{name}": plain(value) if isinstance(value, Decimal) else value
        for name, value in {**said, **said.pop("per_member")}.items()
    }
