"""What staff fill in about fraud reviews."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _l

from loyalty.models import Program, RiskCase
from loyalty.risk_definitions import RiskDefinition
from loyalty.risk_signals import Signal, risk_signals
from loyalty.selectors.risk_takings import Undue, chosen_of
from members.formatting import format_moment, format_units

NUMBERS = ("days", "medium", "high", "review", "hold_from")


class FilterForm(forms.Form):
    """Which cases are shown. What nobody can choose chooses nothing."""

    state = forms.ChoiceField(label=_l("State"), required=False)
    signal = forms.ChoiceField(label=_l("Signal"), required=False)
    program = forms.ChoiceField(label=_l("Program"), required=False)

    def __init__(self, data: QueryDict) -> None:
        # Without a word about it, those that somebody has to decide.
        values = data.dict() if "state" in data else {**data.dict(), "state": "waiting"}
        super().__init__(values, auto_id="risk_%s")
        for name, choices in (
            ("state", [
                ("waiting", _l("To be decided")), *RiskCase.State.choices, ("", _l("All"))
            ]),
            ("signal", [("", _l("All")), *((one.key, one.label) for one in risk_signals())]),
            ("program", [("", _l("All")), *Program.objects.order_by("name").values_list(
                "code", "name")]),
        ):  # fmt: skip
            self.fields[name].choices = choices  # type: ignore[attr-defined]
            self.fields[name].widget.attrs["class"] = "form-select"

    @property
    def chosen(self) -> dict[str, str]:
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


class NoteForm(forms.Form):
    note = forms.CharField(
        label=_l("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_l("For your colleagues. Customers do not see it."),
    )
    # When something was found last, as whoever decides has seen it.
    seen = forms.DateTimeField(
        required=False, widget=forms.HiddenInput, input_formats=["%Y-%m-%dT%H:%M:%S.%f%z"]
    )

    def __init__(self, data: Any, *, case: RiskCase, **how: Any) -> None:
        grown = case.grown_at.astimezone(dt.UTC) if case.grown_at else None
        seen = f"{grown:%Y-%m-%dT%H:%M:%S.%f%z}" if grown else ""
        super().__init__(data, initial={"seen": seen, **how.pop("initial", {})}, **how)


class ClawBackForm(NoteForm):
    """What is to be taken back; to begin with all, or what a second person was asked to take."""

    facts = forms.MultipleChoiceField(
        label=_l("What is taken back"), widget=forms.CheckboxSelectMultiple
    )
    resume = forms.BooleanField(label=_l("They take part again"), required=False)
    field_order = ("facts", "resume", "note")

    def __init__(self, data: Any, *, case: RiskCase, undue: Sequence[Undue]) -> None:
        offered: dict[str, list[Undue]] = defaultdict(list)
        for one in undue:
            offered[one.key].append(one)
        chosen = list(dict.fromkeys(one.key for one in chosen_of(case, undue)))
        super().__init__(data, case=case, initial={"facts": chosen}, auto_id="claw_%s")
        zone = case.membership.program.zone
        facts = self.fields["facts"]
        assert isinstance(facts, forms.MultipleChoiceField)
        facts.choices = [(key, _words(rows, zone)) for key, rows in offered.items()]
        if not case.suspended:
            del self.fields["resume"]


def _words(rows: Sequence[Undue], zone: ZoneInfo) -> str:
    """What one fact brought, of each wallet."""
    units = [format_units(one.units, one.wallet.wallet_type) for one in rows]
    return " · ".join((rows[0].label, *units, format_moment(rows[0].at, zone)))


class PolicyForm(forms.Form):
    """Everything that a program says of it; a number for each limit of each signal."""

    medium = forms.IntegerField(label=_l("Medium risk from"), min_value=1, max_value=100)
    high = forms.IntegerField(label=_l("High risk from"), min_value=1, max_value=100)
    review = forms.IntegerField(
        label=_l("Somebody has to look from"), min_value=1, max_value=100,
        help_text=_l("A case is opened then."),
    )  # fmt: skip
    hold = forms.BooleanField(
        label=_l("Hold members without anybody deciding it"), required=False,
        help_text=_l("They earn and spend nothing until somebody has looked."),
    )  # fmt: skip
    hold_from = forms.IntegerField(label=_l("And that from"), min_value=1, max_value=100)
    days = forms.IntegerField(label=_l("Days that are looked at"), min_value=1, max_value=730)

    def __init__(self, data: Any, *, policy: RiskDefinition) -> None:
        initial: dict[str, Any] = {name: getattr(policy, name) for name in (*NUMBERS, "hold")}
        for signal in risk_signals():
            initial[f"{signal.key}.weight"] = policy.weights[signal.key]
            for name, value in policy.limits[signal.key].items():
                initial[f"{signal.key}.{name}"] = value
        super().__init__(data, initial=initial, auto_id="risk_%s")
        for signal in risk_signals():
            self._add(signal)

    def _add(self, signal: Signal) -> None:
        self.fields[f"{signal.key}.weight"] = forms.IntegerField(
            label=_l("Weight"), min_value=0, max_value=100,
            help_text=_l("0: it is not looked for."),
        )  # fmt: skip
        for limit in signal.limits:
            self.fields[f"{signal.key}.{limit.name}"] = forms.IntegerField(
                label=str(limit.label), min_value=limit.low, max_value=limit.high
            )

    @property
    def groups(self) -> list[tuple[Signal, list[forms.BoundField]]]:
        """The fields of each signal."""
        return [
            (signal, [self[name] for name in self.fields if name.startswith(f"{signal.key}.")])
            for signal in risk_signals()
        ]

    @property
    def general(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if "." not in name]

    def values(self) -> dict[str, Any]:
        """As `RiskDefinition` reads it."""
        said = self.cleaned_data
        return {name: said[name] for name in (*NUMBERS, "hold")} | {
            "signals": {
                signal.key: {
                    "weight": said[f"{signal.key}.weight"],
                    "limits": {
                        limit.name: said[f"{signal.key}.{limit.name}"] for limit in signal.limits
                    },
                }
                for signal in risk_signals()
            }
        }
