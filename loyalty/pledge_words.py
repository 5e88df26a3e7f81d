"""Pledges in plain words."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.models import Charity, Pledge
from loyalty.rule_conditions import stored_condition
from loyalty.selectors.charities import Worth
from loyalty.selectors.impact import worth_words
from loyalty.told_conditions import told_sentence
from members.formatting import format_day, format_money, format_number


def amount_words(pledge: Pledge, amount: object) -> str:
    """So much of what it gives in: "1 tree", "$2.00"."""
    charity = pledge.charity
    value = pledge.amount.__class__(str(amount))
    if pledge.unit == Pledge.Unit.MONEY:
        return format_money(value, charity.account.program.currency)
    if value == int(value):
        return worth_words(charity, Worth(value, value))
    return f"{format_number(value.normalize())}\N{NO-BREAK SPACE}{charity.thing_plural}"


def pledge_words(pledge: Pledge) -> list[str]:
    """What it gives for what, how long, and for whom."""
    words = {"amount": amount_words(pledge, pledge.amount)}
    if pledge.event == Pledge.Event.ORDER and pledge.least is not None:
        currency = pledge.charity.account.program.currency
        words["least"] = format_money(pledge.least, currency)
        sentences = [_("%(amount)s for each order from %(least)s.") % words]
    elif pledge.event == Pledge.Event.ORDER:
        sentences = [_("%(amount)s for each order.") % words]
    elif pledge.event == Pledge.Event.MEMBER:
        sentences = [_("%(amount)s for each new member.") % words]
    elif pledge.activity_type is not None:
        words["activity"] = pledge.activity_type.name
        sentences = [_("%(amount)s for each activity “%(activity)s”.") % words]
    else:
        sentences = [_("%(amount)s for each activity.") % words]
    condition = stored_condition(pledge.when)
    if condition is not None:
        sentences.append(_("Only for this: %s.") % told_sentence(condition.root))
    if pledge.budget is not None:
        sentences.append(_("In all at most %s.") % amount_words(pledge, pledge.budget))
    if pledge.ends_at is not None:
        zone = pledge.charity.account.program.zone
        sentences.append(_("Until %s.") % format_day(pledge.ends_at, zone))
    return sentences


def pledge_state(pledge: Pledge, now: dt.datetime) -> str:
    """What it is in: of a live one, whether it counts now."""
    if pledge.status != Pledge.Status.LIVE:
        return str(pledge.status)
    if pledge.charity.status != Charity.Status.LIVE:
        return "paused"
    if pledge.starts_at > now:
        return "scheduled"
    if pledge.ends_at is not None and pledge.ends_at <= now:
        return "ended"
    return "live" if pledge.left else "used_up"
