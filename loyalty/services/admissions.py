"""Members who come with their orders: those whom a launch admits, and those who asked to join."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping

from loyalty.models import Candidate, Membership
from loyalty.selectors.admissions import admissions
from loyalty.services.memberships import enroll_many, take_part_again
from loyalty.services.waiting import put_on_waiting_list


def enroll_admitted(*, program_id: int, enrolled: Mapping[int, dt.datetime], source: str) -> bool:
    """Enroll those whom an order makes members at their moment (key → member since). Whoever had
    waited comes by the way on which they had asked. Whether there was anybody."""
    found = admissions(program_id=program_id, moments=enrolled)
    ways: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for customer_id, admission in found.items():
        if admission.joins_with_order:
            waited = admission.state == Candidate.State.WAITING
            way = (admission.source, admission.detail) if waited else (source, "")
            ways[way].append(customer_id)
    for (by, detail), people in ways.items():
        enroll_many(
            program_id=program_id,
            enrolled={pk: enrolled[pk] for pk in people},
            source=by,
            detail=detail,
            earns_from={pk: found[pk].since for pk in people},
        )
    return bool(ways)


def join_at_checkout(*, program_id: int, joining: Mapping[int, dt.datetime]) -> bool:
    """Enroll those who asked to with an order, as of that order; whom the launch does not admit yet
    waits. Whether there is anybody new."""
    found = admissions(program_id=program_id, moments=joining)
    now_in = {pk: at for pk, at in joining.items() if found[pk].may_join}
    again = take_part_again(program_id=program_id, since=now_in)
    enroll_many(
        program_id=program_id,
        enrolled={pk: at for pk, at in now_in.items() if pk not in again},
        source=Membership.Source.CHECKOUT,
        earns_from=now_in,
    )
    put_on_waiting_list(
        program_id=program_id,
        since={pk: at for pk, at in joining.items() if pk not in now_in},
        source=Membership.Source.CHECKOUT,
    )
    return bool(now_in)
