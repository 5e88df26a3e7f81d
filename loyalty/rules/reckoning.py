"""What the lines of a basket come to for a rule: the base policy's arithmetic.

One `Reckoner` serves all the rules that judge a basket, so that what several of them ask is worked
out once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from loyalty.rules.bodies import BasePolicy, EarningBody, LineFilter, LinesBody
from loyalty.rules.facts import ZERO, Basket

# A step of the arithmetic: its code and its values as text. `loyalty.explanations` words them.
Step = tuple[str, ...]

# What is shared out in proportion stays a fraction until it is rounded: three thirds are one, where
# decimals would make 0.99…9 of them, and a unit too few.
Amount = Decimal | Fraction

# Positions of lines in a basket, and what lines there come to; shipping has a place of its own.
Chosen = tuple[int, ...]
Parts = dict[int, Amount]
SHIPPING = -1


@dataclass(frozen=True, slots=True)
class Bases:
    """What each line counts, and last what shipping counts; `notes`: how it came to that."""

    parts: list[Amount]
    notes: list[tuple[str, list[Amount]]]


class Reckoner:
    """Works out what counts of one basket."""

    def __init__(self, basket: Basket) -> None:
        self.basket = basket
        # What rates and cashback gave by themselves, by version and what was spent before: the same
        # for several sets of rules that share them.
        self.earnings: dict[tuple[int, Decimal], Any] = {}
        self._earning = tuple(
            place for place, line in enumerate(basket.lines) if not line.stored_value
        )
        self._bases: dict[tuple[bool, ...], Bases] = {}
        self._amounts: dict[tuple[tuple[bool, ...], Chosen], tuple[Amount, tuple[Step, ...]]] = {}
        self._places: tuple[dict[str, list[int]], dict[str, list[int]], dict[str, list[int]]] | None
        self._places = None

    def eligible(self, body: LinesBody) -> Chosen:
        """The lines that count. Gift cards never do; exclusion wins over inclusion."""
        chosen = self._earning
        if not body.names_lines:
            return chosen
        if body.include.names_lines:
            included = self._matching(body.include)
            chosen = tuple(place for place in chosen if place in included)
        if body.exclude.names_lines:
            excluded = self._matching(body.exclude)
            chosen = tuple(place for place in chosen if place not in excluded)
        return chosen

    def money(self, body: EarningBody, chosen: Chosen) -> tuple[Amount, tuple[Step, ...]]:
        """What counts of the chosen lines in money, and the steps that led there."""
        key = body.base.key, chosen
        found = self._amounts.get(key)
        if found is None:
            bases = self.bases(body.base)
            steps: list[Step] = [("eligible", str(len(chosen)), str(len(self.basket.lines)))]
            for code, amounts in bases.notes:
                total = _sum_of(amounts, chosen)
                if total or code == "goods":
                    steps.append((code, plain_text(total)))
            found = self._amounts[key] = _sum_of(bases.parts, chosen), tuple(steps)
        return found

    def parts(self, body: EarningBody, chosen: Chosen) -> Parts:
        """What each of the chosen lines counts in money, and what shipping counts."""
        parts = self.bases(body.base).parts
        found = {place: parts[place] for place in chosen}
        found[SHIPPING] = parts[-1]
        return found

    def quantities(self, chosen: Chosen) -> Parts:
        lines = self.basket.lines
        return {place: lines[place].quantity for place in chosen}

    def bases(self, policy: BasePolicy) -> Bases:
        key = policy.key
        found = self._bases.get(key)
        if found is None:
            found = self._bases[key] = _bases(self.basket, policy)
        return found

    def _matching(self, wanted: LineFilter) -> set[int]:
        """Positions of the lines that match any of the named categories, SKUs or tags."""
        if self._places is None:
            self._places = _places(self.basket)
        found: set[int] = set()
        for names, places in zip(
            (wanted.categories, wanted.skus, wanted.tags), self._places, strict=True
        ):
            for name in names:
                found.update(places.get(name, ()))
        return found


def _places(
    basket: Basket,
) -> tuple[dict[str, list[int]], dict[str, list[int]], dict[str, list[int]]]:
    categories: defaultdict[str, list[int]] = defaultdict(list)
    skus: defaultdict[str, list[int]] = defaultdict(list)
    tags: defaultdict[str, list[int]] = defaultdict(list)
    for place, line in enumerate(basket.lines):
        categories[line.category].append(place)
        skus[line.sku].append(place)
        for tag in line.tags:
            tags[tag].append(place)
    return dict(categories), dict(skus), dict(tags)


def _bases(basket: Basket, policy: BasePolicy) -> Bases:
    lines = basket.lines
    parts: list[Amount] = [line.total for line in lines]
    parts.append(ZERO)
    notes: list[tuple[str, list[Amount]]] = [("goods", parts)]

    if not policy.after_discounts:
        discounts: list[Amount] = [line.discount for line in lines]
        discounts.append(ZERO)
        parts = _more(parts, discounts)
        notes.append(("before_discounts", discounts))
    elif basket.discount_total:
        taken = _discounts(basket)
        parts = _less(parts, taken)
        notes.append(("order_discount", [-part for part in taken]))

    if basket.taxes_included != policy.include_tax:
        taxes = _taxes(basket)
        if basket.taxes_included:
            parts = _less(parts, taxes)
            notes.append(("tax_out", [-tax for tax in taxes]))
        else:
            parts = _more(parts, taxes)
            notes.append(("tax_in", taxes))

    if policy.include_shipping and basket.shipping_total:
        parts = [*parts[:-1], basket.shipping_total]
        notes.append(("shipping", [*([ZERO] * len(lines)), basket.shipping_total]))
    return _unpaid_in_kind(basket, policy, parts, notes)


def _discounts(basket: Basket) -> list[Amount]:
    """Each line's part of the order's discount. It stays the same when other lines come back."""
    ordered = basket.goods_as_ordered
    if ordered <= 0:
        return [ZERO] * (len(basket.lines) + 1)
    shares = [ZERO if line.stored_value else line.as_ordered for line in basket.lines]
    return [*_spread(shares, basket.discount_total, ordered), ZERO]


def _taxes(basket: Basket) -> list[Amount]:
    """Tax of each line; what the order has beyond the lines' own is spread in proportion."""
    own: list[Amount] = [line.tax for line in basket.lines]
    goods = sum((line.total for line in basket.lines), ZERO)
    beyond = basket.tax_total - sum((line.tax for line in basket.lines), ZERO)
    if beyond and goods > 0:
        own = _more(own, _spread([line.total for line in basket.lines], beyond, goods))
    return [*own, ZERO]


