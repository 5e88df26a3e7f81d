"""What the lines of a basket come to for a rule: the base policy's arithmetic.

One `Reckoner` serves all the rules that judge a basket, so that what several of them ask is worked
out once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter, mul
from typing import NamedTuple

from loyalty.rules.amounts import Amounts, amounts_of, as_decimal, text_of
from loyalty.rules.basket import SMALLEST
from loyalty.rules.bodies import EarningBody
from loyalty.rules.body_parts import BasePolicy, LineFilter, LinesBody
from loyalty.rules.facts import ZERO, Basket, Line
from loyalty.rules.steps import Step, Steps

# Positions of lines in a basket. In a list of what each line comes to, shipping is the last.
Chosen = Sequence[int]
SHIPPING = -1
NO_LINES: Chosen = ()
# How lines came to what they count: codes of steps, and what each did. These are told also where
# they come to nothing.
Notes = Sequence[tuple[str, Amounts]]
ALWAYS_SAID = ("goods", "quantity")
_tax_of, _total_of = attrgetter("tax"), attrgetter("total")
_is_stored_value = attrgetter("stored_value")
_TELLS = {attribute: attrgetter(attribute) for attribute in ("category", "sku", "tags")}


class Scope:
    """Which lines a rule is for. Equal ones are one object, so a basket is searched once."""

    __slots__ = ("excluded", "included", "one", "whole")

    def __init__(self, include: LineFilter, exclude: LineFilter) -> None:
        self.included, self.excluded = _named(include), _named(exclude)
        self.whole = not (self.included or self.excluded)
        # Most that are not for everything are for one category.
        alone = len(self.included) == 1 and not self.excluded
        self.one = self.included[0] if alone else None


class Yardstick:
    """What a rule measures orders by: which lines, and which parts of what they cost. Equal ones
    are one object."""

    __slots__ = ("key", "policy", "scope")

    def __init__(self, policy: BasePolicy, scope: Scope) -> None:
        self.policy, self.scope, self.key = policy, scope, policy.key


def _named(wanted: LineFilter) -> tuple[tuple[str, str], ...]:
    """An attribute of lines, and a value that is wanted of it."""
    return tuple(
        (attribute, name)
        for attribute, names in (
            ("category", wanted.categories), ("sku", wanted.skus), ("tags", wanted.tags),
        )
        for name in names
    )  # fmt: skip


@lru_cache(maxsize=10_000)
def _scope(include: LineFilter, exclude: LineFilter) -> Scope:
    return Scope(include, exclude)


@lru_cache(maxsize=10_000)
def _yardstick(policy: BasePolicy, scope: Scope) -> Yardstick:
    return Yardstick(policy, scope)


def yardstick_of(body: EarningBody) -> Yardstick:
    return yardstick_by(body.base, body)


def yardstick_by(policy: BasePolicy, body: LinesBody) -> Yardstick:
    """Of the lines of a rule that says nothing of what counts of them."""
    return _yardstick(policy, _scope(body.include, body.exclude))


def whole_yardstick(policy: BasePolicy) -> Yardstick:
    """Of everything that was bought."""
    return _yardstick(policy, _scope(LineFilter(), LineFilter()))


class Measured:
    """What a rule's lines come to: `total` : `per`, shipping included."""

    __slots__ = ("_amount", "_notes", "_numbers", "_steps", "chosen", "nothing", "per", "total")

    def __init__(self, chosen: Chosen, counted: Amounts, notes: Notes) -> None:
        numbers, self.per = counted
        self._numbers, self.chosen, self._notes = numbers, chosen, notes
        if len(chosen) == len(numbers) - 1:
            self.total = sum(numbers)
        else:
            self.total = numbers[SHIPPING]
            for place in chosen:
                self.total += numbers[place]
        # Whether no line and no shipping counts: it stays nothing, however often it counts.
        self.nothing = not chosen and not self.total
        self._steps: Steps | None = None
        self._amount: Decimal | None = None

    @property
    def amount(self) -> Decimal:
        """The total as it is counted towards goals: never below zero."""
        if self._amount is None:
            amount = as_decimal(self.total, self.per) if self.total > 0 else ZERO
            self._amount = amount.quantize(SMALLEST)
        return self._amount

    @property
    def steps(self) -> Steps:
        """How many lines count, and how their amount came about."""
        if self._steps is None:
            steps: list[Step] = [("eligible", str(len(self.chosen)), str(len(self._numbers) - 1))]
            for code, amounts in self._notes:
                own = amounts.numbers is self._numbers
                total = self.total if own else _sum_of(amounts.numbers, self.chosen)
                if total or code in ALWAYS_SAID:
                    steps.append((code, text_of(total, amounts.per)))
            self._steps = tuple(steps)
        return self._steps

    @property
    def parts(self) -> list[int]:
        """What each line counts, and last shipping; nothing where a line does not."""
        if len(self.chosen) == len(self._numbers) - 1:
            return self._numbers
        parts = [0] * len(self._numbers)
        for place in (*self.chosen, SHIPPING):
            parts[place] = self._numbers[place]
        return parts

    def part(self, places: Chosen) -> int:
        """What lines at some places come to, as far as they count."""
        numbers, chosen, total = self._numbers, self.chosen, 0
        for place in places:
            if place in chosen:
                total += numbers[place]
        return total

    def times(self, factors: Sequence[int]) -> int:
        """The total when each line, and last shipping, counts so many times."""
        numbers, chosen = self._numbers, self.chosen
        if len(chosen) == len(numbers) - 1:
            return sum(map(mul, numbers, factors))
        total = numbers[SHIPPING] * factors[SHIPPING]
        for place in chosen:
            total += numbers[place] * factors[place]
        return total

    def weighed(self, weights: Sequence[int]) -> Measured:
        """The same with each line, and shipping, so many times."""
        numbers = list(map(mul, self.parts, weights))
        return Measured(self.chosen, Amounts(numbers, self.per), self._notes)


