"""Promotions to begin from: what they ask, when they run, what members read. Pure definitions."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.rules.calendar import start_of_day

Times = tuple[dt.datetime, dt.datetime]
TimesOf = Callable[[dt.datetime, zoneinfo.ZoneInfo], Times]
DISCOUNTS = frozenset({"off", "brackets", "cheapest", "bundle"})
LINES = ("categories", "skus", "tags")
# The kind of all campaigns that are challenges; see `campaigns.challenge_templates`.
CHALLENGE = "challenge"
# The kind of personal offers that are for products and not for categories.
COLLECTION = "personal-collection"


def _weekend(now: dt.datetime, zone: zoneinfo.ZoneInfo) -> Times:
    """The next whole Saturday and Sunday."""
    today = now.astimezone(zone).date()
    saturday = today + dt.timedelta(days=(5 - today.weekday()) % 7 or 7)
    monday = saturday + dt.timedelta(days=2)
    return start_of_day(saturday, zone), start_of_day(monday, zone)


def _evening(now: dt.datetime, zone: zoneinfo.ZoneInfo) -> Times:
    """Tomorrow from six to ten in the evening."""
    tomorrow = now.astimezone(zone).date() + dt.timedelta(days=1)
    at = dt.datetime.combine(tomorrow, dt.time(18), zone)
    return at, dt.datetime.combine(tomorrow, dt.time(22), zone)


def _days(count: int) -> TimesOf:
    """So many days from tomorrow on."""

    def times(now: dt.datetime, zone: zoneinfo.ZoneInfo) -> Times:
        first = now.astimezone(zone).date() + dt.timedelta(days=1)
        return start_of_day(first, zone), start_of_day(first + dt.timedelta(days=count), zone)

    return times


@dataclass(frozen=True, slots=True)
class CampaignTemplate:
    """`parts`: the rules that it comes to, by their names in `campaigns.offers`; `asks`: which
    answers they take; `needs`: which of them must be given. In `title`, `text` and `teaser` stands
    {units} for what the program collects."""

    code: str
    label: Promise
    description: Promise
    icon: str
    parts: tuple[str, ...]
    asks: tuple[str, ...]
    title: Promise
    text: Promise | str
    teaser: Promise | str
    times: TimesOf
    needs: tuple[str, ...] = ()
    offer: Mapping[str, Any] = field(default_factory=dict)
    # Whether it is for some members by its nature.
    for_some: bool = False
    countdown: bool = False
    # Each member gets it for what suits them, or who gets it is drawn: told on pages of their own.
    personal: bool = False
    surprise: bool = False
    # Of which there are pages of their own, and templates of their own to begin from.
    own_pages: bool = False

    @property
    def takes_off(self) -> bool:
        """Whether it takes something off prices."""
        return any(part in DISCOUNTS for part in self.parts)

    @property
    def is_public(self) -> bool:
        """Whether members read of it as of one that is for all of its audience."""
        return not (self.personal or self.surprise or self.own_pages)

    @property
    def is_replayed(self) -> bool:
        """Whether a backtest can say what it would have given."""
        return not (self.personal or self.surprise or self.own_pages)

    @property
    def limits_units(self) -> bool:
        """Whether it gives units, which can be limited for all together."""
        return not self.takes_off


_ALL = (
    CampaignTemplate(
        "points-weekend", _("Double points weekend"),
        _("Twice the points on Saturday and Sunday."), "calendar-week",
        ("multiply",), ("factor", "per_member"),
        _("Double {units} this weekend"), _("On Saturday and Sunday every purchase counts twice."),
        _("Double {units} at the weekend: wait for it."), _weekend,
    ),
    CampaignTemplate(
        "flash", _("Flash hours"),
        _("A few hours with more points, and a countdown on members’ pages."), "bolt",
        ("multiply",), ("factor", "per_member"),
        _("Triple {units}, for a few hours only"), _("Every purchase counts three times."),
        _("Something begins soon. Come back in time."), _evening, offer={"factor": 3},
        countdown=True,
    ),
    CampaignTemplate(
        "happy-hours", _("Happy hours, every week"),
        _("More points on certain days and hours, again and again."), "clock-hour-4",
        ("multiply",), ("factor", "weekdays", "from_time", "until_time", "per_member"),
        _("Happy hours: double {units}"), _("Shop in the quiet hours, and it counts twice."),
        _("Happy hours begin soon."), _days(28),
        offer={"weekdays": ["tuesday", "wednesday"], "from_time": "14:00", "until_time": "17:00"},
    ),
    CampaignTemplate(
        "boost", _("Category or product boost"),
        _("More points for what you name: a category, products, or a tag."), "category",
        ("multiply",), ("factor", *LINES, "per_member"),
        _("More {units} on what you love"), _("It counts twice for a week."),
        _("Soon: more {units} on some of our best."), _days(7), needs=("lines",),
    ),
    CampaignTemplate(
        "spend-get", _("Spend so much, get a bonus"),
        _("A bonus with every order that reaches an amount."), "gift",
        ("reach",), ("reach", "units", "expire_days", *LINES, "per_member"),
        _("A bonus for your bigger basket"), _("Reach the amount in one order, get the bonus."),
        _("Soon there is a bonus for bigger baskets."), _days(14),
    ),
    CampaignTemplate(
        "big-weekend", _("Big weekend: more points and a bonus"),
        _("Twice the points, and a bonus for large orders, out of one budget."), "confetti",
        ("multiply", "reach"), ("factor", "reach", "units", "per_member"),
        _("The big {units} weekend"), _("Everything counts twice, and large orders get a bonus."),
        _("The big {units} weekend is coming."), _weekend,
    ),
    CampaignTemplate(
        "nth-order", _("N-th order"),
        _("A bonus with the third order in the time of the promotion, say."), "repeat",
        ("nth",), ("number", "units", "expire_days"),
        _("Come back, get a bonus"), _("Your next orders bring you a bonus."),
        _("Soon it pays to come back."), _days(28),
    ),
    CampaignTemplate(
        "first-purchase", _("First purchase as a member"),
        _("A welcome for members who have not ordered yet."), "star",
        ("first",), ("units", "expire_days"),
        _("A welcome with your first order"), _("Your first order brings you a bonus."),
        _("Soon your first order brings a bonus."), _days(28),
    ),
    CampaignTemplate(
        "percent-off", _("Percent off"),
        _("So many percent off the basket, or off what you name."), "percentage",
        ("off",), ("percent", "least", *LINES),
        _("Less to pay for members"), _("It comes off at the checkout."),
        _("Members will pay less soon."), _days(7),
    ),
    CampaignTemplate(
        "off-by-basket", _("More off for larger baskets"),
        _("The more the basket comes to, the more percent off."), "stairs-up",
        ("brackets",), ("brackets", *LINES),
        _("The more, the less"), _("The larger your basket, the more comes off."),
        _("Larger baskets will pay off soon."), _days(7), needs=("brackets",),
        offer={"brackets": [{"above": 50, "percent": 5}, {"above": 100, "percent": 10}]},
    ),
    CampaignTemplate(
        "cheapest-free", _("Three for two: the cheapest is free"),
        _("Of every three pieces the cheapest is free."), "shopping-cart",
        ("cheapest",), ("every", *LINES),
        _("Three for two"), _("Of three, the cheapest is free."),
        _("Three for two begins soon."), _days(7),
    ),
    CampaignTemplate(
        "bundle", _("Bundle at one price"),
        _("Pieces that cost one price together: a cup and two bags of coffee for 20."), "packages",
        ("bundle",), ("bundle", "price", "times"),
        _("Together for less"), _("Take what belongs together, and pay one price for it."),
        _("Soon some of our best cost less together."), _days(14), needs=("bundle",),
    ),
    CampaignTemplate(
        "early-access", _("Early access to a sale"),
        _("The sale’s prices some days before everybody, for the tiers or people you invite."),
        "lock-open", ("off",), ("percent", "least", *LINES),
        _("The sale begins earlier for you"), _("Before everybody else: the sale’s prices, for"
                                                " you."),
        _("Soon you shop the sale before everybody else."), _days(3), offer={"percent": 20},
        for_some=True,
    ),
    CampaignTemplate(
        "personal-favorite", _("Personal: what each likes best"),
        _("More points in the category that each member buys most often."), "heart",
        ("multiply",),
        ("picks", "factor", "bought", "within", "lasts", "again", "categories", "margins",
         "per_member"),
        _("More {units} on your favorite"), "", "", _days(28), needs=("lines",), personal=True,
    ),
    CampaignTemplate(
        COLLECTION, _("Personal: complete the collection"),
        _("A bonus for the piece that a member still lacks of a set."), "puzzle",
        ("bonus",), ("units", "skus", "missing", "within", "lasts", "again"),
        _("Complete your collection"), "", "", _days(60), needs=("set",), personal=True,
    ),
    CampaignTemplate(
        "personal-birthday", _("Personal: birthday in the favorite category"),
        _("Percent off what each likes best, around their birthday."), "cake",
        ("off",),
        ("picks", "percent", "bought", "within", "lasts", "again", "categories", "margins"),
        _("A treat for your birthday"), "", "", _days(365), needs=("lines",),
        offer={"picks": "birthday", "bought": 1}, personal=True,
    ),
    CampaignTemplate(
        "personal-next", _("Personal: next best offer"),
        _("More points where each member most likely buys next, worked out every night."),
        "sparkles", ("multiply",),
        ("picks", "factor", "bought", "within", "lasts", "again", "categories", "margins",
         "per_member"),
        _("Picked for you"), "", "", _days(90), needs=("lines",),
        offer={"picks": "next", "again": True}, personal=True,
    ),
    CampaignTemplate(
        "surprise", _("Surprise and delight"),
        _("Units or a reward out of the blue, for all or for some who are drawn; anybody can check"
          " it."), "gift",
        (), ("choose", "winners", "share", "rounds", "units", "reward"),
        _("A little surprise"), _("Just because you are with us."), "", _days(7), surprise=True,
    ),
    CampaignTemplate(
        CHALLENGE, _("Challenge"),
        _("Something to be done in a time, for a reward."), "target-arrow", (), (),
        _("A challenge for you"), _("Do it in time, and the reward is yours."),
        _("Soon there is a challenge for you."), _days(28), own_pages=True,
    ),
)  # fmt: skip
TEMPLATES: Mapping[str, CampaignTemplate] = {template.code: template for template in _ALL}
# What promotions begin from.
PROMOTIONS = tuple(template for template in _ALL if not template.own_pages)
