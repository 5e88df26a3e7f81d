"""Saying once that a member has another tier: a row for people, an event for whoever follows up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from loyalty.models import TierChange
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.tiers.progress import Standing
from members.prepared import run_prepared
from members.services.outbox import record_events

# Its payload is that of `payload_of`: who, from which tier to which, since when and why.
CHANGED = "tier.changed"
_SAID = """
    SELECT membership_id, became FROM loyalty_tierchange WHERE membership_id = ANY(%s::bigint[])
     ORDER BY recorded_at, id
"""


def tell_changes(
    program: ProgramTerms,
    found: Mapping[int, Standing],
    said: Mapping[int, str],
    *,
    now: dt.datetime,
) -> None:
    """Whose tier is another than was last said of them. `said`: by membership, read under the lock
    of their rows; so however often and in whatever order things are told, each change is said
    once."""
    unsaid = found.keys() - said.keys()
    last = {**_last_said(unsaid), **said} if unsaid else said
    changed = []
    for pk, stands in sorted(found.items()):
        was = last.get(pk) or _first(program)
        if was != stands.tier:
            changed.append(_change(pk, was, stands, now))
    if changed:
        TierChange.objects.bulk_create(changed)
        record_events(CHANGED, [payload_of(program, change) for change in changed])


def payload_of(program: ProgramTerms, change: TierChange) -> dict[str, object]:
    return {
        "change": change.pk,
        "membership": change.membership_id,
        "program": program.id,
        "from": change.was,
        "to": change.became,
        "reason": change.why,
        "at": change.at.isoformat(),
    }


def _change(pk: int, was: str, stands: Standing, now: dt.datetime) -> TierChange:
    span = stands.span
    return TierChange(
        membership_id=pk, was=was, became=stands.tier, at=span.since, why=span.why.kind,
        why_key=span.why.key, recorded_at=now,
    )  # fmt: skip


def _last_said(memberships: Iterable[int]) -> dict[int, str]:
    """Of members without a row: who was merged away and is there again."""
    return dict(run_prepared(_SAID, [list(memberships)]))


def _first(program: ProgramTerms) -> str:
    assert program.tiers is not None
    return program.tiers.ladders[0].levels[0].code