class Bases(NamedTuple):
    """What each line counts, and last what shipping counts; `notes`: how it came to that."""

    counted: Amounts
    notes: Notes


class Reckoner:
    """Works out what counts of one basket. `goods`: what its lines come to, and last a zero, where
    that is known in whole numbers."""

    __slots__ = (
        "_bases", "_chosen", "_earning", "_goods", "_money", "_places", "_quantities", "basket",
    )  # fmt: skip

    def __init__(self, basket: Basket, goods: Amounts | None = None) -> None:
        self.basket, self._goods = basket, goods
        lines = basket.lines
        # Gift cards bought never earn.
        if any(map(_is_stored_value, lines)):
            self._earning: Chosen = [
                place for place, line in enumerate(lines) if not line.stored_value
            ]
        else:
            self._earning = range(len(lines))
        self._chosen: dict[Scope, Chosen] = {}
        self._money: dict[Yardstick, Measured] = {}
        self._quantities: dict[Scope, Measured] = {}
        self._bases: dict[int, Bases] = {}
        self._places: dict[str, Mapping[str, list[int]]] = {}

    def eligible(self, scope: Scope) -> Chosen:
        """The lines that earn. Exclusion wins over inclusion."""
        if scope.whole:
            return self._earning
        if scope.one is not None:
            attribute, name = scope.one
            return (self._places.get(attribute) or self._find(attribute)).get(name, NO_LINES)
        chosen = self._chosen.get(scope)
        if chosen is None:
            chosen = self._chosen[scope] = self._choose(scope)
        return chosen

    def _choose(self, scope: Scope) -> Chosen:
        chosen = self._matching(scope.included) if scope.included else self._earning
        if scope.excluded:
            excluded = self._matching(scope.excluded)
            chosen = [place for place in chosen if place not in excluded]
        return chosen

    def money(self, yardstick: Yardstick) -> Measured:
        """What counts in money."""
        return self._money.get(yardstick) or self._measure(yardstick)

    def _measure(self, yardstick: Yardstick) -> Measured:
        basket, scope = self.basket, yardstick.scope
        chosen = self._earning if scope.whole else self.eligible(scope)
        if not chosen and not (basket.shipping_total and yardstick.policy.include_shipping):
            found = nothing_of(len(basket.lines))
        else:
            bases = self._bases.get(yardstick.key)
            if bases is None:
                bases = self._bases[yardstick.key] = _bases(basket, yardstick.policy, self._goods)
            found = Measured(chosen, *bases)
        self._money[yardstick] = found
        return found

    def quantities(self, scope: Scope) -> Measured:
        """How many there are of the lines that earn."""
        found = self._quantities.get(scope)
        if found is None:
            chosen, lines = self.eligible(scope), self.basket.lines
            if chosen:
                counted = amounts_of([*(line.quantity for line in lines), ZERO])
                found = Measured(chosen, counted, (("quantity", counted),))
            else:
                found = nothing_of(len(lines), "quantity")
            self._quantities[scope] = found
        return found

    def _matching(self, wanted: Sequence[tuple[str, str]]) -> Chosen:
        """The lines that earn and match any of the named categories, SKUs or tags."""
        found: set[int] = set()
        for attribute, name in wanted:
            places = self._places.get(attribute) or self._find(attribute)
            found.update(places.get(name, ()))
        return sorted(found)

    def _find(self, attribute: str) -> Mapping[str, list[int]]:
        places = _places(self.basket.lines, self._earning, attribute)
        self._places[attribute] = places
        return places


