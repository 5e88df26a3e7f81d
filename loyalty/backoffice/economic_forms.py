"""What one fills in to work out a program's economics, and what the form begins with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core import signing
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.economics import ZERO, Inputs, Lift
from loyalty.holdouts import Holdout, find_holdout
from loyalty.models import EconomicAssumptions, EconomicScenario, Program
from loyalty.selectors.economics import ProgramData, inputs_of_scenario
from loyalty.services.economics import check_inputs
from members.formatting import format_days, format_money, format_number
from members.forms import errors_on

# A choice of a holdout says what it has measured, so that an address is worked out alike tomorrow.
PART = ":"
# As many as are kept of an amount and of a share.
DECIMALS = 4
KEPT = ("spend_without", "margin", "administration", "platform_fee", "support", "messaging")


class AmountField(forms.DecimalField):
    """Money from zero on; nothing said is nothing."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {
            "max_digits": 16,
            "decimal_places": DECIMALS,
            "min_value": 0,
            "required": False,
        } | kwargs
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(widget=widget, **kwargs)


class PercentField(AmountField):
    """A share out of 100."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 7, "max_value": 100} | kwargs)


class EconomicsForm(forms.Form):
    """All that the economics of a program are worked out from."""

    members = forms.IntegerField(
        label=_l("Members"), min_value=1, max_value=2_000_000_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    spend_with = AmountField(label=_l("Spend with the program"), required=True)
    basis = forms.ChoiceField(
        label=_l("What would be spent without it"), required=False, widget=forms.Select
    )
    spend_without = AmountField(label=_l("Spend without the program"))
    reward_rate = PercentField(label=_l("Reward rate"))
    bonuses = AmountField(label=_l("Bonuses per member"))
    redemption = PercentField(label=_l("Redemption rate"))
    breakage = PercentField(label=_l("Breakage"))
    owed = AmountField(label=_l("Liability now"))
    margin = PercentField(label=_l("Margin"), required=True)
    administration = AmountField(label=_l("Administration per member"))
    platform_fee = AmountField(label=_l("Platform fee"))
    support = PercentField(label=_l("Support, on top"))
    messaging = PercentField(label=_l("Messaging, on top"))

    def __init__(
        self, data: Any = None, *, program: Program, initial: Mapping[str, str] | None = None,
        holdouts: Sequence[Holdout] = (), hints: Mapping[str, SafeString] | None = None,
    ) -> None:  # fmt: skip
        asked = str(data.get("basis", "")) if data is not None else ""
        self.measured = _measured(asked)
        # What nobody has measured here is no measurement, whatever an address says.
        self.forged = bool(asked) and self.measured is None
        if self.forged:
            data = data.copy()
            data["basis"] = asked = ""
        super().__init__(data, initial=dict(initial or {}))
        self.program = program
        known = [(choice_of(item), _("Measured: %s") % item.name) for item in holdouts]
        # The name and the page of the one that was chosen.
        self.found = next(
            ((item.name, item.url) for item in holdouts if choice_of(item) == asked), None
        )
        if self.measured is not None and self.found is None:
            self.found = find_holdout(program, self.measured.key)
            known += [(asked, _("Measured: %s") % self.found[0])] if self.found else []
        choices = [("", _("My assumption")), *known]
        self.fields["basis"].choices = choices  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.help_text = (hints or {}).get(name, HINTS.get(name, ""))
        self.fields["spend_without"].conditional = True  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        if self.measured is None and cleaned["spend_without"] is None:
            self.add_error("spend_without", _("Say what they would spend without the program."))
        else:
            cleaned["inputs"] = self._inputs(cleaned)
            with errors_on(self):
                check_inputs(cleaned["inputs"])
        return cleaned

    def inputs(self) -> Inputs:
        """Once it is valid."""
        found: Inputs = self.cleaned_data["inputs"]
        return found

    @property
    def holdout(self) -> str:
        """The key of the one that was chosen."""
        return self.measured.key if self.measured else ""

    @property
    def query(self) -> str:
        """What was said, for another page's address."""
        return urlencode({name: self.data[name] for name in self.fields if self.data.get(name)})

    def _inputs(self, said: Mapping[str, Any]) -> Inputs:
        names = [name for name in self.fields if name not in ("basis", "members", "spend_without")]
        without, lift = said["spend_without"] or ZERO, None
        if self.measured is not None:
            without = said["spend_with"] - self.measured.difference
            lift = self.measured.lift
        return Inputs(
            members=said["members"], spend_without=without, lift=lift,
            **{name: said[name] or ZERO for name in names},
        )  # fmt: skip


HINTS = {
    "spend_with": _l("Of a member, in a year."),
    "reward_rate": _l("Of what is spent, what comes back as rewards, in percent."),
    "bonuses": _l("In a year, besides what purchases earn."),
    "redemption": _l("Of what is given in a year, what is used in it."),
    "breakage": _l("Of what is given, what will never be used."),
    "owed": _l("What members hold now is worth."),
    "margin": _l("Of the price, what is left after the goods. No data say it."),
    "administration": _l("In a year, for each member."),
    "platform_fee": _l("In a year, for all."),
    "support": _l("Of all other cost, in percent; 2 to 5 is usual."),
    "messaging": _l("Of all other cost, in percent; 15 to 25 is usual."),
    "spend_without": _l("Of a member, in a year. Your assumption: no data say it."),
    "basis": _l(
        "Only a holdout, members kept aside by lot, measures it. Customers who are no members are"
        " never taken for it: who joins buys more anyway."
    ),
}


