"""What is left under the caps of rules, while a batch of orders is judged.

Counters are locked when they are read, after the members' wallets: so two orders at once never
award more than a cap leaves. Rules without such caps cost nothing here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Q

from loyalty.models import CapCounter
from loyalty.rules.calendar import EVER, period_start
from loyalty.rules.caps import NO_LIMIT, Room, of_periods, smallest_units
from loyalty.rules.engine import Award, RuleVersion, evaluate
from loyalty.rules.facts import Basket, Deed
from loyalty.rules.grants import grant
from loyalty.services.contexts import Wish
from members.prepared import run_prepared
from members.services import transactions
from members.services.transactions import run_atomically

Result = TypeVar("Result")
Amount = TypeVar("Amount", int, Decimal)

# A member's counter: rule, membership, period and its first day. A slice's: rule, number.
MemberKey = tuple[int, int, str, dt.date]
SliceKey = tuple[int, int]
ZERO = Decimal(0)
# What budgets in money are cut into slices by: no smaller amount can be named.
SMALLEST_MONEY = Decimal("0.0001")


@dataclass(slots=True)
class _Counter(Generic[Amount]):
    pk: int
    used: Amount
    change: Amount

    @property
    def now(self) -> Amount:
        return self.used + self.change


class BudgetShortError(Exception):
    """The own slices of a budget do not suffice: begin again and lock all of them, in order."""

    def __init__(self, rules: set[int]) -> None:
        super().__init__(f"all slices of the budgets of rules {sorted(rules)} are needed")
        self.rules = rules


@dataclass(slots=True)
class CapBook:
    """The counters that a batch needs, and what it has taken from them so far."""

    members: dict[MemberKey, _Counter[int]] = field(default_factory=dict)
    # Of a budget in units, and of one in money; a row counts both.
    slices: dict[SliceKey, _Counter[int]] = field(default_factory=dict)
    worths: dict[SliceKey, _Counter[Decimal]] = field(default_factory=dict)

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
                members |= {key for key, _most in _member_caps(version, wish)}
                if version.body.caps.has_budget:
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
        book, rules = cls(), {item.budget_key for item in versions if item.body.caps.has_budget}
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
                for key, _most in _member_caps(version, wish):
                    book.members[key] = _Counter(0, 0, 0)
                if version.body.caps.has_budget:
                    for number in range(CapCounter.SLICES):
                        book._note_slice((version.budget_key, number), 0, 0, ZERO)
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
                self._note_slice(key, counter.pk, counter.used, counter.worth)
        else:
            own = counter.rule_id, counter.membership_id, counter.period, counter.period_start
            if own in self.members:
                self.members[own] = _Counter(counter.pk, counter.used, 0)

    def _note_slice(self, key: SliceKey, pk: int, used: int, worth: Decimal) -> None:
        self.slices[key], self.worths[key] = _Counter(pk, used, 0), _Counter(pk, worth, ZERO)

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

    def of_budget(self, version: RuleVersion, units: int, at: dt.datetime) -> tuple[int, Room]:
        """How many of these units the budgets of a version leave for what happened then, and the
        room that they leave. Raises BudgetShortError where its locked slices decide, and others may
        have more."""
        if not version.body.caps.has_budget or units <= 0:
            return units, NO_LIMIT
        left = self._left_in_all(version, at)
        room = left.in_all
        if room is None or room >= units:
            return units, left
        if not self._is_whole(version.budget_key):
            raise BudgetShortError({version.budget_key})
        return room, left

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
        for key, _most in _member_caps(version, wish):
            counter = self.members[key]
            counter.change = max(counter.change + units, -counter.used)
        self.take_from_budget(version, wish.membership_id, units, wish.at)

    def take_from_budget(
        self, version: RuleVersion, membership_id: int, units: int, at: dt.datetime
    ) -> None:
        """Count units that a member got from a version in its budgets, if it has any. `at`: when
        that happened for which they were given; what comes back is worth what it was then."""
        caps, own = version.body.caps, (version.budget_key, _slice_of(membership_id))
        if not units or not caps.has_budget:
            return
        self._spread(self.slices, own, units, dict(self._slices_with_room(version)), 0)
        worth = version.worth_of(units, at)
        if caps.budget_money is not None and worth:
            self._spread(self.worths, own, worth, dict(self._slices_with_money(version)), ZERO)

    def write(self) -> None:
        """Keep what was taken, in the transaction that awards it."""
        worths = {counter.pk: counter.change for counter in self.worths.values()}
        changed = [
            counter
            for counter in (*self.members.values(), *self.slices.values())
            if counter.change or worths.get(counter.pk)
        ]
        if not changed:
            return
        run_prepared(
            "UPDATE loyalty_capcounter c"
            "   SET used = c.used + x.change, worth = c.worth + x.worth"
            "  FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[]) AS x(id, change, worth)"
            " WHERE c.id = x.id",
            [
                [counter.pk for counter in changed],
                [counter.change for counter in changed],
                [worths.get(counter.pk, ZERO) for counter in changed],
            ],
        )

    def _rooms(
        self, wish: Wish, recorded: Mapping[int, Room], given: Mapping[int, int]
    ) -> dict[int, Room]:
        rooms = {}
        for version in wish.versions:
            if not version.counts:
                continue
            # Two members who were merged may have used more than one could: what an order has, it
            # keeps.
            member, period = of_periods(
                (key[2], max(smallest_units(most, version.scale) - self.members[key].now, 0))
                for key, most in _member_caps(version, wish)
            )
            left = self._left_in_all(version, wish.at)
            had = given.get(version.id, 0)
            if version.shared_budget:
                had = _given_of(version, wish, given)
            room = Room(member, left.budget, left.money, period).with_units(had)
            known = recorded.get(version.id)
            rooms[version.id] = room.at_most(known) if known else room
        return rooms

    def _known_room(self, wish: Wish, version_id: int, room: Room) -> Room:
        """The room to remember: a budget that was not looked at as a whole decided nothing."""
        rule = next(version.budget_key for version in wish.versions if version.id == version_id)
        return room if self._is_whole(rule) else room.of_member()

    def _is_whole(self, rule_id: int) -> bool:
        return all((rule_id, number) in self.slices for number in range(CapCounter.SLICES))

    def _left_in_all(self, version: RuleVersion, at: dt.datetime) -> Room:
        """What the locked slices leave of its budgets."""
        caps, budget, money = version.body.caps, None, None
        if caps.budget is not None:
            budget = sum(room for _key, room in self._slices_with_room(version))
        if caps.budget_money is not None:
            left = sum((room for _key, room in self._slices_with_money(version)), ZERO)
            money = version.worth.units_for(left, version.scale, at)
        return Room(budget=budget, money=money)

    def _slices_with_room(self, version: RuleVersion) -> Iterator[tuple[SliceKey, int]]:
        budget = version.body.caps.budget
        most = None if budget is None else smallest_units(budget, version.scale)
        for key, counter in self.slices.items():
            if key[0] == version.budget_key and most is not None:
                yield key, max(_allowance(most, key) - counter.now, 0)

    def _slices_with_money(self, version: RuleVersion) -> Iterator[tuple[SliceKey, Decimal]]:
        budget = version.body.caps.budget_money
        most = None if budget is None else int(budget / SMALLEST_MONEY)
        for key, counter in self.worths.items():
            if key[0] == version.budget_key and most is not None:
                yield key, max(_allowance(most, key) * SMALLEST_MONEY - counter.now, ZERO)

    def _spread(
        self, counters: Mapping[SliceKey, _Counter[Amount]], own: SliceKey, amount: Amount,
        room: Mapping[SliceKey, Amount], nothing: Amount,
    ) -> None:  # fmt: skip
        """Count it in the own slice, and what that has no room for in others. Raises
        BudgetShortError where more comes back than was counted in those that are locked."""
        budget = own[0]
        if amount < 0 and counters[own].now < -amount and not self._is_whole(budget):
            raise BudgetShortError({budget})
        for key in sorted(
            (key for key in counters if key[0] == budget), key=lambda key: key != own
        ):
            counter = counters[key]
            if amount > 0:
                part = min(amount, room.get(key, amount))
            else:
                part = max(amount, -counter.now)
            counter.change += part
            amount -= part
            if not amount:
                return
        # Room that the budget no longer gives, after it was lowered: what was given is counted.
        counters[own].change += max(amount, nothing)

    def _lock_members(self, keys: Sequence[MemberKey]) -> None:
        columns = [list(column) for column in zip(*keys, strict=True)]
        rows = _locked(
            "INSERT INTO loyalty_capcounter (rule_id, membership_id, period, period_start)"
            " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::date[])"
            " ON CONFLICT DO NOTHING",
            "SELECT c.rule_id, c.membership_id, c.period, c.period_start, c.id, c.used"
            "  FROM loyalty_capcounter c"
            "  JOIN unnest(%s::bigint[], %s::bigint[], %s::text[], %s::date[])"
            "    AS x(rule, member, period, start)"
            "    ON (c.rule_id, c.membership_id, c.period, c.period_start)"
            "     = (x.rule, x.member, x.period, x.start)"
            " WHERE c.slice IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c",
            columns,
        )
        for rule, member, period, start, pk, used in rows:
            self.members[rule, member, period, start] = _Counter(pk, used, 0)

    def _lock_slices(self, keys: Sequence[SliceKey]) -> None:
        columns = [list(column) for column in zip(*keys, strict=True)]
        rows = _locked(
            "INSERT INTO loyalty_capcounter (rule_id, slice, period_start)"
            f" SELECT *, '{EVER.isoformat()}'::date FROM unnest(%s::bigint[], %s::smallint[])"
            " ON CONFLICT DO NOTHING",
            "SELECT c.rule_id, c.slice, c.id, c.used, c.worth FROM loyalty_capcounter c"
            "  JOIN unnest(%s::bigint[], %s::smallint[]) AS x(rule, slice)"
            "    ON (c.rule_id, c.slice) = (x.rule, x.slice)"
            " WHERE c.membership_id IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c",
            columns,
        )
        for rule, number, pk, used, worth in rows:
            self._note_slice((rule, number), pk, used, worth)


def with_budgets(write: Callable[[set[int]], Result]) -> Result:
    """Write in a transaction; again with all slices of a budget locked, where the members' own do
    not suffice. `write` is given the rules whose slices are to be locked as a whole."""
    whole: set[int] = set()
    while True:
        # Within somebody else's transaction what the first try wrote has to be taken back.
        nested = transactions.within_another()
        try:
            with transaction.atomic() if nested else nullcontext():
                return run_atomically(partial(write, whole))
        except BudgetShortError as short:
            whole |= short.rules


def _is_short(award: Award) -> bool:
    return award.says("capped_budget") or award.says("capped_money")


def _given_of(version: RuleVersion, wish: Wish, given: Mapping[int, int]) -> int:
    """What an order has been given under the caps that the version shares with others."""
    return sum(
        given.get(other.id, 0) for other in wish.versions if other.budget_key == version.budget_key
    )


def _member_caps(version: RuleVersion, wish: Wish) -> Iterator[tuple[MemberKey, Decimal]]:
    """The counters of a member by which the caps of a version hold, and how much at most."""
    for period, most in version.body.caps.per_member.said:
        start = period_start(period, wish.at, wish.program.zone)
        yield (version.budget_key, wish.membership_id, period, start), most


def _allowance(most: int, key: SliceKey) -> int:
    """What a slice has of a whole: all together have all of it."""
    each, more = divmod(most, CapCounter.SLICES)
    return each + (1 if key[1] < more else 0)


def _slice_of(membership_id: int) -> int:
    return membership_id % CapCounter.SLICES


def _locked(create: str, lock: str, columns: list[list[Any]]) -> list[tuple[Any, ...]]:
    run_prepared(create, columns)
    return run_prepared(lock, columns)
