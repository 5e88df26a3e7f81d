"""The wallets of a program's members and of their pool, in plain Python, with the terms by which
units live in them; two of the members may be merged. Each wallet by itself is in the module
`purses`."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.instants import NEVER
from loyalty.rules.calendar import add_days, end_of_day
from loyalty.rules.lots import LotTerms, expires_at
from tests.loyalty.ledger.machine.facts import Merge, Sold
from tests.loyalty.ledger.machine.purses import Lot, Purse


class Wallets:
    def __init__(self, terms: LotTerms, zone: ZoneInfo, *, members: int) -> None:
        self.terms, self.zone = terms, zone
        self.renewal = terms if terms.renewable else None
        self.purses = [Purse() for _number in range(members)]
        # Who is in the pool, whose purse is the last one.
        self.sharing: set[int] = set()
        # The merge in force, if there is one.
        self.merge: Merge | None = None
        self.granted = 0

    def advance(self, now: dt.datetime) -> None:
        for purse in self.purses:
            purse.advance(now)

    def arrange(self, purse: Purse) -> None:
        """Whoever knows in which order new lots came puts them in it."""

    # --- lots

    def renew(self, purse: Purse, kind: str, at: dt.datetime) -> None:
        if self.renewal is not None:
            until = expires_at(self.renewal, at, self.zone)
            assert until is not None
            purse.renew(at, until, activity=kind in self.renewal.renewed_by)

    def lot(self, units: int, earned_at: dt.datetime, spendable_at: dt.datetime,
            terms: LotTerms, **about: Any) -> Lot:  # fmt: skip
        self.granted += 1
        lot = Lot(
            units, earned_at, spendable_at, None, terms, terms, renewable=terms.renewable,
            serial=self.granted, **about,
        )  # fmt: skip
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

    def come_back(
        self, holder: int, parts: list[list[Any]], units: int, now: dt.datetime,
        grace: dt.datetime | None = None,
    ) -> None:  # fmt: skip
        """A spend of a member, or of their pool, returns."""
        both = {holder, self.who(holder)}
        idle = all(self.purses[number].active_until is None for number in both)
        self.purses[holder].come_back(parts, units, now, grace, idle=idle)
        self.pass_on(holder, now)

    def lapsed_elsewhere(self, lot: Lot | None, purse: Purse) -> list[Lot]:
        """What a granted lot became in other purses, by merges."""
        found = [
            other for at in self.purses if at is not purse for other in at.lots
            if other.origin is lot and (other is lot or other.merge is not None)
        ]  # fmt: skip
        return sorted(found, key=lambda other: other.pk)

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

    # --- merged members

    def who(self, member: int) -> int:
        """Whose purse stands for this member's."""
        merge = self.merge
        return merge.kept if merge is not None and member == merge.merged else member

    def hand_on(self, giver: Purse, taker: Purse, parts: list[list[Any]], merge: Merge) -> None:
        """Lots go on from one purse to another, as they are; nothing is repaid by that."""
        came = taker.take_over(parts, merge)
        if any(lot.renewable and lot.expires_at is None for lot in came):
            ends = [purse.active_until for purse in (giver, taker) if purse.active_until]
            taker.active_until = max(ends, default=None)
        self.arrange(taker)

    def pass_on(self, holder: int, now: dt.datetime) -> None:
        """What came back to a member who was merged into another goes on to that one."""
        if self.merge is not None and holder == self.merge.merged:
            giver, taker = self.purses[holder], self.purses[self.merge.kept]
            self.hand_on(giver, taker, giver.move_out(giver.held(now), now), self.merge)
