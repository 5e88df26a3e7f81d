"""What happens in the shop: acts on days, and when each is told, how often and in which order."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

BEGIN = dt.datetime(2024, 1, 10, 12, tzinfo=dt.UTC)
# How many acts a day has, and how many days later the next one is.
ACTS = (12, 30)
PAUSES = (0.5, 1, 1, 2, 3, 5)
# Of a hundred messages, so many come again, and so many come days late.
DOUBLED, LATE = 25, 15
LATEST = 6
# How far back an order or a refund may lie that is told today.
DAYS_AGO = (0, 0, 0, 1, 3, 8, 20)
STATUSES = ("placed", "paid", "fulfilled", "completed", "completed", "completed", "cancelled",
            "refunded")  # fmt: skip
PROGRAMS = ("plain", "fading")
# Messages that a shop repeats: they carry a number of their own.
MESSAGES = {"buy", "refund", "redeem", "give_back", "give", "donate", "adjust"}

WEIGHTS = {
    "buy": 26, "change": 12, "refund": 9, "early_refund": 2, "return": 4, "redeem": 14,
    "pay_order": 2, "give_back": 5, "give": 8, "undo_gift": 2, "donate": 2, "adjust": 7, "undo": 4,
    "settle": 2, "extend": 3, "reinstate": 2, "hold": 2, "release": 2, "confirm": 2,
    "found_pool": 1, "join_pool": 2, "put_into_pool": 4, "take_from_pool": 2, "spend_from_pool": 2,
    "leave_pool": 1, "merge": 1, "part": 1, "expire": 4, "bring_up_to_now": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens. What it is about is what `acts` hands to the services."""

    number: int
    kind: str
    about: dict[str, Any]

    @property
    def key(self) -> str:
        return f"simulated:{self.number}"

    def __str__(self) -> str:
        said = ", ".join(f"{name} {value}" for name, value in self.about.items())
        return f"{self.kind} ({said})" if said else self.kind


@dataclass(slots=True)
class Sale:
    """An order as the shop knows it at last."""

    number: str
    placed_at: dt.datetime
    total: Decimal
    status: str
    buyer: str | None
    sequence: int
    refunded: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        if self.status in ("cancelled", "refunded"):
            return Decimal(0)
        return max(self.total - self.refunded, Decimal(0))


@dataclass(frozen=True, slots=True)
class Day:
    """One business instant and what is told then, at once and in any order."""

    now: dt.datetime
    told: list[Act]
    # From now on so many units for a dollar.
    rate: int | None = None


