"""What a program promises, in plain sentences: the same words for staff, members and the API."""

from __future__ import annotations

from decimal import Decimal

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.definitions import ExpiryDefinition, ProgramDefinition, WalletTypeDefinition
from loyalty.rules.bodies import BasePolicy, LineFilter, RateBody, Rounding
from members.formatting import UnitNames, active_locale, format_money, format_number


class Unit:
    """The names of a unit as the formatting functions read them, before any is stored."""

    def __init__(self, definition: WalletTypeDefinition) -> None:
        self.singular = definition.singular
        self.plural = definition.plural
        self.scale = definition.decimals


def describe_rule(rule: RateBody, unit: UnitNames, currency: str) -> list[str]:
    """How an order becomes units, sentence by sentence."""
    sentences = [describe_rate(rule, unit, currency)]
    if rule.include != LineFilter():
        sentences.append(_("Only these earn: %s.") % describe_lines(rule.include))
    if rule.exclude != LineFilter():
        sentences.append(_("These never earn: %s.") % describe_lines(rule.exclude))
    if rule.measure == "money":
        sentences += describe_base(rule.base)
    sentences.append(describe_rounding(rule.rounding))
    return sentences


def describe_rate(rule: RateBody, unit: UnitNames, currency: str) -> str:
    """ "1 Bean for each $1.00 spent." """
    units = _amount(rule.units, unit)
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


def describe_base(base: BasePolicy) -> list[str]:
    """Which parts of what was paid count."""
    return [
        _("Prices count after discounts.")
        if base.after_discounts
        else _("Prices count before discounts."),
        _("Tax earns too.") if base.include_tax else _("Tax does not earn."),
        _("Shipping earns too.") if base.include_shipping else _("Shipping does not earn."),
        _("What is paid with gift cards or credit earns; buying a gift card does not.")
        if base.paid_with_stored_value
        else _("Neither buying a gift card nor paying with one earns."),
        _("What is paid with points earns.")
        if base.paid_with_units
        else _("What is paid with points does not earn."),
    ]


def describe_lines(lines: LineFilter) -> str:
    """ "category Coffee, category Tea, product A-17, tag sale" """
    return ", ".join(
        [
            *(_("category %s") % name for name in lines.categories),
            *(_("product %s") % name for name in lines.skus),
            *(_("tag %s") % name for name in lines.tags),
        ]
    )


def describe_rounding(rounding: Rounding) -> str:
    words = {
        ("down", "order"): _("Fractions are rounded down, once per order."),
        ("nearest", "order"): _("Fractions are rounded to the nearest, once per order."),
        ("up", "order"): _("Fractions are rounded up, once per order."),
        ("down", "line"): _("Fractions are rounded down on each line."),
        ("nearest", "line"): _("Fractions are rounded to the nearest on each line."),
        ("up", "line"): _("Fractions are rounded up on each line."),
    }
    return words[rounding.mode, rounding.per]


def describe_units(wallet_type: WalletTypeDefinition, currency: str) -> list[str]:
    """What a unit is worth, when it can be spent and when it is gone."""
    return [
        describe_worth(wallet_type, currency),
        describe_pending(wallet_type.pending_days),
        describe_expiry(wallet_type.expiry),
    ]


def describe_worth(wallet_type: WalletTypeDefinition, currency: str) -> str:
    if not wallet_type.unit_value:
        return _("%s have no worth in money.") % capfirst(wallet_type.plural)
    # A unit is often worth less than the smallest coin; a hundred are worth something one can say.
    count = 1 if wallet_type.unit_value >= 1 else 100
    return _("%(units)s are worth %(money)s.") % {
        "units": _amount(Decimal(count), Unit(wallet_type)),
        "money": format_money(wallet_type.unit_value * count, currency),
    }


def describe_pending(days: int) -> str:
    if not days:
        return _("They can be spent as soon as they are earned.")
    return ngettext(
        "They can be spent %(days)s day after the order.",
        "They can be spent %(days)s days after the order.",
        days,
    ) % {"days": days}


def describe_expiry(expiry: ExpiryDefinition) -> str:
    if expiry.months is None:
        return _("They never expire.")
    sentence = ngettext(
        "They expire %(months)s month after they were earned.",
        "They expire %(months)s months after they were earned.",
        expiry.months,
    ) % {"months": expiry.months}
    if expiry.last_day == "end_of_day":
        return _("%s The last day can be used to its end.") % sentence
    return _("%s They are gone when the last day begins.") % sentence


def describe_terms(program: ProgramDefinition) -> list[str]:
    """Who takes part, and what happens to returns that name no order."""
    return [
        _("Every customer joins with their first order.")
        if program.enrollment == "automatic"
        else _("Only customers who were enrolled take part."),
        _("A return that names no order takes back what its own amount would earn.")
        if program.unlinked_returns == "own_amount"
        else _("A return that names no order takes nothing back."),
    ]


def _amount(number: Decimal, unit: UnitNames) -> str:
    """A number of units that need not fit their decimals: a rate of 0.5 points is fine."""
    one = active_locale().plural_form(number.normalize()) == "one"
    return f"{format_number(number)}\N{NO-BREAK SPACE}{unit.singular if one else unit.plural}"
