"""Rewards and what becomes of them, in words: the same for staff and members."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.rule_conditions import stored_condition
from loyalty.told_conditions import told_sentence
from members.conditions.sentences import sentence
from members.formatting import (
    format_end,
    format_list,
    format_money,
    format_number,
    format_percent,
    format_start,
)
from rewards.models import GiftDay, Reward
from rewards.selectors.prizes import odds_of
from rewards.texts import told
from rewards.voucher_terms import DEFAULT_TURN

ICONS = {
    Reward.Kind.AMOUNT_OFF: "coin",
    Reward.Kind.PERCENT_OFF: "percentage",
    Reward.Kind.FREE_PRODUCT: "gift",
    Reward.Kind.FREE_SHIPPING: "truck-delivery",
    Reward.Kind.ACCESS: "key",
    Reward.Kind.PARTNER_VOUCHER: "ticket",
    Reward.Kind.GIFT_CARD: "gift-card",
    Reward.Kind.STORE_CREDIT: "wallet",
    Reward.Kind.CHARITY: "heart-handshake",
    Reward.Kind.MYSTERY: "gift",
    Reward.Kind.GIFT: "package",
    Reward.Kind.EXPERIENCE: "sparkles",
    Reward.Kind.EVENT_SEAT: "armchair",
    Reward.Kind.CONTENT: "book",
}


def icon_of(reward: Reward) -> str:
    return ICONS[Reward.Kind(reward.kind)]


def gives(reward: Reward) -> str:
    """What it is, in a few words."""
    currency = reward.program.currency
    match reward.kind:
        case Reward.Kind.AMOUNT_OFF:
            return _("%s off") % format_money(reward.amount or 0, currency)
        case Reward.Kind.GIFT_CARD:
            return _("A gift card of %s") % format_money(reward.amount or 0, currency)
        case Reward.Kind.STORE_CREDIT:
            return _("%s of store credit") % format_money(reward.amount or 0, currency)
        case Reward.Kind.CHARITY:
            return _donation(reward)
        case Reward.Kind.PERCENT_OFF:
            return _percent(reward)
        case Reward.Kind.FREE_PRODUCT:
            return _("Free: %s") % format_list(reward.skus)
        case Reward.Kind.FREE_SHIPPING:
            return _("Free shipping")
    return str(reward.get_kind_display())


def _percent(reward: Reward) -> str:
    off = _("%s off") % format_percent((reward.percent or 0) / 100)
    if reward.most is None:
        return off
    return _("%(off)s, %(most)s at most") % {
        "off": off, "most": format_money(reward.most, reward.program.currency),
    }  # fmt: skip


def _donation(reward: Reward) -> str:
    """What the charity gets, and which."""
    charity = reward.charity
    assert charity is not None
    words = {"what": "", "charity": charity.told_name}
    if reward.amount is not None:
        words["what"] = format_money(reward.amount, reward.program.currency)
    if reward.things is not None:
        name = charity.thing_singular if reward.things == 1 else charity.thing_plural
        words["what"] = f"{format_number(reward.things)} {name}"
    return (_("%(what)s for %(charity)s") if words["what"] else _("For %(charity)s")) % words


def conditions_of(reward: Reward, *, for_members: bool) -> Iterator[str]:
    """What applies to it, sentence by sentence."""
    if reward.kind == Reward.Kind.MYSTERY:
        yield odds_words(reward)
    yield from _for_which_orders(reward)
    if reward.valid_days is not None:
        yield ngettext(
            "Its code can be used for %s day.", "Its code can be used for %s days.",
            reward.valid_days,
        ) % format_number(reward.valid_days)  # fmt: skip
    if reward.takes_off:
        yield (
            _("It goes together with other vouchers.")
            if reward.combines
            else _("One voucher for each purchase.")
        )
        yield from _grouped(reward, for_members)
    yield from _how(reward, for_members)
    yield from _when(reward)
    condition = stored_condition(reward.when)
    if condition is not None:
        worded = told_sentence if for_members else sentence
        yield _("Only for this: %s.") % worded(condition.root)


def _when(reward: Reward) -> Iterator[str]:
    """From when until when. Of a sale that opens earlier for some: when it opens for all."""
    zone, window = reward.program.zone, reward.window
    starts_at, ends_at = reward.starts_at, reward.ends_at
    if window is not None:
        yield _("With “%s”.") % window.name
        if window.opens_at is not None:
            opens = format_start(window.opens_at, zone)
            yield _("For every member from %s on.") % opens
        ends_at = min(ends_at or window.closes_at, window.closes_at)
    if starts_at is not None:
        yield _("From %s on.") % format_start(starts_at, zone)
    if ends_at is not None:
        yield _("Until %s.") % format_end(ends_at, zone)


def _grouped(reward: Reward, for_members: bool) -> Iterator[str]:
    """What it does not go together with, and when it takes its part off."""
    if reward.stacking_group:
        yield (
            _("Not together with others like it.")
            if for_members
            else _("Not together with others of “%s”.") % reward.stacking_group
        )
    if reward.applies != DEFAULT_TURN and not for_members:
        yield _("Its turn in a cart is %s.") % format_number(reward.applies)


def _for_which_orders(reward: Reward) -> Iterator[str]:
    if reward.least is not None:
        least = format_money(reward.least, reward.program.currency)
        yield _("For orders of %s and more.") % least
    if reward.skus and reward.kind != Reward.Kind.FREE_PRODUCT:
        yield _("Only for these: %s.") % format_list(reward.skus)
    if reward.categories:
        yield _("Only for these: %s.") % format_list(reward.categories)


def odds_words(reward: Reward) -> str:
    """What may be in it, and how likely each is, of what is left now."""
    odds = [
        f"{told(prize).name} ({_share(weight, total)})" for prize, weight, total in odds_of(reward)
    ]
    if not odds:
        return _("Nothing is left in it.")
    return _("One of these by chance: %s. What is gone is not drawn.") % format_list(odds)


def _share(weight: int, total: int) -> str:
    """Small chances with as many decimals as it takes to tell them from none."""
    share = Decimal(weight) / total
    return format_percent(share, digits=1 if share >= Decimal("0.01") else 4)


def _how(reward: Reward, for_members: bool) -> Iterator[str]:
    """How it comes to them, and how often."""
    if reward.sent:
        yield _("It is sent to your address.") if for_members else _("It is sent.")
    if reward.per_member is not None:
        yield limit_words(reward)


def limit_words(reward: Reward) -> str:
    """How many one member may take."""
    most = reward.per_member or 0
    words = {
        Reward.Period.EVER: ngettext("%s for each member.", "%s for each member.", most),
        Reward.Period.YEAR: ngettext("%s a year for each.", "%s a year for each.", most),
        Reward.Period.MONTH: ngettext("%s a month for each.", "%s a month for each.", most),
        Reward.Period.WEEK: ngettext("%s a week for each.", "%s a week for each.", most),
        Reward.Period.DAY: ngettext("%s a day for each.", "%s a day for each.", most),
    }
    return words[Reward.Period(reward.per_period)] % format_number(most)


def gift_day_words(gift_day: GiftDay) -> str:
    """For whom, and when."""
    who = _("Every member")
    if gift_day.tiers:
        who = _("Only these tiers: %s") % format_list(gift_day.tiers)
    if not gift_day.days_before:
        return _("%s, on the day.") % who
    ahead = ngettext("%s day ahead", "%s days ahead", gift_day.days_before)
    return f"{who}, {ahead % format_number(gift_day.days_before)}."
