"""A challenge in plain words: what is to be done, what it brings, how far somebody is."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.campaign_rules import unit_of
from campaigns.challenge_definitions import plan_of
from campaigns.challenges.progress import Plan, Reached
from campaigns.challenges.steps import (
    CategoriesStep,
    CollectionStep,
    CountStep,
    SpendStep,
    Step,
    StreakStep,
)
from campaigns.models import Challenge
from loyalty.base_words import describe_lines
from loyalty.rule_words import units_in_words
from loyalty.rules.body_parts import LineFilter
from members.formatting import format_list, format_money, format_number
from rewards.texts import told


def step_words(step: Step, currency: str) -> str:
    """ "Buy for $50.00: category Coffee" """
    match step:
        case SpendStep():
            return _spend(step, currency) + _only(step.only)
        case CountStep():
            return _count(step) + _only(step.only)
        case StreakStep():
            return _streak(step, currency) + _only(step.only)
        case CategoriesStep():
            words = _("Buy from %s different categories") % format_number(step.number)
            return words + _only(step.only)
        case CollectionStep():
            return _("Buy each of these: %s") % format_list(step.names)


def reached_words(step: Step, reached: Reached, currency: str) -> str:
    """ "$30.00 of $50.00", "3 of 5" """
    got = min(reached.got, reached.goal)
    if isinstance(step, SpendStep):
        amounts = [format_money(amount, currency) for amount in (got, reached.goal)]
    else:
        amounts = [_plain(got), _plain(reached.goal)]
    return _("%(got)s of %(goal)s") % {"got": amounts[0], "goal": amounts[1]}


def plan_words(challenge: Challenge) -> list[str]:
    """What is to be done, one line for each step."""
    plan, currency = plan_of(challenge), challenge.campaign.program.currency
    found = [step_words(step, currency) for step in plan.steps]
    return [_("%s.") % line for line in found] + _how(plan)


def brings(challenge: Challenge) -> list[str]:
    """What somebody gets who has done it."""
    found = []
    if challenge.units is not None:
        found.append(units_in_words(Decimal(challenge.units), unit_of(challenge.campaign)))
    if challenge.reward is not None:
        found.append(told(challenge.reward).name)
    if challenge.badge:
        found.append(_("the badge “%s”") % challenge.badge)
    return found


def time_words(challenge: Challenge) -> str:
    """How long each member has; empty: as long as the challenge is on."""
    if challenge.days is None:
        return ""
    words = ngettext("Each has %s day for it.", "Each has %s days for it.", challenge.days)
    return words % format_number(challenge.days)


def _spend(step: SpendStep, currency: str) -> str:
    amount = format_money(step.amount, currency)
    if step.in_one and step.more_than:
        return _("Buy for more than %s in one order") % amount
    if step.in_one:
        return _("Buy for %s in one order") % amount
    return (_("Buy for more than %s") if step.more_than else _("Buy for %s")) % amount


def _count(step: CountStep) -> str:
    number = format_number(step.number)
    if step.of == "orders":
        return ngettext("Order %s time", "Order %s times", step.number) % number
    return ngettext("Buy %s item", "Buy %s items", step.number) % number


def _streak(step: StreakStep, currency: str) -> str:
    words = {
        "day": _("Buy on %s days in a row"),
        "week": _("Buy in %s weeks in a row"),
        "month": _("Buy in %s months in a row"),
    }[step.every] % format_number(step.number)
    if step.least is None:
        return words
    return _("%(words)s, for %(amount)s or more") % {
        "words": words, "amount": format_money(step.least, currency),
    }  # fmt: skip


def _only(only: LineFilter) -> str:
    return f": {describe_lines(only)}" if only.names_lines else ""


def _how(plan: Plan) -> list[str]:
    found = [_("One after the other.")] if plan.in_order else []
    if plan.times > 1:
        found.append(_("It can be done %s times.") % format_number(plan.times))
    return found


def _plain(number: Decimal) -> str:
    whole = number == number.to_integral_value()
    return format_number(int(number)) if whole else f"{number.normalize():f}"