def _unpaid_in_kind(
    basket: Basket,
    policy: BasePolicy,
    parts: list[Amount],
    notes: list[tuple[str, list[Amount]]],
) -> Bases:
    """Leave out the share of the order paid with points or, if the rule says so, with gift
    cards."""
    covered = ZERO
    if not policy.paid_with_units:
        covered += basket.paid_units
    if not policy.paid_with_stored_value:
        covered += basket.paid_stored_value
    total = basket.total
    if covered <= 0 or total <= 0:
        return Bases(parts, notes)
    taken = _spread(parts, min(covered, total), total)
    notes.append(("paid_in_kind", [-part for part in taken]))
    return Bases(_less(parts, taken), notes)


def _spread(parts: Sequence[Amount], amount: Decimal, whole: Decimal) -> list[Amount]:
    """`amount` in the proportion part : whole, exactly."""
    return [_share(part, amount, whole) for part in parts]


def _share(part: Amount, amount: Decimal, whole: Decimal) -> Amount:
    if part == whole:
        return amount
    if not part:
        return ZERO
    if isinstance(part, Decimal):
        product = part * amount
        found = product / whole
        # Fractions are exact but slow; most shares are short decimals.
        if found == round(found, 10) and found * whole == product:
            return found
    return Fraction(part) * Fraction(amount) / Fraction(whole)


def _more(amounts: Sequence[Amount], added: Sequence[Amount]) -> list[Amount]:
    return [total_of((amount, part)) for amount, part in zip(amounts, added, strict=True)]


def _less(amounts: Sequence[Amount], taken: Sequence[Amount]) -> list[Amount]:
    return [total_of((amount, -part)) for amount, part in zip(amounts, taken, strict=True)]


def _sum_of(amounts: Sequence[Amount], chosen: Chosen) -> Amount:
    """Of the chosen lines and of shipping."""
    return total_of([*(amounts[place] for place in chosen), amounts[-1]])


def total_of(amounts: Iterable[Amount]) -> Amount:
    """Their exact sum: a decimal where all of them are."""
    total: Decimal = ZERO
    rest: Fraction | None = None
    for amount in amounts:
        if type(amount) is Fraction:
            rest = amount if rest is None else rest + amount
        else:
            total += amount  # type: ignore[operator]
    return total if rest is None else rest + Fraction(total)


def times(amount: Amount, factor: Amount) -> Amount:
    """Their exact product."""
    if isinstance(amount, Decimal) and isinstance(factor, Decimal):
        return amount * factor
    return Fraction(amount) * Fraction(factor)


def plain_text(amount: Amount) -> str:
    """Plain notation without trailing zeros: 12.5, 100, 0.015."""
    if isinstance(amount, Fraction):
        amount = Decimal(amount.numerator) / Decimal(amount.denominator)
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
