"""Broadcasts: which there are, whom they are for, and how far they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet, Sum

from campaigns.broadcast_definitions import audience_condition
from campaigns.channels import Channel, channel_named
from campaigns.models import Broadcast, Delivery, TemplateVersion
from campaigns.models.broadcasts import FAMILY
from campaigns.occasions import family_of
from campaigns.selectors.templates import versions_in_use
from loyalty.models import Membership
from members.condition_fields import DrawnNumber
from members.conditions.moments import ProgramMoment
from members.conditions.query import query_of
from members.errors import NotFoundError
from members.models import Customer
from members.selectors.merchants import get_merchant
from members.selectors.segments import merchant_moment

_CODE = f"{FAMILY}-"


def broadcasts() -> QuerySet[Broadcast]:
    return Broadcast.objects.select_related("program", "author")


def get_broadcast(public_id: UUID) -> Broadcast:
    """Raises NotFoundError."""
    found = broadcasts().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such broadcast.")
    return found


def zone_of(broadcast: Broadcast) -> ZoneInfo:
    """By which its time is said."""
    return broadcast.program.zone if broadcast.program else ZoneInfo(get_merchant().time_zone)


def audience_of(broadcast: Broadcast, now: dt.datetime) -> QuerySet[Any]:
    """Whom it is for as of now, those kept aside included: `person` and `member`, which is none
    where it belongs to no program, and the number that each has drawn for it."""
    asked, draw = audience_condition(broadcast), str(broadcast.public_id)
    if broadcast.program is None:
        people = Customer.objects.filter(merged_into=None)
        if asked is not None:
            people = people.filter(query_of(asked, merchant_moment(now)))
        return people.annotate(person=F("pk"), drawn=DrawnNumber.of(draw, "public_id"))
    members = Membership.objects.filter(
        program=broadcast.program, status=Membership.Status.ACTIVE, merged_into=None
    )
    if asked is not None:
        moment = ProgramMoment(now, broadcast.program.zone, broadcast.program.pk)
        people = Customer.objects.filter(query_of(asked, moment))
        members = members.filter(customer__in=people.values("pk"))
    return members.annotate(
        person=F("customer_id"), drawn=DrawnNumber.of(draw, "customer__public_id")
    )


def words_in_use(broadcast: Broadcast) -> list[TemplateVersion]:
    """By way and language."""
    rows = versions_in_use().filter(template__occasion=broadcast.occasion)
    return list(rows.order_by("template__channel", "template__locale"))


def ways_of_broadcast(broadcast: Broadcast) -> list[Channel]:
    return [found for key in broadcast.channels if (found := channel_named(key))]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: out of how many how many had their turn, how many of these were told nothing,
    and how many are kept aside; `waiting`: whether any of its messages is still to go out."""

    audience: int = 0
    settled: int = 0
    untold: int = 0
    aside: int = 0
    waiting: bool = False

    @property
    def share(self) -> float:
        return self.settled / self.audience if self.audience else 1.0


def progress_of(broadcast: Broadcast) -> Progress:
    """Two queries; from tallies, so that it costs the same however many it is for."""
    if broadcast.status not in Broadcast.BEGUN:
        return Progress()
    counted = broadcast.tallies.aggregate(
        audience=Sum("recipients", filter=Q(held_out=False), default=0),
        settled=Sum("recipients", filter=Q(settled=True), default=0),
        untold=Sum("recipients", filter=~Q(untold=""), default=0),
        aside=Sum("recipients", filter=Q(held_out=True), default=0),
    )
    return Progress(**counted, waiting=is_waiting(broadcast))


def is_waiting(broadcast: Broadcast) -> bool:
    """Whether any of its messages is still to go out. Each state has an index of its own; what
    waits with another priority is not looked through."""
    family = family_of(broadcast.occasion)
    assert family is not None
    rows = Delivery.objects.filter(message__occasion=broadcast.occasion)
    waiting = {
        "state": Delivery.State.QUEUED, "channel__in": broadcast.channels,
        "priority": family.priority,
    }  # fmt: skip
    return rows.filter(state=Delivery.State.SENDING).exists() or rows.filter(**waiting).exists()


def statuses_of(codes: Collection[str]) -> dict[str, str]:
    """How broadcasts are, by the codes of their messages. No query where none is one."""
    keys = [_key(code) for code in codes if code.startswith(_CODE)]
    rows = Broadcast.objects.filter(pk__in=keys) if keys else Broadcast.objects.none()
    return {row.occasion: row.status for row in rows.only("pk", "status")}


def name_of(code: str) -> str:
    """Of the broadcast whose messages have this code; empty: there is none."""
    found = Broadcast.objects.filter(pk=_key(code)).values_list("name", flat=True).first()
    return found or ""


def _key(code: str) -> int:
    return int(code.removeprefix(_CODE))
