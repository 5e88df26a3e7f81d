"""Reviewing tiers many at a time: members for whom nothing but time has passed, and who stand
alike, are judged once and written together.

The judgment is that of any single member; SQL only writes it down. All others are gone through one
by one (see `loyalty.services.member_tiers`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import connection, transaction

from loyalty.rules.calendar import add_months
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.selectors.tier_checkpoints import basis_of
from loyalty.services.tier_changes import CHANGED
from loyalty.services.tier_rows import row_values
from loyalty.tiers.facts import Why
from loyalty.tiers.ladders import Ladder
from loyalty.tiers.progress import Standing, standing
from loyalty.tiers.states import Change, Checkpoint, State
from loyalty.tiers.windows import begins

PIECE = 20_000
TEN_YEARS = 120

# How those who are due stand, with their rows locked in the order in which everybody locks them.
_CLASSES = """
    WITH due AS MATERIALIZED (
        SELECT membership_id, tier_id, total, turn, due, landing FROM loyalty_membertier
         WHERE by_clock AND changes_at <= %(now)s AND membership_id > %(after)s
           AND tier_id = ANY(%(tiers)s)
         ORDER BY membership_id LIMIT %(piece)s FOR NO KEY UPDATE)
    SELECT tier_id, greatest(width_bucket(total, %(thresholds)s::numeric[]) - 1, 0), turn, due,
           landing, count(*), max(membership_id)
      FROM due GROUP BY 1, 2, 3, 4, 5
"""
_COLUMNS = {
    "was_tier": "bigint", "was_level": "int", "was_turn": "timestamptz", "was_due": "timestamptz",
    "was_landing": "smallint",
    "tier": "bigint", "since": "timestamptz", "lost_at": "timestamptz", "falls_to": "bigint",
    "changes_at": "timestamptz", "by_clock": "boolean", "turn": "timestamptz",
    "due": "timestamptz", "landing": "smallint",
    "emptied": "boolean", "was": "text", "became": "text", "why": "text",
}  # fmt: skip
_WRITE = """
    WITH judged AS (SELECT * FROM unnest({types}) AS j ({names})),
    written AS (
        UPDATE loyalty_membertier r
           SET tier_id = j.tier, since = coalesce(j.since, r.since),
               total = CASE WHEN j.emptied THEN 0 ELSE r.total END,
               lost_at = j.lost_at, falls_to_id = j.falls_to, changes_at = j.changes_at,
               by_clock = j.by_clock, turn = j.turn, due = j.due, landing = j.landing
          FROM judged j
         WHERE r.membership_id > %(after)s AND r.membership_id <= %(last)s
           AND r.by_clock AND r.changes_at <= %(now)s AND r.tier_id = j.was_tier
           AND greatest(width_bucket(r.total, %(thresholds)s::numeric[]) - 1, 0) = j.was_level
           AND r.turn = j.was_turn AND r.due IS NOT DISTINCT FROM j.was_due
           AND r.landing = j.was_landing
        RETURNING r.membership_id, j.was, j.became, j.since, j.why),
    changed AS (
        INSERT INTO loyalty_tierchange (membership_id, was, became, at, why, recorded_at)
        SELECT membership_id, was, became, since, why, %(now)s FROM written WHERE was <> became
         ORDER BY membership_id
        RETURNING id, membership_id, was, became, at, why)
    INSERT INTO members_outboxevent
           (kind, payload, created_at, available_at, attempts, last_error)
    SELECT %(kind)s, jsonb_build_object(
               'change', id, 'membership', membership_id, 'program', %(program)s::bigint,
               'from', was, 'to', became, 'reason', why,
               'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS+00:00')),
           now(), now(), 0, ''
      FROM changed ORDER BY id
""".format(
    names=", ".join(_COLUMNS),
    types=", ".join(f"%({name})s::{kind}[]" for name, kind in _COLUMNS.items()),
)


@dataclass(frozen=True, slots=True)
class Class:
    """Members who stand alike: in this tier, with a total that would reach that level."""

    tier: int
    level: int
    turn: dt.datetime
    due: dt.datetime | None
    landing: int


@transaction.atomic
def review_alike(program: ProgramTerms, *, now: dt.datetime, after: int = 0) -> tuple[int, int]:
    """The next members of a program whom time alone has brought to a review: how many, and up to
    which. None are left when there are none."""
    ladder = program.tiers.at(now) if program.tiers else None
    if program.tiers is None or ladder is not program.tiers.ladders[-1]:
        return 0, after
    values: dict[str, Any] = {
        "now": now, "after": after, "piece": PIECE,
        "tiers": [program.tiers.ids[ladder.id, level.code] for level in ladder.levels],
        "thresholds": [level.threshold for level in ladder.levels],
        "kind": CHANGED, "program": program.id,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CLASSES, values)
        found = cursor.fetchall()
        if not found:
            return 0, after
        known = _judgments(program.id, basis_of(program), program.tiers.next_wording(now), now)
        rows = []
        for row in found:
            alike = Class(*row[:5])
            if alike not in known:
                known[alike] = _judged(program, ladder, alike, now)
            rows.append(known[alike])
        values["last"] = max(row[6] for row in found)
        values |= dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        cursor.execute(_WRITE, values)
    return sum(row[5] for row in found), values["last"]


@lru_cache(maxsize=4)
def _judgments(
    program_id: int, basis: str, next_wording: dt.datetime | None, now: dt.datetime
) -> dict[Class, tuple[object, ...]]:
    """What has become of classes so far: many pieces of one review have the same ones."""
    return {}


def _judged(
    program: ProgramTerms, ladder: Ladder, known: Class, now: dt.datetime
) -> tuple[object, ...]:
    """What becomes of a class: the columns of `_COLUMNS`."""
    assert program.tiers is not None
    ids = [program.tiers.ids[ladder.id, level.code] for level in ladder.levels]
    rank = ids.index(known.tier)
    stands, began = _standing(program, ladder, known, rank, now)
    tier, since, _total, *rest = row_values(program, stands)
    changed = since != began
    return (
        known.tier, known.level, known.turn, known.due, known.landing,
        tier, since if changed else None, *rest,
        stands.state.turn != known.turn, ladder.levels[rank].code, stands.tier,
        stands.span.why.kind,
    )  # fmt: skip


def _standing(
    program: ProgramTerms, ladder: Ladder, known: Class, rank: int, now: dt.datetime
) -> tuple[Standing, dt.datetime]:
    """Where one of them stands now, as if they had joined on such a day years ago."""
    total = ladder.levels[known.level].threshold
    state = State(0, rank, total, known.turn, known.due, known.landing)
    day = known.turn.astimezone(program.zone).date()
    began = begins(add_months(day, -TEN_YEARS), program.zone)
    after = Checkpoint(
        at=began, joined_at=began, began=began, tiers_since=began, state=state,
        changes=(Change(began, 0, rank, Why("joined"), Decimal(0)),),
    )  # fmt: skip
    stands = standing((ladder,), (), joined_at=began, at=now, zone=program.zone, after=after)
    assert stands is not None
    return stands, began


def programs_with_periods(programs: Sequence[ProgramTerms]) -> list[ProgramTerms]:
    """Those in which members may stand alike, in a certain order."""
    found = [program for program in programs if program.tiers is not None]
    return sorted(
        (program for program in found if program.tiers and program.tiers.ladders[-1].periodic),
        key=lambda program: program.id,
    )
