"""How a rule came to so many units, in words: the codes and numbers that the engine left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from loyalty.models import WalletType
from members.formatting import (
    format_day,
    format_money,
    format_number,
    format_percent,
    format_units,
    name_of_number,
)
from members.timeline_view import WhyStep

# Sums of money on the way from the order to what earns: their words, and whether they are changes.
_MONEY: dict[str, tuple[Promise, bool]] = {
    "goods": (gettext_lazy("Goods that earn"), False),
    "before_discounts": (gettext_lazy("Discounts count as paid"), True),
    "order_discount": (gettext_lazy("Share of the order's discount"), True),
    "tax_out": (gettext_lazy("Tax, which does not earn"), True),
    "tax_in": (gettext_lazy("Tax, which earns too"), True),
    "shipping": (gettext_lazy("Shipping, which earns too"), True),
    "paid_in_kind": (gettext_lazy("Paid with points or gift cards"), True),
}


# What a cap left of an award.
_CAPPED: dict[str, Promise] = {
    "capped_order": gettext_lazy("One order earns at most"),
    "capped_member": gettext_lazy("That is all that one member can still earn"),
    "capped_budget": gettext_lazy("That is all that is left of the budget"),
    "capped_money": gettext_lazy("That is all that is left of the budget in money"),
}


def arithmetic(
    steps: Sequence[Sequence[str]], *, wallet_type: WalletType, currency: str
) -> Iterator[WhyStep]:
    """A rule's reckoning, step by step. Without a currency money is a plain number."""
    for code, *values in steps:
        if code in _MONEY:
            label, is_change = _MONEY[code]
            yield WhyStep(str(label), _money(values[0], currency, sign=is_change))
        elif code == "eligible" and values[0] != values[1]:
            fraction = {"count": _number(values[0]), "all": _number(values[1])}
            yield WhyStep(_("Items that earn"), _("%(count)s of %(all)s") % fraction)
        elif code == "quantity":
            yield WhyStep(_("Quantity that earns"), _number(values[0]))
        elif code == "rate":
            yield WhyStep(_("Rate"), _rate(values, currency, wallet_type))
        elif code == "threshold":
            yield WhyStep(
                _("Reached, of %s") % _money(values[0], currency), _money(values[2], currency)
            )
        elif code in _OTHER_KINDS:
            yield _OTHER_KINDS[code](values, currency, wallet_type)
        elif code in _CAPPED:
            yield WhyStep(_capped(code, values), _units(values[0], wallet_type))
        elif code == "rounded":
            text = _rounding(values[0], values[1]) if _is_rounded(steps) else _("That makes")
            yield WhyStep(text, _units(values[2], wallet_type))


def conversion_steps(told: Mapping[str, Any]) -> Iterator[WhyStep]:
    """By which rate an order in another currency was converted, as the ledger keeps it."""
    given, wanted = told["from"], told["to"]
    amount = format_money(Decimal(told["amount"]), given)
    came_to = format_money(Decimal(told["comes_to"]), wanted)
    rate = format_rate(Decimal(told["rate"]))
    yield WhyStep(_("Order in %s") % given, f"{amount} × {rate} = {came_to}")
    yield WhyStep(_("Exchange rate"), rate_words(told["dated"], told["told_by"]))


def format_rate(rate: Decimal) -> str:
    """With all the digits that it has."""
    _sign, _digits, exponent = rate.normalize().as_tuple()
    assert isinstance(exponent, int)
    return format_number(rate, digits=max(-exponent, 0))


def rate_words(dated: str, told_by: str) -> str:
    """Whose a rate is, and of which day."""
    if not dated:
        return _("told with the order")
    day = format_day(dt.date.fromisoformat(dated))
    if told_by:
        return _("rate of %(day)s, %(source)s") % {"day": day, "source": told_by}
    return _("rate of %s") % day


def _capped(code: str, values: Sequence[str]) -> str:
    if code != "capped_member":
        return str(_CAPPED[code])
    words: dict[str, str] = {
        "day": _("That is all that one member can still earn today"),
        "week": _("That is all that one member can still earn this week"),
        "month": _("That is all that one member can still earn this month"),
        "year": _("That is all that one member can still earn this year"),
    }
    return words.get(values[1], str(_CAPPED[code]))


def _rate(values: Sequence[str], currency: str, wallet_type: WalletType) -> str:
    units, per, measure = values
    if measure == "money":
        per = _money(per, currency)
    elif Decimal(per) == 1:
        return _("%(units)s each") % {"units": _units(units, wallet_type)}
    else:
        per = _number(per)
    return _("%(units)s for each %(per)s") % {"units": _units(units, wallet_type), "per": per}


def _is_rounded(steps: Sequence[Sequence[str]]) -> bool:
    """Whether rounding changed anything: nobody wants to read of it when 12 makes 12."""
    found = {code: values for code, *values in steps}
    if "activity_times" in found:
        number, _name, each = found["activity_times"]
        return Decimal(number) * Decimal(each) != Decimal(found["rounded"][2])
    backs = [values for code, *values in steps if code == "cashback"]
    if backs:
        exact = sum((Decimal(percent) * Decimal(amount) for percent, amount in backs), Decimal(0))
        return exact != 100 * Decimal(found["rounded"][2])
    counted = [*_MONEY, "quantity"]
    base = sum((Decimal(values[0]) for code, *values in steps if code in counted), Decimal(0))
    units, per, _measure = found.get("rate", ("1", "1", ""))
    return base * Decimal(units) != Decimal(found["rounded"][2]) * Decimal(per)


