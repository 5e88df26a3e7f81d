"""What the row of a member says of where they stand."""

from __future__ import annotations

from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.tiers.progress import Standing


def row_values(program: ProgramTerms, stands: Standing) -> tuple[object, ...]:
    """In the order of its columns, without whose it is."""
    terms, state = program.tiers, stands.state
    assert terms is not None
    lost = stands.lost
    falls_to = None
    if lost is not None:
        then = terms.at(lost.at) or stands.ladder
        falls_to = terms.ids[then.id, lost.tier]
    turns = [at for at in (stands.changes_at, terms.next_wording(stands.at)) if at is not None]
    ahead = (state.turn, state.due, state.landing if state.due else 0)
    return (
        terms.ids[stands.ladder.id, stands.tier], stands.span.since, stands.total,
        lost.at if lost else None, falls_to, min(turns, default=None),
        stands.by_clock, *(ahead if stands.by_clock else (None, None, 0)),
    )  # fmt: skip
