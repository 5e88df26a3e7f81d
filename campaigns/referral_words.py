"""Referrals in plain words: what is promised, why one is looked at, what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from campaigns.models import Referral, ReferralPayment
from campaigns.referral_definitions import ReferralDefinition, ReferralGift, ReferralShare
from loyalty.models import Program, WalletType
from loyalty.unit_input import LARGEST
from members.formatting import (
    format_money,
    format_number,
    format_percent,
    format_sentences,
    format_units,
)
from members.languages import said_in
from members.prepared import KeptQuery
from members.read_once import read_once
from rewards.models import Reward
from rewards.texts import told

# Why somebody of the staff looks at one.
REASONS = {
    "same_person": _l("The code is their own"),
    "same_email": _l("Both have the same e-mail address"),
    "same_phone": _l("Both have the same phone number"),
    "same_address": _l("Both have the same postal address"),
    "same_payment": _l("Both paid by the same means"),
    "same_device": _l("Both used the same device"),
    "same_network": _l("Both were at the same place on the network"),
    "shared_device": _l("Another friend of the same person used the same device"),
    "shared_payment": _l("Another friend of the same person paid by the same means"),
    "velocity": _l("Unusually many friends in a day"),
    "budget": _l("The budget is used up"),
    "not_active": _l("One of them is no active member"),
    "no_reward": _l("The reward cannot be given"),
}
# Why one brings nothing.
REFUSALS = {
    "not_new": _l("They were a customer before"),
    "refunded": _l("What they bought went back"),
    "staff": _l("Refused after a look at it"),
    "same_customer": _l("Both turned out to be one person"),
    "second": _l("They had come by somebody else already"),
}


@dataclass(frozen=True, slots=True)
class ToldReferrals:
    """What members and their friends read."""

    title: str
    text: str
    share: str
    friend_title: str
    friend_text: str


def told_referrals(
    definition: ReferralDefinition, program: Program, locale: str = ""
) -> ToldReferrals:
    """In the language of `locale`, or of the page where that is empty; what is not said in it is as
    in the first one, and what is said nowhere is made of what is promised."""
    # Both gifts ask which units there are.
    prefetch_related_objects([program], "wallet_types")
    texts = said_in(definition.texts, locale)
    said: Mapping[str, Any] = texts.model_dump() if texts is not None else {}
    usual = _usual(definition, program)
    return ToldReferrals(
        **{name: said.get(name) or getattr(definition, name) or usual[name] for name in usual}
    )


def _usual(definition: ReferralDefinition, program: Program) -> dict[str, str]:
    own = gift_words(definition.advocate, program)
    theirs = gift_words(definition.friend, program)
    title = _("Invite a friend")
    sentences = [
        *([_("You get %s for each friend who joins and buys.") % own] if own else []),
        *([_("They get %s.") % theirs] if theirs else []),
    ]
    return {
        "title": title, "text": format_sentences(sentences),
        "share": _("I am a member of %s. Join by my link:") % program.name,
        "friend_title": _("You are invited to %s") % program.name,
        "friend_text": _("Join and buy, and you get %s.") % theirs if theirs else "",
    }  # fmt: skip


def unit_of(gift: ReferralGift, program: Program) -> WalletType | None:
    """The kind of units that it is of; None: there is no such."""
    units = read_once(("units", program.pk), lambda: _units(program))
    if not gift.unit:
        return min(units, key=lambda item: item.pk, default=None)
    return next((item for item in units if item.code == gift.unit), None)


def _units(program: Program) -> list[WalletType]:
    known = "wallet_types" in getattr(program, "_prefetched_objects_cache", {})
    return list(program.wallet_types.all()) if known else _UNITS.rows(program.pk)


_UNITS: KeptQuery[WalletType] = KeptQuery(
    lambda program: WalletType.objects.filter(program=program)
)


def reward_of(gift: ReferralGift, program: Program) -> Reward | None:
    return Reward.objects.filter(program=program, code=gift.reward).first()


def scaled(units: Decimal, unit: WalletType) -> int:
    """As the ledger counts them, rounded down."""
    return min(int(units.scaleb(unit.scale)), LARGEST)


def gift_words(gift: ReferralGift, program: Program) -> str:
    """What it is; empty: nothing."""
    unit = unit_of(gift, program)
    if gift.kind == "units" and gift.units is not None and unit is not None:
        return format_units(scaled(gift.units, unit), unit)
    if gift.kind == "percent" and gift.percent is not None and unit is not None:
        share = format_percent(gift.percent / 100, digits=2)
        words = {"share": share, "units": unit.plural}
        return _("%(share)s of the first purchase in %(units)s") % words
    if gift.kind == "reward":
        reward = reward_of(gift, program)
        return told(reward).name if reward else gift.reward
    return ""


def promise_sentences(definition: ReferralDefinition, program: Program) -> list[str]:
    """All that it comes to."""
    nothing = _("nothing")
    found = [
        _("Who brings a friend gets: %s.") % (gift_words(definition.advocate, program) or nothing)
    ]
    for step in definition.steps:
        found.append(
            _("From friend number %(number)s on: %(gift)s.")
            % {"number": step.friends, "gift": gift_words(step.gift, program) or nothing}
        )
    found.append(_("The friend gets: %s.") % (gift_words(definition.friend, program) or nothing))
    for name, said in (("advocate", _("Who brings a friend gets: %s.")),
                       ("friend", _("The friend gets: %s."))):  # fmt: skip
        share = getattr(definition, f"{name}_further")
        if share is not None:
            words = _("%(share)s of the friend's further purchases in %(units)s, for %(limits)s")
            found += [said % (words % _share_values(share, program)), *_caps(share, program)]
    found += _conditions(definition, program)
    if definition.budget_money is not None:
        money = format_money(definition.budget_money, program.currency)
        found.append(_("All of it costs at most %s; what is beyond waits for you.") % money)
    if definition.budget_units is not None:
        units = format_number(definition.budget_units.normalize())
        found.append(_("At most %s units are given; what is beyond waits for you.") % units)
    return found


def member_sentences(definition: ReferralDefinition, program: Program) -> list[str]:
    """What members need to know of it."""
    found = []
    for step in definition.steps:
        if words := gift_words(step.gift, program):
            found.append(
                _("From friend number %(number)s on you get %(gift)s.")
                % {"number": step.friends, "gift": words}
            )
    found += share_sentences(definition.advocate_further, program)
    return found + _conditions(definition, program)


def share_sentences(share: ReferralShare | None, program: Program, own: bool = False) -> list[str]:
    """What somebody gets of further purchases; `own`: of those that they make themselves."""
    if share is None:
        return []
    words = (
        _("You get %(share)s of your further purchases in %(units)s: %(limits)s.")
        if own
        else _("You get %(share)s of a friend's further purchases in %(units)s: %(limits)s.")
    )
    return [words % _share_values(share, program), *_caps(share, program)]


def _share_values(share: ReferralShare, program: Program) -> dict[str, str]:
    unit = unit_of(share.as_gift(), program)
    limits = [
        *([ngettext("%s order", "%s orders", share.orders) % format_number(share.orders)]
          if share.orders else []),
        *([ngettext("%s month", "%s months", share.months) % format_number(share.months)]
          if share.months else []),
    ]  # fmt: skip
    return {
        "share": format_percent(share.percent / 100, digits=2),
        "units": unit.plural if unit else share.unit, "limits": ", ".join(limits),
    }  # fmt: skip


def _caps(share: ReferralShare, program: Program) -> list[str]:
    unit = unit_of(share.as_gift(), program)
    if unit is None:
        return []
    return [
        words % format_units(scaled(limit, unit), unit)
        for words, limit in ((_("At most %s for one order."), share.most_per_order),
                             (_("At most %s in all."), share.most))
        if limit is not None
    ]  # fmt: skip


def friend_sentences(definition: ReferralDefinition, program: Program) -> list[str]:
    """What a friend needs to know of what they get; nothing where they get nothing."""
    if definition.friend.is_nothing and definition.friend_further is None:
        return []
    days = definition.within_days
    words: dict[str, Any] = {"days": format_number(days)}
    said = ngettext("Buy something within %(days)s day of joining.",
                    "Buy something within %(days)s days of joining.", days)  # fmt: skip
    if definition.least is not None:
        words["money"] = format_money(definition.least, program.currency)
        said = ngettext("Buy for %(money)s or more within %(days)s day of joining.",
                        "Buy for %(money)s or more within %(days)s days of joining.",
                        days)  # fmt: skip
    found = [said % words, *share_sentences(definition.friend_further, program, own=True)]
    if definition.newcomers_only:
        found.append(_("It is for those who have never bought here."))
    if definition.wait_days:
        waits = definition.wait_days
        found.append(ngettext("It is yours %s day after that purchase, if you keep it.",
                              "It is yours %s days after that purchase, if you keep it.",
                              waits) % format_number(waits))  # fmt: skip
    return found


def _conditions(definition: ReferralDefinition, program: Program) -> list[str]:
    days = definition.within_days
    words: dict[str, Any] = {"days": format_number(days)}
    if definition.least is None:
        said = ngettext("The friend buys within %(days)s day of joining.",
                        "The friend buys within %(days)s days of joining.", days)  # fmt: skip
    else:
        words["money"] = format_money(definition.least, program.currency)
        said = ngettext("The friend buys for %(money)s or more within %(days)s day of joining.",
                        "The friend buys for %(money)s or more within %(days)s days of joining.",
                        days)  # fmt: skip
    found = [said % words]
    if definition.newcomers_only:
        found.append(_("It counts for friends who have never bought here."))
    if definition.wait_days:
        waits = definition.wait_days
        found.append(ngettext("It is given %s day after that purchase, if they keep it.",
                              "It is given %s days after that purchase, if they keep it.",
                              waits) % format_number(waits))  # fmt: skip
    return found


def reason_words(codes: list[str]) -> list[str]:
    return [str(REASONS.get(code, code)) for code in codes]


def refusal_words(referral: Referral) -> str:
    return str(REFUSALS.get(referral.refusal, referral.refusal)) if referral.refusal else ""


def payment_words(payment: ReferralPayment, currency: str) -> str:
    """What was given."""
    if payment.missed:
        return str(REASONS.get(payment.missed, payment.missed))
    if payment.wallet_type is not None:
        return format_units(payment.units, payment.wallet_type)
    if payment.redemption is not None:
        return told(payment.redemption.reward).name
    return format_money(payment.money, currency)


def got_words(payments: list[ReferralPayment], currency: str) -> str:
    """What one side got in all: for the first purchase, and the sum of the further ones."""
    words = [payment_words(payment, currency) for payment in payments if payment.order_id is None]
    units: dict[WalletType, int] = {}
    for payment in payments:
        if payment.order_id is not None and payment.wallet_type is not None:
            left = payment.units - payment.units_back
            units[payment.wallet_type] = units.get(payment.wallet_type, 0) + left
    return " + ".join(words + [format_units(left, unit) for unit, left in units.items() if left])


def member_status(referral: Referral) -> str:
    """What the advocate reads of it: that it is looked at is nobody's suspicion."""
    words = {
        Referral.Status.INVITED: _("On the waiting list"),
        Referral.Status.JOINED: _("Joined, has not bought yet"),
        Referral.Status.PENDING: _("Has bought"),
        Referral.Status.IN_REVIEW: _("Being checked"),
        Referral.Status.PAID: _("Yours"),
        Referral.Status.LAPSED: _("Did not buy in time"),
    }
    return words.get(Referral.Status(referral.status), _("Does not count"))
