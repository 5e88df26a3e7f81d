"""What staff fill in about journeys and their steps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _l

from campaigns.backoffice.preferred_ways import PLACES, PreferredWays, preferred
from campaigns.journey_definitions import JourneyDefinition
from campaigns.journey_news import journey_messages
from campaigns.journey_triggers import TRIGGERS
from campaigns.models import Journey
from campaigns.selectors.ways import usable_channels
from loyalty.models import Program
from loyalty.rule_conditions import OCCASION_SCOPES
from loyalty.selectors.adjustment_reasons import usable_reasons
from members.backoffice.condition_builder import ConditionField
from rewards.models import Reward

KINDS = {
    "message": _l("Tell them something"), "wait": _l("Wait some time"),
    "clock": _l("Wait for a time of day"), "check": _l("Go on only if"),
    "units": _l("Give units"), "reward": _l("Give a reward"), "end": _l("End"),
}  # fmt: skip


# What is settled of a trigger, as far as it asks for it; some of it several numbers.
STARTS = ("days", "hours", "factor", "balances", "share", "distances")
LISTS = ("balances", "distances")


class SettingsForm(forms.Form):
    name = forms.CharField(label=_l("Name"), max_length=80)
    days = forms.IntegerField(label=_l("Days"), min_value=0, max_value=730)
    hours = forms.IntegerField(
        label=_l("Hours"), min_value=1, max_value=720,
        help_text=_l("So long nothing more was told, and no order came."),
    )  # fmt: skip
    factor = forms.DecimalField(
        label=_l("Purchase cycles"), min_value=1, max_value=20, decimal_places=2,
        help_text=_l("2: twice as long as they usually take."),
    )  # fmt: skip
    balances = forms.CharField(
        label=_l("Balances"), max_length=100, help_text=_l("As 500, 1000, 2500.")
    )
    distances = forms.CharField(
        label=_l("Days before"), max_length=40, help_text=_l("As 60, 30, 7."),
    )  # fmt: skip
    share = forms.IntegerField(
        label=_l("Percent of the price"), min_value=10, max_value=99,
    )  # fmt: skip
    audience = ConditionField(
        scopes=OCCASION_SCOPES, label=_l("For whom"), everything=_l("Every member."),
    )  # fmt: skip
    again = forms.IntegerField(
        label=_l("Again after so many days"), required=False, min_value=0, max_value=3650,
        help_text=_l("Empty: once for each member. 0: each time."),
    )  # fmt: skip
    goal = forms.ChoiceField(
        label=_l("Goal"), required=False, help_text=_l("Whoever reaches it leaves."),
        choices=[("", _l("None")), ("order", _l("They order")),
                 ("reward", _l("They take a reward"))],
    )  # fmt: skip
    holdout = forms.IntegerField(
        label=_l("Percent kept aside"), min_value=0, max_value=50,
        help_text=_l("They are told nothing, so that you see what the journey brings."),
    )  # fmt: skip
    measured_days = forms.IntegerField(
        label=_l("Days that are compared"), min_value=1, max_value=365
    )
    ordered_days = forms.IntegerField(
        label=_l("Days for an order"), required=False, min_value=1, max_value=90,
        help_text=_l("An order so soon after a message counts in its figures. Empty: as usual."),
    )  # fmt: skip

    def __init__(self, journey: Journey, definition: JourneyDefinition, data: Any) -> None:
        start = definition.start
        initial = {
            **definition.model_dump(exclude={"start", "steps"}), "name": journey.name,
            "days": start.days, "hours": start.hours, "factor": start.factor,
            "share": start.share,
            **{name: ", ".join(map(str, getattr(start, name))) for name in LISTS},
        }  # fmt: skip
        super().__init__(data, initial=initial)
        for name in STARTS:
            if name not in TRIGGERS[journey.trigger].asks:
                del self.fields[name]

    def clean_balances(self) -> list[int]:
        return _whole_numbers(self.cleaned_data["balances"], 999_999_999)

    def clean_distances(self) -> list[int]:
        return _whole_numbers(self.cleaned_data["distances"], 365)

    def body(self, definition: JourneyDefinition) -> dict[str, Any]:
        data = self.cleaned_data
        asked = {name: data[name] for name in STARTS
                 if name in data}  # fmt: skip
        return {
            **definition.model_dump(),
            "start": definition.start.model_dump() | asked,
            **{name: data[name] for name in ("audience", "again", "goal", "holdout",
                                             "measured_days", "ordered_days")},
        }  # fmt: skip


def _whole_numbers(written: str, most: int) -> list[int]:
    parts = [part.strip() for part in written.split(",") if part.strip()]
    if not parts or any(not part.isdecimal() or len(part) > 9 for part in parts):
        raise forms.ValidationError(_l("Write whole numbers with commas between them."))
    if any(not 1 <= int(part) <= most for part in parts):
        raise forms.ValidationError(_l("Between 1 and %s.") % most)
    return [int(part) for part in parts]


class StepForm(PreferredWays):
    """A step of one kind."""

    message = forms.ChoiceField(label=_l("Message"))
    channels = forms.MultipleChoiceField(
        label=_l("By which ways"), widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(label=_l("Days"), min_value=0, max_value=730, initial=3)
    hours = forms.IntegerField(label=_l("Hours"), min_value=0, max_value=23, initial=0)
    time = forms.TimeField(
        label=_l("Time"), initial="09:00", help_text=_l("By the clock of each member."),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )  # fmt: skip
    when = ConditionField(scopes=OCCASION_SCOPES, required=True, label=_l("Condition"))
    otherwise = forms.ChoiceField(label=_l("Else"), required=False)
    units = forms.DecimalField(
        label=_l("Units"), min_value=Decimal("0.0001"), max_value=1_000_000, decimal_places=4
    )
    reason = forms.ChoiceField(label=_l("Reason"), help_text=_l("As in your figures."))
    reward = forms.ChoiceField(label=_l("Reward"))
    words = forms.CharField(label=_l("What they read with it"), max_length=200, required=False)

    field_order = ["message", "channels", "only_first", *PLACES]
    ASKED = {
        "message": ("message", "channels", "only_first", *PLACES),
        "wait": ("days", "hours"), "clock": ("time",),
        "check": ("when", "otherwise"), "units": ("units", "reason"),
        "reward": ("reward", "words"), "end": (),
    }  # fmt: skip

    def __init__(
        self, kind: str, program: Program, later: list[tuple[str, str]], data: Any,
        initial: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        initial = initial or {"channels": ["email", "inbox"]}
        ways = initial.get("channels", [])
        initial |= preferred(ways, only_first=bool(initial.get("only_first")))
        super().__init__(data, initial=initial)
        choices: dict[str, Any] = {
            "message": [(item.code, item.label) for item in journey_messages()],
            "channels": [(way.key, way.label) for way in usable_channels()],
            "otherwise": [("", _l("It ends")), *later],
            "reason": [(item.code, item.label) for item in usable_reasons()],
            "reward": list(
                Reward.objects.filter(program=program, status=Reward.Status.LIVE)
                .values_list("code", "name")
            ),
        }  # fmt: skip
        for name in list(self.fields):
            if name not in self.ASKED[kind]:
                del self.fields[name]
            elif name in choices:
                self.fields[name].choices = choices[name]  # type: ignore[attr-defined]
        if kind == "message":
            self.offer(choices["channels"])

    def said(self) -> dict[str, Any]:
        """As the step keeps it."""
        said = {name: value for name, value in self.cleaned_data.items() if name not in PLACES}
        return said | {"channels": self.ordered()} if "channels" in said else said