@lru_cache(maxsize=1000)
def nothing_of(lines: int, code: str = "goods") -> Measured:
    """What all rules measure that find nothing among so many lines."""
    counted = Amounts([0] * (lines + 1), 1)
    return Measured(NO_LINES, counted, [(code, counted)])


def _places(lines: Sequence[Line], earning: Chosen, attribute: str) -> Mapping[str, list[int]]:
    """Where which category, SKU or tag is."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    read = _TELLS[attribute]
    if attribute == "tags":
        for place in earning:
            for name in read(lines[place]):
                found[name].append(place)
    else:
        for place in earning:
            found[read(lines[place])].append(place)
    return found


def _bases(basket: Basket, policy: BasePolicy, goods: Amounts | None) -> Bases:
    lines = basket.lines
    counted = goods or amounts_of([*map(_total_of, lines), ZERO])
    notes = [("goods", counted)]
    if not policy.after_discounts:
        notes.append(("before_discounts", amounts_of([*[line.discount for line in lines], ZERO])))
    elif basket.discount_total:
        notes.append(("order_discount", _discounts(basket).negative()))
    if basket.taxes_included != policy.include_tax and _has_tax(basket):
        taxes = _taxes(basket)
        if basket.taxes_included:
            notes.append(("tax_out", taxes.negative()))
        else:
            notes.append(("tax_in", taxes))
    if policy.include_shipping and basket.shipping_total:
        shipping = amounts_of([*[ZERO] * len(lines), basket.shipping_total])
        notes.append(("shipping", shipping))
    for _code, more in notes[1:]:
        counted = counted.plus(more)
    in_kind_too = basket.paid_units or basket.paid_stored_value
    if in_kind_too and (covered := _paid_in_kind(basket, policy)):
        in_kind = counted.spread(covered, basket.total).negative()
        counted = counted.plus(in_kind)
        notes.append(("paid_in_kind", in_kind))
    return Bases(counted, notes)


def _discounts(basket: Basket) -> Amounts:
    """Each line's part of the order's discount. It stays the same when other lines come back."""
    ordered = basket.goods_as_ordered
    if ordered <= 0:
        return Amounts([0] * (len(basket.lines) + 1), 1)
    shares = [ZERO if line.stored_value else line.as_ordered for line in basket.lines]
    return amounts_of([*shares, ZERO]).spread(basket.discount_total, ordered)


def _has_tax(basket: Basket) -> bool:
    return bool(basket.tax_total) or any(map(_tax_of, basket.lines))


def _taxes(basket: Basket) -> Amounts:
    """Tax of each line; what the order has beyond the lines' own is spread in proportion."""
    own = [line.tax for line in basket.lines]
    totals = [line.total for line in basket.lines]
    goods, beyond = sum(totals, ZERO), basket.tax_total - sum(own, ZERO)
    taxes = amounts_of([*own, ZERO])
    if beyond and goods > 0:
        taxes = taxes.plus(amounts_of([*totals, ZERO]).spread(beyond, goods))
    return taxes


def _paid_in_kind(basket: Basket, policy: BasePolicy) -> Decimal:
    """The part of the order paid with points or, if the rule says so, with gift cards: it is left
    out."""
    covered = ZERO
    if not policy.paid_with_units:
        covered += basket.paid_units
    if not policy.paid_with_stored_value:
        covered += basket.paid_stored_value
    return min(covered, basket.total) if covered > 0 and basket.total > 0 else ZERO


def _sum_of(numbers: Sequence[int], chosen: Chosen) -> int:
    """Of the chosen lines and of shipping."""
    if len(chosen) == len(numbers) - 1:
        return sum(numbers)
    total = numbers[SHIPPING]
    for place in chosen:
        total += numbers[place]
    return total
