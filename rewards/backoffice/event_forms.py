"""What staff fill in about events."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from loyalty.backoffice.program_fields import amount, optional, plain
from loyalty.models import Program
from loyalty.rule_conditions import OCCASION_SCOPES
from loyalty.rules.calendar import localize
from loyalty.selectors.tier_sets import tier_set_at
from loyalty.selectors.wallet_types import earned_types
from members.backoffice.condition_builder import ConditionField
from rewards.event_definitions import EventDefinition
from rewards.models import Event
from rewards.selectors.events import event_definition

TIMES = ("starts_at", "ends_at", "opens_at")


class MomentField(forms.DateTimeField):
    """A day and a time in the program's zone, as the browser's own picker gives it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
            widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            **kwargs,
        )


def said_moment(given: dt.datetime | None, program: Program) -> dt.datetime | None:
    return None if given is None else localize(given.replace(tzinfo=None), program.zone)


def shown_moment(known: dt.datetime | None, program: Program) -> dt.datetime | None:
    return None if known is None else known.astimezone(program.zone).replace(tzinfo=None)


class EventForm(forms.Form):
    """An event with its seats."""

    name = forms.CharField(label=_l("What members call it"), max_length=80)
    summary = forms.CharField(label=_l("In a sentence"), max_length=200, required=False)
    details = forms.CharField(
        label=_l("What to know"), max_length=2000, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    starts_at = MomentField(label=_l("Begins"))
    ends_at = MomentField(label=_l("Ends"))
    place = forms.CharField(label=_l("Place"), max_length=200, required=False)
    link = forms.URLField(
        label=_l("Link"), max_length=500, required=False, assume_scheme="https",
        help_text=_l("For an event on the net. Only who has booked is told."),
    )  # fmt: skip
    seats = forms.IntegerField(label=_l("Seats"), min_value=1, max_value=1_000_000)
    per_member = forms.IntegerField(
        label=_l("Seats for one member"),
        min_value=1,
        max_value=10_000,
        initial=1,
        required=False,
        help_text=_l("Empty: as many as they like."),
    )
    wallet_type = forms.ChoiceField(label=_l("Taken for"))
    price = amount(_l("Price of a seat"), 4, _l("In whole units; 0: free."), least="0")
    worth = optional(_l("Worth to a member"), _l("In money, for your figures."))
    cost = optional(_l("Cost to you"), _l("In money, for your figures."))
    opens_at = MomentField(
        label=_l("Can be booked from"), required=False,
        help_text=_l("Tiers with early access come so many hours earlier."),
    )  # fmt: skip
    offer_hours = forms.IntegerField(
        label=_l("Hours to answer"), min_value=1, max_value=720, initial=24,
        help_text=_l("So long a seat is kept for who is next in the waiting list."),
    )  # fmt: skip
    when = ConditionField(
        scopes=OCCASION_SCOPES, label=_l("Who may come"), everything=_l("Every member."),
    )  # fmt: skip

    def __init__(
        self, data: Any = None, *, program: Program, event: Event | None, now: dt.datetime
    ) -> None:
        self.program = program
        self.base = event_definition(event) if event else None
        tier_set = tier_set_at(program, now)
        self.tiers = list(tier_set.tiers.all()) if tier_set else []
        super().__init__(data, initial=self._initial())
        units = earned_types(program)
        choice = self.fields["wallet_type"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(item.code, item.plural) for item in units]
        for tier in self.tiers:
            field = optional(_("Price for %s") % tier.name, _("Empty: the price above."))
            self.fields[f"tier_{tier.code}"] = field
        if event is not None or len(units) == 1:
            del self.fields["wallet_type"]

    @property
    def tier_fields(self) -> list[forms.BoundField]:
        return [self[f"tier_{tier.code}"] for tier in self.tiers]

    def definition(self) -> EventDefinition | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        try:
            return EventDefinition.model_validate(self._said())
        except ValidationError as error:
            for item in error.errors(include_url=False):
                message = str(item["msg"]).removeprefix("Value error, ")
                place, _colon, words = message.partition(": ")
                if item["loc"]:
                    place, words = str(item["loc"][0]), message
                self.add_error(place if place in self.fields else None, words or message)
            return None

    def _initial(self) -> dict[str, Any]:
        if self.base is None:
            return {}
        found = self.base.model_dump()
        for name in TIMES:
            found[name] = shown_moment(found[name], self.program)
        for tier, price in self.base.tier_prices.items():
            found[f"tier_{tier}"] = plain(price)
        for name, value in list(found.items()):
            if isinstance(value, Decimal):
                found[name] = plain(value)
        return found

    def _said(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        said = {name: data[name] for name in EventDefinition.model_fields if name in data}
        for name in TIMES:
            said[name] = said_moment(said[name], self.program)
        shown = {tier.code for tier in self.tiers}
        known = self.base.tier_prices if self.base else {}
        # Those of tiers that are not there now stay.
        said["tier_prices"] = {tier: price for tier, price in known.items() if tier not in shown}
        said["tier_prices"] |= {
            tier: price for tier in shown if (price := data.get(f"tier_{tier}"))
        }
        said["worth"], said["cost"] = said["worth"] or 0, said["cost"] or 0
        if self.base is not None:
            return said | {"code": self.base.code, "wallet_type": self.base.wallet_type}
        first = self.program.wallet_types.order_by("pk").first()
        unit = data.get("wallet_type") or (first.code if first else "")
        return said | {"code": slugify(data["name"])[:64] or "event", "wallet_type": unit}


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_l("Code"), max_length=64,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True,
                   "autocapitalize": "characters"}
        ),
        help_text=_l("Scan it from the guest's phone, or type it."),
    )  # fmt: skip
