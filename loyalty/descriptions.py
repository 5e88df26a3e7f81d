"""What a program promises, in plain sentences: the same words for staff, members and the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from babel.dates import format_skeleton
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.definitions import (
    ExpiryDefinition,
    GiftsDefinition,
    PendingDefinition,
    ProgramDefinition,
    WalletTypeDefinition,
)
from loyalty.models import LotPolicy
from loyalty.rules.bodies import (
    BasePolicy,
    BonusBody,
    Caps,
    LineFilter,
    RateBody,
    Rounding,
    RuleBody,
)
from members.formatting import UnitNames, active_locale, format_money, format_number


class Unit:
    """The names of a unit as the formatting functions read them, before any is stored."""

    def __init__(self, definition: WalletTypeDefinition) -> None:
        self.singular = definition.singular
        self.plural = definition.plural
        self.scale = definition.decimals


def describe_rule(rule: RuleBody, unit: UnitNames, currency: str) -> list[str]:
    """How an order becomes units, sentence by sentence."""
    if isinstance(rule, BonusBody):
        sentences = [describe_bonus(rule, unit, currency)]
    else:
        sentences = [describe_rate(rule, unit, currency)]
    if rule.include != LineFilter():
        sentences.append(_("Only these earn: %s.") % describe_lines(rule.include))
    if rule.exclude != LineFilter():
        sentences.append(_("These never earn: %s.") % describe_lines(rule.exclude))
    if isinstance(rule, BonusBody) or rule.measure == "money":
        sentences += describe_base(rule.base)
    if isinstance(rule, RateBody):
        sentences.append(describe_rounding(rule.rounding))
    sentences += describe_caps(rule.caps, unit)
    return sentences


def describe_caps(caps: Caps, unit: UnitNames) -> list[str]:
    """How much is awarded at most."""
    sentences = []
    if caps.per_order is not None:
        sentences.append(_("At most %s for one order.") % _amount(caps.per_order, unit))
    if caps.per_member is not None:
        words = {
            "day": _("At most %s for one member a day."),
            "week": _("At most %s for one member a week."),
            "month": _("At most %s for one member a month."),
            "year": _("At most %s for one member a year."),
            "lifetime": _("At most %s for one member, ever."),
        }
        sentences.append(words[caps.period] % _amount(caps.per_member, unit))
    if caps.budget is not None:
        sentences.append(_("At most %s in all.") % _amount(caps.budget, unit))
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


def describe_bonus(rule: BonusBody, unit: UnitNames, currency: str) -> str:
    """ "500 Beans when $200.00 are reached in a month." """
    windows = {
        "order": _("in one order"),
        "day": _("in a day"),
        "week": _("in a week"),
        "month": _("in a month"),
        "quarter": _("in a quarter"),
        "year": _("in a year"),
        "lifetime": _("in all"),
    }
    words = {
        "units": _amount(rule.units, unit),
        "money": format_money(rule.reach, currency),
        "window": windows[rule.window],
    }
    if rule.repeats:
        return _("%(units)s for each %(money)s reached %(window)s.") % words
    return _("%(units)s when %(money)s is reached %(window)s.") % words


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


def describe_units(
    wallet_type: WalletTypeDefinition, currency: str, charities: Sequence[str] = ()
) -> list[str]:
    """What a unit is worth, when it can be spent and when it is gone, and to whom it may be given.
    `charities`: the names of those that the program has."""
    sentences = [
        describe_worth(wallet_type, currency),
        describe_pending(wallet_type),
        describe_expiry(wallet_type.expiry),
        *describe_gifts(wallet_type.gifts, Unit(wallet_type)),
    ]
    if charities and wallet_type.gifts.to_charities:
        sentences.append(_("Members may give them to %s.") % ", ".join(charities))
    return sentences


def describe_gifts(gifts: GiftsDefinition, unit: UnitNames) -> list[str]:
    """Whether members may give to each other, and how many."""
    if not gifts.to_members:
        return [_("Members cannot give them to each other.")]
    sentences = [_("Members may give them to each other, %s or more at once.")
                 % _amount(gifts.least, unit)]  # fmt: skip
    if gifts.most_per_day is not None:
        sentences.append(
            _("In a day a member may give %s at most.") % _amount(gifts.most_per_day, unit)
        )
    if gifts.most_received_per_day is not None:
        sentences.append(
            _("In a day a member may be given %s at most.")
            % _amount(gifts.most_received_per_day, unit)
        )
    return sentences


def describe_worth(wallet_type: WalletTypeDefinition, currency: str) -> str:
    if not wallet_type.unit_value:
        return _("%s have no worth in money.") % capfirst(wallet_type.plural)
    # A unit is often worth less than the smallest coin; a hundred are worth something one can say.
    count = 1 if wallet_type.unit_value >= 1 else 100
    return _("%(units)s are worth %(money)s.") % {
        "units": _amount(Decimal(count), Unit(wallet_type)),
        "money": format_money(wallet_type.unit_value * count, currency),
    }


def describe_pending(pending: PendingDefinition) -> str:
    """ "They can be spent 14 days after the order was fulfilled." """
    days = pending.pending_days
    event = dict(LotPolicy.PendingFrom.choices)[pending.pending_from]
    if not days:
        if pending.pending_from == "placed":
            return _("They can be spent as soon as they are earned.")
        return _("They can be spent as soon as %(event)s.") % {"event": event}
    return ngettext(
        "They can be spent %(days)s day after %(event)s.",
        "They can be spent %(days)s days after %(event)s.",
        days,
    ) % {"days": days, "event": event}


def describe_expiry(expiry: ExpiryDefinition) -> str:
    """When units are gone, and on what conditions."""
    if expiry.kind == "never":
        return _("They never expire.")
    sentences = [_last_day(expiry)]
    if expiry.last_day == "end_of_day":
        sentences.append(_("The last day can be used to its end."))
    else:
        sentences.append(_("They are gone when the last day begins."))
    if expiry.warned_days:
        sentences.append(
            ngettext(
                "They expire %(days)s day after a warning at the earliest, and not without one.",
                "They expire %(days)s days after a warning at the earliest, and not without one.",
                expiry.warned_days,
            )
            % {"days": expiry.warned_days}
        )
    if expiry.restored_days:
        sentences.append(
            ngettext(
                "What comes back when a redemption is undone can be used for %(days)s day more"
                " at least.",
                "What comes back when a redemption is undone can be used for %(days)s days more"
                " at least.",
                expiry.restored_days,
            )
            % {"days": expiry.restored_days}
        )
    return " ".join(sentences)


def _last_day(expiry: ExpiryDefinition) -> str:
    length = expiry.length or 0
    event = str(dict(LotPolicy.CountedFrom.choices)[expiry.counted_from])
    match expiry.kind:
        case "end_of_period":
            return _end_of_period(expiry.period, length, event)
        case "fixed_date":
            return _("They expire every year on %(day)s.") % {"day": _month_day(expiry.month_day)}
        case "inactivity":
            return ngettext(
                "They expire after %(months)s month without activity (%(kinds)s).",
                "They expire after %(months)s months without activity (%(kinds)s).",
                length,
            ) % {"months": length, "kinds": ", ".join(map(_renewal, expiry.renewals))}
        case "days":
            sentence = ngettext(
                "They expire %(length)s day after %(event)s.",
                "They expire %(length)s days after %(event)s.",
                length,
            )
        case "years":
            sentence = ngettext(
                "They expire %(length)s year after %(event)s.",
                "They expire %(length)s years after %(event)s.",
                length,
            )
        case _:
            sentence = ngettext(
                "They expire %(length)s month after %(event)s.",
                "They expire %(length)s months after %(event)s.",
                length,
            )
    return sentence % {"length": length, "event": event}


def _end_of_period(period: str, later: int, event: str) -> str:
    named = {"period": dict(LotPolicy.Period.choices)[period], "event": event, "count": later}
    if later == 0:
        return _("They expire at the end of the %(period)s in which %(event)s.") % named
    if later == 1:
        return (
            _("They expire at the end of the %(period)s after the one in which %(event)s.") % named
        )
    return (
        _("They expire at the end of the %(period)s %(count)s after the one in which %(event)s.")
        % named
    )


def _month_day(month_day: str) -> str:
    month, day = map(int, month_day.split("-"))
    # A leap year, so that 29 February can be said.
    return format_skeleton(
        "MMMMd", dt.datetime(2024, month, day, tzinfo=dt.UTC), locale=active_locale()
    )


def _renewal(kind: str) -> str:
    words = {
        "accrual": _("earning"),
        "redemption": _("redeeming"),
        "gift": _("giving"),
        "pool": _("sharing in a pool"),
    }
    return words[kind]


def describe_terms(program: ProgramDefinition) -> list[str]:
    """Who takes part, and what happens to returns and debts."""
    return [
        _("Every customer joins with their first order.")
        if program.enrollment == "automatic"
        else _("Only customers who were enrolled take part."),
        _("A return that names no order takes back what its own amount would earn.")
        if program.unlinked_returns == "own_amount"
        else _("A return that names no order takes nothing back."),
        _("A return of an order takes back what the rest of the order no longer earns.")
        if program.linked_returns == "reconcile"
        else _("A return of an order takes back what its own amount would earn."),
        describe_debt(program.debt_policy),
    ]


def describe_debt(policy: str) -> str:
    """What becomes of what a refund takes beyond what there is."""
    words = {
        "carry": _("What was spent already when a refund takes it back is owed, and repaid by what"
                   " is earned next."),
        "write_off": _("What was spent already when a refund takes it back is written off."),
        "refuse_redemption_only": _("What was spent already when a refund takes it back is owed;"
                                    " until it is settled nothing can be redeemed."),
    }  # fmt: skip
    return words[policy]


def _amount(number: Decimal, unit: UnitNames) -> str:
    """A number of units that need not fit their decimals: a rate of 0.5 points is fine."""
    one = active_locale().plural_form(number.normalize()) == "one"
    return f"{format_number(number)}\N{NO-BREAK SPACE}{unit.singular if one else unit.plural}"
