"""What staff fill in about charities, pledges and payouts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from loyalty.backoffice.program_fields import amount, at_times, optional, plain
from loyalty.giving_definitions import CharityDefinition, PledgeDefinition
from loyalty.models import ActivityType, Charity, Pledge, Program, WalletType
from loyalty.rule_conditions import OCCASION_SCOPES
from loyalty.rules.calendar import localize
from loyalty.selectors.charities import charities_in, charity_definition, pledge_definition
from loyalty.selectors.wallet_types import earned_types
from members.backoffice.condition_builder import ConditionField
from members.choices import language_name

ICONS = (
    ("heart", _l("Heart")), ("tree", _l("Tree")), ("plant-2", _l("Plant")), ("paw", _l("Paw")),
    ("school", _l("School")),
    ("ripple", _l("Water")), ("soup", _l("Meal")), ("stethoscope", _l("Health")),
    ("home", _l("Home")),
)  # fmt: skip
MONEY, THINGS = "money", "things"


def _line(label: Any, most: int, help_text: Any = "", *, required: bool = False) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, required=required, help_text=help_text)


def _moment(label: Any, help_text: Any = "", *, required: bool = False) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, help_text=help_text, required=required,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip


class DefinedForm(forms.Form):
    """A form whose fields a definition checks once more."""

    # Where the definition calls a field otherwise than the form.
    places: dict[str, str] = {}

    def refuse_definition(self, error: ValidationError) -> None:
        for item in error.errors(include_url=False):
            message = str(item["msg"]).removeprefix("Value error, ")
            name = self.places.get(str(item["loc"][0]), str(item["loc"][0])) if item["loc"] else ""
            self.add_error(name if name in self.fields else None, message)


class CharityForm(DefinedForm):
    """A charity: what people read of it, and what units are worth there."""

    name = _line(_l("Name"), 120, required=True)
    summary = forms.CharField(
        label=_l("What it does, in a sentence"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    website = _line(_l("Web address"), 300, _l("Beginning with https."))
    icon = forms.ChoiceField(label=_l("Icon"))
    thing_singular = _line(_l("What its work is counted in"), 40, _l("One of it: tree, meal."))
    thing_plural = _line(_l("Several of them"), 40, _l("trees, meals"))
    thing_price = optional(_l("Money for one"), _l("What one costs the charity."))

    def __init__(self, data: Any = None, *, program: Program, charity: Charity | None) -> None:
        self.program = program
        self.base = charity_definition(charity) if charity else None
        self.units: list[WalletType] = earned_types(program)
        super().__init__(data, initial=self._initial())
        icon = self.fields["icon"]
        assert isinstance(icon, forms.ChoiceField)
        icon.choices = list(ICONS)
        for unit in self.units:
            code = unit.code
            self.fields[f"units_{code}"] = optional(_("So many %s") % unit.plural)
            self.fields[f"gives_{code}"] = optional(
                _("give so much"), _("Empty: what they are worth to members.")
            )
            self.fields[f"in_{code}"] = forms.ChoiceField(
                label=_("counted in"), choices=[(THINGS, _("things")), (MONEY, program.currency)]
            )
        for language in self.languages:
            name = language_name(language)
            self.fields[f"name_{language}"] = _line(_("Name in %s") % name, 120)
            self.fields[f"summary_{language}"] = _line(_("Sentence in %s") % name, 300)

    @property
    def languages(self) -> list[str]:
        known = [code for code, _name in settings.KNOWN_LANGUAGES if code != settings.LANGUAGE_CODE]
        more = [code for code in (self.base.texts if self.base else {}) if code not in known]
        return [*known, *more]

    @property
    def rate_fields(self) -> list[list[forms.BoundField]]:
        return [
            [self[f"units_{unit.code}"], self[f"gives_{unit.code}"], self[f"in_{unit.code}"]]
            for unit in self.units
        ]

    @property
    def text_fields(self) -> list[forms.BoundField]:
        return [self[f"{what}_{code}"] for code in self.languages for what in ("name", "summary")]

    def definition(self) -> CharityDefinition | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        data = self.cleaned_data
        same = (
            "name", "summary", "website", "icon", "thing_singular", "thing_plural", "thing_price",
        )  # fmt: skip
        said: dict[str, Any] = {name: data[name] for name in same} | {
            "code": self.base.code if self.base else slugify(data["name"])[:64] or "charity",
            "status": self.base.status if self.base else "live",
            "rates": [rate for unit in self.units if (rate := self._rate(unit.code))],
            "texts": {
                code: {"name": data[f"name_{code}"], "summary": data[f"summary_{code}"]}
                for code in self.languages
                if data[f"name_{code}"] or data[f"summary_{code}"]
            },
        }
        try:
            return CharityDefinition.model_validate(said)
        except ValidationError as error:
            self.refuse_definition(error)
            return None

    def _rate(self, code: str) -> dict[str, Any] | None:
        data = self.cleaned_data
        if data.get(f"gives_{code}") is None:
            return None
        return {
            "wallet_type": code, "units": data.get(f"units_{code}") or 1,
            data[f"in_{code}"]: data[f"gives_{code}"],
        }  # fmt: skip

    def _initial(self) -> dict[str, Any]:
        if self.base is None:
            return {"icon": "heart"}
        found = self.base.model_dump(exclude={"rates", "texts"})
        if self.base.thing_price is not None:
            found["thing_price"] = plain(self.base.thing_price)
        for rate in self.base.rates:
            found[f"units_{rate.wallet_type}"] = plain(rate.units)
            found[f"gives_{rate.wallet_type}"] = plain(rate.money or rate.things or Decimal(0))
            found[f"in_{rate.wallet_type}"] = MONEY if rate.money is not None else THINGS
        for language, text in self.base.texts.items():
            found[f"name_{language}"], found[f"summary_{language}"] = text.name, text.summary
        return found


class PledgeForm(DefinedForm):
    """What is given for each event of a kind."""

    places = {"money": "amount", "things": "amount"}

    name = _line(_l("What it is called"), 80, _l("As “A tree for each order”."), required=True)
    charity = forms.ChoiceField(label=_l("For"))
    event = forms.ChoiceField(
        label=_l("For each"), choices=Pledge.Event.choices, widget=forms.RadioSelect
    )
    activity_type = forms.ChoiceField(label=_l("Which activity"), required=False)
    least = at_times(optional(_l("Only orders from"), _l("Empty: each order.")))
    amount = amount(_l("So much for each"), 4)
    unit = forms.ChoiceField(
        label=_l("Given in"), choices=((THINGS, _l("things, as trees")), (MONEY, _l("money")))
    )
    budget = optional(_l("In all at most"), _l("In the same. Empty: no limit."))
    starts_at = _moment(_l("From"), required=True)
    ends_at = _moment(_l("Until"), _l("Empty: until its budget is used up."))
    when = ConditionField(
        scopes=OCCASION_SCOPES, label=_l("For whom"), everything=_l("Every member.")
    )

    def __init__(
        self, data: Any = None, *, program: Program, pledge: Pledge | None, now: dt.datetime
    ) -> None:
        self.program = program
        self.base = pledge_definition(pledge) if pledge else None
        super().__init__(data, initial=self._initial(now))
        charity, activity = self.fields["charity"], self.fields["activity_type"]
        assert isinstance(charity, forms.ChoiceField)
        assert isinstance(activity, forms.ChoiceField)
        charity.choices = [(item.code, item.account.name) for item in charities_in(program)]
        types = [(item.code, item.name) for item in ActivityType.objects.filter(active=True)]
        activity.choices = [("", _("Any")), *types]
        if pledge is not None:
            del self.fields["charity"], self.fields["event"]
            if pledge.event != Pledge.Event.ORDER:
                del self.fields["least"]
            if pledge.event != Pledge.Event.ACTIVITY:
                del self.fields["activity_type"]

    def definition(self) -> PledgeDefinition | None:
        data = self.cleaned_data
        event = self.base.event if self.base else data["event"]
        said = {
            "code": self.base.code if self.base else slugify(data["name"])[:64] or "pledge",
            "status": self.base.status if self.base else "draft",
            "charity": self.base.charity if self.base else data["charity"],
            "event": event, "name": data["name"], "when": data["when"], "budget": data["budget"],
            data["unit"]: data["amount"],
            # Without what was typed into fields that this event does not show.
            "least": data.get("least") if event == Pledge.Event.ORDER else None,
            "activity_type": data.get("activity_type", "")
            if event == Pledge.Event.ACTIVITY else "",
            **{name: self._at(data[name]) for name in ("starts_at", "ends_at")},
        }  # fmt: skip
        try:
            return PledgeDefinition.model_validate(said)
        except ValidationError as error:
            self.refuse_definition(error)
            return None

    def _at(self, moment: dt.datetime | None) -> dt.datetime | None:
        return localize(moment.replace(tzinfo=None), self.program.zone) if moment else None

    def _initial(self, now: dt.datetime) -> dict[str, Any]:
        if self.base is None:
            today = now.astimezone(self.program.zone).replace(tzinfo=None, second=0, microsecond=0)
            return {"event": "order", "unit": THINGS, "starts_at": today}
        found = self.base.model_dump(exclude={"money", "things"})
        found["amount"] = plain(self.base.amount)
        found["unit"] = MONEY if self.base.money is not None else THINGS
        for name in ("least", "budget"):
            found[name] = None if found[name] is None else plain(found[name])
        for name in ("starts_at", "ends_at"):
            if found[name] is not None:
                found[name] = found[name].astimezone(self.program.zone).replace(tzinfo=None)
        return found


def _day(label: Any, help_text: Any = "", *, required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label, help_text=help_text, required=required,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip


class PayoutForm(forms.Form):
    """Which days are paid out."""

    since = _day(_l("From"), _l("Empty: all that was not paid out before."), required=False)
    until = _day(_l("Until"))


class PaidForm(forms.Form):
    """That it was paid, when, and under which reference."""

    reference = _line(_l("Reference"), 120, _l("As on your bank statement."), required=True)
    paid_on = _day(_l("Paid on"))


class TakeBackForm(forms.Form):
    note = _line(_l("Why"), 300, required=True)
