"""The forms of a program's pause and of its end."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.rules.calendar import start_of_day
from loyalty.services.program_endings import EndingDays


class DayField(forms.DateField):
    """A day that the browser's picker offers."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput(attrs={"type": "date"}))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> dt.date | None:
        day: dt.date | None = super().clean(value)
        if day is not None and not 1900 <= day.year <= 2200:
            raise forms.ValidationError(_("Give a day between the years 1900 and 2200."))
        return day


class ResumeForm(ReasonForm):
    """When a pause is over."""

    ends_at = DayField(
        label=_l("Goes on"), required=False,
        help_text=_l("As this day begins. Left empty: now."),
    )  # fmt: skip

    def __init__(self, *args: Any, zone: zoneinfo.ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.fields["reason"].required = False

    def instant(self, name: str) -> dt.datetime | None:
        """The beginning of the day in a field."""
        day: dt.date | None = self.cleaned_data[name]
        return None if day is None else start_of_day(day, self.zone)


class PauseForm(ResumeForm):
    """From when to when, and what goes on meanwhile."""

    starts_at = DayField(
        label=_l("Begins"), required=False,
        help_text=_l("As this day begins. Left empty: now."),
    )  # fmt: skip
    ends_at = DayField(
        label=_l("Goes on"), required=False,
        help_text=_l("As this day begins. Left empty: when somebody resumes it."),
    )  # fmt: skip
    spending = forms.BooleanField(
        label=_l("Members can spend meanwhile"), required=False, initial=True
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True
        self.order_fields(["starts_at", "ends_at", "spending", "reason"])


class EndingForm(ReasonForm):
    """The days of a plan."""

    announced_on = DayField(
        label=_l("Members are told from"),
        help_text=_l("Their account page and the public terms say it from this day on."),
    )
    last_earning_day = DayField(
        label=_l("Earned for the last time on"), help_text=_l("To the end of this day.")
    )
    last_spending_day = DayField(
        label=_l("Spent for the last time on"),
        help_text=_l("To the end of this day. What is left then expires."),
    )

    def days(self) -> EndingDays:
        data = self.cleaned_data
        return EndingDays(data["announced_on"], data["last_earning_day"], data["last_spending_day"])
