"""The forms of goals: what, how much, by when, and whose."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.backoffice.program_time_forms import DayField
from loyalty.goal_metrics import METRICS
from loyalty.models import Goal, Program
from loyalty.selectors.goals import today_of
from loyalty.selectors.tier_sets import tier_set_at
from loyalty.services.goals import Wanted
from members.models import User
from members.selectors.staff import list_staff


class ChangeGoalForm(forms.Form):
    """What may change of a goal."""

    target = forms.DecimalField(
        label=_l("How much"), max_digits=18, decimal_places=4, min_value=Decimal(0),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    due_on = DayField(label=_l("By when"), help_text=_l("By the end of this day."))
    owner = forms.ChoiceField(
        label=_l("Who looks after it"), required=False,
        help_text=_l("Everybody reads it; one person takes care of it."),
    )  # fmt: skip
    note = forms.CharField(
        label=_l("Why, and what will be done"), required=False, max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program = program
        self.people = {str(item.user_id): item.user for item in list_staff()}
        people = [(pk, str(user)) for pk, user in self.people.items()]
        self.fields["owner"].choices = [("", _("Nobody")), *people]  # type: ignore[attr-defined]

    def chosen_owner(self) -> User | None:
        return self.people.get(self.cleaned_data["owner"])


class GoalForm(ChangeGoalForm):
    """A new goal."""

    metric = forms.ChoiceField(label=_l("What"))
    tier_code = forms.ChoiceField(label=_l("Of which tier"), required=False)
    starts_on = DayField(
        label=_l("Counted from"),
        help_text=_l("What it was at the end of this day is where it begins."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = tier_set_at(self.program, timezone.now())
        tiers = [(tier.code, tier.name) for tier in found.tiers.all()] if found else []
        metrics = [(code, metric.label) for code, metric in METRICS.items()]
        self.fields["metric"].choices = [  # type: ignore[attr-defined]
            choice for choice in metrics if tiers or choice[0] != Goal.Metric.TIER
        ]
        if tiers:
            choices = [("", _("None")), *tiers]
            self.fields["tier_code"].choices = choices  # type: ignore[attr-defined]
            self.fields["tier_code"].help_text = _("Asked for the members of a tier.")
        else:
            del self.fields["tier_code"]
        self.initial.setdefault("starts_on", today_of(self.program, timezone.now()))
        self.order_fields(["metric", "tier_code", "target", "due_on", "starts_on", "owner"])

    def wanted(self) -> Wanted:
        data = self.cleaned_data
        of_tier = data["metric"] == Goal.Metric.TIER
        return Wanted(
            data["metric"], data["target"], data["due_on"], data["starts_on"],
            data.get("tier_code", "") if of_tier else "", self.chosen_owner(), data["note"],
        )  # fmt: skip


class CloseGoalForm(forms.Form):
    """How it ended."""

    state = forms.ChoiceField(
        label=_l("How did it end?"),
        choices=[choice for choice in Goal.State.choices if choice[0] != Goal.State.OPEN],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_l("What is to be remembered"), required=False, max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