@dataclass
class Plan:
    """The same for the same seed and number of steps, whatever becomes of it."""

    seed: int
    steps: int
    members: int = 0
    sales: dict[str, Sale] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    rates: list[tuple[dt.datetime, int]] = field(default_factory=lambda: [(BEGIN, 1)])

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.members = self.members or max(8, min(60, self.steps // 60))
        self.now = BEGIN
        self._of_kind: defaultdict[str, list[Act]] = defaultdict(list)
        self._early: list[str] = []
        self._make()

    @property
    def customers(self) -> list[str]:
        return [f"c{number}" for number in range(self.members)]

    @property
    def end(self) -> dt.datetime:
        """When everything has been told."""
        return self.days[-1].now

    def rate_at(self, at: dt.datetime) -> int:
        return next(rate for since, rate in reversed(self.rates) if since <= at)

    def of_kind(self, *kinds: str) -> list[Act]:
        return [act for kind in kinds for act in self._of_kind[kind]]

    # --- days

    def _make(self) -> None:
        made: list[list[Act]] = []
        instants: list[dt.datetime] = []
        rates: dict[int, int] = {}
        while len(self.acts) < self.steps:
            self.now += dt.timedelta(days=self.chance.choice(PAUSES))
            if self.chance.random() < 0.1:
                rates[len(made)] = self.chance.choice([1, 2, 3])
                self.rates.append((self.now, rates[len(made)]))
            wanted = min(self.chance.randint(*ACTS), self.steps - len(self.acts))
            made.append([self._act() for _number in range(wanted)])
            instants.append(self.now)
        made.append([self._late_order(number) for number in self._early])
        instants.append(self.now + dt.timedelta(days=1))
        told = self._told(made)
        self.days = [
            Day(now, told[number], rates.get(number)) for number, now in enumerate(instants)
        ]

    def _told(self, made: Sequence[list[Act]]) -> list[list[Act]]:
        """The messages of each day: most come on theirs, some late, some twice, some both."""
        told: list[list[Act]] = [[] for _day in made]
        for number, acts in enumerate(made):
            for act in acts:
                first = number
                if act.kind in MESSAGES and self._percent(LATE):
                    first = self._later(number, len(made))
                told[first].append(act)
                while self._percent(DOUBLED):
                    told[self._later(first, len(made))].append(act)
        for acts in told:
            self.chance.shuffle(acts)
        return told

    def _later(self, number: int, days: int) -> int:
        return min(number + self.chance.randint(0, LATEST), days - 1)

    def _percent(self, part: int) -> bool:
        return self.chance.randrange(100) < part

    # --- acts

    def _act(self) -> Act:
        """Something that can happen by now; buying always can."""
        kind = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        make: Callable[[], tuple[str, dict[str, Any]] | None] = getattr(self, f"_{kind}", None) or (
            lambda: (kind, {})
        )
        found = make() or self._buy()
        return self._note(*found)

    def _note(self, kind: str, about: dict[str, Any]) -> Act:
        act = Act(len(self.acts) + 1, kind, about)
        self.acts.append(act)
        self._of_kind[kind].append(act)
        return act

    def _who(self) -> str:
        """Some are there all the time."""
        hot = self.chance.random() < 0.4
        return f"c{self.chance.randrange(3 if hot else self.members)}"

    def _some(self, found: Sequence[Any]) -> Any:
        """Mostly one of the last."""
        near = found[-40:] if self.chance.random() < 0.8 else found
        return self.chance.choice(near) if near else None

    def _units(self) -> int:
        return self.chance.choice([1, 3, 8, 20, 45])

    def _at(self) -> dt.datetime:
        return max(self.now - dt.timedelta(days=self.chance.choice(DAYS_AGO)), BEGIN)

    def _money(self) -> Decimal:
        return Decimal(self.chance.randrange(0, 9000)) / 100

    def _program(self) -> dict[str, Any]:
        return {"who": self._who(), "program": self.chance.choice(PROGRAMS)}

    # --- orders

    def _buy(self) -> tuple[str, dict[str, Any]]:
        number = f"A{len(self.acts) + 1}"
        buyer = self._who() if self.chance.random() < 0.92 else None
        return self._sell(number, self._at(), buyer)

    def _sell(self, number: str, at: dt.datetime, buyer: str | None) -> tuple[str, dict[str, Any]]:
        status = self.chance.choice(STATUSES)
        sale = self.sales[number] = Sale(number, at, self._money(), status, buyer, 0)
        return "buy", self._said(sale)

    def _said(self, sale: Sale) -> dict[str, Any]:
        said = dataclasses.asdict(sale)
        said.pop("refunded")
        return said

    def _change(self) -> tuple[str, dict[str, Any]] | None:
        sale = self._some([sale for sale in self.sales.values() if sale.sequence >= 0])
        if sale is None:
            return None
        sale.sequence += 1
        sale.status = self.chance.choice(STATUSES)
        if self.chance.random() < 0.4:
            sale.total = self._money()
        if sale.buyer is None and self.chance.random() < 0.5:
            sale.buyer = self._who()
        return "buy", self._said(sale)

    def _refund(self) -> tuple[str, dict[str, Any]] | None:
        sale = self._some(list(self.sales.values()))
        return None if sale is None else self._give_money_back(sale.number, sale.placed_at)

    def _give_money_back(self, of: str, since: dt.datetime) -> tuple[str, dict[str, Any]]:
        amount = self._money() / self.chance.choice([1, 3])
        amount = amount.quantize(Decimal("0.01"))
        if of in self.sales:
            self.sales[of].refunded += amount
        return "refund", {"of": of, "amount": amount, "at": max(self._at(), since), "buyer": None}

    def _early_refund(self) -> tuple[str, dict[str, Any]]:
        """Of an order that the shop tells of later."""
        number = f"L{len(self.acts) + 1}"
        self._early.append(number)
        sale = Sale(number, self.now, Decimal(0), "placed", None, -1)
        self.sales[number] = sale
        return self._give_money_back(number, self.now)

    def _late_order(self, number: str) -> Act:
        known = self.sales[number]
        kind, about = self._sell(number, known.placed_at, self._who())
        self.sales[number].refunded = known.refunded
        return self._note(kind, about)

    def _return(self) -> tuple[str, dict[str, Any]]:
        amount = Decimal(self.chance.randrange(0, 2500)) / 100
        return "refund", {"of": "", "amount": amount, "at": self._at(), "buyer": self._who()}

    def _hold(self) -> tuple[str, dict[str, Any]] | None:
        return self._by_hand("hold")

    def _release(self) -> tuple[str, dict[str, Any]] | None:
        return self._by_hand("release")

    def _confirm(self) -> tuple[str, dict[str, Any]] | None:
        return self._by_hand("confirm")

    def _by_hand(self, kind: str) -> tuple[str, dict[str, Any]] | None:
        sale = self._some(list(self.sales.values()))
        return None if sale is None else (kind, {"order": sale.number})

    # --- units

    def _redeem(self) -> tuple[str, dict[str, Any]]:
        at = self.now - dt.timedelta(hours=self.chance.choice([0, 0, 0, 5, 50]))
        return "redeem", self._program() | {"units": self._units(), "at": at, "order": ""}

    def _pay_order(self) -> tuple[str, dict[str, Any]] | None:
        sale = self._some([sale for sale in self.sales.values() if sale.buyer])
        if sale is None:
            return None
        return "redeem", {"who": sale.buyer, "program": self.chance.choice(PROGRAMS),
                          "units": self._units(), "at": self.now, "order": sale.number}  # fmt: skip

    def _give_back(self) -> tuple[str, dict[str, Any]] | None:
        spent = self._some(self.of_kind("redeem", "spend_from_pool"))
        units = self.chance.choice([None, 1, 3])
        return spent and ("give_back", {"of": spent.key, "units": units})

    def _give(self) -> tuple[str, dict[str, Any]]:
        return "give", self._program() | {"to": self._who(), "units": self._units()}

    def _undo_gift(self) -> tuple[str, dict[str, Any]] | None:
        given = self._some(self.of_kind("give"))
        return given and ("undo", {"of": given.key})

    def _donate(self) -> tuple[str, dict[str, Any]]:
        return "donate", self._program() | {"units": self._units()}

    def _adjust(self) -> tuple[str, dict[str, Any]]:
        return "adjust", self._program() | {"units": self._units() * self.chance.choice([1, 1, -1])}

    def _undo(self) -> tuple[str, dict[str, Any]] | None:
        made = self._some(self.of_kind("adjust", "donate"))
        return made and ("undo", {"of": made.key})

    def _settle(self) -> tuple[str, dict[str, Any]]:
        way = self.chance.choice(["write_off", "repay"])
        return "settle", self._program() | {"way": way}

    def _extend(self) -> tuple[str, dict[str, Any]]:
        until = self.now + dt.timedelta(days=self.chance.randrange(5, 90))
        return "extend", {"who": self._who(), "program": "fading", "until": until}

    def _reinstate(self) -> tuple[str, dict[str, Any]]:
        until = self.now + dt.timedelta(days=self.chance.randrange(5, 40))
        return "reinstate", {"who": self._who(), "program": "fading", "until": until,
                             "units": self._units()}  # fmt: skip

    # --- pools and people: only some are ever in a pool or merged, so the others can be counted

    def _shared(self) -> str:
        return f"c{self.chance.randrange(self.members // 4)}"

    def _found_pool(self) -> tuple[str, dict[str, Any]]:
        return "found_pool", {
            "who": self._shared(), "name": f"Pool {len(self.acts) + 1}",
            "share": self.chance.choice([None, 50]), "bring": self.chance.random() < 0.5,
            "leaving": self.chance.choice(["own", "equal_share", "stays"]),
        }  # fmt: skip

    def _join_pool(self) -> tuple[str, dict[str, Any]] | None:
        pool = self._some(self.of_kind("found_pool"))
        return pool and ("join_pool", {"who": self._shared(), "name": pool.about["name"],
                                       "bring": self.chance.random() < 0.5})  # fmt: skip

    def _put_into_pool(self) -> tuple[str, dict[str, Any]]:
        return "put_into_pool", {"who": self._shared(), "units": self._units()}

    def _take_from_pool(self) -> tuple[str, dict[str, Any]]:
        return "take_from_pool", {"who": self._shared(), "units": self._units()}

    def _spend_from_pool(self) -> tuple[str, dict[str, Any]]:
        return "spend_from_pool", {"who": self._shared(), "units": self._units(), "at": self.now}

    def _leave_pool(self) -> tuple[str, dict[str, Any]]:
        return "leave_pool", {"who": self._shared()}

    def _merge(self) -> tuple[str, dict[str, Any]] | None:
        kept, merged = self._shared(), self._shared()
        return None if kept == merged else ("merge", {"kept": kept, "merged": merged})

    def _part(self) -> tuple[str, dict[str, Any]]:
        return "part", {"who": self._shared()}

    def shared_customers(self) -> Iterator[str]:
        """Who may have been in a pool, or merged."""
        return (f"c{number}" for number in range(self.members // 4))
