"""What is left under the caps of rules, while a batch of orders is judged.

Counters are locked when they are read, after the members' wallets: so two orders at once never
award more than a cap leaves. Rules without such caps cost nothing here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Q

from loyalty.models import CapCounter
from loyalty.rules.calendar import EVER, period_start
from loyalty.rules.caps import Room, smallest_units
from loyalty.rules.engine import Award, RuleVersion, evaluate
from loyalty.rules.facts import Basket, Deed
from loyalty.rules.grants import grant
from loyalty.services.contexts import Wish
from members.services.transactions import run_atomically

Result = TypeVar("Result")

# A member's counter: rule, membership, first day of the period. A slice's: rule, number.
MemberKey = tuple[int, int, dt.date]
SliceKey = tuple[int, int]


@dataclass(slots=True)
class _Counter:
    pk: int
    used: int
    change: int = 0

    @property
    def now(self) -> int:
        return self.used + self.change


class BudgetShortError(Exception):
    """The own slices of a budget do not suffice: begin again and lock all of them, in order."""

    def __init__(self, rules: set[int]) -> None:
        super().__init__(f"all slices of the budgets of rules {sorted(rules)} are needed")
        self.rules = rules


@dataclass(slots=True)
class CapBook:
    """The counters that a batch needs, and what it has taken from them so far."""

    members: dict[MemberKey, _Counter] = field(default_factory=dict)
    slices: dict[SliceKey, _Counter] = field(default_factory=dict)

    @classmethod
    def load(cls, wishes: Iterable[Wish], *, whole: Container[int] = ()) -> CapBook:
        """Lock the counters that these orders count in. No query where nothing is counted.

        Of a budget only the members' own slices; all of them for the rules in `whole`.
        """
        book = cls()
        members: set[MemberKey] = set()
        slices: set[SliceKey] = set()
        for wish in wishes:
            for version in wish.versions:
                caps = version.body.caps
                if caps.per_member is not None:
                    members.add(_member_key(version, wish))
                if caps.budget is not None:
                    own = [_slice_of(wish.membership_id)]
                    numbers = range(CapCounter.SLICES) if version.budget_key in whole else own
                    slices |= {(version.budget_key, number) for number in numbers}
        if members:
            book._lock_members(sorted(members))
        if slices:
            book._lock_slices(sorted(slices))
        return book

    @classmethod
    def of_budgets(cls, versions: Iterable[RuleVersion]) -> CapBook:
        """The budgets of these versions, locked as a whole."""
        book, rules = cls(), {item.budget_key for item in versions if item.body.caps.budget}
        if rules:
            every = range(CapCounter.SLICES)
            book._lock_slices(sorted((rule, number) for rule in rules for number in every))
        return book

    @classmethod
    def look(cls, wishes: Iterable[Wish]) -> CapBook:
        """The counters as they are, without locking or making any: to judge without awarding."""
        book = cls()
        for wish in wishes:
            for version in wish.versions:
                caps = version.body.caps
                if caps.per_member is not None:
                    book.members[_member_key(version, wish)] = _Counter(0, 0)
                if caps.budget is not None:
                    for number in range(CapCounter.SLICES):
                        book.slices[version.budget_key, number] = _Counter(0, 0)
        rules = {key[0] for key in book.members} | {key[0] for key in book.slices}
        memberships = {key[1] for key in book.members}
        if rules:
            counters = CapCounter.objects.filter(rule__in=rules).filter(
                Q(membership__in=memberships) | Q(membership=None)
            )
            for counter in counters:
                book._note(counter)
        return book

    def _note(self, counter: CapCounter) -> None:
        if counter.membership_id is None:
            assert counter.slice is not None
            key = counter.rule_id, counter.slice
            if key in self.slices:
                self.slices[key] = _Counter(counter.pk, counter.used)
        else:
            own = counter.rule_id, counter.membership_id, counter.period_start
            if own in self.members:
                self.members[own] = _Counter(counter.pk, counter.used)

    def judge(
        self,
        wish: Wish,
        basket: Basket,
        *,
        recorded: Mapping[int, Room] | None = None,
        given: Mapping[int, int] | None = None,
    ) -> tuple[tuple[Award, ...], dict[int, Room]]:
        """The awards of an order, and the room that each counted version had for it. Raises
        BudgetShortError where a budget's locked slices decide, and others may have more.

        For an order that was judged before: `recorded` is the room it had then, `given` the units
        that it has been given so far. What others have used since is theirs.
        """
        rooms = self._rooms(wish, recorded or {}, given or {})
        awards = evaluate(
            wish.versions,
            replace(wish.occasion, basket=basket),
            rooms,
            context=wish.context,
            multiplying=wish.program.multiplying,
        ).awards
        self._refuse_short(awards)
        return awards, {pk: self._known_room(wish, pk, room) for pk, room in rooms.items()}

    def rooms(self, wish: Wish, given: Mapping[int, int]) -> dict[int, Room]:
        """What is left for an order under the caps of its versions, if it had not been given these
        units yet."""
        return self._rooms(wish, {}, given)

    def of_budget(self, version: RuleVersion, units: int) -> int:
        """How many of these units the budget of a version leaves. Raises BudgetShortError where its
        locked slices decide, and others may have more."""
        if version.body.caps.budget is None or units <= 0:
            return units
        room = sum(left for _key, left in self._slices_with_room(version))
        if room < units and not self._is_whole(version.budget_key):
            raise BudgetShortError({version.budget_key})
        return min(units, room)

    def judge_deed(self, wish: Wish) -> tuple[Award, ...]:
        """The awards of an activity, under what the caps leave. Raises BudgetShortError."""
        rooms, deed = self._rooms(wish, {}, {}), wish.occasion
        assert isinstance(deed, Deed)
        awards = grant(wish.versions, deed, rooms, context=wish.context).awards
        self._refuse_short(awards)
        return awards

    def _refuse_short(self, awards: Iterable[Award]) -> None:
        short = {award.version.budget_key for award in awards if _is_short(award)}
        if any(not self._is_whole(rule) for rule in short):
            raise BudgetShortError(short)

    def take(self, version: RuleVersion, wish: Wish, units: int) -> None:
        """Count units that an order got from a version; below zero: that it lost again."""
        caps = version.body.caps
        if caps.per_member is not None:
            counter = self.members[_member_key(version, wish)]
            counter.change = max(counter.change + units, -counter.used)
        self.take_from_budget(version, wish.membership_id, units)

    def take_from_budget(self, version: RuleVersion, membership_id: int, units: int) -> None:
        """Count units that a member got from a version in its budget, if it has one."""
        if version.body.caps.budget is not None and units:
            self._take_from_budget(version, membership_id, units)

    def write(self) -> None:
        """Keep what was taken, in the transaction that awards it."""
        changed = [
            counter for counter in (*self.members.values(), *self.slices.values()) if counter.change
        ]
        if not changed:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE loyalty_capcounter c SET used = c.used + x.change"
                "  FROM unnest(%s::bigint[], %s::bigint[]) AS x(id, change) WHERE c.id = x.id",
                [[counter.pk for counter in changed], [counter.change for counter in changed]],
            )

    def _rooms(
        self, wish: Wish, recorded: Mapping[int, Room], given: Mapping[int, int]
    ) -> dict[int, Room]:
        rooms = {}
        for version in wish.versions:
            caps = version.body.caps
            if caps.per_member is None and caps.budget is None:
                continue
            member = budget = None
            if caps.per_member is not None:
                counter = self.members[_member_key(version, wish)]
                # Two members who were merged may have used more than one could: what an order
                # has, it keeps.
                cap = smallest_units(caps.per_member, version.scale)
                member = max(cap - counter.now, 0)
            if caps.budget is not None:
                budget = sum(room for _key, room in self._slices_with_room(version))
            had = given.get(version.id, 0)
            if version.shared_budget:
                had = _given_of(version, wish, given)
            room = Room(member, budget).with_units(had)
            known = recorded.get(version.id)
            rooms[version.id] = room.at_most(known) if known else room
        return rooms

    def _known_room(self, wish: Wish, version_id: int, room: Room) -> Room:
        """The room to remember: a budget that was not looked at as a whole decided nothing."""
        rule = next(version.budget_key for version in wish.versions if version.id == version_id)
        return room if self._is_whole(rule) else Room(room.member, None)

    def _is_whole(self, rule_id: int) -> bool:
        return all((rule_id, number) in self.slices for number in range(CapCounter.SLICES))

    def _slices_with_room(self, version: RuleVersion) -> list[tuple[SliceKey, int]]:
        assert version.body.caps.budget is not None
        budget = smallest_units(version.body.caps.budget, version.scale)
        each, more = divmod(budget, CapCounter.SLICES)
        found = []
        for key, counter in sorted(self.slices.items()):
            if key[0] == version.budget_key:
                allowance = each + (1 if key[1] < more else 0)
                found.append((key, max(allowance - counter.now, 0)))
        return found

    def _take_from_budget(self, version: RuleVersion, membership_id: int, units: int) -> None:
        budget = version.budget_key
        own = (budget, _slice_of(membership_id))
        if units < 0 and self.slices[own].now < -units and not self._is_whole(budget):
            raise BudgetShortError({budget})
        keys = sorted((key for key in self.slices if key[0] == budget), key=lambda key: key != own)
        room = dict(self._slices_with_room(version))
        for key in keys:
            counter = self.slices[key]
            part = min(units, room[key]) if units > 0 else max(units, -counter.now)
            counter.change += part
            units -= part
            if not units:
                return
        # Room that the budget no longer gives, after it was lowered: what was given is counted.
        self.slices[own].change += max(units, 0)

    def _lock_members(self, keys: Sequence[MemberKey]) -> None:
        columns = [list(column) for column in zip(*keys, strict=True)]
        rows = _locked(
            "INSERT INTO loyalty_capcounter (rule_id, membership_id, period_start)"
            " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::date[])"
            " ON CONFLICT DO NOTHING",
            "SELECT c.rule_id, c.membership_id, c.period_start, c.id, c.used"
            "  FROM loyalty_capcounter c"
            "  JOIN unnest(%s::bigint[], %s::bigint[], %s::date[]) AS x(rule, member, start)"
            "    ON (c.rule_id, c.membership_id, c.period_start) = (x.rule, x.member, x.start)"
            " WHERE c.slice IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c",
            columns,
        )
        self.members |= {(row[0], row[1], row[2]): _Counter(row[3], row[4]) for row in rows}

    def _lock_slices(self, keys: Sequence[SliceKey]) -> None:
        columns = [list(column) for column in zip(*keys, strict=True)]
        rows = _locked(
            "INSERT INTO loyalty_capcounter (rule_id, slice, period_start)"
            f" SELECT *, '{EVER.isoformat()}'::date FROM unnest(%s::bigint[], %s::smallint[])"
            " ON CONFLICT DO NOTHING",
            "SELECT c.rule_id, c.slice, c.id, c.used FROM loyalty_capcounter c"
            "  JOIN unnest(%s::bigint[], %s::smallint[]) AS x(rule, slice)"
            "    ON (c.rule_id, c.slice) = (x.rule, x.slice)"
            " WHERE c.membership_id IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c",
            columns,
        )
        self.slices |= {(row[0], row[1]): _Counter(row[2], row[3]) for row in rows}


def with_budgets(write: Callable[[set[int]], Result]) -> Result:
    """Write in a transaction; again with all slices of a budget locked, where the members' own do
    not suffice. `write` is given the rules whose slices are to be locked as a whole."""
    whole: set[int] = set()
    while True:
        # Within somebody else's transaction what the first try wrote has to be taken back.
        nested = transaction.get_connection().in_atomic_block
        try:
            with transaction.atomic() if nested else nullcontext():
                return run_atomically(partial(write, whole))
        except BudgetShortError as short:
            whole |= short.rules


def rooms_as_json(rooms: Mapping[int, Room]) -> dict[str, Any]:
    """What an order's evaluation keeps of the room it had; nothing where nothing is counted."""
    if not rooms:
        return {}
    return {"rooms": {str(pk): [room.member, room.budget] for pk, room in rooms.items()}}


def rooms_from_json(context: Mapping[str, Any]) -> dict[int, Room]:
    return {int(pk): Room(*values) for pk, values in context.get("rooms", {}).items()}


def _is_short(award: Award) -> bool:
    return award.says("capped_budget")


def _given_of(version: RuleVersion, wish: Wish, given: Mapping[int, int]) -> int:
    """What an order has been given under the caps that the version shares with others."""
    return sum(
        given.get(other.id, 0) for other in wish.versions if other.budget_key == version.budget_key
    )


def _member_key(version: RuleVersion, wish: Wish) -> MemberKey:
    start = period_start(version.body.caps.period, wish.at, wish.program.zone)
    return version.budget_key, wish.membership_id, start


def _slice_of(membership_id: int) -> int:
    return membership_id % CapCounter.SLICES


def _locked(create: str, lock: str, columns: list[list[Any]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(create, columns)
        cursor.execute(lock, columns)
        return list(cursor.fetchall())
