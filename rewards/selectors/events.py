"""Events, who comes, and who waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from loyalty.models import Membership, Program
from loyalty.selectors.selves import selves
from members.errors import NotFoundError
from rewards.event_definitions import OF_REWARD, OWN, EventDefinition
from rewards.models import Event, EventWait, Redemption
from rewards.selectors.redemptions import redemptions
from rewards.selectors.rewards import definition_of

Status = Redemption.Status
BOOKED = (Status.RESERVED, Status.ISSUED, Status.USED)


def events() -> QuerySet[Event]:
    return Event.objects.select_related(
        "reward__program", "reward__wallet_type", "reward__voucher_pool"
    ).prefetch_related("reward__tier_prices")


def get_event(public_id: UUID | str) -> Event:
    """Raises NotFoundError."""
    found = events().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such event.")
    return found


def events_of(program: Program) -> QuerySet[Event]:
    """Soonest first, with how many came and how many wait."""
    taken = "reward__redemptions"
    return (
        events()
        .filter(reward__program=program)
        .annotate(
            came=Count(taken, filter=Q(**{f"{taken}__status": Status.USED}), distinct=True),
            waiting=Count("waits", filter=Q(waits__status__in=EventWait.OPEN), distinct=True),
        )
        .order_by("starts_at", "pk")
    )


def coming(program: Program, now: dt.datetime) -> QuerySet[Event]:
    """What members of a program may see: live, and not over."""
    return events().filter(
        reward__program=program, reward__status="live", status=Event.Status.PLANNED,
        ends_at__gt=now,
    )  # fmt: skip


def bookings(*found: Event) -> QuerySet[Redemption]:
    """Who has booked, by name."""
    return (
        redemptions()
        .filter(reward__in=[event.reward_id for event in found])
        .filter(Q(status__in=BOOKED) | Q(status=Status.EXPIRED, issued_at__isnull=False))
    )


def bookings_of(members: Sequence[Membership], *found: Event) -> QuerySet[Redemption]:
    return bookings(*found).filter(membership__in=selves(members))


def waits() -> QuerySet[EventWait]:
    return EventWait.objects.select_related(
        "event__reward__program", "event__reward__wallet_type", "membership__customer",
        "membership__program", "redemption",
    )  # fmt: skip


def get_wait(public_id: UUID | str) -> EventWait:
    """Raises NotFoundError."""
    found = waits().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such place in a waiting list.")
    return found


def open_waits(event: Event) -> QuerySet[EventWait]:
    """Who waits or was offered a seat, in their order."""
    return waits().filter(event=event, status__in=EventWait.OPEN).order_by("pk")


def waits_of(members: Sequence[Membership]) -> QuerySet[EventWait]:
    """Where these members wait, also under accounts that were merged into theirs."""
    return waits().filter(membership__in=selves(members), status__in=EventWait.OPEN)


def places_in_line(found: Iterable[EventWait]) -> dict[int, int]:
    """By key, of those of them who still wait; 1: next."""
    waiting = [wait.pk for wait in found if wait.status == "waiting"]
    if not waiting:
        return {}
    before = EventWait.objects.filter(
        event=OuterRef("event"), status="waiting", pk__lte=OuterRef("pk")
    )
    counted = before.order_by().values("event").annotate(count=Count("pk")).values("count")
    rows = EventWait.objects.filter(pk__in=waiting).annotate(place=Subquery(counted))
    return dict(rows.values_list("pk", "place"))


def event_definition(event: Event) -> EventDefinition:
    """The event as data."""
    said = definition_of(event.reward)
    return EventDefinition.model_validate(
        {name: getattr(said, name) for name in OF_REWARD}
        | {name: getattr(event, name) for name in OWN}
        | {"seats": event.reward.stock, "opens_at": event.reward.starts_at}
    )
