"""What the pages of Insights share: which units, as of which day; the choice is in the address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _l

from loyalty.backoffice.moments import EARLIEST, LATEST
from loyalty.models import Program, WalletType
from members.formatting import format_short_month


class UnitsForm(forms.Form):
    """Which units. What the address says that is no choice is passed over."""

    units = forms.ChoiceField(
        label=_l("Units"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )

    def __init__(self, data: Any, choices: Sequence[WalletType]) -> None:
        super().__init__(data)
        self.fields["units"].choices = [  # type: ignore[attr-defined]
            (str(item.pk), f"{item.program.name} · {item.plural}") for item in choices
        ]


class InsightForm(UnitsForm):
    """Units and a day."""

    day = forms.DateField(
        label=_l("As of the end of"), required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )  # fmt: skip

    def clean_day(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["day"]
        if day is not None and not EARLIEST <= day <= LATEST:
            raise forms.ValidationError("")
        return day


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen; `wallet_type` None: there is no program yet."""

    form: InsightForm
    wallet_type: WalletType | None
    day: dt.date

    @property
    def query(self) -> str:
        """The same choice for another page."""
        return f"units={self.wallet_type.pk}&day={self.day.isoformat()}" if self.wallet_type else ""


def unit_choices() -> list[WalletType]:
    """Units of all programs that are or were live."""
    found = WalletType.objects.exclude(program__status=Program.Status.DRAFT)
    return list(found.select_related("program").order_by("program__name", "pk"))


def chosen_units(asked: UnitsForm, choices: Sequence[WalletType]) -> WalletType | None:
    """Those that a form names, once it was looked at; else the first."""
    named = asked.cleaned_data.get("units")
    found = next((item for item in choices if str(item.pk) == named), None)
    return found or (choices[0] if choices else None)


def read_choice(request: HttpRequest) -> Choice:
    """The units and the day that the address names; else the first units, and today where their
    program is."""
    choices = unit_choices()
    asked = InsightForm(request.GET, choices)
    asked.is_valid()
    wallet_type = chosen_units(asked, choices)
    zone = wallet_type.program.zone if wallet_type else timezone.get_current_timezone()
    day = asked.cleaned_data.get("day") or timezone.now().astimezone(zone).date()
    shown = InsightForm({"units": str(wallet_type.pk) if wallet_type else "", "day": day}, choices)
    return Choice(shown, wallet_type, day)


def read_known_choice(request: HttpRequest) -> tuple[WalletType, dt.date]:
    """The same for a file, which there is none of as long as there is no program."""
    choice = read_choice(request)
    if choice.wallet_type is None:
        raise Http404
    return choice.wallet_type, choice.day


def insight_context(choice: Choice, *, title: str, summary: str) -> dict[str, object]:
    """What `insight_page.html` shows around the figures."""
    return {
        "title": title,
        "summary": summary,
        "choice": choice,
        "form": choice.form,
        "wallet_type": choice.wallet_type,
    }


def csv_name(kind: str, wallet_type: WalletType, day: dt.date) -> str:
    """What a downloaded table is called."""
    return f"{kind}-{wallet_type.program.code}-{wallet_type.code}-{day}.csv"


def month_texts(months: list[dt.date]) -> list[str]:
    return [format_short_month(month) for month in months]
