"""What members' earlier facts came to, and the facts since: what a tier is worked out from without
reading a whole history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from loyalty.models import Membership, TierCheckpoint
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.selectors.tier_facts import tier_facts
from loyalty.tiers.checkpoints import reaches_back
from loyalty.tiers.facts import Fact, Why
from loyalty.tiers.states import Change, Checkpoint, State
from members.prepared import KeptQuery
from members.read_once import read_once


@dataclass(frozen=True, slots=True)
class Known:
    """A member's facts: all of them, or those that come `after` a checkpoint."""

    facts: Sequence[Fact] = ()
    after: Checkpoint | None = None


NOTHING = Known()
_KEPT: KeptQuery[TierCheckpoint] = KeptQuery(
    lambda basis, members: TierCheckpoint.objects.filter(basis=basis, pk__among=members)
)


def known_facts(
    program: ProgramTerms, members: Sequence[Membership], *, at: Mapping[int, dt.datetime]
) -> dict[int, Known]:
    """By membership, so that a tier can be worked out `at` its instant and at any later one."""

    def find() -> dict[int, Known]:
        return _known_facts(program, members, at)

    assert program.tiers is not None
    if not all(ladder.id for ladder in program.tiers.ladders):
        return find()  # of a draft, which may ask for other facts the next time
    asked = tuple((member.pk, member.enrolled_at, at[member.pk]) for member in members)
    return read_once(("tier facts", basis_of(program), asked), find)


def _known_facts(
    program: ProgramTerms, members: Sequence[Membership], at: Mapping[int, dt.datetime]
) -> dict[int, Known]:
    found = _checkpoints(program, members, at)
    ids = [member.pk for member in members]
    facts = tier_facts(program, ids, {pk: after.at for pk, after in found.items()})
    assert program.tiers is not None
    last = program.tiers.ladders[-1]
    anew = [pk for pk in found if reaches_back(last, facts.get(pk, ()))]
    if anew:
        whole = tier_facts(program, anew)
        for pk in anew:
            del found[pk]
            facts[pk] = whole.get(pk, [])
    return {pk: Known(facts.get(pk, ()), found.get(pk)) for pk in ids}


def basis_of(program: ProgramTerms) -> str:
    """What a checkpoint was worked out by, besides facts."""
    assert program.tiers is not None
    sets = ",".join(str(ladder.id) for ladder in program.tiers.ladders)
    return f"{sets} {program.zone.key} {program.currency}"


def _checkpoints(
    program: ProgramTerms, members: Sequence[Membership], at: Mapping[int, dt.datetime]
) -> dict[int, Checkpoint]:
    """Those that hold for the instants that are asked for."""
    basis, enrolled = basis_of(program), {member.pk: member.enrolled_at for member in members}
    assert program.tiers is not None
    place = len(program.tiers.ladders) - 1
    return {
        row.pk: checkpoint_of(row, place)
        for row in _KEPT.rows(basis, list(enrolled))
        if row.joined_at == enrolled[row.pk] and row.at <= at[row.pk]
    }


def checkpoint_of(row: TierCheckpoint, place: int) -> Checkpoint:
    """`place`: of the last wording, among all of them."""
    return Checkpoint(
        at=row.at,
        joined_at=row.joined_at,
        began=row.began,
        tiers_since=row.tiers_since,
        state=State(place, row.rank, row.total, row.turn, row.due, row.landing, row.held, row.anew),
        changes=tuple(_change(said) for said in row.changes),
        carried={
            dt.date.fromisoformat(day): Decimal(amount) for day, amount in row.carried.items()
        },
    )


def row_of(membership_id: int, program: ProgramTerms, found: Checkpoint) -> TierCheckpoint:
    """As it is kept."""
    assert program.tiers is not None
    state = found.state
    return TierCheckpoint(
        membership_id=membership_id,
        basis=basis_of(program),
        counts_units=program.tiers.ladders[-1].metric == "units",
        at=found.at,
        joined_at=found.joined_at,
        began=found.began,
        tiers_since=found.tiers_since,
        rank=state.rank,
        total=state.total,
        turn=state.turn,
        due=state.due,
        landing=state.landing,
        held=state.held,
        anew=state.anew,
        carried={day.isoformat(): str(amount) for day, amount in sorted(found.carried.items())},
        changes=[_said(change) for change in found.changes],
    )


def _said(change: Change) -> list[Any]:
    why = change.why
    return [
        change.at.isoformat(), change.place, change.rank, why.kind, why.key, str(change.total)
    ]  # fmt: skip


def _change(said: Sequence[Any]) -> Change:
    at, place, rank, kind, key, total = said
    return Change(dt.datetime.fromisoformat(at), place, rank, Why(kind, key), Decimal(total))
