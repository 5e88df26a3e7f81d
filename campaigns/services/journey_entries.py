"""Entering a journey: once for each occurrence, never twice at a time."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from campaigns.journey_entrants import Wanted
from campaigns.models import Journey, Passage
from campaigns.selectors.journeys import InForce, for_whom, version_in_force
from loyalty.models import Membership
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit

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
    if not wanted or not definition.steps:
        # As with most look-ups, of which there is one for each journey in every hour.
        return 0
    live = Journey.objects.select_for_update(of=("self",), no_key=True).filter(
        pk=journey.pk, status=Journey.Status.LIVE
    )
    if not live.exists():
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


@transaction.atomic
def lead_in(
    *, journey: Journey, member: Membership, actor: Actor, now: dt.datetime
) -> tuple[Passage, bool]:
    """Have a member begin a live journey now, whatever begins it otherwise; whoever is in it
    already stays where they are. Returns also whether they began now. Raises ConflictError where
    they may not: its condition does not hold, or they began it before and may not again."""
    found = version_in_force(journey)
    if journey.status != Journey.Status.LIVE or found is None:
        raise ConflictError(_("The journey is not live."), code="journey_state")
    if member.program_id != journey.program_id or member.status != Membership.Status.ACTIVE:
        message = _("This is no active member of the journey’s program.")
        raise DomainError(message, errors=[FieldError("membership", message)])
    inside = Passage.objects.filter(
        journey=journey, membership=member, state=Passage.State.ACTIVE
    ).select_related("membership").first()  # fmt: skip
    if inside is not None:
        return inside, False
    occurrence = f"asked:{now.isoformat()}"
    if not enter(found, [Wanted(member.pk, occurrence)], now):
        message = _("They may not begin: the condition does not hold, or they have begun before.")
        raise ConflictError(
            message, code="may_not_begin", errors=[FieldError("membership", message)]
        )
    record_audit(
        actor=actor, action="journey.led_in", target=journey,
        after={"membership": str(member.public_id)},
    )  # fmt: skip
    return Passage.objects.select_related("membership").get(
        journey=journey, membership=member, occurrence=occurrence
    ), True


@transaction.atomic
def take_out(*, journey: Journey, member: Membership, actor: Actor, now: dt.datetime) -> bool:
    """Have a member leave; what they were told and given stays. Returns whether they were in it."""
    inside = Passage.objects.filter(
        journey=journey, membership=member, state=Passage.State.ACTIVE
    ).select_for_update()  # fmt: skip
    row = inside.first()
    if row is None:
        return False
    row.state, row.due_at, row.left_at, row.why = Passage.State.DONE, None, now, "taken_out"
    row.save(update_fields=["state", "due_at", "left_at", "why"])
    record_audit(
        actor=actor, action="journey.taken_out", target=journey,
        after={"membership": str(member.public_id)},
    )  # fmt: skip
    return True


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
