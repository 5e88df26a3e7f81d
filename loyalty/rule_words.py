"""What a rule promises, in plain sentences: the same words for staff, members and the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.base_words import describe_base, describe_lines, describe_rounding
from loyalty.discount_words import describe_discount
from loyalty.rule_conditions import stored_condition
from loyalty.rules.bodies import (
    ActivityBody,
    AnniversaryBody,
    BonusBody,
    CashbackBody,
    EarningBody,
    FixedBody,
    MultiplierBody,
    NthPurchaseBody,
    OrderBody,
    RateBody,
    RuleBody,
    StampsBody,
    StreakBody,
)
from loyalty.rules.body_parts import BasePolicy, Caps, LineFilter
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.selectors.activity_types import activity_type_name
from members.conditions.sentences import sentence
from members.conditions.tree import Node
from members.formatting import (
    UnitNames,
    format_list,
    format_money,
    format_number,
    format_percent,
    name_of_number,
)

# How a condition is put into words.
Worded = Callable[[Node], str]


def describe_rule(
    rule: RuleBody, unit: UnitNames, currency: str, worded: Worded = sentence
) -> list[str]:
    """How an order or an activity becomes units, or what is taken off a price, sentence by
    sentence."""
    if isinstance(rule, DiscountBody):
        return describe_discount_rule(rule, currency, worded)
    if isinstance(rule, ActivityBody | AnniversaryBody):
        said = [describe_kind(rule, unit, currency), *describe_when(rule, worded)]
        if isinstance(rule, ActivityBody):
            said += describe_fractions(rule)
        return [*said, *describe_caps_of_grants(rule, unit, currency)]
    sentences = [describe_kind(rule, unit, currency), *describe_when(rule, worded)]
    if rule.include != LineFilter():
        sentences.append(_("Only these earn: %s.") % describe_lines(rule.include))
    if rule.exclude != LineFilter():
        sentences.append(_("These never earn: %s.") % describe_lines(rule.exclude))
    if _counts_money(rule):
        sentences += describe_base(rule.base)
    if isinstance(rule, RateBody | CashbackBody):
        sentences.append(describe_rounding(rule.rounding))
    sentences += describe_caps(rule.caps, unit, currency)
    return [*sentences, *describe_stacking(rule)]


def describe_discount_rule(
    rule: DiscountBody, currency: str, worded: Worded = sentence
) -> list[str]:
    """What is taken off a price, under which condition and for which products."""
    said = describe_discount(rule, currency)
    return [said[0], *describe_reach(rule, worded), *said[1:]]


def describe_reach(rule: DiscountBody, worded: Worded = sentence) -> list[str]:
    """Under which condition, and for which products, if not always and for all."""
    return [*describe_when(rule, worded), *_scope(rule)]


def _scope(rule: DiscountBody) -> Iterable[str]:
    if rule.include != LineFilter():
        yield _("Only for these: %s.") % describe_lines(rule.include)
    if rule.exclude != LineFilter():
        yield _("Never for these: %s.") % describe_lines(rule.exclude)


def describe_kind(rule: RuleBody, unit: UnitNames, currency: str) -> str:
    """What a rule gives, in one sentence."""
    if isinstance(rule, DiscountBody):
        return describe_discount(rule, currency)[0]
    if isinstance(rule, ActivityBody):
        return describe_activity(rule, unit)
    if isinstance(rule, AnniversaryBody):
        return describe_anniversary(rule, unit)
    return _describe_for_orders(rule, unit, currency)


def _describe_for_orders(rule: OrderBody, unit: UnitNames, currency: str) -> str:
    match rule:
        case RateBody():
            said = describe_rate(rule, unit, currency)
        case CashbackBody():
            said = describe_cashback(rule, currency)
        case FixedBody():
            said = _("%s for each order.") % units_in_words(rule.units, unit)
        case MultiplierBody():
            said = describe_multiplier(rule)
        case BonusBody():
            said = describe_bonus(rule, unit, currency)
        case NthPurchaseBody():
            said = describe_purchases(rule, unit, currency)
        case StampsBody():
            said = describe_stamps(rule, unit, currency)
        case StreakBody():
            said = describe_streak(rule, unit, currency)
    return said


def describe_when(rule: RuleBody, worded: Worded = sentence) -> list[str]:
    """Under which condition, if under one."""
    condition = stored_condition(rule.when)
    return [_("Only when: %s.") % worded(condition.root)] if condition else []


def describe_stacking(rule: EarningBody) -> Iterable[str]:
    """How it gets on with other rules."""
    if rule.group:
        yield _("Of the rules in the group “%s” only the one that gives most counts.") % rule.group
    if rule.stops:
        yield _("Where it gives something, later rules for the same units do not.")


def _counts_money(rule: RuleBody) -> bool:
    match rule:
        case RateBody():
            return rule.measure == "money"
        case CashbackBody() | BonusBody():
            return True
        case StampsBody(stamp_per="money"):
            return True
        case FixedBody() | StampsBody() | NthPurchaseBody() | StreakBody():
            # It only matters whether anything is left that counts.
            return rule.base != BasePolicy()
    return False


def describe_caps(caps: Caps, unit: UnitNames, currency: str) -> list[str]:
    """How much is awarded at most."""
    sentences = []
    if caps.per_order is not None:
        sentences.append(_("At most %s for one order.") % units_in_words(caps.per_order, unit))
    words = {
        "day": _("At most %s for one member a day."),
        "week": _("At most %s for one member a week."),
        "month": _("At most %s for one member a month."),
        "year": _("At most %s for one member a year."),
        "lifetime": _("At most %s for one member, ever."),
    }
    for period, most in caps.per_member.said:
        sentences.append(words[period] % units_in_words(most, unit))
    if caps.budget is not None:
        sentences.append(_("At most %s in all.") % units_in_words(caps.budget, unit))
    if caps.budget_money is not None:
        money = format_money(caps.budget_money, currency)
        sentences.append(_("No more in all than is worth %s.") % money)
    return sentences


def describe_rate(rule: RateBody, unit: UnitNames, currency: str) -> str:
    """ "1 Bean for each $1.00 spent." """
    units = units_in_words(rule.units, unit)
    if rule.measure == "money":
        return _("%(units)s for each %(money)s spent.") % {
            "units": units,
            "money": format_money(rule.per, currency),
        }
    if rule.per == 1:
        return _("%s for each item (or each unit of quantity).") % units
    return _("%(units)s for each %(per)s of the quantity.") % {
        "units": units,
        "per": format_number(rule.per),
    }


def describe_bonus(rule: BonusBody, unit: UnitNames, currency: str) -> str:
    """ "500 Beans when $200.00 are reached in a month." """
    words = {
        "units": units_in_words(rule.units, unit),
        "money": format_money(rule.reach, currency),
        "window": _window(rule.window),
    }
    if rule.repeats:
        return _("%(units)s for each %(money)s reached %(window)s.") % words
    return _("%(units)s when %(money)s is reached %(window)s.") % words


def describe_cashback(rule: CashbackBody, currency: str) -> str:
    """ "5% back; 10% for category Coffee." """
    if rule.brackets:
        parts = [
            _("%(percent)s above %(money)s") % {
                "percent": _percent(bracket.percent),
                "money": format_money(bracket.above, currency),
            }
            if bracket.above
            else _percent(bracket.percent)
            for bracket in rule.brackets
        ]  # fmt: skip
        return _("Cashback by what was spent in the year: %s.") % format_list(parts)
    parts = [
        _("%(percent)s for %(category)s")
        % {"percent": _percent(item.percent), "category": item.category}
        for item in rule.by_category
    ]
    parts += _by_margin([item.percent for item in rule.by_margin])
    if not parts:
        return _("%s back.") % _percent(rule.percent)
    if rule.percent:
        parts.append(_("%s for the rest") % _percent(rule.percent))
    return _("Cashback: %s.") % format_list(parts)


def _by_margin(percents: list[Decimal]) -> Iterable[str]:
    """What the shop keeps of a product is nothing for those who buy it."""
    if percents:
        least, most = _percent(min(percents)), _percent(max(percents))
        if least == most:
            yield _("%s for some products") % least
        else:
            yield _("%(least)s to %(most)s for some products") % {"least": least, "most": most}


def describe_multiplier(rule: MultiplierBody) -> str:
    """ "3 times what the other rules give." """
    factor = format_number(rule.factor.normalize())
    if rule.of:
        words = {"factor": factor, "rules": format_list(rule.of)}
        return _("%(factor)s times what these rules give: %(rules)s.") % words
    return _("%s times what rates and cashback give.") % factor


def describe_multiplying(how: str) -> str:
    """What several multipliers come to where more than one is for the same item."""
    words = {
        "best": _("Where several multipliers are for the same item, the largest counts."),
        "add": _("Where several multipliers are for the same item, what each adds is added up."),
        "multiply": _("Where several multipliers are for the same item, they multiply each other."),
    }
    return words[how]


def describe_purchases(rule: NthPurchaseBody, unit: UnitNames, currency: str) -> str:
    """ "50 Beans with the 5th order in a month." """
    words = {
        "units": units_in_words(rule.units, unit),
        "number": format_number(rule.number),
        "window": "" if rule.window == "lifetime" else f" {_window(rule.window)}",
    }
    if rule.number == 1 and not rule.repeats:
        said = _("%(units)s with the first order%(window)s.") % words
    elif rule.repeats:
        said = _("%(units)s with every %(number)s orders%(window)s.") % words
    else:
        said = _("%(units)s with order number %(number)s%(window)s.") % words
    return _with_least(said, rule.least, currency)


def describe_stamps(rule: StampsBody, unit: UnitNames, currency: str) -> str:
    """ "10 stamps fill a card, which brings 100 Beans. A stamp for each order." """
    full = ngettext(
        "%(number)s stamp fills a card, which brings %(units)s.",
        "%(number)s stamps fill a card, which brings %(units)s.",
        rule.full_at,
    ) % {"number": format_number(rule.full_at), "units": units_in_words(rule.units, unit)}
    return f"{full} {describe_stamp(rule, currency)}"


def describe_stamp(rule: StampsBody, currency: str) -> str:
    """What brings one stamp."""
    each = {
        "visit": _("A stamp for each order."),
        "quantity": _("A stamp for each item.")
        if rule.each == 1
        else _("A stamp for each %s of the quantity.") % format_number(rule.each.normalize()),
        "money": _("A stamp for each %s.") % format_money(rule.each, currency),
    }
    return each[rule.stamp_per]


def describe_activity(rule: ActivityBody, unit: UnitNames) -> str:
    """ "Review: 50 Beans." As a price list has it: the name is the merchant's, and fits into no
    sentence of every language."""
    words = {
        "units": units_in_words(rule.units, unit),
        "activity": activity_type_name(rule.activity),
        "number": rule.times,
    }
    if rule.times:
        return _("%(activity)s: %(units)s for each of its “%(number)s”.") % words
    return _("%(activity)s: %(units)s.") % words


def describe_anniversary(rule: AnniversaryBody, unit: UnitNames) -> str:
    """ "100 Beans once a year, 7 days before the birthday." """
    days: dict[str, str] = {
        "birthday": _("the birthday"),
        "enrollment": _("the day of joining"),
        "first_purchase": _("the day of the first purchase"),
    }
    words = {"units": units_in_words(rule.units, unit), "day": days[rule.day]}
    if not rule.days_before:
        return _("%(units)s once a year, on %(day)s.") % words
    before = ngettext(
        "%(units)s once a year, %(number)s day before %(day)s.",
        "%(units)s once a year, %(number)s days before %(day)s.",
        rule.days_before,
    )
    return before % (words | {"number": format_number(rule.days_before)})


def describe_caps_of_grants(
    rule: ActivityBody | AnniversaryBody, unit: UnitNames, currency: str
) -> list[str]:
    """How much activities, or days of the year, bring at most."""
    once = rule.caps.per_order
    said = describe_caps(rule.caps.model_copy(update={"per_order": None}), unit, currency)
    if once is not None:
        for_one = (
            _("At most %s for one activity.")
            if isinstance(rule, ActivityBody)
            else _("At most %s for one such day.")
        )
        said.insert(0, for_one % units_in_words(once, unit))
    return said


def describe_fractions(rule: ActivityBody) -> list[str]:
    """How what a number comes to is rounded."""
    words = {
        "down": _("Fractions are rounded down."),
        "nearest": _("Fractions are rounded to the nearest."),
        "up": _("Fractions are rounded up."),
    }
    return [words[rule.fractions]] if rule.times else []


def describe_streak(rule: StreakBody, unit: UnitNames, currency: str) -> str:
    """ "100 Beans for orders in 4 weeks in a row." """
    periods = {
        "day": ngettext("%s day", "%s days", rule.length),
        "week": ngettext("%s week", "%s weeks", rule.length),
        "month": ngettext("%s month", "%s months", rule.length),
    }
    words = {
        "units": units_in_words(rule.units, unit),
        "periods": periods[rule.of] % format_number(rule.length),
    }
    said = (
        _("%(units)s for orders in every %(periods)s in a row.")
        if rule.repeats
        else _("%(units)s for orders in %(periods)s in a row, once.")
    ) % words
    return _with_least(said, rule.least, currency)


def _with_least(said: str, least: Decimal | None, currency: str) -> str:
    if least is None:
        return said
    return f"{said} " + _("Only orders of at least %s count.") % format_money(least, currency)


def _window(window: str) -> str:
    words = {
        "order": _("in one order"),
        "day": _("in a day"),
        "week": _("in a week"),
        "month": _("in a month"),
        "quarter": _("in a quarter"),
        "year": _("in a year"),
        "lifetime": _("in all"),
    }
    return words[window]


def _percent(percent: Decimal) -> str:
    return format_percent(percent / 100, digits=2)


def units_in_words(number: Decimal, unit: UnitNames) -> str:
    """A number of units that need not fit their decimals: a rate of 0.5 points is fine."""
    return f"{format_number(number)}\N{NO-BREAK SPACE}{name_of_number(number, unit)}"
