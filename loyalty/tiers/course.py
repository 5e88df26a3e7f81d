"""How a member's tier goes, from the first fact on: one pass in the order of business time.

An order raises the tier at once. What is taken back within the return window makes its order
smaller, and all that came after is gone through again: so a tier is lost at once if without it it
had not been reached. Everything else is lost at a review: where a period ends, or, in a rolling
window, where something counts no more.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import groupby, islice, takewhile
from operator import attrgetter

from loyalty.tiers.facts import Fact, Why, in_utc
from loyalty.tiers.ladders import Ladder, in_force
from loyalty.tiers.plan import Entry, Event, amounts_of, counted_at, entered_at, plan
from loyalty.tiers.states import Change, Checkpoint, State
from loyalty.tiers.windows import a_year_later, begins, counts_until, grace_until

ZERO = Decimal(0)


_Turn = Callable[[State, dt.datetime, list[Change]], State]


class Course:
    """A member's way through a tier set. `run` as far as wanted, then look at `state`.

    `after`: it goes on from there, and `facts` are those dated since.
    """

    def __init__(
        self,
        ladders: Sequence[Ladder],
        facts: Iterable[Fact],
        *,
        joined_at: dt.datetime,
        zone: zoneinfo.ZoneInfo,
        after: Checkpoint | None = None,
    ) -> None:
        self.ladders, self.zone = tuple(ladders), zone
        self._starts = [_utc(ladder.starts_at) for ladder in self.ladders]
        facts = sorted(map(in_utc, facts), key=lambda fact: (fact.at, fact.key))
        self.began = after.began if after else self._beginning(facts, joined_at)
        self.joined_on = self.began.astimezone(zone).date()
        self.amounts = amounts_of(facts)
        self.plans = [
            plan(ladder, facts, ends_at=self._ends(place), joined_on=self.joined_on, zone=zone)
            for place, ladder in enumerate(self.ladders)
        ]
        self.events: list[Event] = [event for each in self.plans for event in each.events]
        self.changes: list[Change] = []
        self.state: State | None = None
        self.at: dt.datetime = self.began
        self.tiers_since = self.began
        self._done = 0
        self._before: list[State] = []
        if after:
            self._go_on(after)

    def _beginning(self, facts: Sequence[Fact], joined_at: dt.datetime) -> dt.datetime:
        entered = [
            at
            for fact in facts
            for ladder in self.ladders
            if not fact.of and fact.measure == ladder.measure and (at := entered_at(ladder, fact))
        ]
        return min([joined_at.astimezone(dt.UTC), *entered])

    def _go_on(self, after: Checkpoint) -> None:
        """Only the last wording is left, and what it still counts of before."""
        self.state, self.at, self.tiers_since = after.state, after.at, after.tiers_since
        self.changes = [*after.changes]
        carried = after.events(self.zone)
        self.amounts |= {event.entry.amount_of: amount for event, amount in carried}
        events = [*self.plans[-1].events, *(event for event, _amount in carried)]
        self.events = sorted(events, key=lambda event: event.place)

    def run(self, until: dt.datetime) -> State | None:
        """Everything that has happened by an instant, that instant included. None: there were no
        tiers yet."""
        until = until.astimezone(dt.UTC)
        if self.state is None and not self._begin(until):
            return None
        while self._done < len(self.events) and self.events[self._done].at <= until:
            self._take_next()
        self.state = self._advance(self._now, until, self.changes)
        self.at = until
        return self.state

    def run_before(self, until: dt.datetime) -> State | None:
        """Everything before an instant, and what time alone brings at it."""
        until = until.astimezone(dt.UTC)
        if self.state is None and not self._begin(until):
            return None
        while self._done < len(self.events):
            event = self.events[self._done]
            if event.at > until or (event.at == until and event.kind != "out"):
                break
            self._take_next()
        self.state = self._advance(self._now, until, self.changes)
        self.at = until
        return self.state

    @property
    def _now(self) -> State:
        assert self.state is not None
        return self.state

    def ahead(self, until: dt.datetime) -> list[Change]:
        """How the tier changes after now, if nothing more happens."""
        state, changes = self._now, list[Change]()
        coming = (event for event in self.events[self._done :] if self._leaves(event))
        for at, together in groupby(coming, key=attrgetter("at")):
            if at > until:
                break
            leaving = [*together]
            if self._coming(state)[0] is None:
                # Day after day something leaves a rolling window, and mostly nothing comes of it.
                total = state.total - self._gone(state, leaving)
                if self.ladders[state.place].rank_of(total) == state.rank:
                    state = state._replace(total=total)
                    continue
            state = self._out(self._advance(state, at, changes), leaving, changes)
        self._advance(state, until, changes)
        return changes

    def _gone(self, state: State, leaving: Sequence[Event]) -> Decimal:
        counted = (self.amount(event) for event in leaving if self._counts(state, event.entry))
        return sum(counted, ZERO)

    @property
    def waits_for_time_alone(self) -> bool:
        """Whether all has happened, and what is to come of it is the same for all who stand like
        this. Anniversaries of a leap day are not on the same day each year."""
        ladder = self.ladders[self._now.place]
        leaps = ladder.window == "membership_year" and (self.joined_on.month, self.joined_on.day)
        last = self._now.place + 1 == len(self.ladders)
        return last and ladder.periodic and self._done == len(self.events) and leaps != (2, 29)

    def held(self) -> list[Event]:
        """What counts and will count no more one day, by when it leaves."""
        return [
            event
            for event in self.events[self._done :]
            if self._leaves(event) and self._counts(self._now, event.entry)
        ]

    def next_leaving(self) -> list[Event]:
        """What counts no more next: everything that leaves at the first instant at which something
        does."""
        found = self.held()
        return [event for event in found if event.at == found[0].at]

    def amount(self, event: Event) -> Decimal:
        """What it comes to, less what was taken back of it in time."""
        return self.amounts[event.entry.amount_of]

    def _leaves(self, event: Event) -> bool:
        """Whether something that came in already goes out."""
        return event.kind == "out" and event.entry.at <= self.at

    # The beginning, and what happens

    def _ends(self, place: int) -> dt.datetime | None:
        return self._starts[place + 1] if place + 1 < len(self._starts) else None

    def _begin(self, until: dt.datetime) -> bool:
        first = self._starts[0] if self._starts else None
        if not self.ladders or (first is not None and first > until) or self.began > until:
            return False
        self.tiers_since = self.began if first is None else max(first, self.began)
        self.state = self._first()
        # Wordings that were over before the member came have nothing to say.
        place, since = self.state.place, self.tiers_since
        self.events = [event for each in self.plans[place:] for event in each.events]
        why = Why("joined" if since == self.began else "changed")
        self.changes.append(Change(since, place, self.state.rank, why))
        return True

    def _first(self) -> State:
        """As the tiers, or the member, began."""
        at = self.tiers_since
        place = in_force(self.ladders, at)
        assert place is not None
        total = counted_at(self.plans[place].entries, self.amounts, at)
        rank = self.ladders[place].rank_of(total)
        return State(place, rank, total, turn=self._turn(place, at))

    def _take_next(self) -> None:
        """The next event; of what goes out at one instant all of it."""
        events = self._together(self._done)
        self._before += [self._now] * len(events)
        self._done += len(events)
        first = events[0]
        state = self._advance(self._now, first.at, self.changes)
        match first.kind:
            case "in":
                self.state = self._in(state, first.entry, first.at, self.changes)
            case "out":
                self.state = self._out(state, events, self.changes)
            case "undo":
                self.state = self._undo(state, first)

    def _together(self, number: int) -> list[Event]:
        first = self.events[number]
        if first.kind != "out":
            return [first]
        following = islice(self.events, number, None)
        return [*takewhile(lambda each: (each.at, each.kind) == (first.at, "out"), following)]

    def _in(self, state: State, entry: Entry, at: dt.datetime, changes: list[Change]) -> State:
        if not self._counts(state, entry):
            return state
        state = state._replace(total=state.total + self.amounts[entry.amount_of])
        return self._settle(state, at, Why("reached", entry.key), changes)

    def _out(self, state: State, leaving: Sequence[Event], changes: list[Change]) -> State:
        """What goes out at one instant, looked at once it is all out: no tier is lost by the order
        in which it goes."""
        gone = [self.amount(event) for event in leaving if self._counts(state, event.entry)]
        if not gone:
            return state
        state, at = state._replace(total=state.total - sum(gone, ZERO)), leaving[0].at
        state = self._settle(state, at, Why("reached"), changes)
        return self._look(state, at, Why("dropped_out"), changes)

    def _undo(self, state: State, event: Event) -> State:
        """The order was smaller all along: go again through what came since, without writing down
        a past that was different then."""
        self.amounts[event.entry.amount_of] += event.amount
        entered = event.entry.at
        start = bisect_left(self.events, entered, hi=self._done, key=lambda known: known.at)
        again = self._first() if entered < self.tiers_since else self._before[start]
        number = start
        while number < self._done:
            events = self._together(number)
            self._before[number : number + len(events)] = [again] * len(events)
            number += len(events)
            first = events[0]
            again = self._advance(again, first.at, [])
            if first.kind == "in":
                again = self._in(again, first.entry, first.at, [])
            elif first.kind == "out":
                again = self._out(again, events, [])
        if (again.place, again.rank) != (state.place, state.rank):
            self.changes.append(
                Change(event.at, again.place, again.rank, Why("revoked", event.key))
            )
        return again

    def _counts(self, state: State, entry: Entry) -> bool:
        return state.anew is None or entry.dated >= state.anew

    # What time alone does

    def _advance(self, state: State, until: dt.datetime, changes: list[Change]) -> State:
        """Periods that end, grace periods and wordings, up to an instant, that instant included."""
        while True:
            at, turn = self._coming(state)
            if at is None or at > until:
                return state
            state = turn(state, at, changes)

    def _coming(self, state: State) -> tuple[dt.datetime | None, _Turn]:
        """What time brings next. At one instant a grace period ends before a period, and another
        wording comes last."""
        at, turn = state.due, self._lose
        if state.turn is not None and (at is None or state.turn < at):
            at, turn = state.turn, self._review
        if state.held is not None and (at is None or state.held < at):
            at, turn = state.held, self._look_again
        ends = self._ends(state.place)
        if ends is not None and (at is None or ends < at):
            at, turn = ends, self._change
        return at, turn

    def _review(self, state: State, at: dt.datetime, changes: list[Change]) -> State:
        """A period ends: a tier that it has not reached again is not kept; the next begins."""
        ladder, level = self.ladders[state.place], self._level(state)
        state = state._replace(total=ZERO, turn=self._turn(state.place, at))
        if ladder.downgrade == "immediate":
            return self._settle(state, at, Why("review"), changes)
        landing = self._landing(state, level)
        if landing >= state.rank:
            return state
        if ladder.grace_days and state.due is None:
            due = grace_until(at, ladder.grace_days, self.zone)
            return state._replace(due=due, landing=landing)
        return self._moved(state._replace(due=None), landing, at, Why("review"), changes)

    def _look(self, state: State, at: dt.datetime, why: Why, changes: list[Change]) -> State:
        """A rolling window counts less than the tier asks for."""
        ladder = self.ladders[state.place]
        waits = state.due is not None or state.held is not None or ladder.downgrade == "immediate"
        if waits or self._landing(state, self._level(state)) >= state.rank:
            return state
        if ladder.grace_days:
            return state._replace(due=grace_until(at, ladder.grace_days, self.zone), landing=0)
        return self._land(state, at, why, changes)

    def _look_again(self, state: State, at: dt.datetime, changes: list[Change]) -> State:
        return self._look(state._replace(held=None), at, Why("dropped_out"), changes)

    def _lose(self, state: State, at: dt.datetime, changes: list[Change]) -> State:
        """The grace period is over, and nothing has kept the tier."""
        state = state._replace(due=None)
        ladder = self.ladders[state.place]
        if ladder.periodic or ladder.downgrade == "immediate":
            landing = max(state.landing, self._level(state))
            return self._moved(state, min(landing, state.rank), at, Why("grace"), changes)
        return self._land(state, at, Why("grace"), changes)

    def _land(self, state: State, at: dt.datetime, why: Why, changes: list[Change]) -> State:
        """In a rolling window: one tier lower at most is held for a year again; from the base on
        everything counts anew."""
        ladder, level = self.ladders[state.place], self._level(state)
        landing = self._landing(state, level)
        if landing >= state.rank:
            return state
        if ladder.downgrade == "soft_landing" and landing > level:
            day = a_year_later(at.astimezone(self.zone).date())
            state = state._replace(held=begins(day, self.zone))
        state = self._moved(state, landing, at, why, changes)
        return state._replace(total=ZERO, anew=at) if ladder.downgrade == "to_base" else state

    def _change(self, state: State, at: dt.datetime, changes: list[Change]) -> State:
        """Another wording: who has reached more by it goes up at once; what is held is kept until
        the next review."""
        place = state.place + 1
        before, ladder = self.ladders[state.place], self.ladders[place]
        known = ladder.rank_of_code(before.levels[state.rank].code)
        rank = min(state.rank, len(ladder.levels) - 1) if known is None else known
        total = counted_at(self.plans[place].entries, self.amounts, at)
        state = State(place, rank, total, turn=self._turn(place, at))
        if known is None:
            changes.append(Change(at, place, rank, Why("changed")))
        return self._settle(state, at, Why("changed"), changes)

    # Small steps

    def _settle(self, state: State, at: dt.datetime, why: Why, changes: list[Change]) -> State:
        """After what counts has changed: up at once; kept, if that was in doubt; down at once where
        the tier set says so."""
        ladder, level = self.ladders[state.place], self._level(state)
        if level > state.rank:
            return self._moved(state._replace(due=None, held=None), level, at, why, changes)
        if level == state.rank:
            return state if state.due is None else state._replace(due=None)
        if ladder.downgrade != "immediate" or state.due is not None:
            return state
        if ladder.grace_days:
            return state._replace(due=grace_until(at, ladder.grace_days, self.zone), landing=0)
        down = (
            why if why.kind != "reached" else Why("revoked" if why.key else "dropped_out", why.key)
        )
        return self._moved(state, level, at, down, changes)

    def _moved(
        self, state: State, rank: int, at: dt.datetime, why: Why, changes: list[Change]
    ) -> State:
        if rank == state.rank:
            return state
        changes.append(Change(at, state.place, rank, why, state.total))
        return state._replace(rank=rank)

    def _level(self, state: State) -> int:
        return self.ladders[state.place].rank_of(state.total)

    def _landing(self, state: State, level: int) -> int:
        """Where the downgrade policy leads, when what counts is worth that level."""
        if level >= state.rank:
            return state.rank
        match self.ladders[state.place].downgrade:
            case "none":
                return state.rank
            case "soft_landing":
                return max(level, state.rank - 1)
            case "to_base":
                return 0
        return level

    def _turn(self, place: int, at: dt.datetime) -> dt.datetime | None:
        ladder = self.ladders[place]
        if not ladder.periodic:
            return None
        return counts_until(ladder.window, at, self.joined_on, self.zone)


def _utc(at: dt.datetime | None) -> dt.datetime | None:
    return at and at.astimezone(dt.UTC)