class ScenarioForm(forms.Form):
    name = forms.CharField(
        label=_l("Name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """What a choice of a holdout says."""

    key: str
    difference: Decimal
    lift: Lift

    @property
    def choice(self) -> str:
        """Signed, so that nobody types a measurement into an address."""
        lift = self.lift
        numbers = (typed(number) for number in (self.difference, lift.low, lift.high))
        days = (day.isoformat() if day else "" for day in (lift.since, lift.until))
        return _signer().sign(PART.join([self.key, *numbers, *days]))


def choice_of(holdout: Holdout) -> str:
    lift = Lift(holdout.low, holdout.high, holdout.since, holdout.until)
    return Measured(holdout.key, holdout.difference, lift).choice


def begun_with(data: ProgramData, kept: EconomicAssumptions | None) -> dict[str, str]:
    """What the program's data say, and what was kept of the rest. What people would spend without
    the program is in no data."""
    found: dict[str, Decimal | int | None] = {
        "members": data.members or None,
        "spend_with": data.spend,
        "reward_rate": data.reward_rate,
        "breakage": data.counted_breakage,
        "owed": data.owed,
    }
    if data.counted_redemption is not None:
        # Rounded, both together are no more than all either.
        rest = 100 - round(data.counted_breakage or ZERO, DECIMALS)
        found["redemption"] = min(round(data.counted_redemption, DECIMALS), rest)
    if kept is not None:
        found |= {name: getattr(kept, name) for name in KEPT}
    return {name: typed(value) for name, value in found.items() if value is not None}


def query_of_scenario(scenario: EconomicScenario) -> str:
    """The address of the page with its numbers."""
    names = [name for name in EconomicsForm.base_fields if name not in ("basis", "spend_without")]
    said = {name: typed(getattr(scenario, name)) for name in names}
    lift = inputs_of_scenario(scenario).lift
    if lift is not None:
        difference = scenario.spend_with - scenario.spend_without
        said["basis"] = Measured(scenario.holdout, difference, lift).choice
    else:
        said["spend_without"] = typed(scenario.spend_without)
    return urlencode(said)


def hints_of(
    program: Program, data: ProgramData, links: Mapping[str, str]
) -> dict[str, SafeString]:
    """Below each number that data say: what it is, and where it is from."""

    def money(amount: Decimal) -> str:
        return format_money(amount, program.currency)

    years = format_number(round(data.member_years, 1))
    told = {
        "members": _("Now: without those who left."),
        "spend_with": _(
            "Last 365 days: %(revenue)s that members bought since they joined, less returns, in"
            " %(years)s member years."
        ) % {"revenue": money(data.revenue + data.taken_off), "years": years},
        "reward_rate": _(
            "Last 365 days: units earned are worth %(earned)s, discounts took off %(discounts)s."
            " Bonuses are in it."
        ) % {"earned": money(data.earned), "discounts": money(data.discounts)},
        "redemption": _("Last 365 days: units worth %(used)s were used, %(earned)s earned.")
        % {"used": money(data.used), "earned": money(data.earned)},
        "breakage": _("Of all units that were ever granted, what has expired by now."),
        "owed": _("What members hold today is worth."),
    }  # fmt: skip
    if data.taken_off:
        told["spend_with"] += " " + _("Discounts are not taken off it: they are a cost.")
    if data.discounts:
        told["redemption"] += " " + _("Discounts count as given and as used.")
        told["breakage"] += " " + _("Discounts never expire: it counts for the units alone.")
    if data.redemption is not None and data.redemption != data.counted_redemption:
        told["redemption"] += " " + _("Older units were used too: no more than all is counted.")
    missing = {
        "members": not data.members, "spend_with": data.spend is None,
        "reward_rate": data.reward_rate is None, "redemption": data.redemption is None,
        "breakage": data.breakage is None, "owed": not data.owed,
    }  # fmt: skip
    return {
        name: format_html('{} <a href="{}">{}</a>', words, links[name], _("Where it is from"))
        if not missing[name]
        else format_html("{} {}", HINTS.get(name, ""), _("The program has no data for it yet."))
        for name, words in told.items()
    }


def holdout_words(holdout: Holdout, currency: str) -> str:
    """What one has measured, and of whom."""

    def money(amount: Decimal) -> str:
        return format_money(amount, currency)

    return _(
        "%(days)s: %(led)s members who got it spent %(difference)s more each than %(aside)s who"
        " were kept aside; what is true lies between %(low)s and %(high)s."
    ) % {
        "days": format_days(holdout.since, holdout.until), "led": format_number(holdout.led),
        "aside": format_number(holdout.aside), "difference": money(holdout.difference),
        "low": money(holdout.low), "high": money(holdout.high),
    }  # fmt: skip


def typed(value: Decimal | int) -> str:
    """As somebody would type it: no decimals, or two and more, up to those that are kept."""
    number = round(Decimal(value), DECIMALS)
    shorter = (round(number, digits) for digits in (0, 2, 3))
    return f"{next((short for short in shorter if short == number), number):f}"


def _signer() -> signing.Signer:
    return signing.Signer(salt="setia.measured-lift")


def _measured(basis: str) -> Measured | None:
    """What a choice says; None: it is none, or not one of ours."""
    try:
        key, difference, low, high, *days = _signer().unsign(basis).split(PART)
    except signing.BadSignature:
        return None
    since, until = (dt.date.fromisoformat(day) if day else None for day in days)
    return Measured(key, Decimal(difference), Lift(Decimal(low), Decimal(high), since, until))
