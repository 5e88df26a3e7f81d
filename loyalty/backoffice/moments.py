"""Choosing a moment of the past; the choice is in the address, so that it can be sent on."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.rules.calendar import last_instant, localize

EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2099, 12, 31)


class MomentForm(forms.Form):
    """A day, and perhaps a time of it; without one, the end of the day."""

    day = forms.DateField(
        label=_l("Day"), required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )  # fmt: skip
    time = forms.TimeField(
        label=_l("Time"), required=False,
        widget=forms.TimeInput(attrs={"type": "time", "class": "form-control"}),
    )  # fmt: skip

    def clean_day(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["day"]
        if day is not None and not EARLIEST <= day <= LATEST:
            raise forms.ValidationError(_("Choose a day between 1900 and 2099."))
        return day

    def instant(self, zone: zoneinfo.ZoneInfo) -> dt.datetime | None:
        """The moment in a program's time zone; None: nothing was chosen, or nothing that is one."""
        chosen: dict[str, Any] = self.cleaned_data if self.is_valid() else {}
        day: dt.date | None = chosen.get("day")
        time: dt.time | None = chosen.get("time")
        if day is None:
            return None
        return localize(dt.datetime.combine(day, time), zone) if time else last_instant(day, zone)
