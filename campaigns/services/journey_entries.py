"""Entering a journey: once for each occurrence, never twice at a time."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

from django.db.models import Max

from campaigns.journey_entrants import Wanted
from campaigns.models import Journey, Passage
from campaigns.selectors.journeys import InForce, for_whom
from loyalty.models import Membership

HELD_OUT = "held_out"


def is_held_out(journey: Journey, member: Membership, percent: int) -> bool:
    """The same for the same member and journey, whenever it is asked."""
    named = f"{journey.public_id}:{member.public_id}".encode()
    number = int.from_bytes(hashlib.sha256(named).digest()[:8], "big")
    return number % 100 < percent


def enter(found: InForce, wanted: Sequence[Wanted], now: dt.datetime) -> int:
    """Let in who may be; returns how many began, those kept aside included. What happened last
    stands last in `wanted`. A journey that has stopped meanwhile lets nobody in."""
    journey, definition = found.journey, found.definition
    live = Journey.objects.select_for_update(of=("self",), no_key=True).filter(
        pk=journey.pk, status=Journey.Status.LIVE
    )
    if not wanted or not live.exists() or not definition.steps:
        return 0
    by_member = _newest(journey, wanted)
    members = list(
        Membership.objects.filter(
            pk__in=_may_enter(found, set(by_member), now), program=journey.program_id,
            status=Membership.Status.ACTIVE,
        ).select_related("program", "customer").order_by("pk")
    )  # fmt: skip
    rows = [
        _passage(found, member, by_member[member.pk], now)
        for member in for_whom(definition.audience, members, now)
    ]
    return len(Passage.objects.bulk_create(rows, ignore_conflicts=True))


def _newest(journey: Journey, wanted: Sequence[Wanted]) -> dict[int, Wanted]:
    """By member, what happened last of what has not led them in yet."""
    rows = Passage.objects.filter(
        journey=journey, membership__in={item.membership_id for item in wanted}
    )
    known = set(rows.values_list("membership", "occurrence"))
    return {
        item.membership_id: item
        for item in wanted
        if (item.membership_id, item.occurrence) not in known
    }


def _may_enter(found: InForce, wanted: set[int], now: dt.datetime) -> set[int]:
    known = Passage.objects.filter(journey=found.journey, membership__in=wanted)
    inside = set(known.filter(state=Passage.State.ACTIVE).values_list("membership", flat=True))
    last = dict(known.values_list("membership").annotate(Max("entered_at")))
    again = found.definition.again
    return {
        pk
        for pk in wanted
        if pk not in inside
        and (pk not in last or (again is not None and last[pk] <= now - dt.timedelta(days=again)))
    }


def _passage(found: InForce, member: Membership, item: Wanted, now: dt.datetime) -> Passage:
    row = Passage(
        journey=found.journey, version=found.version, membership=member,
        occurrence=item.occurrence, day=item.day, entered_at=now,
    )  # fmt: skip
    if is_held_out(found.journey, member, found.definition.holdout):
        row.held_out, row.state, row.left_at, row.why = True, Passage.State.DONE, now, HELD_OUT
    else:
        row.state, row.step, row.due_at = Passage.State.ACTIVE, found.definition.steps[0].key, now
    return row
