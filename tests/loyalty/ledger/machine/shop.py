"""What a program gives for orders, in plain Python: states, refunds, caps and windows, as
docs/semantics.md says. The wallets are those of `tests.loyalty.ledger.machine.purses`."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.instants import NEVER
from loyalty.rules.calendar import add_days, end_of_day
from loyalty.rules.lots import LotTerms, expires_at
from tests.loyalty.ledger.machine.facts import (
    Bonus,
    Message,
    Rate,
    Refund,
    Sold,
    Window,
)
from tests.loyalty.ledger.machine.purses import Lot, Purse


class Shop:
    """A program with its members' wallets."""

    def __init__(
        self, terms: LotTerms, rules: list[Rate | Bonus], zone: ZoneInfo, *,
        debt: str, oldest_first: bool, members: int,
    ) -> None:  # fmt: skip
        self.terms, self.rules, self.zone = terms, rules, zone
        self.debt, self.oldest_first = debt, oldest_first
        self.renewal = terms if terms.renewable else None
        self.purses = [Purse() for _number in range(members)]
        # Who is in the pool, whose purse is the last one.
        self.sharing: set[int] = set()
        self.orders: dict[str, Sold] = {}
        self.parked: list[Refund] = []
        self.refunds: dict[str, Refund] = {}
        self.used: dict[tuple[int, int, dt.date], int] = defaultdict(int)
        self.windows: dict[tuple[int, int, dt.date], Window] = defaultdict(Window)

    def advance(self, now: dt.datetime) -> None:
        for purse in self.purses:
            purse.advance(now)

    # --- lots

    def renew(self, purse: Purse, kind: str, at: dt.datetime) -> None:
        if self.renewal is not None:
            until = expires_at(self.renewal, at, self.zone)
            assert until is not None
            purse.renew(at, until, activity=kind in self.renewal.renewed_by)

    def lot(self, units: int, earned_at: dt.datetime, spendable_at: dt.datetime,
            terms: LotTerms, **about: Any) -> Lot:  # fmt: skip
        lot = Lot(
            units, earned_at, spendable_at, None, terms, terms, renewable=terms.renewable, **about
        )
        self.set_end(lot)
        return lot

    def set_end(self, lot: Lot) -> None:
        """From the terms that the lot lives under."""
        begin = lot.spendable_at if lot.terms.counted_from == "maturity" else lot.earned_at
        end = None if begin >= NEVER else expires_at(lot.terms, begin, self.zone)
        lot.planned = None
        if lot.renewable:
            lot.expires_at = None
        elif lot.terms.warned_days is not None:
            lot.expires_at, lot.planned = None, end
        else:
            lot.expires_at = end

    def grace(self, now: dt.datetime) -> dt.datetime | None:
        if not self.terms.restored_days:
            return None
        last = add_days(now, self.terms.restored_days, self.zone).astimezone(self.zone).date()
        return end_of_day(last, self.zone)

    def retime(self, order: Sold, now: dt.datetime) -> None:
        """The order went on, was held, released or confirmed: its lots mature at another time."""
        for purse in self.purses:
            for lot in purse.lots:
                if lot.order is not order or lot.end <= now:
                    continue
                spendable_at = order.matures_at(lot.waits, self.zone)
                if spendable_at == lot.spendable_at:
                    continue
                lot.spendable_at = spendable_at
                if lot.terms.counted_from == "maturity" and not lot.terms.renewable:
                    self._move_end(lot)
            purse.advance(now)

    def _move_end(self, lot: Lot) -> None:
        warned, had = lot.expires_at, lot.expires_at or lot.planned
        self.set_end(lot)
        if had is not None and lot.given_time:
            end = max(had, lot.expires_at or lot.planned or had)
            if warned is None:
                lot.expires_at, lot.planned = None, end
            else:
                lot.expires_at = end

    # --- orders

    def tell(self, message: Message, now: dt.datetime) -> str:
        """What became of a message about an order."""
        known = self.orders.get(message.number)
        if known is None:
            sold = Sold(message.number, message.placed_at, self.terms, message)
            sold.tell(message, now, known=False)
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
        known.tell(message, now, known=True)
        self.reconcile(known, [], now)
        return "updated"

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
            buyer, put_in = refund.buyer, self.purses[refund.buyer].lots
            taken = [int(refund.amount / rule.per) for rule in self.rules if isinstance(rule, Rate)]
            taken = [units for units in taken if units]
            for units in taken:
                self._return_shared(buyer, units, refund.at, now, lambda lot: lot.parent in put_in)
            for units in taken:
                self._claw(buyer, units, refund.at, now, lambda _lot: False)

    def _link(self, sold: Sold, found: list[Refund], now: dt.datetime) -> None:
        sold.refunds += found
        self.reconcile(sold, sorted(found, key=lambda item: item.at), now)

    def _claw(self, buyer: int, units: int, at: dt.datetime, now: dt.datetime, own: Any) -> None:
        self.purses[buyer].claw_back(
            units, at, now, own=own, oldest_first=self.oldest_first, debt=self.debt
        )

    def _return_shared(
        self, buyer: int, units: int, at: dt.datetime, now: dt.datetime, own: Any
    ) -> None:
        """What the pool holds of what is taken back returns to the member first."""
        if buyer not in self.sharing:
            return
        pool, purse = self.purses[-1], self.purses[buyer]
        lots = [lot for lot in pool.open if own(lot)]
        units = min(units, sum(lot.left for lot in lots), pool.balance(now) + pool.pending(now))
        if units:
            self.renew(pool, "", at)
            self.renew(purse, "", at)
            purse.repay_with(purse.take_over(pool.move_out(units, now, lots)), now)

    def _period(self, index: int, sold: Sold) -> tuple[int, int, dt.date]:
        assert sold.buyer is not None
        month = sold.placed_at.astimezone(self.zone).date().replace(day=1)
        return index, sold.buyer, month

    def _deserved(self, index: int, rule: Rate, sold: Sold, net: Decimal) -> int:
        wanted = int(net / rule.per)
        if rule.cap is None:
            return wanted
        room = rule.cap - self.used[self._period(index, sold)] + sold.given[index]
        room = min(room, sold.room.setdefault(index, room))
        return min(wanted, max(room, 0))

    def _judge_first(self, sold: Sold, now: dt.datetime) -> None:
        if sold.buyer is None:
            return
        sold.judged = True
        for index, rule in enumerate(self.rules):
            if isinstance(rule, Rate):
                self._give(sold, index, rule, self._deserved(index, rule, sold, sold.net()), now)
        for window, more in self._window_changes(sold):
            self._give_bonus(sold, window, more, now)

    def reconcile(self, sold: Sold, causes: list[Refund], now: dt.datetime) -> None:
        """Bring what was given to what the order deserves, as if each cause had come by itself;
        what comes in and what comes back before what goes out."""
        if sold.buyer is not None:
            out: list[tuple[int, dt.datetime, Any]] = []
            for index, rule in enumerate(self.rules):
                if isinstance(rule, Rate):
                    out += self._differences(sold, index, rule, causes, now)
            last = causes[-1].at if causes and not sold.void else now
            for window, more in self._window_changes(sold):
                self._give_bonus(sold, window, more, now)
                out += [(units, last, own) for units, own in self._take_bonus(window, -more)]
            self._restore(sold, now)
            for units, at, own in out:
                self._return_shared(sold.buyer, units, at, now, own)
            for units, at, own in out:
                self._claw(sold.buyer, units, at, now, own)
        self.retime(sold, now)

    def _differences(
        self, sold: Sold, index: int, rule: Rate, causes: list[Refund], now: dt.datetime
    ) -> list[tuple[int, dt.datetime, Any]]:
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
                out.append((-more, at, lambda lot: lot.order is sold))
                self._count(sold, index, rule, more)
            self._give(sold, index, rule, more, now)
        return out

    def _count(self, sold: Sold, index: int, rule: Rate, units: int) -> None:
        sold.given[index] += units
        if rule.cap is not None:
            key = self._period(index, sold)
            self.used[key] = max(self.used[key] + units, 0)

    def _give(self, sold: Sold, index: int, rule: Rate, units: int, now: dt.datetime) -> None:
        if units <= 0:
            return
        self._count(sold, index, rule, units)
        terms = rule.terms or sold.terms
        self._arrive(
            self.lot(
                units, sold.placed_at, sold.matures_at(terms, self.zone), terms, order=sold,
                keeps_terms=rule.terms is not None,
            ),
            sold.buyer or 0, now,
        )  # fmt: skip

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
                self.purses[paid.purse].come_back(paid.parts, due, now, self.grace(now))

    # --- windows

    def _window_changes(self, sold: Sold) -> list[tuple[Window, int]]:
        """The windows that the order counts in, and how many units more each deserves."""
        found = []
        for index, rule in enumerate(self.rules):
            if isinstance(rule, Bonus):
                window = self.windows[self._period(index, sold)]
                if sold.net() or sold in window.parts:
                    window.parts[sold] = sold.net()
                reached = sum(window.parts.values(), Decimal(0)) >= rule.reach
                more = (rule.units if reached else 0) - window.units
                window.units += more
                found.append((window, more))
        return found

    def _give_bonus(self, sold: Sold, window: Window, units: int, now: dt.datetime) -> None:
        if units <= 0:
            return
        index, rule = next((i, r) for i, r in enumerate(self.rules) if isinstance(r, Bonus))
        assert window is self.windows[self._period(index, sold)]
        at, sum_ = sold.placed_at, Decimal(0)
        numbers = list(self.orders.values())
        for part in sorted(window.parts, key=lambda part: (part.placed_at, numbers.index(part))):
            before, sum_ = sum_, sum_ + window.parts[part]
            if before < rule.reach <= sum_:
                at = part.placed_at
                break
        terms = rule.terms or self.terms
        lot = self.lot(units, at, add_days(at, terms.pending_days, self.zone), terms)
        lot.movement = lot
        window.lots.append(lot)
        self._arrive(lot, sold.buyer or 0, now)

    def _take_bonus(self, window: Window, units: int) -> list[tuple[int, Any]]:
        """The bonus is given once, so it is the last one that is taken back."""
        if units <= 0:
            return []
        last = window.lots[-1]
        return [(units, lambda lot: lot.movement is last)]
