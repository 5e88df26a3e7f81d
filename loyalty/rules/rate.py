"""The base rule: so many units for so much of the eligible lines."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal

from loyalty.rules.bodies import LineFilter, RateBody
from loyalty.rules.facts import ZERO, Basket, Line

# A step of the arithmetic: its code and its values as text. `loyalty.explanations` words them.
Step = tuple[str, ...]

ROUNDING = {"down": ROUND_DOWN, "nearest": ROUND_HALF_UP, "up": ROUND_UP}


def price(rule: RateBody, basket: Basket, scale: int) -> tuple[int, tuple[Step, ...]]:
    """Units at the wallet type's scale, and the steps that led there."""
    eligible = [line for line in basket.lines if is_eligible(rule, line)]
    steps: list[Step] = [("eligible", str(len(eligible)), str(len(basket.lines)))]
    if rule.measure == "quantity":
        bases = [line.quantity for line in eligible]
        steps.append(("quantity", _text(sum(bases, ZERO))))
    else:
        bases = _money_bases(rule, basket, eligible, steps)
    if rule.rounding.per == "order":
        bases = [sum(bases, ZERO)]
    exponent = Decimal(1).scaleb(-scale)
    rounding = ROUNDING[rule.rounding.mode]
    amount = ZERO
    for base in bases:
        amount += (base * rule.units / rule.per).quantize(exponent, rounding=rounding)
    amount = max(amount, ZERO)
    steps.append(("rate", _text(rule.units), _text(rule.per), rule.measure))
    steps.append(("rounded", rule.rounding.mode, rule.rounding.per, _text(amount)))
    return int(amount.scaleb(scale)), tuple(steps)


def is_eligible(rule: RateBody, line: Line) -> bool:
    """Gift cards never earn; exclusion wins over inclusion."""
    if line.stored_value:
        return False
    if _is_set(rule.exclude) and _matches(rule.exclude, line):
        return False
    return not _is_set(rule.include) or _matches(rule.include, line)


def _is_set(chosen: LineFilter) -> bool:
    return bool(chosen.categories or chosen.skus or chosen.tags)


def _matches(chosen: LineFilter, line: Line) -> bool:
    return (
        line.category in chosen.categories
        or line.sku in chosen.skus
        or any(tag in chosen.tags for tag in line.tags)
    )


def _money_bases(
    rule: RateBody, basket: Basket, eligible: list[Line], steps: list[Step]
) -> list[Decimal]:
    """The eligible amount of each line under the base policy; shipping, where it earns, comes last."""
    bases = [line.total for line in eligible]
    goods = sum(bases, ZERO)
    steps.append(("goods", _text(goods)))
    all_goods = sum((line.total for line in basket.lines), ZERO)

    if not rule.base.after_discounts:
        bases = [base + line.discount for base, line in zip(bases, eligible, strict=True)]
        _note(steps, "before_discounts", sum(bases, ZERO) - goods)
    elif basket.discount_total:
        taken = _spread(bases, basket.discount_total, all_goods)
        bases = [base - part for base, part in zip(bases, taken, strict=True)]
        _note(steps, "order_discount", -sum(taken, ZERO))

    if basket.taxes_included != rule.base.include_tax:
        taxes = _taxes(basket, eligible, all_goods)
        sign = -1 if basket.taxes_included else 1
        bases = [base + sign * tax for base, tax in zip(bases, taxes, strict=True)]
        _note(steps, "tax_out" if sign < 0 else "tax_in", sign * sum(taxes, ZERO))

    if rule.base.include_shipping and basket.shipping_total:
        bases.append(basket.shipping_total)
        _note(steps, "shipping", basket.shipping_total)
    return _unpaid_in_kind(rule, basket, bases, steps)


def _taxes(basket: Basket, eligible: list[Line], all_goods: Decimal) -> list[Decimal]:
    """Tax of each line; what the order has beyond the lines' own is spread in proportion."""
    own = sum((line.tax for line in basket.lines), ZERO)
    spread = _spread([line.total for line in eligible], basket.tax_total - own, all_goods)
    return [line.tax + part for line, part in zip(eligible, spread, strict=True)]


def _unpaid_in_kind(
    rule: RateBody, basket: Basket, bases: list[Decimal], steps: list[Step]
) -> list[Decimal]:
    """Leave out the share of the order paid with points or, if the rule says so, with gift cards."""
    covered = ZERO
    if not rule.base.paid_with_units:
        covered += basket.paid_units
    if not rule.base.paid_with_stored_value:
        covered += basket.paid_stored_value
    total = basket.total
    if covered <= 0 or total <= 0:
        return bases
    covered = min(covered, total)
    taken = _spread(bases, covered, total)
    _note(steps, "paid_in_kind", -sum(taken, ZERO))
    return [base - part for base, part in zip(bases, taken, strict=True)]


def _spread(parts: list[Decimal], amount: Decimal, whole: Decimal) -> list[Decimal]:
    """`amount` in the proportion part : whole. Multiplies first, so exact results stay exact."""
    if not amount or whole <= 0:
        return [ZERO] * len(parts)
    return [part * amount / whole for part in parts]


def _note(steps: list[Step], code: str, amount: Decimal) -> None:
    if amount:
        steps.append((code, _text(amount)))


def _text(amount: Decimal) -> str:
    """Plain notation without trailing zeros: 12.5, 100, 0.015."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
