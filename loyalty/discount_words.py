"""What a discount rule says, and how it came to an amount, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.base_words import describe_lines
from loyalty.rules.body_parts import BundlePart
from loyalty.rules.discount_bodies import DiscountBody, DiscountBracket
from members.formatting import format_list, format_money, format_number, format_percent
from members.timeline_view import WhyStep


def describe_discount(rule: DiscountBody, currency: str) -> list[str]:
    """ "10% off the order." and what limits it, sentence by sentence."""
    return [
        _what(rule, currency),
        *_limits(rule, currency),
        _rounding(rule, currency),
        *describe_beside_others(rule),
    ]


def describe_discounting(how: str) -> str:
    """What several discounts on one order come to."""
    words = {
        "best": _("Of several discounts on one order the largest alone counts."),
        "add": _("Several discounts on one order are each off the prices as they were."),
        "in_turn": _("Several discounts on one order are each off what those before it left."),
    }
    return words[how]


def _what(rule: DiscountBody, currency: str) -> str:
    if rule.off == "bundle":
        return _bundle(rule, currency)
    return _brackets(rule, currency) if rule.brackets else _off(rule, currency)


def _bundle(rule: DiscountBody, currency: str) -> str:
    said = {
        "pieces": " + ".join(_part(part) for part in rule.bundle),
        "price": format_money(rule.price or Decimal(0), currency),
        "times": format_number(rule.times or 0),
    }
    if rule.times is None:
        return _("Together for %(price)s: %(pieces)s.") % said
    if rule.times == 1:
        return _("Together for %(price)s, once in an order: %(pieces)s.") % said
    return _("Together for %(price)s, %(times)s times in an order at most: %(pieces)s.") % said


def _part(part: BundlePart) -> str:
    what = describe_lines(part.include) if part.include.names_lines else _("anything")
    if part.pieces == 1:
        return what
    return _("%(pieces)s × %(what)s") % {"pieces": format_number(part.pieces), "what": what}


def _off(rule: DiscountBody, currency: str) -> str:
    amount = _amount(rule.percent, rule.amount, currency)
    if rule.off == "order":
        return _("%s off what the order’s goods cost together.") % amount
    if rule.off == "items":
        return (_("%s off each item.") if rule.amount is None else _("%s off each piece.")) % amount
    free = rule.percent == 100
    words = {
        "amount": amount,
        "pieces": format_number(rule.pieces),
        "every": format_number(rule.every or 0),
    }
    if rule.every is None and rule.pieces == 1:
        return _("The cheapest piece is free.") if free else (
            _("%(amount)s off the cheapest piece.") % words
        )  # fmt: skip
    if rule.every is None:
        return (
            _("The %(pieces)s cheapest pieces are free.")
            if free
            else _("%(amount)s off each of the %(pieces)s cheapest pieces.")
        ) % words
    if free:
        return _("Of every %(every)s pieces %(pieces)s free: the cheapest of the order.") % words
    return (
        _("%(amount)s off %(pieces)s of every %(every)s pieces: the cheapest of the order.") % words
    )


def _brackets(rule: DiscountBody, currency: str) -> str:
    by = {
        "order": _("by what the order’s goods cost"),
        "quantity": _("by the number of pieces"),
        "spent_year": _("by what was spent in the year before the order"),
        "spent_lifetime": _("by what was ever spent before the order"),
        "company_year": _("by what the company spent in the year before the order"),
        "company_lifetime": _("by what the company ever spent before the order"),
    }
    steps = format_list(_bracket(bracket, rule, currency) for bracket in rule.brackets)
    of = {
        "order": _("Off the order, %(by)s: %(steps)s."),
        "items": _("Off each item, %(by)s: %(steps)s."),
        "cheapest": _("Off the cheapest pieces, %(by)s: %(steps)s."),
    }
    return of[rule.off] % {"by": by[rule.brackets_by], "steps": steps}


def _bracket(bracket: DiscountBracket, rule: DiscountBody, currency: str) -> str:
    amount = _amount(bracket.percent, bracket.amount, currency)
    if not bracket.above:
        return amount
    above = (
        format_number(bracket.above.normalize())
        if rule.brackets_by == "quantity"
        else format_money(bracket.above, currency)
    )
    return _("%(amount)s above %(above)s") % {"amount": amount, "above": above}


def taken_off(said: DiscountBody | DiscountBracket, currency: str) -> str:
    """ "10%" or "$5.00"."""
    return _amount(said.percent, said.amount, currency)


def _amount(percent: Decimal | None, amount: Decimal | None, currency: str) -> str:
    if percent is not None:
        return format_percent(percent / 100, digits=2)
    return format_money(amount or Decimal(0), currency)


def _limits(rule: DiscountBody, currency: str) -> Iterator[str]:
    if rule.least is not None:
        least = format_money(rule.least, currency)
        yield _("Only for goods of at least %s in one order.") % least
    if rule.most is not None:
        yield _("At most %s off one order.") % format_money(rule.most, currency)
    if rule.budget is not None:
        yield _("At most %s off all orders together.") % format_money(rule.budget, currency)
    if not rule.reduced_too:
        yield _("Not for items that are reduced already.")
    if rule.least is not None or (rule.brackets and rule.brackets_by == "order"):
        yield (
            _("Prices are compared with their tax.")
            if rule.with_tax
            else _("Prices are compared without tax.")
        )
    yield _("Gift cards and shipping are not reduced.")


def _rounding(rule: DiscountBody, currency: str) -> str:
    words = {
        ("down", "order"): _("Rounded down once per order."),
        ("nearest", "order"): _("Rounded to the nearest once per order."),
        ("up", "order"): _("Rounded up once per order."),
        ("down", "line"): _("Rounded down on each line."),
        ("nearest", "line"): _("Rounded to the nearest on each line."),
        ("up", "line"): _("Rounded up on each line."),
    }
    said = words[rule.rounding.mode, rule.rounding.per]
    if rule.step is None:
        return said
    step = _("To multiples of %s.") % format_money(rule.step, currency)
    return f"{said} {step}"


def describe_beside_others(rule: DiscountBody) -> Iterator[str]:
    if rule.group:
        yield _("Of the discounts in the group “%s” only the largest counts.") % rule.group
    if rule.stops:
        yield _("Where it takes something off, later discounts do not.")


def discount_reasons(steps: Sequence[Sequence[str]], currency: str) -> Iterator[WhyStep]:
    """How a rule came to what it takes off, step by step."""
    for code, *values in steps:
        if code in _REASONS:
            yield _REASONS[code](values, currency)
        elif code == "eligible" and values[0] != values[1]:
            numbers = {"count": _number(values[0]), "all": _number(values[1])}
            yield WhyStep(_("Lines that count"), _("%(count)s of %(all)s") % numbers)


def _goods(values: Sequence[str], currency: str) -> WhyStep:
    return WhyStep(_("Goods that count"), _money(values[0], currency))


def _below_least(values: Sequence[str], currency: str) -> WhyStep:
    label = _("Not enough: from %s on") % _money(values[0], currency)
    return WhyStep(label, _money(values[1], currency))


def _bracket_reached(values: Sequence[str], currency: str) -> WhyStep:
    label, reached, above = _measured(values, currency)
    if Decimal(values[2]):
        label = _("%(what)s, above %(above)s") % {"what": label, "above": above}
    return WhyStep(label, reached)


def _below_brackets(values: Sequence[str], currency: str) -> WhyStep:
    label, reached, above = _measured(values, currency)
    words = {"what": label, "above": above}
    return WhyStep(_("%(what)s, not above %(above)s") % words, reached)


def _measured(values: Sequence[str], currency: str) -> tuple[str, str, str]:
    """What brackets go by, how much of it there is, and where the bracket begins."""
    by, reached, above = values
    labels: dict[str, str] = {
        "order": _("The goods cost"),
        "quantity": _("Number of pieces"),
        "spent_year": _("Spent in the year before"),
        "spent_lifetime": _("Spent before"),
        "company_year": _("Spent by the company in the year before"),
        "company_lifetime": _("Spent by the company before"),
    }
    if by == "quantity":
        return labels[by], _number(reached), _number(above)
    return labels[by], _money(reached, currency), _money(above, currency)


def _percent_off(values: Sequence[str], currency: str) -> WhyStep:
    label = _("%s of") % format_percent(Decimal(values[0]) / 100, digits=2)
    return WhyStep(label, _money(values[1], currency))


def _amount_off(values: Sequence[str], currency: str) -> WhyStep:
    label = _("Off the order") if values[1] == "order" else _("Off each piece")
    return WhyStep(label, _money(values[0], currency))


def _cheapest(values: Sequence[str], _currency: str) -> WhyStep:
    return WhyStep(_("The cheapest pieces"), _number(values[0]))


def _bundles(values: Sequence[str], currency: str) -> WhyStep:
    words = {"number": _number(values[0]), "price": _money(values[2], currency)}
    label = _("%(number)s × together for %(price)s, one by one") % words
    return WhyStep(label, _money(values[1], currency))


def _no_bundle(values: Sequence[str], currency: str) -> WhyStep:
    return WhyStep(_("Not all that costs %s together is in it") % _money(values[0], currency))


def _at_most(values: Sequence[str], currency: str) -> WhyStep:
    return WhyStep(_("At most for one order"), _money(values[0], currency))


def _total(values: Sequence[str], currency: str) -> WhyStep:
    return WhyStep(_made(values[0], values[1]), _money(values[2], currency))


def _not_met(_values: Sequence[str], _currency: str) -> WhyStep:
    return WhyStep(_("Its condition does not hold"))


def _no_company(_values: Sequence[str], _currency: str) -> WhyStep:
    return WhyStep(_("Only for those who buy for a company"))


def _stopped(_values: Sequence[str], _currency: str) -> WhyStep:
    return WhyStep(_("A discount before it lets no other follow"))


def _over_budget(_values: Sequence[str], _currency: str) -> WhyStep:
    return WhyStep(_("What is left of its budget is not enough for that"))


def _given_way(values: Sequence[str], _currency: str) -> WhyStep:
    return WhyStep(_("“%s” takes more off") % values[0])


_REASONS: Mapping[str, Callable[[Sequence[str], str], WhyStep]] = {
    "goods": _goods,
    "below_least": _below_least,
    "bracket": _bracket_reached,
    "below_brackets": _below_brackets,
    "percent_off": _percent_off,
    "amount_off": _amount_off,
    "cheapest": _cheapest,
    "bundles": _bundles,
    "no_bundle": _no_bundle,
    "at_most": _at_most,
    "off": _total,
    "not_met": _not_met,
    "no_company": _no_company,
    "stopped": _stopped,
    "given_way": _given_way,
    "over_budget": _over_budget,
}


def _made(mode: str, per: str) -> str:
    words = {
        ("down", "order"): _("That makes, rounded down"),
        ("nearest", "order"): _("That makes, rounded to the nearest"),
        ("up", "order"): _("That makes, rounded up"),
        ("down", "line"): _("That makes, each line rounded down"),
        ("nearest", "line"): _("That makes, each line rounded to the nearest"),
        ("up", "line"): _("That makes, each line rounded up"),
    }
    return words[mode, per]


def _money(text: str, currency: str) -> str:
    return format_money(Decimal(text), currency)


def _number(text: str) -> str:
    return format_number(Decimal(text))
