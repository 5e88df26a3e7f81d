"""What every dialog asks that does something by hand: why; and often how many units, and until
when."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.models import WalletType
from loyalty.rules.calendar import end_of_day
from loyalty.unit_input import ADD, read_units
from members.formatting import format_day, format_points


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For your colleagues. Customers do not see it."),
    )


class UntilForm(ReasonForm):
    """Until which day units can be used, as far ahead as somebody may let them last."""

    until = forms.DateField(
        label=gettext_lazy("Usable until"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("To the end of this day."),
    )

    def __init__(
        self, *args: Any, zone: zoneinfo.ZoneInfo, today: dt.date, most: int | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.last = None if most is None else today + dt.timedelta(days=most)
        attrs = self.fields["until"].widget.attrs
        attrs["min"] = today.isoformat()
        if self.last is not None:
            attrs["max"] = self.last.isoformat()

    def clean_until(self) -> dt.datetime:
        """The first instant at which they are gone."""
        day: dt.date = self.cleaned_data["until"]
        if self.last is not None and day > self.last:
            raise forms.ValidationError(
                _("Your role may let units last until %s at most.") % format_day(self.last)
            )
        if not 1900 <= day.year <= 2200:
            raise forms.ValidationError(_("Give a day between the years 1900 and 2200."))
        return end_of_day(day, self.zone)


class KeyedForm(ReasonForm):
    """A form that moves units once, however often it arrives."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("key", uuid.uuid4())

    def renew_key(self) -> None:
        """The form had moved units already and came back changed: start afresh."""
        data = cast(QueryDict, self.data).copy()
        data["key"] = str(uuid.uuid4())
        self.data = data


class UnitsForm(KeyedForm):
    """How many of the units there are left."""

    units = forms.CharField(
        label=gettext_lazy("How many"),
        max_length=32,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, wallet_type: WalletType, units_left: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wallet_type = wallet_type
        self.initial.setdefault("units", format_points(units_left, wallet_type.scale))

    def clean_units(self) -> int:
        units = read_units(self.cleaned_data["units"], self.wallet_type, direction=ADD)
        if units < 0:
            raise forms.ValidationError(_("Give a number above zero."))
        return units


class ReinstatementForm(UntilForm, UnitsForm):
    """How many come back, and until when they can be used."""
