"""The base rule: so many units for so much of the eligible lines."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

from loyalty.rules.bodies import EarningBody, LineFilter, RateBody
from loyalty.rules.facts import ZERO, Basket, Line

# A step of the arithmetic: its code and its values as text. `loyalty.explanations` words them.
Step = tuple[str, ...]

# What is shared out in proportion stays a fraction until it is rounded: three thirds are one, where
# decimals would make 0.99…9 of them, and a unit too few.
Amount = Decimal | Fraction

ROUNDING = {"down": ROUND_DOWN, "nearest": ROUND_HALF_UP, "up": ROUND_UP}


def price(rule: RateBody, basket: Basket, scale: int) -> tuple[int, tuple[Step, ...]]:
    """Units at the wallet type's scale, and the steps that led there."""
    eligible = [line for line in basket.lines if is_eligible(rule, line)]
    steps: list[Step] = [("eligible", str(len(eligible)), str(len(basket.lines)))]
    if rule.rounding.per == "order":
        eligible = [_together(eligible)]
    if rule.measure == "quantity":
        bases: list[Amount] = [line.quantity for line in eligible]
        steps.append(("quantity", plain_text(_sum(bases))))
    else:
        bases = _money_bases(rule, basket, eligible, steps)
    if rule.rounding.per == "order":
        bases = [_sum(bases)]
    units = max(sum(_rounded(base, rule, scale) for base in bases), 0)
    steps.append(("rate", plain_text(rule.units), plain_text(rule.per), rule.measure))
    made = plain_text(Decimal(units).scaleb(-scale))
    steps.append(("rounded", rule.rounding.mode, rule.rounding.per, made))
    return units, tuple(steps)


def eligible_amount(rule: EarningBody, basket: Basket) -> tuple[Amount, tuple[Step, ...]]:
    """What counts of a basket under a rule's filters and base policy, in money."""
    eligible = [line for line in basket.lines if is_eligible(rule, line)]
    steps: list[Step] = [("eligible", str(len(eligible)), str(len(basket.lines)))]
    return _sum(_money_bases(rule, basket, [_together(eligible)], steps)), tuple(steps)


def _together(lines: list[Line]) -> Line:
    """One line that stands for all, where nothing depends on the single ones."""
    return Line(
        line_no=0,
        total=sum((line.total for line in lines), ZERO),
        quantity=sum((line.quantity for line in lines), ZERO),
        discount=sum((line.discount for line in lines), ZERO),
        tax=sum((line.tax for line in lines), ZERO),
        ordered=sum((line.as_ordered for line in lines), ZERO),
    )


def _rounded(base: Amount, rule: RateBody, scale: int) -> int:
    """A base's units at the scale, rounded as the rule says."""
    if isinstance(base, Decimal):
        made = (base * rule.units / rule.per).scaleb(scale)
        return int(made.to_integral_value(ROUNDING[rule.rounding.mode]))
    exact = base * Fraction(rule.units) / Fraction(rule.per) * 10**scale
    whole, part = divmod(abs(exact), 1)
    up = {"down": False, "nearest": 2 * part >= 1, "up": part > 0}[rule.rounding.mode]
    return int(whole + up) * (-1 if exact < 0 else 1)


def is_eligible(rule: EarningBody, line: Line) -> bool:
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
    rule: EarningBody, basket: Basket, eligible: list[Line], steps: list[Step]
) -> list[Amount]:
    """The eligible amount of each line under the base policy; shipping, where it earns, comes
    last."""
    bases: list[Amount] = [line.total for line in eligible]
    goods = _sum(bases)
    steps.append(("goods", plain_text(goods)))
    all_goods = sum((line.total for line in basket.lines), ZERO)

    if not rule.base.after_discounts:
        bases = [line.total + line.discount for line in eligible]
        _note(steps, "before_discounts", sum((line.discount for line in eligible), ZERO))
    elif basket.discount_total:
        taken = _discounts(basket, eligible)
        bases = _less(bases, taken)
        _note(steps, "order_discount", -_sum(taken))

    if basket.taxes_included != rule.base.include_tax:
        taxes = _taxes(basket, eligible, all_goods)
        if basket.taxes_included:
            bases = _less(bases, taxes)
            _note(steps, "tax_out", -_sum(taxes))
        else:
            bases = _less(bases, [-tax for tax in taxes])
            _note(steps, "tax_in", _sum(taxes))

    if rule.base.include_shipping and basket.shipping_total:
        bases.append(basket.shipping_total)
        _note(steps, "shipping", basket.shipping_total)
    return _unpaid_in_kind(rule, basket, bases, steps)


def _discounts(basket: Basket, eligible: list[Line]) -> list[Amount]:
    """Each line's part of the order's discount. It stays the same when other lines come back."""
    ordered = basket.goods_as_ordered
    if ordered <= 0:
        return [ZERO] * len(eligible)
    return _spread([line.as_ordered for line in eligible], basket.discount_total, ordered)


def _taxes(basket: Basket, eligible: list[Line], all_goods: Decimal) -> list[Amount]:
    """Tax of each line; what the order has beyond the lines' own is spread in proportion."""
    own: list[Amount] = [line.tax for line in eligible]
    beyond = basket.tax_total - sum((line.tax for line in basket.lines), ZERO)
    if not beyond or all_goods <= 0:
        return own
    spread = _spread([line.total for line in eligible], -beyond, all_goods)
    return _less(own, spread)


def _unpaid_in_kind(
    rule: EarningBody, basket: Basket, bases: list[Amount], steps: list[Step]
) -> list[Amount]:
    """Leave out the share of the order paid with points or, if the rule says so, with gift
    cards."""
    covered = ZERO
    if not rule.base.paid_with_units:
        covered += basket.paid_units
    if not rule.base.paid_with_stored_value:
        covered += basket.paid_stored_value
    total = basket.total
    if covered <= 0 or total <= 0:
        return bases
    taken = _spread(bases, min(covered, total), total)
    _note(steps, "paid_in_kind", -_sum(taken))
    return _less(bases, taken)


def _spread(parts: Sequence[Amount], amount: Decimal, whole: Decimal) -> list[Amount]:
    """`amount` in the proportion part : whole, exactly."""
    return [_share(part, amount, whole) for part in parts]


def _share(part: Amount, amount: Decimal, whole: Decimal) -> Amount:
    if part == whole:
        return amount
    if isinstance(part, Decimal):
        product = part * amount
        found = product / whole
        # Fractions are exact but slow; most shares are short decimals.
        if found == round(found, 10) and found * whole == product:
            return found
    return Fraction(part) * Fraction(amount) / Fraction(whole)


def _less(amounts: Sequence[Amount], taken: Sequence[Amount]) -> list[Amount]:
    return [_sum((amount, -part)) for amount, part in zip(amounts, taken, strict=True)]


def _sum(amounts: Sequence[Amount]) -> Amount:
    decimals = [amount for amount in amounts if isinstance(amount, Decimal)]
    if len(decimals) == len(amounts):
        return sum(decimals, ZERO)
    return sum((Fraction(amount) for amount in amounts), Fraction())


def _note(steps: list[Step], code: str, amount: Amount) -> None:
    if amount:
        steps.append((code, plain_text(amount)))


def plain_text(amount: Amount) -> str:
    """Plain notation without trailing zeros: 12.5, 100, 0.015."""
    if isinstance(amount, Fraction):
        amount = Decimal(amount.numerator) / Decimal(amount.denominator)
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
