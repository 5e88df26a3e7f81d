"""Who enters a journey: whom an event tells of, and who is looked for every hour."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.journey_entrants import Wanted
from campaigns.journey_triggers import TRIGGERS
from campaigns.news import FRESH
from campaigns.selectors.due_members import PAGE, Place
from campaigns.selectors.journey_starts import LOOK_UPS, Window
from campaigns.selectors.journeys import InForce, live_journeys
from campaigns.selectors.near_tiers import nearly_there
from campaigns.services.journey_dues import note_due
from campaigns.services.journey_entries import enter
from campaigns.services.told_members import rises
from loyalty.models import Membership, Order, Program, TierChange
from members.formatting import format_number
from members.jobs import Work
from members.models import Job, OutboxEvent
from members.prepared import run_prepared
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import is_lost_race

logger = logging.getLogger(__name__)

KIND = "journey_starts"
EVERY = dt.timedelta(minutes=50)
# What was under way while it was looked last is seen the next time; nothing leads in twice.
OVERLAP = dt.timedelta(minutes=5)
_LOOKED = "UPDATE campaigns_journey SET looked_until = %s WHERE id = ANY(%s::bigint[])"
LetIn = Callable[[InForce, Callable[[], list[Wanted]], dt.datetime], int | None]


def follow_joined(events: Sequence[OutboxEvent]) -> None:
    """Whoever has just joined by themselves; nobody who came with a file of the past."""
    named = {pk for event in events for pk in event.payload.get("memberships") or ()}
    now = timezone.now()
    for found in live_journeys("joined"):
        rows = Membership.objects.filter(
            pk__in=named, program=found.journey.program_id, enrolled_at__gt=now - FRESH,
            created_at__gte=found.journey.since,
        ).exclude(source=Membership.Source.IMPORT)  # fmt: skip
        _let_in(found, partial(_joined, rows), now)


def follow_orders(events: Sequence[OutboxEvent]) -> None:
    """The buyers of orders that were just recorded."""
    customers = {pk for event in events for pk in event.payload["customers"]}
    now = timezone.now()
    for found in live_journeys("order"):
        rows = Order.objects.filter(
            customer__in=customers, placed_at__gt=now - FRESH,
            recorded_at__gte=found.journey.since,
            customer__memberships__program=found.journey.program_id,
        ).exclude(status__in=Order.VOID)  # fmt: skip
        pairs = rows.order_by("pk").values_list("customer__memberships", "pk")
        _let_in(found, partial(_each, "order", pairs), now)


def follow_tiers(events: Sequence[OutboxEvent]) -> None:
    """Who has a higher tier now, if it is still theirs."""
    named = {event.payload["change"] for event in events}
    now = timezone.now()
    for found in live_journeys("tier_up"):
        rows = TierChange.objects.filter(
            pk__in=named, recorded_at__gte=found.journey.since,
            membership__program=found.journey.program_id,
        )  # fmt: skip
        _let_in(found, partial(_risen, rows, now), now)


def follow_near_tiers(events: Sequence[OutboxEvent]) -> None:
    """Of those whose orders changed: who has come to so many percent of what the next tier asks."""
    customers = {pk for event in events for pk in event.payload["customers"]}
    now = timezone.now()
    for found in live_journeys("near_tier"):
        _let_in(found, partial(nearly_there, found, customers, now), now)


def follow_near_after_changes(events: Sequence[OutboxEvent]) -> None:
    """Of those whose tier changed, as at the end of a window: who is nearly at the next one."""
    named = {event.payload["change"] for event in events}
    now = timezone.now()
    for found in live_journeys("near_tier"):
        changed = TierChange.objects.filter(
            pk__in=named, recorded_at__gte=found.journey.since,
            membership__program=found.journey.program_id,
        )  # fmt: skip
        customers = set(changed.values_list("membership__customer", flat=True))
        _let_in(found, partial(nearly_there, found, customers, now), now)


def find_starts(now: dt.datetime) -> Work | None:
    """Journeys whose members were not looked for within the hour."""
    if not _due(now):
        return None
    return Work(_("Who begins a journey"), params={"now": now.isoformat()})


def run_starts(job_id: int) -> Job | None:
    """Look for all of them; None when another run has it."""
    return run_in_chunks(job_id, _look_piece)


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
    """The next page of who is due for the journeys that were not looked for."""
    now = dt.datetime.fromisoformat(job.params["now"])
    journey, place = job.checkpoint.get("journey", 0), job.checkpoint.get("place")
    due = [item for item in _due(now) if item.journey.pk >= journey]
    if not due:
        return None
    looked = look_for(due, now, place if due[0].journey.pk == journey else None)
    return Step(
        checkpoint={"journey": looked.journey, "place": looked.place}, done=job.done + 1,
        result={"began": job.result.get("began", 0) + looked.began},
    )  # fmt: skip


@dataclass(slots=True)
class Looked:
    """How many began, and with which journey it goes on, from which place in it."""

    began: int = 0
    journey: int = 0
    place: Place | None = None
    done: list[int] = field(default_factory=list)


def look_for(due: Sequence[InForce], now: dt.datetime, place: Place | None = None) -> Looked:
    """Look for those who are due for one of these journeys after the other, for the first from a
    place on, until a page of members has begun. One that cannot be handled is looked for again
    later, from the same time on."""
    try:
        with transaction.atomic():
            looked = _look_through(due, now, place, _let_in_all)
    except OperationalError as error:
        if is_lost_race(error) or len(due) == 1:
            raise
        # One that the database gives up on does not hold up those before it.
        looked = _look_through(due[:1], now, place, _let_in)
    except Exception:
        # Which of them it is is found out one by one.
        looked = _look_through(due, now, place, _let_in)
    if looked.done:
        run_prepared(_LOOKED, [now, looked.done])
    return looked


def _look_through(
    due: Sequence[InForce], now: dt.datetime, place: Place | None, let_in: LetIn
) -> Looked:
    looked = Looked()
    for found in due:
        page = _look(found, now, place, let_in)
        place = None
        looked.began += page[0] if page else 0
        looked.journey = found.journey.pk
        if page and page[1] is not None:
            looked.place = page[1]
            return looked
        if page:
            looked.done.append(found.journey.pk)
        looked.journey += 1
        if looked.began >= PAGE:
            break
    return looked


def _look(
    found: InForce, now: dt.datetime, place: Place | None, let_in: LetIn
) -> tuple[int, Place | None] | None:
    """How many began, and where it goes on, None: that was the last page."""
    journey = found.journey
    if journey.program.status != Program.Status.LIVE or journey.since is None:
        return 0, None
    looked = journey.looked_until - OVERLAP if journey.looked_until else journey.since
    first = max(looked, journey.since, now - FRESH)
    ahead: Place | None = None

    def whom() -> list[Wanted]:
        nonlocal ahead
        if journey.trigger == "overdue" and place is None:
            note_due(found, first, now)
        window = Window(journey, found.definition.start, first, now, place)
        wanted, ahead = LOOK_UPS[journey.trigger](window)
        return wanted

    entered = let_in(found, whom, now)
    return None if entered is None else (entered, ahead)


def _joined(rows: QuerySet[Membership]) -> list[Wanted]:
    return [Wanted(pk, "joined") for pk in rows.values_list("pk", flat=True)]


def _risen(rows: QuerySet[TierChange], now: dt.datetime) -> list[Wanted]:
    return [Wanted(change.membership_id, f"change:{change.pk}") for change in rises(rows, now)]


def _each(kind: str, pairs: Iterable[tuple[int, int]]) -> list[Wanted]:
    return [Wanted(member, f"{kind}:{pk}") for member, pk in pairs]


def _let_in_all(found: InForce, whom: Callable[[], list[Wanted]], now: dt.datetime) -> int:
    """One after the other in one transaction: mostly there is nobody."""
    return enter(found, whom(), now)


def _let_in(found: InForce, whom: Callable[[], list[Wanted]], now: dt.datetime) -> int | None:
    """How many began it. None: it cannot be handled, which holds up no other, nor what else follows
    the event."""
    try:
        with transaction.atomic():
            return enter(found, whom(), now)
    except OperationalError:
        # Somebody else was in the way, or the database was: all of it is tried again.
        raise
    except Exception as error:
        logger.error("journey %s lets nobody in: %s", found.journey.public_id, type(error).__name__)
        return None
