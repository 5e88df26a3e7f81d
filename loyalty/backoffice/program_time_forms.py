"""The forms of a program's pause and of its end."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import fields
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.backoffice.program_fields import at_times, plain
from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.models import Program, ProgramEnding, WalletType
from loyalty.rules.calendar import start_of_day
from loyalty.services.ending_conversions import ConversionTerms
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
        help_text=_l("To the end of this day. What is left then expires, or goes on elsewhere."),
    )

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = list(program.wallet_types.filter(stored_value=False).order_by("pk"))
        self.others = _elsewhere(program) if self.kinds else []
        if not self.others:
            return
        for kind in self.kinds:
            words = {"units": kind.plural}
            self.fields[f"to_{kind.pk}"] = at_times(
                forms.ChoiceField(
                    label=_("What becomes of the %(units)s that are left") % words,
                    choices=[("", _("They expire")), *self.others],
                )
            )
            self.fields[f"take_{kind.pk}"] = _rate(_("For each so many %(units)s …") % words)
            self.fields[f"give_{kind.pk}"] = _rate(_("… members get so many"))
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    def rows(self) -> list[tuple[Any, Any, Any]]:
        """Of each kind of units the fields that say what becomes of it."""
        return [
            (self[f"to_{kind.pk}"], self[f"take_{kind.pk}"], self[f"give_{kind.pk}"])
            for kind in self.kinds
            if self.others
        ]

    def clean(self) -> dict[str, Any]:
        """`conversions`: what was said, with one for one where no number was given."""
        data: dict[str, Any] = super().clean() or {}
        data["conversions"] = tuple(
            ConversionTerms(
                kind.code, data[f"to_{kind.pk}"].partition("/")[0],
                data[f"to_{kind.pk}"].partition("/")[2],
                data.get(f"take_{kind.pk}") or Decimal(1),
                data.get(f"give_{kind.pk}") or Decimal(1),
            )
            for kind in self.kinds
            if data.get(f"to_{kind.pk}")
        )  # fmt: skip
        return data

    def days(self) -> EndingDays:
        data = self.cleaned_data
        return EndingDays(**{item.name: data[item.name] for item in fields(EndingDays)})


def ending_initial(days: EndingDays, program: Program) -> dict[str, Any]:
    """What the form shows of a plan."""
    kinds = {kind.code: kind.pk for kind in program.wallet_types.all()}
    shown: dict[str, Any] = {item.name: getattr(days, item.name) for item in fields(EndingDays)}
    for item in days.conversions:
        pk = kinds[item.wallet_type]
        shown |= {
            f"to_{pk}": f"{item.program}/{item.to_wallet_type}",
            f"take_{pk}": plain(item.take), f"give_{pk}": plain(item.give),
        }  # fmt: skip
    return shown


def _rate(label: str) -> forms.DecimalField:
    found = forms.DecimalField(
        label=label, required=False, min_value=Decimal("0.0001"), max_digits=14, decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    return at_times(found)


def _elsewhere(program: Program) -> list[tuple[str, str]]:
    """Kinds of units that are earned in other live programs, which do not end."""
    found = WalletType.objects.filter(
        program__status=Program.Status.LIVE, stored_value=False
    ).exclude(program=program)
    found = found.exclude(
        program__in=ProgramEnding.objects.filter(called_off_at=None).values("program")
    )
    return [
        (f"{item.program.code}/{item.code}",
         _("%(units)s in %(program)s") % {"units": item.plural, "program": item.program.name})
        for item in found.select_related("program").order_by("program__name", "pk")
    ]  # fmt: skip
