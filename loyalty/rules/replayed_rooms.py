"""What caps leave an order that is judged again in a replay, as counters in the database do it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from loyalty.rules.caps import Room
from loyalty.rules.engine import Award, RuleVersion


def given_together(capped: Iterable[RuleVersion], given: Mapping[int, int]) -> dict[int, int]:
    """What an order has been given under the caps of each version, by those that share them too."""
    versions = tuple(capped)
    sums: dict[int, int] = {}
    for version in versions:
        units = given.get(version.id, 0)
        sums[version.budget_key] = sums.get(version.budget_key, 0) + units
    return {version.id: sums[version.budget_key] for version in versions}


def remembered(rooms: Mapping[int, Room], awards: Iterable[Award]) -> dict[int, Room]:
    """The room to judge a return by: a budget that did not decide is not remembered."""
    short = {pk for award in awards for pk in _decided_by_budget(award)}
    return {pk: room if pk in short else room.of_member() for pk, room in rooms.items()}


def _decided_by_budget(award: Award) -> Iterator[int]:
    if award.says("capped_budget") or award.says("capped_money"):
        yield award.version.id


def with_what_it_has(room: Room, units: int, known: Room | None) -> Room:
    room = room.with_units(units)
    return room if known is None else room.at_most(known)
