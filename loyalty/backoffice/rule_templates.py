"""Rules to start from: what shops ask for most, and each kind by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.rules.bodies import RuleBody, parse_body


@dataclass(frozen=True, slots=True)
class RuleTemplate:
    """A body to start with. `money`: which of its amounts are money, worth their number of the
    currency."""

    code: str
    label: Promise
    text: Promise
    icon: str
    said: Mapping[str, Any]
    money: tuple[str, ...] = ()

    def body(self, currency: str) -> RuleBody:
        """In a currency without coins a dollar is a hundred."""
        said = dict(self.said)
        if not get_currency_precision(currency):
            for name in self.money:
                said[name] = _hundredfold(said[name])
        return parse_body(said)


def _hundredfold(said: Any) -> Any:
    """An amount, or brackets that begin with one."""
    if isinstance(said, Sequence):
        return [item | {"above": _hundredfold(item["above"])} for item in said]
    return Decimal(str(said)) * 100


WEEKEND = {
    "all": [{"field": "order.weekday", "op": "one_of", "value": ["saturday", "sunday"]}],
}
FIRST_AS_MEMBER = {"all": [{"field": "member.orders", "op": "is", "value": "0"}]}
BIRTHDAY = {"all": [{"field": "customer.birthday", "op": "this_month"}]}

TEMPLATES = (
    RuleTemplate(
        "points-per-money", _("Points for money"),
        _("So many points for what is spent. What most programs are built on."), "coins",
        {"kind": "rate", "units": 1, "per": 1}, money=("per",),
    ),
    RuleTemplate(
        "birthday-month", _("3× in the birthday month"),
        _("Three times the points in the month of the customer's birthday."), "cake",
        {"kind": "multiplier", "factor": 3, "when": BIRTHDAY},
    ),
    RuleTemplate(
        "double-weekend", _("Double points at the weekend"),
        _("Twice the points on Saturday and Sunday. Schedule it for one weekend, or let it stay."),
        "calendar-week", {"kind": "multiplier", "factor": 2, "when": WEEKEND},
    ),
    RuleTemplate(
        "double-first-purchase", _("Double points on the first purchase"),
        _("Twice the points for what a customer buys first as a member."), "star",
        {"kind": "multiplier", "factor": 2, "when": FIRST_AS_MEMBER},
    ),
    RuleTemplate(
        "bonus-over-50", _("Bonus over 50"),
        _("A bonus for every order that comes to 50 or more."), "gift",
        {"kind": "threshold_bonus", "units": 100, "reach": 50}, money=("reach",),
    ),
    RuleTemplate(
        "cashback", _("5% cashback"),
        _("A percentage of the price comes back as points worth one of the currency each."),
        "percentage", {"kind": "cashback", "percent": 5},
    ),
    RuleTemplate(
        "cashback-by-category", _("Cashback by category"),
        _("Another percentage for each category; name them from your own data."), "category",
        {"kind": "cashback", "percent": 1},
    ),
    RuleTemplate(
        "cashback-by-margin", _("Cashback by margin"),
        _("More back for what you earn more on, where your shop says what its items cost."),
        "percentage",
        {"kind": "cashback", "percent": 1,
         "by_margin": [{"at_least": 20, "percent": 2}, {"at_least": 40, "percent": 5}]},
    ),
    RuleTemplate(
        "every-fifth", _("Every 5th purchase"),
        _("A bonus with every fifth order of a member."), "repeat",
        {"kind": "nth_purchase", "units": 100, "number": 5, "repeats": True},
    ),
    RuleTemplate(
        "stamp-card", _("Stamp card"),
        _("Ten visits fill a card, and a full card brings points."), "stack-2",
        {"kind": "stamps", "units": 200, "full_at": 10},
    ),
    RuleTemplate(
        "weekly-streak", _("Weekly streak"),
        _("A bonus for an order in each of four weeks in a row."), "flame",
        {"kind": "streak", "units": 100, "length": 4, "of": "week"},
    ),
    RuleTemplate(
        "first-purchase", _("First purchase"),
        _("A welcome with a member's first order."), "star",
        {"kind": "nth_purchase", "units": 100, "number": 1},
    ),
    RuleTemplate(
        "review-bonus", _("Bonus for a review"),
        _("Points for every review, with a limit for each member and month."), "message-star",
        {"kind": "activity", "activity": "review", "units": 50,
         "caps": {"per_member": {"month": 200}}},
    ),
    RuleTemplate(
        "birthday-gift", _("Birthday gift"),
        _("Points once a year, three days before the birthday, to be spent on it."), "gift",
        {"kind": "occasion", "day": "birthday", "units": 200, "days_before": 3},
    ),
    RuleTemplate(
        "enrollment-anniversary", _("Enrollment anniversary"),
        _("Points on the day on which a member joined, every year."), "confetti",
        {"kind": "occasion", "day": "enrollment", "units": 100},
    ),
    RuleTemplate(
        "discount-card", _("Discount card"),
        _("The same percent off every order of a member."), "id-badge-2",
        {"kind": "discount", "percent": 5},
    ),
    RuleTemplate(
        "progressive-card", _("Progressive discount card"),
        _("The more a member has spent before, the more percent off."), "stairs-up",
        {"kind": "discount", "brackets_by": "spent_lifetime",
         "brackets": [{"above": 0, "percent": 3}, {"above": 500, "percent": 5},
                      {"above": 1500, "percent": 10}]},
        money=("brackets",),
    ),
    RuleTemplate(
        "discount-by-order", _("Discount by order value"),
        _("Percent off the order, more for larger ones."), "discount",
        {"kind": "discount",
         "brackets": [{"above": 50, "percent": 5}, {"above": 100, "percent": 10}]},
        money=("brackets",),
    ),
    RuleTemplate(
        "three-for-two", _("Three for two"),
        _("Of every three pieces the cheapest is free; name the products."), "shopping-cart",
        {"kind": "discount", "off": "cheapest", "percent": 100, "every": 3},
    ),
)  # fmt: skip

# Each kind by itself, to start blank.
KINDS: Mapping[str, tuple[Promise, Promise, Mapping[str, Any]]] = {
    "rate": (_("Rate"), _("So many points for so much money or quantity"), {}),
    "cashback": (_("Cashback"), _("A percentage of the price"), {"percent": 5}),
    "fixed": (_("Fixed award"), _("So many points for each order"), {"units": 10}),
    "multiplier": (_("Multiplier"), _("What other rules give, times so much"), {"factor": 2}),
    "threshold_bonus": (
        _("Bonus for reaching"), _("Points when so much money is reached"),
        {"units": 100, "reach": 50},
    ),
    "nth_purchase": (
        _("N-th purchase"), _("Points with the first, or every so many orders"),
        {"units": 100, "number": 5, "repeats": True},
    ),
    "stamps": (_("Stamps"), _("A card that fills up"), {"units": 100, "full_at": 10}),
    "streak": (
        _("Streak"), _("Orders in days, weeks or months in a row"), {"units": 100, "length": 4}
    ),
    "activity": (
        _("Activity"), _("Points for a review, a survey, a visit"),
        {"activity": "review", "units": 50},
    ),
    "occasion": (
        _("Birthday or anniversary"), _("Points for a day that comes back every year"),
        {"units": 200},
    ),
    "discount": (_("Discount"), _("Money off the price, for members"), {"percent": 10}),
}  # fmt: skip


def kind_label(kind: str) -> Promise:
    return KINDS[kind][0]


def template_named(code: str) -> RuleTemplate | None:
    """One of the gallery, or a kind to start blank ("blank-rate")."""
    for template in TEMPLATES:
        if template.code == code:
            return template
    kind = code.removeprefix("blank-")
    if code.startswith("blank-") and kind in KINDS:
        label, text, said = KINDS[kind]
        return RuleTemplate(code, label, text, "plus", {"kind": kind, **said})
    return None
