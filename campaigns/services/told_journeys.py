"""What journeys tell: messages of their own, and those that are told of events as well. The latter
have the same name for the same occurrence, so whichever comes first is the only one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from campaigns.journey_news import Asked, register_journey_message
from campaigns.news import News
from campaigns.occasions import Occasion, Variable, register_occasion
from campaigns.services.member_words import MEMBER_VARIABLES, member_values
from campaigns.services.messages import home_of
from campaigns.services.told_members import tier_news, welcome_news
from campaigns.services.told_orders import order_news
from campaigns.services.told_rewards import birthday_news
from loyalty.models import Membership, Order, TierChange, Transfer
from loyalty.rules.calendar import add_months, start_of_day
from loyalty.selectors.behavior import bought_between
from members.formatting import format_money, format_month, format_number, format_units
from members.selectors.merges import current

_PERIOD = (
    Variable("period", _("The month or the year"), "text", "November 2026"),
    Variable("orders", _("Number of orders in it"), "text", "4", may_be_empty=True),
    Variable("spent", _("What they bought in it"), "money", "$212.40", may_be_empty=True),
    Variable("earned", _("What they earned in it"), "units", "212 points", may_be_empty=True),
    Variable("used", _("What they used in it"), "units", "100 points", may_be_empty=True),
)


def _own(
    code: str, label: object, description: object, icon: str, *more: Variable,
    topic: str = "points", priority: int = 40,
) -> Occasion:  # fmt: skip
    return Occasion(
        code=code, label=label, description=description, icon=icon, topic=topic,  # type: ignore[arg-type]
        priority=priority, variables=(*more, *MEMBER_VARIABLES), only_in_journeys=True,
    )  # fmt: skip


OWN = (
    _own("getting_started", _("First steps"), _("How units are used, and what comes next."),
         "map"),
    _own("order_after", _("Some time after an order"), _("What they have now, and what for."),
         "package"),
    _own("statement", _("Monthly statement"), _("What was earned and used in a month."),
         "file-text", *_PERIOD, priority=60),
    _own("year_review", _("Year in review"), _("What a year with you was like."), "sparkles",
         *_PERIOD, priority=60),
    _own("first_reward", _("First reward"), _("The first reward can be taken."), "gift",
         priority=30),
    _own("near_reward", _("Nearly there"), _("What is missing for the next reward or tier."),
         "target"),
    _own("near_tier", _("Nearly at the next tier"), _("What is missing for it."),
         "stairs-up"),
    _own("milestone", _("A balance was reached"), _("As 500, 1,000 or 2,500."), "trophy",
         Variable("milestone", _("The balance that was reached"), "text", "500")),
    _own("tier_warning", _("A tier will be lost"), _("And what keeps it."), "trending-down",
         priority=30),
    _own("anniversary", _("Anniversary"), _("Their day of joining comes back."), "calendar"),
    _own("first_order", _("A year since the first order"), _("The day of their first order."),
         "calendar-heart"),
    _own("come_back", _("Not seen for a while"), _("That days have passed, and what waits."),
         "moon", topic="offers", priority=50),
    _own("win_back", _("Win back"), _("That they used to come more often, and what waits."),
         "arrow-back-up", topic="offers", priority=50),
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    for occasion in OWN:
        register_occasion(occasion)
        register_journey_message(occasion.code, partial(_plain, {}))
    register_journey_message("statement", _statement)
    register_journey_message("year_review", _year)
    register_journey_message("milestone", _milestone)
    register_journey_message("welcome", lambda asked: welcome_news(asked.member))
    register_journey_message("order_earned", _order)
    register_journey_message("tier_up", _tier)
    register_journey_message("birthday", _birthday)


def _plain(more: Mapping[str, str], asked: Asked) -> News:
    member = asked.member
    return News(
        customer=current(member.customer), membership=member, occurrence=asked.name,
        values=lambda: {**member_values(member, asked.now), **asked.given, **more},
        link=home_of(member),
    )  # fmt: skip


def _milestone(asked: Asked) -> News | None:
    reached = asked.subject("balance")
    if reached is None:
        return None
    return _plain({"milestone": format_number(reached)}, asked)


def _statement(asked: Asked) -> News | None:
    """Of the month before; nothing happened in it and nothing is there: nothing to tell."""
    first = asked.now.astimezone(asked.member.program.zone).date().replace(day=1)
    return _of_period(asked, add_months(first, -1), first, month=True)


def _year(asked: Asked) -> News | None:
    """Of the year before."""
    year = asked.now.astimezone(asked.member.program.zone).year
    return _of_period(asked, dt.date(year - 1, 1, 1), dt.date(year, 1, 1), month=False)


def _of_period(asked: Asked, first: dt.date, end: dt.date, *, month: bool) -> News | None:
    member = asked.member
    zone = member.program.zone
    between = (start_of_day(first, zone), start_of_day(end, zone))
    count, spent = bought_between(member, *between)
    unit = member.program.wallet_types.order_by("pk").first()
    moved = Transfer.objects.filter(
        wallet__account=member.account_id, wallet_type=unit, recorded_at__gte=between[0],
        recorded_at__lt=between[1],
    )  # fmt: skip
    earned = moved.filter(kind=Transfer.Kind.ACCRUAL).aggregate(sum=Sum("amount"))["sum"] or 0
    used = moved.filter(kind=Transfer.Kind.REDEMPTION).aggregate(sum=Sum("amount"))["sum"] or 0
    if unit is None or not (count or earned or used):
        return None

    def values() -> dict[str, str]:
        return {
            **member_values(member, asked.now),
            "period": format_month(first) if month else str(first.year),
            "orders": format_number(count) if count else "",
            "spent": format_money(spent, member.program.currency) if spent else "",
            "earned": format_units(earned, unit) if earned else "",
            "used": format_units(used, unit) if used else "",
        }

    return News(
        customer=current(member.customer), membership=member, occurrence=asked.name,
        values=values, link=home_of(member),
    )  # fmt: skip


def _order(asked: Asked) -> News | None:
    order = Order.objects.filter(pk=asked.subject("order") or 0).first()
    news = order_news([order], asked.now) if order else []
    return next((item for item in news if item.membership == asked.member), None)


def _tier(asked: Asked) -> News | None:
    changes = TierChange.objects.filter(pk=asked.subject("change") or 0)
    return next(iter(tier_news(changes, asked.now)), None)


def _birthday(asked: Asked) -> News:
    """What they were given for it, told once; else good wishes alone."""
    return birthday_news(asked.member, asked.now) or _wishes(asked)


def _wishes(asked: Asked) -> News:
    member: Membership = asked.member
    empty = {"gift": "", "words": "", "code": "", "until": "", "giver": ""}
    return News(
        customer=current(member.customer), membership=member, occurrence=asked.name,
        values=lambda: {**empty, **asked.given}, link=home_of(member),
    )  # fmt: skip
