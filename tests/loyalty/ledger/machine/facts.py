"""What a shop says, in plain Python: rules, orders with their states, refunds and redemptions."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.instants import NEVER
from loyalty.rules.calendar import add_days
from loyalty.rules.lots import LotTerms
from tests.loyalty.ledger.machine.purses import Lot

LADDER = ("placed", "paid", "fulfilled", "completed")
VOID = ("cancelled", "refunded")


@dataclasses.dataclass(frozen=True)
class Rate:
    """A unit for each `per` dollars of an order, at most `cap` for a member in a month."""

    per: int = 1
    cap: int | None = None
    terms: LotTerms | None = None


@dataclasses.dataclass(frozen=True)
class Bonus:
    """`units` for reaching so much in a month."""

    reach: int = 60
    units: int = 25
    terms: LotTerms | None = None


@dataclasses.dataclass(frozen=True)
class Message:
    """What a shop says of an order."""

    number: str
    buyer: int | None
    placed_at: dt.datetime
    total: Decimal
    status: str
    sequence: int | None = None
    changed_at: dt.datetime | None = None
    paid_at: dt.datetime | None = None
    fulfilled_at: dt.datetime | None = None


@dataclasses.dataclass(eq=False)
class Refund:
    number: str
    of: str
    amount: Decimal
    at: dt.datetime
    buyer: int | None = None


@dataclasses.dataclass(eq=False, repr=False)
class Redemption:
    """A spend: the lots that it came from with what is out of each, and the order that it paid."""

    purse: int
    units: int
    at: dt.datetime
    parts: list[list[Any]]
    transfer: Any = None
    order: Sold | None = None

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def __repr__(self) -> str:
        return f"redemption of {self.units}"

    @property
    def out(self) -> int:
        return sum(units for _lot, units in self.parts)


@dataclasses.dataclass(eq=False, repr=False)
class Sold:
    """An order as it is known."""

    number: str
    placed_at: dt.datetime
    terms: LotTerms
    told: Message
    buyer: int | None = None
    reached: dict[str, dt.datetime | None] = dataclasses.field(default_factory=dict)
    held: bool = False
    confirmed_at: dt.datetime | None = None
    sequence: int | None = None
    changed_at: dt.datetime | None = None
    refunds: list[Refund] = dataclasses.field(default_factory=list)
    # By number of the rule: what it has given, and the room that it had.
    given: dict[int, int] = dataclasses.field(default_factory=lambda: defaultdict(int))
    room: dict[int, int] = dataclasses.field(default_factory=dict)
    # By number of the rule: the lots that it gave, each with what can still be taken back of it.
    grants: dict[int, list[Grant]] = dataclasses.field(default_factory=lambda: defaultdict(list))
    judged: bool = False
    paid: list[Redemption] = dataclasses.field(default_factory=list)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def __repr__(self) -> str:
        return f"order {self.number} of {self.told.total}"

    @property
    def void(self) -> bool:
        return self.told.status in VOID

    def net(self, without: list[Refund] = []) -> Decimal:  # noqa: B006
        if self.void:
            return Decimal(0)
        back = sum((item.amount for item in self.refunds if item not in without), Decimal(0))
        return max(self.told.total - back, Decimal(0))

    def tell(self, message: Message, now: dt.datetime, *, known: bool) -> None:
        """Take over what a message says, with the times at which states were reached."""
        status = message.status
        passed = LADDER.index({"refunded": "paid"}.get(status, status)) if (
            status != "cancelled"
        ) else 0  # fmt: skip
        default = message.changed_at or (now if known else self.placed_at)
        for rank, state in enumerate(LADDER[1:], start=1):
            said = getattr(message, f"{state}_at", None)
            kept = self.reached.get(state) if rank <= passed or status in VOID else None
            self.reached[state] = said or kept or (default if rank <= passed else None)
        self.told = message
        self.sequence = message.sequence if message.sequence is not None else self.sequence
        self.changed_at = message.changed_at or self.changed_at

    def is_older(self, message: Message) -> bool:
        if message.sequence is not None and self.sequence is not None:
            return message.sequence < self.sequence
        if message.changed_at is not None and self.changed_at is not None:
            return message.changed_at < self.changed_at
        return False

    def matures_at(self, terms: LotTerms, zone: ZoneInfo) -> dt.datetime:
        if self.held:
            return NEVER
        begin = self.placed_at if terms.pending_from == "placed" else (
            self.reached[terms.pending_from]
        )  # fmt: skip
        waited = NEVER if begin is None else add_days(begin, terms.pending_days, zone)
        return min(waited, self.confirmed_at or NEVER)


@dataclasses.dataclass
class Grant:
    """A lot that was given, and how many of its units can still be taken back."""

    lot: Lot
    room: int


@dataclasses.dataclass(eq=False)
class Window:
    parts: dict[Sold, Decimal] = dataclasses.field(default_factory=dict)
    grants: list[Grant] = dataclasses.field(default_factory=list)
    # Those of a customer who was merged into this one's.
    duplicates: list[Window] = dataclasses.field(default_factory=list)

    @property
    def all_grants(self) -> list[Grant]:
        found = [grant for window in (self, *self.duplicates) for grant in window.grants]
        return sorted(found, key=lambda grant: grant.lot.serial)

    @property
    def units(self) -> int:
        return sum(grant.room for grant in self.all_grants)


@dataclasses.dataclass(frozen=True)
class Taking:
    """Units that are taken back at an instant: first those for which `own` is true. `lot`: the one
    as which they were granted, if that is known."""

    units: int
    at: dt.datetime
    own: Callable[[Lot], bool]
    lot: Lot | None = None


def take_back(units: int, grants: list[Grant]) -> list[tuple[Lot, int]]:
    """Which of the lots that were given a correction concerns: the last ones first."""
    parts = []
    for grant in reversed(grants):
        part = min(units, grant.room)
        if part:
            grant.room -= part
            units -= part
            parts.append((grant.lot, part))
    assert not units
    return parts


@dataclasses.dataclass(eq=False)
class Merge:
    """One member was merged into another: what came with them, and what they had by then."""

    kept: int
    merged: int
    owed: int
    orders: list[Sold]
    # What each of the orders had been given by then, by number of the rule.
    given: dict[Sold, dict[int, int]]
    # What they had used of the caps.
    used: dict[tuple[int, dt.date], int]
    # Lots that there were; whatever comes for those orders from now on is none of them.
    lots: set[Lot]
