"""What is asked when a tier is given by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.rules.calendar import end_of_day
from loyalty.selectors.member_tiers import MemberStanding


class GiveTierForm(ReasonForm):
    tier = forms.ChoiceField(label=gettext_lazy("Tier"), widget=forms.RadioSelect)
    until = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("To the end of this day. Empty: until somebody ends it."),
    )
    field_order = ("tier", "until", "reason")

    def __init__(self, *args: Any, shown: MemberStanding, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = shown.membership.program.zone
        self.today = shown.stands.at.astimezone(self.zone).date()
        field = self.fields["tier"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(tier.code, tier.name) for tier in shown.tiers[1:]]
        self.fields["until"].widget.attrs["min"] = self.today.isoformat()

    def clean_until(self) -> dt.datetime | None:
        """The first instant at which it is over."""
        day: dt.date | None = self.cleaned_data["until"]
        if day is None:
            return None
        if not self.today <= day <= dt.date(2200, 12, 31):
            raise forms.ValidationError(_("Give a day that is still to come."))
        return end_of_day(day, self.zone)
