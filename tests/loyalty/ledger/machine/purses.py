"""What a wallet holds, in plain Python: slow, obvious, and written from docs/semantics.md without
looking at the SQL. Time goes by in it at once: what expires leaves a lot in that instant."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from loyalty.instants import NEVER
from loyalty.rules.lots import LotTerms

Part = tuple["Lot", int]


class TooFewError(Exception):
    """So many could have been spent."""

    def __init__(self, spendable: int) -> None:
        super().__init__(spendable)
        self.spendable = spendable


@dataclasses.dataclass(eq=False)
class Lapse:
    """Units of a lot that expired at an instant, less those that came back since."""

    at: dt.datetime
    units: int


@dataclasses.dataclass(eq=False, repr=False)
class Lot:
    """`left` can be spent, now or later; `lapsed` has expired."""

    left: int
    earned_at: dt.datetime
    spendable_at: dt.datetime
    expires_at: dt.datetime | None
    # By which it expires, and by which it waited when it was granted.
    terms: LotTerms
    waits: LotTerms
    # The rule that gave it has terms of its own, which it keeps.
    keeps_terms: bool = False
    planned: dt.datetime | None = None
    renewable: bool = False
    # Whose units they are: an order's.
    order: Any = None
    parent: Lot | None = None
    # The merge or its undoing by which it came, if one did.
    merge: Any = None
    given_time: bool = False
    # Its place in the wallet, and among all that was granted.
    number: int = 0
    serial: int = 0
    pk: int = 0
    lapsed: list[Lapse] = dataclasses.field(default_factory=list)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def __repr__(self) -> str:
        return f"lot {self.pk} with {self.left}"

    @property
    def end(self) -> dt.datetime:
        return self.expires_at or NEVER

    @property
    def origin(self) -> Lot:
        """The lot as which these units were first granted."""
        return self.parent.origin if self.parent else self

    def lapsed_since(self, at: dt.datetime) -> list[Lapse]:
        return [lapse for lapse in self.lapsed if lapse.at > at and lapse.units]

    def take(self, units: int, *, since: dt.datetime | None = None) -> int:
        """Use up to so many units; also those that expired after `since`. Returns how many."""
        part = min(self.left, units)
        self.left -= part
        return part if since is None else part + self.take_lapsed(units - part, since=since)

    def take_lapsed(self, units: int, *, since: dt.datetime) -> int:
        """Up to so many of the units that expired after `since`. Returns how many."""
        taken = 0
        for lapse in reversed(self.lapsed_since(since)):
            part = min(lapse.units, units - taken)
            lapse.units -= part
            taken += part
        return taken


EVER = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclasses.dataclass(eq=False)
class Purse:
    """One wallet. Every change is told the present, up to which time has gone by in it."""

    lots: list[Lot] = dataclasses.field(default_factory=list)
    owed: int = 0
    blocks: bool = False
    active_until: dt.datetime | None = None
    written_off: int = 0

    def copied(self) -> Purse:
        """The same wallet once more, to try something out."""
        lots = [
            dataclasses.replace(lot, lapsed=[dataclasses.replace(gone) for gone in lot.lapsed])
            for lot in self.lots
        ]
        return dataclasses.replace(self, lots=lots)

    # --- what it holds now

    @property
    def open(self) -> list[Lot]:
        return [lot for lot in self.lots if lot.left]

    def balance(self, now: dt.datetime) -> int:
        return sum(lot.left for lot in self.lots if lot.spendable_at <= now)

    def pending(self, now: dt.datetime) -> int:
        return sum(lot.left for lot in self.lots if lot.spendable_at > now)

    def held(self, now: dt.datetime) -> int:
        return self.balance(now) + self.pending(now)

    def spendable(self, now: dt.datetime) -> int:
        return 0 if self.blocks and self.owed else max(self.balance(now) - self.owed, 0)

    @property
    def expired(self) -> int:
        return sum(lapse.units for lot in self.lots for lapse in lot.lapsed)

    # --- time

    def advance(self, now: dt.datetime, *, settles: bool = True) -> None:
        """What expires settles what is owed, if it could have been spent; the rest is gone."""
        if self.active_until is not None and self.active_until <= now:
            for lot in self.open:
                if lot.renewable and lot.expires_at is None:
                    lot.expires_at = self.active_until
            self.active_until = None
        for lot in sorted(self.open, key=lambda lot: (lot.end, lot.number)):
            if lot.end > now:
                break
            if settles and lot.spendable_at < lot.end:
                self.owed -= lot.take(self.owed)
            if lot.left:
                lot.lapsed.append(Lapse(lot.end, lot.take(lot.left)))

    def renew(self, at: dt.datetime, until: dt.datetime, *, activity: bool) -> None:
        """An activity keeps the units that expire by inactivity; told late, it has kept those that
        seemed to have expired since."""
        if activity:
            for lot in self.lots:
                if lot.renewable and lot.earned_at <= at and lot.lapsed_since(at):
                    lot.expires_at = None
                    for lapse in lot.lapsed_since(at):
                        lot.left += lapse.units
                        lapse.units = 0
        if activity or self.active_until is None:
            self.active_until = max(until, self.active_until or until)

    # --- what comes in

    def add(self, lot: Lot) -> Lot:
        lot.number = len(self.lots)
        self.lots.append(lot)
        return lot

    def arrive(self, lot: Lot, now: dt.datetime) -> int:
        """A new lot. What it repays of the debt at once."""
        repaid = 0
        end = self.active_until if lot.renewable else lot.expires_at
        if not self.blocks and lot.spendable_at <= now and (end or NEVER) > now:
            repaid = lot.take(self.owed)
            self.owed -= repaid
        self.add(lot)
        self.advance(now, settles=False)
        return repaid

    def come_back(
        self, parts: list[list[Any]], units: int, now: dt.datetime, grace: dt.datetime | None,
        *, idle: bool,
    ) -> None:  # fmt: skip
        """A spend returns to its lots, those that last longest first. `parts`: lot and units.
        Where its member was `idle` for too long, units that expire by inactivity have expired."""
        last = sorted(parts, key=lambda part: (part[0].end, part[0].number), reverse=True)
        for part in last:
            lot, out = part
            back = min(out, units)
            if not back:
                continue
            if lot.renewable and lot.expires_at is None and idle:
                lot.expires_at = now
            if grace and lot.expires_at and lot.expires_at < grace:
                lot.expires_at, lot.given_time = grace, True
            lot.left += back
            part[1] -= back
            units -= back
        assert not units
        self.advance(now, settles=False)

    # --- what goes out

    def spend(self, units: int, at: dt.datetime, now: dt.datetime) -> list[list[Any]]:
        """Units leave that could be spent at `at`, those that expire first before others."""
        if self.owed and (self.blocks or self.balance(now) - self.owed < units):
            raise TooFewError(self.spendable(now))
        return self._take(units, self._others(at, now, lambda lot: lot.spendable_at <= at), at, now)

    def _take(
        self, units: int, lots: Iterable[Lot], at: dt.datetime, now: dt.datetime
    ) -> list[list[Any]]:
        lots, wanted = list(lots), units
        had = sum(lot.left + sum(x.units for x in _since(lot, at, now)) for lot in lots)
        if had < units:
            raise TooFewError(had)
        parts = []
        for lot in lots:
            part = lot.take(wanted, since=at if at < now else None)
            if part:
                parts.append([lot, part])
                wanted -= part
        return parts

    def _others(self, at: dt.datetime, now: dt.datetime, may: Callable[[Lot], bool]) -> list[Lot]:
        """First what expired after `at`, as it did; then what expires next."""
        gone = [lot for lot in self.lots if _since(lot, at, now) and may(lot)]
        gone.sort(key=lambda lot: (_since(lot, at, now)[0].at, lot.number))
        left = [lot for lot in self.open if lot not in gone and may(lot)]
        return gone + sorted(left, key=lambda lot: (lot.end, lot.number))

    def claw_back(
        self, units: int, at: dt.datetime, now: dt.datetime, *, own: Callable[[Lot], bool],
        elsewhere: list[Lot], oldest_first: bool = False, debt: str = "carry",
    ) -> None:  # fmt: skip
        """What a refund of `at` takes: own units, what of them expired `elsewhere`, then others,
        then a debt."""
        mine: list[Lot] = []
        if not oldest_first:
            mine = [lot for lot in self.lots if own(lot)]
            mine.sort(key=lambda lot: (not lot.left, lot.spendable_at <= now, -lot.number))
            for lot in mine:
                units -= lot.take(units, since=EVER)
            for lot in elsewhere:
                units -= lot.take_lapsed(units, since=EVER)
        others = self._others(
            at, now, lambda lot: lot not in mine and (debt != "write_off" or lot.earned_at <= at)
        )
        if oldest_first:
            others.sort(key=lambda lot: (lot.earned_at, lot.number))
        for lot in others:
            units -= lot.take(units, since=at if at < now else None)
        if debt == "write_off":
            self.written_off += units
        elif units:
            self.owed += units
            self.blocks = debt == "refuse_redemption_only"

    def undo_gift(
        self, lot: Lot, units: int, repaid: int, now: dt.datetime, elsewhere: list[Lot]
    ) -> None:
        """A gift is taken back, unless it was spent. The debt that it had repaid is owed again."""
        own = [mine for mine in self.lots if mine.origin is lot]
        own.sort(key=lambda mine: (not mine.left, mine.spendable_at <= now, -mine.number))
        gone = sum(lapse.units for mine in (*own, *elsewhere) for lapse in mine.lapsed)
        rest = units - gone - sum(mine.left for mine in own)
        others = self.balance(now) - sum(mine.left for mine in own if mine.spendable_at <= now)
        if rest > repaid and others - self.owed < rest - repaid:
            raise TooFewError(0)
        for mine in own:
            units -= mine.take(units, since=EVER)
        for mine in elsewhere:
            units -= mine.take_lapsed(units, since=EVER)
        for other in self._others(now, now, lambda lot: lot.spendable_at <= now):
            units -= other.take(units)
        self.owed += units

    def move_out(
        self, units: int, now: dt.datetime, chosen: list[Lot] | None = None
    ) -> list[list[Any]]:
        """Units that go to another wallet, pending ones too; only from the chosen lots."""
        lots = self._others(now, now, lambda lot: chosen is None or lot in chosen)
        return self._take(units, lots, now, now)

    def take_over(self, parts: list[list[Any]], merge: Any = None) -> list[Lot]:
        """What was moved comes, in lots that keep everything of those that it was in."""
        return [
            self.add(
                dataclasses.replace(parent, left=part, lapsed=[], parent=parent, pk=0, merge=merge)
            )
            for parent, part in parts
        ]

    def repay_with(self, lots: list[Lot], now: dt.datetime) -> None:
        """What has come and can be spent repays the debt."""
        for lot in sorted(lots, key=lambda lot: (lot.end, lot.number)):
            if not self.blocks and lot.spendable_at <= now:
                self.owed -= lot.take(self.owed)

    def repay(self, now: dt.datetime) -> None:
        """The debt is repaid from the balance."""
        self._take(self.owed, self._others(now, now, lambda lot: lot.spendable_at <= now), now, now)
        self.owed = 0


def _since(lot: Lot, at: dt.datetime, now: dt.datetime) -> list[Lapse]:
    return lot.lapsed_since(at) if at < now else []
