"""What staff fill in about a season and about a quarter."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import gettext_lazy as _l

from campaigns.campaign_templates import PROMOTIONS
from campaigns.models import QuarterPlan, Season
from campaigns.services.seasons import LONGEST, SeasonTerms

NTH = ((1, _l("First")), (2, _l("Second")), (3, _l("Third")), (4, _l("Fourth")), (-1, _l("Last")))


def _choice(label: Any, choices: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, choices=[("", "–"), *choices], coerce=int, empty_value=None, required=False
    )


class SeasonForm(forms.Form):
    """Only what its rule needs is asked."""

    name = forms.CharField(label=_l("Name"), max_length=60, help_text=_l("As “Black Friday”."))
    rule = forms.ChoiceField(label=_l("When it is"), choices=Season.Rule.choices)
    month = _choice(_l("Month"), MONTHS.items())
    day = forms.IntegerField(label=_l("Day"), min_value=1, max_value=31, required=False)
    nth = _choice(_l("Which of the month"), NTH)
    weekday = _choice(_l("Weekday"), WEEKDAYS.items())
    shift = forms.IntegerField(
        label=_l("Begins so many days after it"), min_value=-120, max_value=120, initial=0,
        help_text=_l("Below zero: before it."),
    )  # fmt: skip
    days = forms.IntegerField(label=_l("So many days"), min_value=1, max_value=LONGEST, initial=7)
    template = forms.ChoiceField(
        label=_l("What one click begins"),
        choices=[(item.code, item.label) for item in PROMOTIONS], initial="points-weekend",
    )  # fmt: skip

    def __init__(
        self, data: Any = None, *, season: Season | None = None, said: dict[str, str] | None = None
    ) -> None:
        names = SeasonTerms.__dataclass_fields__
        known = {name: getattr(season, name) for name in names} if season else said or {}
        super().__init__(data, initial=known)

    def terms(self) -> SeasonTerms:
        return SeasonTerms(**self.cleaned_data)


class SeasonDatesForm(forms.Form):
    """When it is in one year."""

    starts_on = forms.DateField(
        label=_l("First day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    ends_on = forms.DateField(
        label=_l("Last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class QuarterForm(forms.Form):
    """What a quarter shall come to."""

    aim = forms.CharField(label=_l("Aim"), max_length=200, required=False)
    revenue = forms.DecimalField(
        label=_l("What members shall buy for"), min_value=0, max_digits=14, decimal_places=2,
        required=False,
    )  # fmt: skip
    budget = forms.DecimalField(
        label=_l("What its campaigns may cost"), min_value=0, max_digits=14, decimal_places=2,
        required=False,
        help_text=_l(
            "They share it. It warns, and stops nothing: what a campaign’s own budget does."
        ),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, plan: QuarterPlan | None) -> None:
        names = ("aim", "revenue", "budget")
        known = {name: getattr(plan, name) for name in names} if plan else {}
        super().__init__(data, initial=known)
