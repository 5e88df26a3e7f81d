"""What comes out of the budgets of discount rules: held by carts, had by orders, given back.

What is promised never exceeds a budget: whoever takes of one locks its row, after the members'
wallets and the counters of caps, and the database refuses more than there is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from loyalty.codes_asked import order_holder
from loyalty.ledger.discount_budgets import DUE_OF_ORDERS
from loyalty.models import DiscountBudget, DiscountBudgetUse, Order
from loyalty.rules.discounts import Discounted, DiscountVersion
from loyalty.rules.facts import ZERO
from loyalty.selectors.rulebooks import Terms
from members.services import transactions

Result = TypeVar("Result")
# Of carts, as `cart_holder` says them; also a query that finds them.
Holders = Collection[str] | QuerySet[Any, str]
# So often a cart is priced anew where others took what was left meanwhile.
ATTEMPTS = 5
# What changes of what somebody has.
WRITTEN = ("promised", "asked", "amount", "held_until", "changed_at")


class BudgetGoneError(Exception):
    """Somebody else took what was left of a budget: what was worked out with it is out of date."""


def rooms_for(
    versions: Iterable[DiscountVersion], now: dt.datetime, holders: Holders = ()
) -> dict[int, Decimal]:
    """What is left of the budgets of these rules, for whom these carts hold some too; no query
    where none has one. Nothing is kept: others may be faster."""
    budgets = {version.budget_id for version in versions if version.budget_id}
    if not budgets:
        return {}
    # Only what carts hold is looked at, however much orders have.
    held = DiscountBudgetUse.objects.filter(budget=OuterRef("pk"), held_until__isnull=False)
    theirs = held.filter(Q(held_until__lte=now) | Q(holder__in=holders)).order_by()
    sums = theirs.values("budget").annotate(sum=Sum("amount")).values("sum")
    rows = DiscountBudget.objects.filter(pk__in=budgets).annotate(
        free=Coalesce(Subquery(sums), ZERO)
    )
    return {row.pk: row.amount - row.used + row.free for row in rows}


def taken_of(found: Discounted) -> dict[int, Decimal]:
    """By budget what these discounts take of it."""
    taken: dict[int, Decimal] = {}
    for item in found.discounts:
        if item.version.budget_id and item.amount:
            before = taken.get(item.version.budget_id, ZERO)
            taken[item.version.budget_id] = before + item.amount
    return taken


def while_budgets_last(write: Callable[[], Result]) -> Result:
    """Write what is priced within budgets; again, priced anew, where others took what was left.
    Raises BudgetGoneError where they always do."""
    for attempt in range(1, ATTEMPTS + 1):
        nested = transactions.within_another()
        try:
            with transaction.atomic() if nested else nullcontext():
                return write()
        except BudgetGoneError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def hold_of_budgets(
    holder: str, wanted: Mapping[int, Decimal], *, until: dt.datetime, now: dt.datetime
) -> None:
    """A cart's part of each budget, in place of what it held before. Raises BudgetGoneError."""
    before = DiscountBudgetUse.objects.filter(holder=holder).values_list("budget", flat=True)
    desk = _Desk.open({*wanted, *before}, [holder])
    for budget in sorted(desk.budgets):
        amount = wanted.get(budget, ZERO)
        use = desk.use(budget, holder)
        desk.bear(use, ZERO, ZERO)
        if not amount:
            desk.drop(use)
            continue
        use.promised, use.held_until = amount, until
        desk.take_whole(use, now)
    desk.write(now)


def pass_to_order(cart: str, source: str, external_id: str, now: dt.datetime) -> None:
    """What a cart holds is its order's, whether that was told by now or not. Raises
    BudgetGoneError where it was held no longer, and others have it."""
    held = DiscountBudgetUse.objects.filter(holder=cart, held_until__isnull=False)
    budgets = list(held.values_list("budget", flat=True))
    if not budgets:
        return
    order = order_holder(source, external_id)
    desk = _Desk.open(budgets, [cart, order])
    for budget in budgets:
        use = desk.use(budget, cart)
        if use.amount < use.promised:
            desk.take_whole(use, now)
        desk.hand_over(use, desk.use(budget, order))
    desk.write(now)
    _settle(_told(source, external_id), now)


def let_go_of_budgets(cart: str, source: str, external_id: str, now: dt.datetime) -> None:
    """A cart was given up, and so was the order that it became, if it became one: what was promised
    is there for others. `external_id`: empty where it became none."""
    holders = [cart, order_holder(source, external_id)] if external_id else [cart]
    uses = DiscountBudgetUse.objects.filter(holder__in=holders)
    budgets = set(uses.values_list("budget", flat=True))
    if not budgets:
        return
    told = _told(source, external_id)
    desk = _Desk.open(budgets, holders)
    for use in list(desk.uses.values()):
        use.promised = ZERO
        if use.holder == cart or not told:
            desk.drop(use)
    desk.write(now)
    _settle(told, now)


def settle_discounts(order_ids: Sequence[int], terms: Terms, now: dt.datetime) -> None:
    """Bring what these orders have of budgets to what is off their prices by now. What they ask
    more is borne as far as there is something left; of what they ask less, what was not borne goes
    first. No query where no rule has a budget."""
    if order_ids and terms.have_discount_budgets:
        _settle(order_ids, now)