def _rounding(mode: str, per: str) -> str:
    words: dict[tuple[str, str], str] = {
        ("down", "order"): _("That makes, rounded down"),
        ("nearest", "order"): _("That makes, rounded to the nearest"),
        ("up", "order"): _("That makes, rounded up"),
        ("down", "line"): _("That makes, each item rounded down"),
        ("nearest", "line"): _("That makes, each item rounded to the nearest"),
        ("up", "line"): _("That makes, each item rounded up"),
    }
    return words[mode, per]


def _fixed(values: Sequence[str], _currency: str, wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("For the order"), _units(values[0], wallet_type))


def _activity(values: Sequence[str], _currency: str, wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("For the activity"), _units(values[0], wallet_type))


def _occasion(values: Sequence[str], _currency: str, wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("For the day"), _units(values[0], wallet_type))


def _activity_times(values: Sequence[str], _currency: str, wallet_type: WalletType) -> WhyStep:
    number, name, each = values
    words = {"number": _number(number), "name": name, "units": _units(each, wallet_type)}
    return WhyStep(_("For each of %(name)s") % words, _("%(units)s × %(number)s") % words)


def _no_number(values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("There is no number above zero for it"), values[0])


def _cashback(values: Sequence[str], currency: str, _wallet_type: WalletType) -> WhyStep:
    percent, amount = values
    text = _("%s back of") % format_percent(Decimal(percent) / 100, digits=2)
    return WhyStep(text, _money(amount, currency))


def _spent_before(values: Sequence[str], currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("Spent before in the year"), _money(values[0], currency))


def _multiplied(values: Sequence[str], _currency: str, wallet_type: WalletType) -> WhyStep:
    factor, rule, units = values
    words = {"factor": _number(factor), "rule": rule}
    return WhyStep(_("%(factor)s times “%(rule)s” adds") % words, _units(units, wallet_type))


def _purchases(values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("Orders, of %s") % _number(values[0]), _number(values[2]))


def _stamps(values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("Stamps, of %s for a card") % _number(values[0]), _number(values[1]))


def _streak(values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    length, of, number = values
    words = {
        "day": ngettext("Orders in %s day in a row", "Orders in %s days in a row", int(length)),
        "week": ngettext("Orders in %s week in a row", "Orders in %s weeks in a row", int(length)),
        "month": ngettext(
            "Orders in %s month in a row", "Orders in %s months in a row", int(length)
        ),
    }
    times = ngettext("%s time", "%s times", int(number)) % _number(number)
    return WhyStep(words[of] % _number(length), times)


def _given_way(values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("Gives way to a rule that gives more"), values[0])


def _stopped(_values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("An earlier rule ends the list"))


def _outdone(values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("A larger multiplier counts instead"), values[0])


def _no_base(_values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("There is nothing that it multiplies"))


def _base_full(_values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("What it multiplies has reached its limit for an order"))


def _not_met(_values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("Its condition is not met"))


def _plan_invoice(values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    return WhyStep(_("Invoice"), values[0])


def _plan_part(values: Sequence[str], _currency: str, _wallet_type: WalletType) -> WhyStep:
    number = {"number": _number(values[0]), "all": _number(values[1])}
    return WhyStep(_("Units that this payment brings"), _("%(number)s of %(all)s") % number)


# Steps that kinds of rules have besides the rate's.
_OTHER_KINDS: dict[str, Callable[[Sequence[str], str, WalletType], WhyStep]] = {
    "fixed": _fixed,
    "activity": _activity,
    "occasion": _occasion,
    "activity_times": _activity_times,
    "no_number": _no_number,
    "cashback": _cashback,
    "spent_before": _spent_before,
    "multiplied": _multiplied,
    "purchases": _purchases,
    "stamps": _stamps,
    "streak": _streak,
    "plan_invoice": _plan_invoice,
    "plan_part": _plan_part,
    "given_way": _given_way,
    "stopped": _stopped,
    "outdone": _outdone,
    "no_base": _no_base,
    "base_full": _base_full,
    "not_met": _not_met,
}


def _units(text: str, wallet_type: WalletType) -> str:
    """A number of whole units, which a rate may give in finer parts than the wallet holds."""
    scaled = Decimal(text).scaleb(wallet_type.scale)
    if scaled == scaled.to_integral_value():
        return format_units(int(scaled), wallet_type)
    return f"{_number(text)}\N{NO-BREAK SPACE}{name_of_number(Decimal(text), wallet_type)}"


def _money(text: str, currency: str, *, sign: bool = False) -> str:
    return format_money(Decimal(text), currency, sign=sign) if currency else _number(text)


def _number(text: str) -> str:
    return format_number(Decimal(text))
