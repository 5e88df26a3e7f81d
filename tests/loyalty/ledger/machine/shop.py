"""What a program gives for orders, in plain Python: states, refunds, caps and windows, as
docs/semantics.md says. The wallets are those of `tests.loyalty.ledger.machine.wallets`."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from loyalty.rules.calendar import add_days
from loyalty.rules.lots import LotTerms
from tests.loyalty.ledger.machine.facts import (
    Bonus,
    Grant,
    Message,
    Rate,
    Refund,
    Sold,
    Taking,
    Window,
    take_back,
)
from tests.loyalty.ledger.machine.purses import Lot
from tests.loyalty.ledger.machine.wallets import Wallets


class Shop(Wallets):
    """A program with its members' wallets."""

    def __init__(
        self, terms: LotTerms, rules: list[Rate | Bonus], zone: ZoneInfo, *,
        debt: str, oldest_first: bool, members: int,
    ) -> None:  # fmt: skip
        super().__init__(terms, zone, members=members)
        self.rules, self.debt, self.oldest_first = rules, debt, oldest_first
        self.orders: dict[str, Sold] = {}
        self.parked: list[Refund] = []
        self.refunds: dict[str, Refund] = {}
        self.used: dict[tuple[int, int, dt.date], int] = defaultdict(int)
        self.windows: dict[tuple[int, int, dt.date], Window] = defaultdict(Window)

    # --- orders

    def tell(self, message: Message, now: dt.datetime) -> str:
        """What became of a message about an order."""
        known = self.orders.get(message.number)
        if known is None:
            sold = Sold(message.number, message.placed_at, self.terms, message)
            self._tell(sold, message, now, known=False)
            self.orders[sold.number] = sold
            self._judge_first(sold, now)
            found = [item for item in self.parked if item.of == sold.number]
            self.parked = [item for item in self.parked if item.of != sold.number]
            if found:
                self._link(sold, found, now)
            return "created"
        if known.told == message:
            return "unchanged"
        if known.is_older(message):
            return "outdated"
        self._tell(known, message, now, known=True)
        self.reconcile(known, [], now)
        return "updated"

    def _tell(self, sold: Sold, message: Message, now: dt.datetime, *, known: bool) -> None:
        sold.tell(message, now, known=known)
        if sold.buyer is None and message.buyer is not None:
            sold.buyer = self.who(message.buyer)

    def refund(self, refund: Refund, now: dt.datetime) -> None:
        if refund.number in self.refunds:
            return
        self.refunds[refund.number] = refund
        sold = self.orders.get(refund.of)
        if sold is not None:
            self._link(sold, [refund], now)
        elif refund.of:
            self.parked.append(refund)
        else:
            assert refund.buyer is not None
            buyer = self.who(refund.buyer)
            put_in = self.purses[buyer].lots
            amounts = [
                int(refund.amount / rule.per) for rule in self.rules if isinstance(rule, Rate)
            ]
            for units in filter(None, amounts):
                taking = Taking(units, refund.at, lambda lot: lot.parent in put_in)
                self._return_shared(buyer, taking, now)
            for units in filter(None, amounts):
                self._claw(buyer, Taking(units, refund.at, lambda _lot: False), now)

    def _link(self, sold: Sold, found: list[Refund], now: dt.datetime) -> None:
        sold.refunds += found
        self.reconcile(sold, sorted(found, key=lambda item: item.at), now)

    def _claw(self, buyer: int, taking: Taking, now: dt.datetime) -> None:
        purse = self.purses[buyer]
        purse.claw_back(
            taking.units, taking.at, now, own=taking.own,
            elsewhere=self.lapsed_elsewhere(taking.lot, purse), oldest_first=self.oldest_first,
            debt=self.debt,
        )  # fmt: skip

    def _return_shared(self, buyer: int, taking: Taking, now: dt.datetime) -> None:
        """What the pool holds of what is taken back returns to the member first."""
        if buyer not in self.sharing:
            return
        pool, purse = self.purses[-1], self.purses[buyer]
        lots = [lot for lot in pool.open if taking.own(lot)]
        units = min(taking.units, sum(lot.left for lot in lots), pool.held(now))
        if units:
            self.renew(pool, "", taking.at)
            self.renew(purse, "", taking.at)
            came = purse.take_over(pool.move_out(units, now, lots))
            self.arrange(purse)
            purse.repay_with(came, now)

    def _month(self, sold: Sold) -> dt.date:
        return sold.placed_at.astimezone(self.zone).date().replace(day=1)

    def _period(self, index: int, sold: Sold) -> tuple[int, int, dt.date]:
        assert sold.buyer is not None
        return index, sold.buyer, self._month(sold)

    def _deserved(self, index: int, rule: Rate, sold: Sold, net: Decimal) -> int:
        wanted = int(net / rule.per)
        if rule.cap is None:
            return wanted
        # Two who were merged may have used more than one could: what an order has, it keeps.
        room = max(rule.cap - self.used[self._period(index, sold)], 0) + sold.given[index]
        room = min(room, sold.room.setdefault(index, room))
        return min(wanted, room)

    def _judge_first(self, sold: Sold, now: dt.datetime) -> None:
        if sold.buyer is None:
            return
        sold.judged = True
        for index, rule in enumerate(self.rules):
            if isinstance(rule, Rate):
                self._give(sold, index, rule, self._deserved(index, rule, sold, sold.net()), now)
        for window, more in self._window_changes(sold):
            self._give_bonus(window, sold.buyer, more, now)

    def reconcile(self, sold: Sold, causes: list[Refund], now: dt.datetime) -> None:
        """Bring what was given to what the order deserves, as if each cause had come by itself;
        what comes in and what comes back before what goes out."""
        if sold.buyer is not None:
            out: list[Taking] = []
            for index, rule in enumerate(self.rules):
                if isinstance(rule, Rate):
                    out += self._differences(sold, index, rule, causes, now)
            last = causes[-1].at if causes and not sold.void else now
            for window, more in self._window_changes(sold):
                self._give_bonus(window, sold.buyer, more, now)
                out += self._take_bonus(window, -more, last)
            self._restore(sold, now)
            for taking in out:
                self._return_shared(sold.buyer, taking, now)
            for taking in out:
                self._claw(sold.buyer, taking, now)
        self.retime(sold, now)

    def _differences(
        self, sold: Sold, index: int, rule: Rate, causes: list[Refund], now: dt.datetime
    ) -> list[Taking]:
        steps: list[tuple[dt.datetime, int]] = []
        for number in range(1, len(causes) + 1) if causes and not sold.void else [0]:
            net = sold.net(causes[number:] if causes else [])
            at = causes[number - 1].at if number else now
            steps.append((at, self._deserved(index, rule, sold, net)))
        targets = [sold.given[index], *(target for _at, target in steps)]
        if targets != sorted(targets, reverse=True):
            steps = steps[-1:]
        out = []
        for at, target in steps:
            more = target - sold.given[index]
            if more < 0:
                out += [
                    Taking(units, at, lambda lot: lot.order is sold, lot)
                    for lot, units in take_back(-more, sold.grants[index])
                ]
                self._count(sold, index, rule, more)
            self._give(sold, index, rule, more, now)
        return out

    def _count(self, sold: Sold, index: int, rule: Rate, units: int) -> None:
        sold.given[index] += units
        if rule.cap is not None:
            assert sold.buyer is not None
            self._use(index, sold.buyer, self._month(sold), units)

    def _use(self, index: int, member: int, month: dt.date, units: int) -> None:
        key = index, member, month
        self.used[key] = max(self.used[key] + units, 0)

    def _give(self, sold: Sold, index: int, rule: Rate, units: int, now: dt.datetime) -> None:
        if units <= 0:
            return
        self._count(sold, index, rule, units)
        terms = rule.terms or sold.terms
        lot = self.lot(
            units, sold.placed_at, sold.matures_at(terms, self.zone), terms, order=sold,
            keeps_terms=rule.terms is not None,
        )  # fmt: skip
        sold.grants[index].append(Grant(lot, units))
        self._arrive(lot, sold.buyer or 0, now)

    def _arrive(self, lot: Lot, buyer: int, now: dt.datetime) -> None:
        purse = self.purses[buyer]
        self.renew(purse, "accrual", lot.earned_at)
        purse.arrive(lot, now)

    def _restore(self, sold: Sold, now: dt.datetime) -> None:
        """Units that the order was paid with come back as it does."""
        back = sum((item.amount for item in sold.refunds), Decimal(0))
        for paid in sold.paid:
            due = paid.units
            if not sold.void:
                due = int(due * min(back / sold.told.total, Decimal(1))) if sold.told.total else 0
            due -= paid.units - paid.out
            if due > 0:
                self.come_back(paid.purse, paid.parts, due, now, self.grace(now))

    # --- windows

    def _window_changes(self, sold: Sold) -> list[tuple[Window, int]]:
        """The windows that the order counts in, and how many units more each deserves."""
        found = []
        for index, rule in enumerate(self.rules):
            if isinstance(rule, Bonus):
                known = self.windows.get(self._period(index, sold))
                if sold.net() or (known is not None and sold in known.parts):
                    window = self.windows[self._period(index, sold)]
                    window.parts[sold] = sold.net()
                    found.append((window, self._deserved_bonus(window) - window.units))
        return found

    @property
    def bonus(self) -> Bonus:
        return next(rule for rule in self.rules if isinstance(rule, Bonus))

    def _deserved_bonus(self, window: Window) -> int:
        reached = sum(window.parts.values(), Decimal(0)) >= self.bonus.reach
        return self.bonus.units if reached else 0

    def _give_bonus(self, window: Window, member: int, units: int, now: dt.datetime) -> None:
        if units <= 0:
            return
        rule, at, sum_ = self.bonus, now, Decimal(0)
        numbers = list(self.orders.values())
        for part in sorted(window.parts, key=lambda part: (part.placed_at, numbers.index(part))):
            before, sum_ = sum_, sum_ + window.parts[part]
            if before < rule.reach <= sum_:
                at = part.placed_at
                break
        terms = rule.terms or self.terms
        lot = self.lot(units, at, add_days(at, terms.pending_days, self.zone), terms)
        window.grants.append(Grant(lot, units))
        self._arrive(lot, member, now)

    def _take_bonus(self, window: Window, units: int, at: dt.datetime) -> list[Taking]:
        return [
            Taking(part, at, partial(_is_of, granted), granted)
            for granted, part in take_back(max(units, 0), window.all_grants)
        ]


def _is_of(granted: Lot, lot: Lot) -> bool:
    return lot.origin is granted
