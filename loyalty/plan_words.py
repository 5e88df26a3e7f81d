"""Paid plans in words: what one costs, how it begins and goes on, and what it brings."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from loyalty.models import PlanVersion, Subscription
from loyalty.plan_definitions import PlanDefinition
from loyalty.selectors.plan_changes import PlanChange
from loyalty.selectors.plans import benefits_of_plan
from loyalty.tier_words import benefit_words
from members.formatting import (
    UnitNames,
    format_day,
    format_list,
    format_money,
    format_number,
    format_units,
)

State = Subscription.State
# A state as its badge has it: the word, and what its color means.
STATES = {
    State.WAITING: (gettext_lazy("Waits for payment"), "warning"),
    State.TRIALING: (pgettext_lazy("a paid plan", "Trial"), "info"),
    State.ACTIVE: (gettext_lazy("Active"), "success"),
    State.PAST_DUE: (gettext_lazy("Payment overdue"), "danger"),
    State.CANCELED: (gettext_lazy("Canceled"), "neutral"),
    State.LAPSED: (gettext_lazy("Lapsed"), "neutral"),
}
INVOICE_STATES = {
    "open": (pgettext_lazy("a payment", "Open"), "warning"),
    "failed": (gettext_lazy("Payment failed"), "danger"),
    "paid": (gettext_lazy("Paid"), "success"),
    "refunded": (gettext_lazy("Refunded"), "neutral"),
    "void": (gettext_lazy("Void"), "neutral"),
}


def price_words(version: PlanVersion | PlanDefinition, currency: str) -> str:
    """ "€9.90 a month"."""
    words = {
        "month": _("%s a month"), "quarter": _("%s a quarter"), "year": _("%s a year"),
    }  # fmt: skip
    return words[version.period] % format_money(version.price, currency)


def trial_words(days: int) -> str:
    return ngettext("%s day free", "%s days free", days) % format_number(days)


def offer_words(
    version: PlanVersion,
    currency: str,
    trial_days: int,
    *,
    now: dt.datetime,
    zone: zoneinfo.ZoneInfo,
) -> str:
    """What whoever takes it agrees to, the trial and the day of the first payment said plainly."""
    price = price_words(version, currency)
    if not trial_days:
        return _("You pay %s, from today on. It renews by itself until you cancel.") % price
    first = now.astimezone(zone).date() + dt.timedelta(days=trial_days)
    return _(
        "%(trial)s. Your first payment is on %(day)s; then %(price)s, until you cancel. Cancel "
        "before that day and you pay nothing."
    ) % {"trial": trial_words(trial_days), "day": format_day(first), "price": price}


def change_words(
    held: Subscription, change: PlanChange, currency: str, zone: zoneinfo.ZoneInfo
) -> Iterator[str]:
    """What whoever changes to another plan agrees to: what is paid now, and from when on."""
    name, price = change.version.name, price_words(change.version, currency)
    day = format_day(change.begins, zone) if change.begins else ""
    if not change.at_once:
        yield _("You pay nothing today. You have %(plan)s until %(day)s.") % {
            "plan": held.version.name, "day": day,
        }  # fmt: skip
        yield _("From then on you have %(plan)s for %(price)s, until you cancel.") % {
            "plan": name, "price": price,
        }  # fmt: skip
        return
    money = {
        "now": format_money(change.pays_now, currency),
        "price": format_money(change.version.price, currency),
        "left": format_money(change.taken_off, currency), "plan": held.version.name,
    }  # fmt: skip
    if change.taken_off:
        yield _("You pay %(now)s: %(price)s, less %(left)s that is left of %(plan)s.") % money
    else:
        yield _("You pay %(now)s.") % money
    assert change.period_end is not None
    yield _("%(plan)s begins now. It renews on %(day)s for %(price)s, until you cancel.") % {
        "plan": name, "price": price, "day": format_day(change.period_end, zone),
    }  # fmt: skip
    if change.unused:
        units = " · ".join(format_units(item.units, item.wallet_type) for item in change.unused)
        words = _("Units of %(plan)s that are still there go once that is paid: %(units)s.")
        yield words % {
            "plan": held.version.name, "units": units,
        }  # fmt: skip


def credit_words(version: PlanVersion) -> str:
    """ "200 points every month"; empty: none come with it."""
    if version.credits is None or version.credits_wallet_type is None:
        return ""
    units = format_units(version.credits, version.credits_wallet_type)
    words = {"month": _("%s every month"), "period": _("%s with every payment")}
    return words[version.credits_every] % units


def what_it_brings(
    version: PlanVersion, currency: str, units: Mapping[str, UnitNames]
) -> list[str]:
    """What members read: the units first, then the benefits."""
    found = [credit_words(version)]
    found += [benefit_words(item, currency, units) for item in benefits_of_plan(version)]
    return [words for words in found if words]


def dunning_words(version: PlanVersion) -> Iterator[str]:
    """What becomes of a payment that does not come."""
    if version.retry_days:
        days = format_list(format_number(day) for day in version.retry_days)
        yield _("A payment that fails is tried again after %s days.") % days
    yield ngettext(
        "An invoice is due %s day after its date.", "An invoice is due %s days after its date.",
        version.pay_days,
    ) % format_number(version.pay_days)  # fmt: skip
    yield ngettext(
        "Not paid %s day after it was due, the plan ends; until then its benefits last.",
        "Not paid %s days after it was due, the plan ends; until then its benefits last.",
        version.grace_days,
    ) % format_number(version.grace_days)  # fmt: skip


def what_comes_next(subscription: Subscription, currency: str, zone: zoneinfo.ZoneInfo) -> str:
    """One sentence about what happens next, for members and staff alike."""
    until, ended = subscription.benefits_until, subscription.ended_at
    match subscription.state:
        case State.WAITING if subscription.takes_over:
            return _("Its payment is being asked for. Then it takes the other plan’s place.")
        case State.WAITING if not subscription.period_number:
            return _("It begins once it is known how it will be paid.")
        case State.WAITING:
            return _("It begins with the first payment.")
        case State.PAST_DUE if until is not None:
            return _("A payment is overdue. Without it the plan ends on %s.") % format_day(
                until, zone
            )
        case State.CANCELED | State.LAPSED if ended is not None:
            return _("It ended on %s.") % format_day(ended, zone)
    return _at_the_end(subscription, currency, zone)


def _at_the_end(subscription: Subscription, currency: str, zone: zoneinfo.ZoneInfo) -> str:
    """What happens when the current period is over."""
    if subscription.period_end is None:
        return ""
    day = format_day(subscription.period_end, zone)
    if subscription.cancel_at_period_end:
        return _("Canceled: it lasts until %s and is not renewed.") % day
    if subscription.next_plan is not None:
        return _("It becomes another plan on %s.") % day
    if subscription.state == State.TRIALING:
        return _("The trial ends on %(day)s; then %(price)s.") % {
            "day": day, "price": price_words(subscription.version, currency),
        }  # fmt: skip
    return _("It renews on %s.") % day
