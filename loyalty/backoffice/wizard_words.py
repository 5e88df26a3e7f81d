"""The program that is being put together, in a few sentences beside the questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.definitions import ProgramDefinition
from loyalty.descriptions import Unit, describe_expiry, describe_pending
from loyalty.launch_definitions import LaunchDefinition
from loyalty.program_parts import parts_in_words
from loyalty.promise_words import (
    describe_companies,
    describe_partner,
    describe_plan,
    describe_pledge,
)
from loyalty.rule_words import describe_kind, units_in_words
from loyalty.rules.bodies import CashbackBody, RateBody
from loyalty.selectors.launches import preview_phases
from loyalty.template_words import discount_in_brief
from loyalty.tier_definitions import TierDefinition
from members.formatting import (
    format_day,
    format_money,
    format_number,
    format_percent,
    format_sentences,
)

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Said:
    """A thing that the program will do."""

    icon: str
    text: str


def summary_of(definition: ProgramDefinition) -> list[Said]:
    """What it gives, what for, for how long, and to whom."""
    return [
        *_earning(definition), *_discounts(definition), *_reward(definition),
        *_plans(definition), *_lasting(definition), *_tiers(definition), *_companies(definition),
        *_given(definition), *_further(definition),
        Said("users", _who(definition)),
    ]  # fmt: skip


def _earning(definition: ProgramDefinition) -> Iterator[Said]:
    units = {item.code: Unit(item) for item in definition.wallet_types}
    for rule in definition.earning_rules:
        text = describe_kind(rule.body(), units[rule.wallet_type], definition.currency)
        yield Said("coins", text)


def _discounts(definition: ProgramDefinition) -> Iterator[Said]:
    for rule in definition.discount_rules:
        yield Said("tag", discount_in_brief(rule, definition.currency))


def _plans(definition: ProgramDefinition) -> Iterator[Said]:
    for plan in definition.plans:
        for icon, text in zip(("credit-card", "stars"), describe_plan(plan, definition),
                              strict=False):  # fmt: skip
            yield Said(icon, text)


def _companies(definition: ProgramDefinition) -> Iterator[Said]:
    for text in describe_companies(definition):
        yield Said("building", text)


def _given(definition: ProgramDefinition) -> Iterator[Said]:
    for pledge in definition.pledges:
        yield Said("plant-2", format_sentences(describe_pledge(pledge, definition)))
    for partner in definition.partners:
        yield Said("affiliate", format_sentences(describe_partner(partner, definition)))


def _further(definition: ProgramDefinition) -> Iterator[Said]:
    """What higher applications would have of it."""
    for part in parts_in_words(definition):
        yield Said(part.icon, format_sentences(part.sentences))


def _reward(definition: ProgramDefinition) -> Iterator[Said]:
    if not definition.earning_rules:
        return
    item = definition.wallet_types[0]
    least = item.spending.least or Decimal(1)
    units = units_in_words(least, Unit(item))
    if not item.unit_value:
        yield Said("gift", _("The first reward costs %s.") % units)
        return
    worth = format_money(least * item.unit_value, definition.currency)
    yield Said("gift", _("The first reward costs %(units)s and is worth %(money)s.")
               % {"units": units, "money": worth})  # fmt: skip
    back = given_back(definition)
    if back is not None:
        share = format_percent(back, digits=2)
        yield Said("percentage", _("That gives back %s of what is spent.") % share)


def given_back(definition: ProgramDefinition) -> Decimal | None:
    """What the first rate gives back of the price, between 0 and 1; None: there is no one rate."""
    item = definition.wallet_types[0]
    for rule in definition.earning_rules:
        body = rule.body()
        if isinstance(body, RateBody) and body.measure == "money":
            return body.units / body.per * item.unit_value
        if isinstance(body, CashbackBody) and not (
            body.brackets or body.by_category or body.by_margin
        ):
            return body.percent / HUNDRED
    return None


def _lasting(definition: ProgramDefinition) -> Iterator[Said]:
    if definition.earning_rules or any(plan.credits for plan in definition.plans):
        item = definition.wallet_types[0]
        yield Said("hourglass", describe_expiry(item.expiry))
        if item.pending_days:
            yield Said("clock", describe_pending(item))


def _tiers(definition: ProgramDefinition) -> Iterator[Said]:
    if definition.tiers is None:
        return
    tiers = definition.tiers.tiers
    names = ", ".join(_tier(tier, definition.currency) for tier in tiers)
    text = ngettext("%(count)s tier: %(names)s.", "%(count)s tiers: %(names)s.", len(tiers))
    yield Said("stairs-up", text % {"count": format_number(len(tiers)), "names": names})


def _tier(tier: TierDefinition, currency: str) -> str:
    if not tier.threshold:
        return tier.name
    found = _("%(tier)s from %(amount)s") % {
        "tier": tier.name, "amount": format_money(tier.threshold, currency),
    }  # fmt: skip
    factor = max((item.factor for item in tier.benefits if item.factor), default=None)
    return f"{found} ({format_number(factor)}×)" if factor else found


def phases_in_words(launch: LaunchDefinition | None) -> list[str]:
    """Who may join from when, a sentence for each phase."""
    phases = launch.phases if launch else ()
    said = {
        "top": _("From %(day)s: the best %(share)s of your customers, %(count)s today."),
        "invited": _("From %(day)s: the best %(share)s, who are invited, %(count)s today."),
        "everyone": _("From %(day)s: everyone."),
    }
    counts = preview_phases([phase.percent for phase in phases])
    return [
        said[phase.kind] % {
            "day": format_day(phase.starts_on), "count": format_number(found.customers),
            "share": format_percent(Decimal(phase.percent or 0) / HUNDRED, digits=0),
        }
        for phase, found in zip(phases, counts, strict=True)
    ]  # fmt: skip


def _who(definition: ProgramDefinition) -> str:
    if definition.enrollment == "automatic":
        return _("Everybody joins with their first order.")
    return _("Only who is enrolled takes part.")
