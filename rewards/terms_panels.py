"""The catalog in the terms of a program: what each reward takes, and what applies to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Program
from loyalty.selectors.tier_sets import tier_set_at
from loyalty.terms_panels import TermsItem, TermsPanel, register_terms_panel
from members.formatting import format_number, format_units
from rewards.models import Reward
from rewards.selectors.rewards import offered
from rewards.texts import told
from rewards.words import conditions_of, gives

# Longer catalogs are read on the shelf.
MOST = 60


def reward_terms(program: Program, now: dt.datetime) -> TermsPanel | None:
    """What can be taken now or is announced, as members find it."""
    found = [item for item in offered(program) if not item.is_past(now)]
    if not found:
        return None
    tier_set = tier_set_at(program, now)
    tiers = {tier.code: tier.name for tier in tier_set.tiers.all()} if tier_set else {}
    items = [
        TermsItem(told(item).name, _price(item.price, item), [*_sentences(item, tiers)])
        for item in found[:MOST]
    ]
    left = len(found) - len(items)
    more = ngettext("And %s more reward.", "And %s more rewards.", left) % format_number(left)
    return TermsPanel(_("Rewards"), "gift", items, more if left else "")


def _price(price: int, reward: Reward) -> str:
    return format_units(price, reward.wallet_type) if price else _("Free")


def _sentences(reward: Reward, tiers: dict[str, str]) -> Iterator[str]:
    words = told(reward)
    yield words.summary or gives(reward)
    for item in reward.tier_prices.all():
        if item.tier in tiers:
            said = {"tier": tiers[item.tier], "price": _price(item.price, reward)}
            yield _("In %(tier)s: %(price)s.") % said
    yield from conditions_of(reward, for_members=True)


def register() -> None:
    """Called once, when the application is ready."""
    register_terms_panel("rewards", reward_terms)
