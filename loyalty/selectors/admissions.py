"""Who may become a member at a moment: what a program's launch, and the customer's own answer to
an invitation, say about it. Nothing has to run when a phase begins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from loyalty.models import Candidate
from members.prepared import run_prepared


@dataclass(frozen=True, slots=True)
class Admission:
    """One customer at one moment. `admitted`: the phase in force takes them in; `since`: from when
    on the launch does, None where there is none. `source`, `detail`: how they came to be a
    candidate, if they are one."""

    admitted: bool
    since: dt.datetime | None = None
    state: str = ""
    source: str = ""
    detail: str = ""
    invitation_open: bool = False

    @property
    def may_join(self) -> bool:
        """Whether they may, if they want to."""
        return self.admitted or self.invitation_open

    @property
    def joins_with_order(self) -> bool:
        """Whether an order alone makes them a member: not while they are asked, and not after they
        said no."""
        asked = self.invitation_open or self.state == Candidate.State.DECLINED
        return self.admitted and not asked


_ADMISSIONS = """
    SELECT x.customer_id,
           l.id IS NULL
             OR NOT EXISTS (SELECT FROM loyalty_launchphase f WHERE f.launch_id = l.id)
             OR coalesce(p.kind = 'everyone' OR s.position <= p.position, false),
           (SELECT min(f.starts_at) FROM loyalty_launchphase f
             WHERE f.launch_id = l.id AND (f.kind = 'everyone' OR f.position >= s.position)),
           coalesce(c.state, ''), coalesce(c.source, ''), coalesce(c.source_detail, ''),
           coalesce(c.state = 'invited' AND c.expires_at > x.at, false)
      FROM unnest(%(people)s::bigint[], %(moments)s::timestamptz[]) AS x(customer_id, at)
      LEFT JOIN loyalty_launch l ON l.program_id = %(program)s
      LEFT JOIN LATERAL (
           SELECT f.position, f.kind FROM loyalty_launchphase f
            WHERE f.launch_id = l.id AND f.starts_at <= x.at
              AND (l.stopped_at IS NULL OR f.starts_at < l.stopped_at)
            ORDER BY f.position DESC LIMIT 1) p ON true
      LEFT JOIN loyalty_launchplace s
             ON s.launch_id = l.id AND s.customer_id = x.customer_id
      LEFT JOIN loyalty_candidate c
             ON c.program_id = %(program)s AND c.customer_id = x.customer_id
"""


def admissions(*, program_id: int, moments: Mapping[int, dt.datetime]) -> dict[int, Admission]:
    """For each customer (key → moment) whether they may join then; one query."""
    if not moments:
        return {}
    rows = run_prepared(
        _ADMISSIONS,
        {"program": program_id, "people": list(moments), "moments": list(moments.values())},
    )
    return {row[0]: Admission(*row[1:]) for row in rows}
