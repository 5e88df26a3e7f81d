"""What can be said of any member at any time: what they have, and what they come to next."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _l

from campaigns.occasions import Variable
from campaigns.selectors.reachable_rewards import reachable_offers
from loyalty.models import Membership
from loyalty.selectors.balances import Balance, get_balances
from loyalty.selectors.member_tiers import member_standings
from members.formatting import format_day, format_money, format_units
from rewards.texts import told

MEMBER_VARIABLES = (
    Variable("balance", _l("What can be used now"), "units", "860 points"),
    Variable("worth", _l("What that is worth"), "money", "$8.60", may_be_empty=True),
    Variable("pending", _l("What can be used later"), "units", "120 points", may_be_empty=True),
    Variable("reward", _l("A reward that they can take"), "text", "$5 off", may_be_empty=True),
    Variable("next_reward", _l("The next reward"), "text", "$10 off", may_be_empty=True),
    Variable("to_next_reward", _l("What is missing for it"), "units", "140 points",
             may_be_empty=True),
    Variable("tier", _l("Their tier"), "text", "Silver", may_be_empty=True),
    Variable("next_tier", _l("The next tier"), "text", "Gold", may_be_empty=True),
    Variable("tier_words", _l("What is missing for it, as a sentence"), "text",
             "Spend $120.00 more by Dec 31, 2026 to reach Gold.", may_be_empty=True),
    Variable("tier_until", _l("Until when the tier is certain"), "day", "Dec 31, 2026",
             may_be_empty=True),
    Variable("tier_after", _l("The tier that follows, if nothing happens"), "text", "Bronze",
             may_be_empty=True),
)  # fmt: skip


def member_values(member: Membership, now: dt.datetime) -> dict[str, str]:
    """In the language that is active."""
    balances = get_balances(member, now)
    first = balances[0] if balances else None
    values = {variable.name: "" for variable in MEMBER_VARIABLES}
    if first is not None:
        values |= {
            "balance": format_units(first.spendable, first.wallet_type),
            "worth": format_money(first.worth, member.program.currency) if first.worth else "",
            "pending": format_units(first.pending, first.wallet_type) if first.pending else "",
        }
        values |= _rewards(member, first, now)
    return values | _tier(member, now)


def _rewards(member: Membership, balance: Balance, now: dt.datetime) -> dict[str, str]:
    own = [
        offer
        for offer in reachable_offers(member, now)
        if offer.reward.wallet_type_id == balance.wallet_type.pk
    ]
    got = [offer for offer in own if offer.price <= balance.spendable]
    more = [offer for offer in own if offer.price > balance.spendable]
    missing = more[0].price - balance.spendable if more else 0
    return {
        "reward": told(got[-1].reward).name if got else "",
        "next_reward": told(more[0].reward).name if more else "",
        "to_next_reward": format_units(missing, balance.wallet_type) if more else "",
    }


def _tier(member: Membership, now: dt.datetime) -> dict[str, str]:
    standing = member_standings([member], now).get(member.pk)
    if standing is None:
        return {}
    lost, keep = standing.stands.lost, standing.stands.keep
    until = lost.at if lost else keep.until if keep else None
    ahead = standing.next_tier
    return {
        "tier": standing.tier.name,
        "next_tier": ahead.name if ahead else "",
        "tier_words": standing.sentences[0] if ahead and standing.sentences else "",
        "tier_until": format_day(until, member.program.zone) if until else "",
        "tier_after": standing.row(lost.tier).name if lost else "",
    }
