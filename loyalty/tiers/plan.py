"""Facts laid out for one wording of a tier set: what comes in when, and how long it counts."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from loyalty.tiers.facts import Fact
from loyalty.tiers.ladders import Ladder
from loyalty.tiers.windows import counts_until, returns_until

# At one instant what counts no more leaves first; what is taken back comes last.
ORDER = {"out": 0, "in": 1, "undo": 2}


# Entries and events are never changed; there are too many of them to be frozen, which is dear.
@dataclass(slots=True, unsafe_hash=True)
class Entry:
    """Something that counts from `at` up to `until`. `amount_of`: the measure and key of the fact
    that holds its amount, which what is taken back in time makes smaller. `dated`: what decides in
    which window it counts."""

    key: str
    amount_of: tuple[str, str]
    at: dt.datetime
    until: dt.datetime | None
    dated: dt.datetime


@dataclass(slots=True, unsafe_hash=True)
class Event:
    """`entry` comes in or goes out; an undo makes its amount smaller, since it came in."""

    at: dt.datetime
    kind: Literal["in", "out", "undo"]
    entry: Entry
    key: str
    amount: Decimal = Decimal(0)

    @property
    def place(self) -> tuple[dt.datetime, int, str]:
        return self.at, ORDER[self.kind], self.key


@dataclass(frozen=True, slots=True)
class Plan:
    """The entries of a wording, also those from before it, and what happens while it applies."""

    ladder: Ladder
    entries: tuple[Entry, ...]
    events: tuple[Event, ...]


def plan(
    ladder: Ladder,
    facts: Sequence[Fact],
    *,
    ends_at: dt.datetime | None,
    joined_on: dt.date,
    zone: zoneinfo.ZoneInfo,
) -> Plan:
    """`facts` of any measure; those of the wording's own are taken."""
    own = [fact for fact in facts if fact.measure == ladder.measure]
    by_key = {fact.key: fact for fact in own}

    def until(at: dt.datetime) -> dt.datetime | None:
        return counts_until(ladder.window, at, joined_on, zone)

    entries: list[Entry] = []
    undone: list[Event] = []
    for fact in own:
        sale = by_key.get(fact.of) if fact.of else None
        if sale is not None:
            _take_back(ladder, fact, sale, zone, until, entries, undone)
            continue
        at = entered_at(ladder, fact)
        if at is not None:
            entries.append(Entry(fact.key, (fact.measure, fact.key), at, until(at), at))
    events = [
        event for event in (*_events(ladder, entries), *undone) if _within(event, ladder, ends_at)
    ]
    return Plan(ladder, tuple(entries), tuple(sorted(events, key=lambda event: event.place)))


def entered_at(ladder: Ladder, fact: Fact) -> dt.datetime | None:
    """When an order begins to count; None: it was not confirmed yet."""
    if ladder.counts_from == "placed" or not fact.of_order:
        return fact.at
    return None if fact.confirmed_at is None else max(fact.at, fact.confirmed_at)


def amounts_of(facts: Sequence[Fact]) -> dict[tuple[str, str], Decimal]:
    return {(fact.measure, fact.key): fact.amount for fact in facts}


def _take_back(
    ladder: Ladder,
    fact: Fact,
    sale: Fact,
    zone: zoneinfo.ZoneInfo,
    until: Callable[[dt.datetime], dt.datetime | None],
    entries: list[Entry],
    undone: list[Event],
) -> None:
    """Within the return window it makes its sale smaller, as if less had been bought; later, or in
    another period than the sale where refunds count on their own date, it counts by itself."""
    at = max(fact.at, sale.at)
    entered = entered_at(ladder, sale)
    if entered is None:
        return
    own_date = ladder.refunds_count_on == "refund_date"
    last = until(entered)
    other_period = last is not None and at >= last
    # What came back before it counted was never bought either.
    early = at <= entered or at < returns_until(sale.at, ladder.return_days, zone)
    if early and not (own_date and other_period):
        entry = Entry(sale.key, (sale.measure, sale.key), entered, last, entered)
        undone.append(Event(max(at, entered), "undo", entry, fact.key, fact.amount))
        return
    at = max(at, entered)
    dated, counted = (at, until(at)) if own_date else (entered, last)
    if counted is None or counted > at:
        entries.append(Entry(fact.key, (fact.measure, fact.key), at, counted, dated))


def _events(ladder: Ladder, entries: Sequence[Entry]) -> Iterator[Event]:
    for entry in entries:
        yield Event(entry.at, "in", entry, entry.key)
        if not ladder.periodic and entry.until is not None:
            yield Event(entry.until, "out", entry, entry.key)


def _within(event: Event, ladder: Ladder, ends_at: dt.datetime | None) -> bool:
    begun = ladder.starts_at is None or event.at >= ladder.starts_at
    return begun and (ends_at is None or event.at < ends_at)


def counted_at(
    entries: Sequence[Entry], amounts: Mapping[tuple[str, str], Decimal], at: dt.datetime
) -> Decimal:
    """What counts at an instant, of what came before it."""
    return sum(
        (
            amounts[entry.amount_of]
            for entry in entries
            if entry.at < at and (entry.until is None or entry.until > at)
        ),
        Decimal(0),
    )
