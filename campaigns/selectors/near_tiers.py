"""Who is nearly at the next tier of their program."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from campaigns.journey_entrants import Wanted
from campaigns.selectors.journeys import InForce
from loyalty.models import Membership
from loyalty.selectors.member_tiers import standings, tiered_program


def nearly_there(found: InForce, customers: Iterable[int], now: dt.datetime) -> list[Wanted]:
    """Of these customers. Once for each tier that is ahead, and each time that they have theirs
    anew. A constant number of queries."""
    program = tiered_program(found.journey.program_id)
    members = list(
        Membership.objects.filter(
            customer__in=list(customers), program=found.journey.program_id,
            status=Membership.Status.ACTIVE,
        )
    )  # fmt: skip
    if program is None:
        return []
    share, wanted = found.definition.start.share, []
    for pk, stands in standings(program, members, at=now).items():
        if stands.next is None or stands.total <= 0:
            continue
        asked = stands.total + stands.next.missing
        if stands.total * 100 >= asked * share:
            since = stands.span.since.date().isoformat()
            wanted.append(Wanted(pk, f"near:{stands.next.tier}:{since}"))
    return wanted