def _told(source: str, external_id: str) -> list[int]:
    """The key of an order, if it has come."""
    found = Order.objects.filter(source=source, external_id=external_id)
    return list(found.values_list("pk", flat=True)) if external_id else []


def _settle(order_ids: Sequence[int], now: dt.datetime) -> None:
    # First of which budgets; what is due of each is read once they are held.
    budgets = {budget for budget, _holder, _asked in _due(order_ids)}
    if not budgets:
        return
    desk = _Desk.open(budgets, ())
    found = _due(order_ids)
    desk.read([holder for _budget, holder, _asked in found])
    for budget, holder, asked in found:
        if budget in desk.budgets:
            desk.settle(desk.use(budget, holder), asked, now)
    desk.write(now)


def _due(order_ids: Collection[int]) -> list[tuple[int, str, Decimal]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT budget_id, holder, asked FROM ({DUE_OF_ORDERS}) due ORDER BY order_id,"
            " budget_id",
            {"orders": list(order_ids)},
        )
        return [(row[0], row[1], row[2]) for row in cursor.fetchall()]


@dataclass(slots=True)
class _Desk:
    """Budgets whose rows are held, and what is had of them, as it will be once it is written."""

    budgets: dict[int, DiscountBudget]
    uses: dict[tuple[int, str], DiscountBudgetUse] = field(default_factory=dict)
    _dropped: list[DiscountBudgetUse] = field(default_factory=list)

    @classmethod
    def open(cls, budgets: Iterable[int], holders: Collection[str]) -> _Desk:
        rows = DiscountBudget.objects.filter(pk__in=set(budgets)).order_by("pk")
        desk = cls({row.pk: row for row in rows.select_for_update(no_key=True)})
        if holders:
            desk.read(holders)
        return desk

    def read(self, holders: Collection[str]) -> None:
        rows = DiscountBudgetUse.objects.filter(budget__in=self.budgets, holder__in=holders)
        self.uses |= {(use.budget_id, use.holder): use for use in rows}

    def use(self, budget: int, holder: str) -> DiscountBudgetUse:
        """What somebody has of it, also nothing."""
        fresh = DiscountBudgetUse(budget_id=budget, holder=holder, asked=ZERO, amount=ZERO)
        return self.uses.setdefault((budget, holder), fresh)

    def room(self, budget: int) -> Decimal:
        row = self.budgets[budget]
        return Decimal(row.amount - row.used)

    def bear(self, use: DiscountBudgetUse, asked: Decimal, amount: Decimal) -> None:
        self.budgets[use.budget_id].used += amount - use.amount
        use.asked, use.amount = asked, amount

    def take_whole(self, use: DiscountBudgetUse, now: dt.datetime) -> None:
        """What a cart is promised. Raises BudgetGoneError."""
        if use.promised > self.room(use.budget_id):
            self.free_passed(use, now)
        if use.promised > self.room(use.budget_id):
            raise BudgetGoneError
        self.bear(use, use.promised, use.promised)

    def free_passed(self, but: DiscountBudgetUse, now: dt.datetime) -> None:
        """What carts hold whose time has passed: nobody can pay for them any more."""
        passed = DiscountBudgetUse.objects.filter(
            budget=but.budget_id, held_until__lte=now, amount__gt=0
        )
        for item in passed.exclude(holder=but.holder):
            self.bear(self.uses.setdefault((item.budget_id, item.holder), item), ZERO, ZERO)

    def hand_over(self, cart: DiscountBudgetUse, order: DiscountBudgetUse) -> None:
        """Its order has it in the cart's place, and with it what it asked that was not borne."""
        held = cart.amount
        self.drop(cart)
        order.promised = cart.promised
        if order.asked:
            self.bear(order, order.asked, min(order.asked, order.amount + held))
        else:
            self.bear(order, held, held)

    def settle(self, use: DiscountBudgetUse, asked: Decimal, now: dt.datetime) -> None:
        more = asked - use.asked
        if more > self.room(use.budget_id):
            self.free_passed(use, now)
        amount = min(use.amount, asked)
        if more > 0:
            amount = use.amount + min(more, self.room(use.budget_id))
        self.bear(use, asked, amount)

    def drop(self, use: DiscountBudgetUse) -> None:
        self.bear(use, ZERO, ZERO)
        del self.uses[use.budget_id, use.holder]
        if use.pk:
            self._dropped.append(use)

    def write(self, now: dt.datetime) -> None:
        """What comes back first: the database never counts more than there is."""
        DiscountBudgetUse.objects.filter(pk__in=[use.pk for use in self._dropped]).delete()
        known = [use for use in self.uses.values() if use.pk]
        before = DiscountBudgetUse.objects.in_bulk([use.pk for use in known])
        changed = [use for use in self.uses.values() if _says(use) != _says(before.get(use.pk))]
        less, more, fresh = [list[DiscountBudgetUse]() for _kind in range(3)]
        for use in changed:
            use.changed_at = now
            known_as = before.get(use.pk)
            if known_as is None:
                fresh.append(use)
            else:
                (less if use.amount <= known_as.amount else more).append(use)
        for rows in (less, more):
            DiscountBudgetUse.objects.bulk_update(rows, WRITTEN, batch_size=500)
        DiscountBudgetUse.objects.bulk_create(fresh, batch_size=500)


def _says(use: DiscountBudgetUse | None) -> tuple[object, ...]:
    if use is None:
        return (ZERO, ZERO, ZERO, None)
    return use.promised, use.asked, use.amount, use.held_until
