"""What a campaign gives, as answers to few questions; and the rules that it comes to. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, model_validator

from loyalty.rules.body_parts import BundlePart

Amount = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=4)]
Percent = Annotated[Decimal, Field(gt=0, le=100, max_digits=7, decimal_places=4)]
Names = tuple[Annotated[str, Field(min_length=1, max_length=128)], ...]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OfferBracket(Part):
    """So many percent off where the order comes to more than so much."""

    above: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)]
    percent: Percent


class Offer(Part):
    """Which of it counts is said by the campaign's template. `weekdays` and the hours: only then,
    again and again while the campaign is live. `per_member`: units for one member at most.
    `expire_days`: its units are gone so many days after they can be spent; None: as the program's.

    Personal: `bought` so often within `within` days, or so few are `missing`; theirs for `lasts`
    days, `again` when that is over. `margins`: what a category is worth, in percent."""

    factor: Annotated[Decimal, Field(gt=1, le=100, max_digits=8, decimal_places=4)] = Decimal(2)
    units: Amount = Decimal(100)
    reach: Amount = Decimal(50)
    number: int = Field(3, ge=2, le=1000)
    percent: Percent = Decimal(10)
    brackets: tuple[OfferBracket, ...] = ()
    least: Amount | None = None
    every: int = Field(3, ge=2, le=100)
    bundle: tuple[BundlePart, ...] = Field((), max_length=10)
    price: Amount = Decimal(20)
    times: int | None = Field(None, ge=1, le=1000)
    categories: Names = ()
    skus: Names = ()
    tags: Names = ()
    weekdays: tuple[Weekday, ...] = ()
    from_time: dt.time | None = None
    until_time: dt.time | None = None
    per_member: Amount | None = None
    expire_days: int | None = Field(None, ge=1, le=1096)
    # Of personal offers: how each member's is picked, and for how many days it is theirs.
    picks: Literal["favorite", "birthday", "next"] = "favorite"
    bought: int = Field(3, ge=1, le=1000)
    within: int = Field(365, ge=1, le=1096)
    missing: int = Field(1, ge=1, le=20)
    lasts: int = Field(14, ge=1, le=366)
    again: bool = False
    margins: Annotated[dict[str, Percent], Field(max_length=40)] = {}
    # Of surprises: who is drawn among those it is for, how often, and a reward in place of units.
    choose: Literal["all", "number", "share"] = "number"
    winners: int = Field(10, ge=1, le=1_000_000)
    share: Percent = Decimal(5)
    rounds: Literal["once", "week", "month"] = "once"
    reward: Annotated[str, Field(max_length=64)] = ""

    @model_validator(mode="after")
    def _both_hours(self) -> Self:
        if (self.from_time is None) != (self.until_time is None):
            raise ValueError(_("until_time: give both hours, or none."))
        if self.from_time is not None and self.from_time == self.until_time:
            raise ValueError(_("until_time: another hour than the first."))
        return self

    @property
    def lines(self) -> dict[str, Any]:
        """Which items count; empty: all."""
        named = {"categories": self.categories, "skus": self.skus, "tags": self.tags}
        found = {kind: list(names) for kind, names in named.items() if names}
        return {"include": found} if found else {}

    def conditions(self) -> list[dict[str, Any]]:
        """Which orders count, by the clocks of the program."""
        found: list[dict[str, Any]] = []
        if self.weekdays:
            days = list(self.weekdays)
            found.append({"field": "order.weekday", "op": "one_of", "value": days})
        if self.from_time is not None and self.until_time is not None:
            hours = [f"{self.from_time:%H:%M}", f"{self.until_time:%H:%M}"]
            found.append({"field": "order.time", "op": "between", "value": hours})
        return found


Body = dict[str, Any]
Make = Callable[[Offer], Body]
# Asked of a rule itself, besides what the campaign asks.
FIRST_ORDER = {"field": "behavior.orders", "op": "at_most", "value": 0}


def _multiply(offer: Offer) -> Body:
    return {"kind": "multiplier", "factor": offer.factor, **offer.lines}


def _reach(offer: Offer) -> Body:
    return {
        "kind": "threshold_bonus", "units": offer.units, "reach": offer.reach, **offer.lines
    }  # fmt: skip


def _bonus(offer: Offer) -> Body:
    """For buying any of it at all."""
    least = Decimal("0.01")
    return {"kind": "threshold_bonus", "units": offer.units, "reach": least, **offer.lines}


def _nth(offer: Offer) -> Body:
    return {"kind": "nth_purchase", "units": offer.units, "number": offer.number}


def _first(offer: Offer) -> Body:
    return {"kind": "fixed", "units": offer.units, "when": {"all": [FIRST_ORDER]}}


def _off(offer: Offer) -> Body:
    found: Body = {"kind": "discount", "percent": offer.percent, **offer.lines}
    return {**found, "least": offer.least} if offer.least is not None else found


def _brackets(offer: Offer) -> Body:
    brackets = [bracket.model_dump() for bracket in offer.brackets]
    return {"kind": "discount", "brackets": brackets, **offer.lines}


def _cheapest(offer: Offer) -> Body:
    return {
        "kind": "discount", "off": "cheapest", "percent": 100, "every": offer.every, **offer.lines
    }  # fmt: skip


def _bundle(offer: Offer) -> Body:
    return {
        "kind": "discount", "off": "bundle", "price": offer.price, "times": offer.times,
        "bundle": [part.model_dump() for part in offer.bundle],
    }  # fmt: skip


# By the name of a part: the body of a rule from the answers.
PARTS: Mapping[str, Make] = {
    "multiply": _multiply, "reach": _reach, "bonus": _bonus, "nth": _nth, "first": _first,
    "off": _off,
    "brackets": _brackets, "cheapest": _cheapest, "bundle": _bundle,
}  # fmt: skip
