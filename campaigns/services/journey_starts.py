"""Who enters a journey: whom an event tells of, and who is looked for every hour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.journey_entrants import Wanted
from campaigns.journey_triggers import TRIGGERS
from campaigns.models import Journey
from campaigns.selectors.journey_starts import LOOK_UPS, Window
from campaigns.selectors.journeys import InForce, live_journeys
from campaigns.services.journey_entries import enter
from loyalty.models import Membership, Order, Program, TierChange
from members.formatting import format_number
from members.jobs import Work
from members.models import Job, OutboxEvent
from members.services.job_runs import Step, run_in_chunks

KIND = "journey_starts"
PIECE = 5_000
EVERY = dt.timedelta(minutes=50)
# What happened longer ago leads nobody into a journey any more.
FRESH = dt.timedelta(days=3)
_HIGHER = ("reached", "manual", "review", "dropped_out")


def follow_joined(events: Sequence[OutboxEvent]) -> None:
    """Whoever has just joined by themselves; nobody who came with a file of the past."""
    named = {pk for event in events for pk in event.payload.get("memberships") or ()}
    now = timezone.now()
    for found in live_journeys("joined"):
        rows = Membership.objects.filter(
            pk__in=named, program=found.journey.program_id, enrolled_at__gt=now - FRESH,
            created_at__gte=found.journey.since,
        ).exclude(source=Membership.Source.IMPORT)  # fmt: skip
        enter(found, [Wanted(pk, "joined") for pk in rows.values_list("pk", flat=True)], now)


def follow_orders(events: Sequence[OutboxEvent]) -> None:
    """The buyers of orders that were just recorded."""
    customers = {pk for event in events for pk in event.payload["customers"]}
    now = timezone.now()
    for found in live_journeys("order"):
        rows = Order.objects.filter(
            customer__in=customers, placed_at__gt=now - FRESH,
            recorded_at__gte=found.journey.since,
            customer__memberships__program=found.journey.program_id,
        ).exclude(status__in=[Order.Status.CANCELLED, Order.Status.REFUNDED])  # fmt: skip
        pairs = rows.order_by("pk").values_list("customer__memberships", "pk")
        enter(found, [Wanted(member, f"order:{pk}") for member, pk in pairs], now)


def follow_tiers(events: Sequence[OutboxEvent]) -> None:
    """Who has a higher tier now; the message looks whether it is still theirs."""
    named = {event.payload["change"] for event in events}
    now = timezone.now()
    for found in live_journeys("tier_up"):
        rows = TierChange.objects.filter(
            pk__in=named, why__in=_HIGHER, recorded_at__gte=found.journey.since,
            membership__program=found.journey.program_id,
        )  # fmt: skip
        pairs = rows.order_by("pk").values_list("membership", "pk")
        enter(found, [Wanted(member, f"change:{pk}") for member, pk in pairs], now)


def find_starts(now: dt.datetime) -> Work | None:
    """Journeys whose members were not looked for within the hour."""
    if not _due(now):
        return None
    return Work(_("Who begins a journey"), params={"now": now.isoformat()})


def run_starts(job_id: int) -> Job | None:
    """Look for all of them; None when another run has it."""
    return run_in_chunks(job_id, _look_piece)


def start_journeys(now: dt.datetime) -> int:
    """Look for all of them at once. Returns how many began one."""
    began, last = 0, _last_membership()
    for found in _due(now):
        began += sum(_look(found, now, after) for after in range(0, last, PIECE))
        _looked(found.journey, now)
    return began


def start_words(job: Job) -> str:
    began = job.result.get("began", 0)
    words = ngettext("%s member began a journey.", "%s members began a journey.", began)
    return words % format_number(began)


def _due(now: dt.datetime) -> list[InForce]:
    looked_for = [code for code, trigger in TRIGGERS.items() if not trigger.by_event]
    return [
        found
        for found in live_journeys(*looked_for)
        if found.journey.looked_until is None or found.journey.looked_until <= now - EVERY
    ]


def _look_piece(job: Job) -> Step | None:
    """The next piece of the members of the first journey that is due."""
    now = dt.datetime.fromisoformat(job.params["now"])
    journey, after = job.checkpoint.get("journey", 0), job.checkpoint.get("after", 0)
    found = next((item for item in _due(now) if item.journey.pk >= journey), None)
    if found is None:
        return None
    after = after if found.journey.pk == journey else 0
    began = job.result.get("began", 0) + _look(found, now, after)
    ahead = {"journey": found.journey.pk, "after": after + PIECE}
    if after + PIECE >= _last_membership():
        _looked(found.journey, now)
        ahead = {"journey": found.journey.pk + 1, "after": 0}
    return Step(checkpoint=ahead, done=job.done + 1, result={"began": began})


def _look(found: InForce, now: dt.datetime, after: int) -> int:
    journey = found.journey
    if journey.program.status != Program.Status.LIVE or journey.since is None:
        return 0
    first = max(journey.looked_until or journey.since, now - FRESH)
    window = Window(journey, found.definition.start, first, now, after, after + PIECE)
    with transaction.atomic():
        return enter(found, LOOK_UPS[journey.trigger](window), now)


def _looked(journey: Journey, now: dt.datetime) -> None:
    Journey.objects.filter(pk=journey.pk).update(looked_until=now)


def _last_membership() -> int:
    return int(Membership.objects.aggregate(last=Max("pk", default=0))["last"])
