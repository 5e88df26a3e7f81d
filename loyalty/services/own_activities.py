"""What people do with Setia itself, told as activities that rules can reward: that they joined, and
that their profile is complete. Only where the shop has a type of activity by that short name; its
limits, and whether somebody approves, hold as for what a shop tells."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from loyalty.models import Activity, ActivityType, Membership, Program, Transfer
from loyalty.ready_activities import OWN_SOURCE as SOURCE
from loyalty.ready_activities import PROFILE, SIGN_UP
from loyalty.services.activities import ActivityInput, record_activities
from loyalty.services.order_inputs import CustomerRef
from members.errors import DomainError
from members.models import Customer, OutboxEvent
from members.selectors.profile_questions import completing_questions

logger = logging.getLogger(__name__)

# Who joined longer ago was only told of late, or is of the past.
FRESH = dt.timedelta(days=3)


@dataclass(frozen=True, slots=True)
class OwnDeed:
    """What somebody did. `number`: the same for the same, so that it counts once."""

    number: str
    customer_id: int
    at: dt.datetime
    subject: str


def follow_sign_ups(events: Sequence[OutboxEvent]) -> None:
    """Whoever has just joined a program, but nobody who came with a file of the past."""
    if not is_told(SIGN_UP):
        return
    now = timezone.now()
    named = {pk for event in events for pk in event.payload.get("memberships") or ()}
    rows = Membership.objects.filter(
        pk__in=named, status=Membership.Status.ACTIVE, merged_into=None,
        program__status=Program.Status.LIVE, enrolled_at__gt=now - FRESH,
    ).exclude(source=Membership.Source.IMPORT)  # fmt: skip
    deeds = [
        OwnDeed(f"{SIGN_UP}:{row.public_id}", row.customer_id, row.enrolled_at, row.program.code)
        for row in rows.select_related("program").order_by("pk")
    ]
    tell_own(SIGN_UP, deeds, now=now)


def follow_profiles(events: Sequence[OutboxEvent]) -> None:
    """Members of whom name, e-mail, phone and birthday are known by now, and what they say to the
    questions that a profile is complete with."""
    if not is_told(PROFILE):
        return
    now = timezone.now()
    named = {pk for event in events for pk in event.payload["customers"]}
    members = Membership.objects.filter(
        customer=OuterRef("pk"), status=Membership.Status.ACTIVE,
        program__status=Program.Status.LIVE,
    )  # fmt: skip
    whole = Customer.objects.filter(
        Exists(members),
        pk__in=named,
        merged_into=None,
        birthday__isnull=False,
        answers__has_keys=completing_questions(),
    ).exclude(Q(given_name="") | Q(family_name="") | Q(email="") | Q(phone=""))
    deeds = [
        OwnDeed(f"{PROFILE}:{customer.public_id}", customer.pk, now, PROFILE)
        for customer in whole.order_by("pk")
    ]
    tell_own(PROFILE, deeds, now=now)


def is_told(code: str) -> bool:
    """Whether the shop wants to know: it has such a type, and takes its activities."""
    return ActivityType.objects.filter(code=code, active=True).exists()


def tell_own(code: str, deeds: Sequence[OwnDeed], *, now: dt.datetime) -> int:
    """Record what is new of it, and say how much that is. A type that asks for more than there is
    to say (a proof, data) takes none of it; that holds up nothing else."""
    numbers = [deed.number for deed in deeds]
    known = set(
        Activity.objects.filter(source=SOURCE, external_id__in=numbers).values_list(
            "external_id", flat=True
        )
    )
    inputs = [
        ActivityInput(
            deed.number, CustomerRef(key=deed.customer_id), code, deed.at, source=SOURCE,
            subject=deed.subject,
        )
        for deed in deeds
        if deed.number not in known
    ]  # fmt: skip
    try:
        with transaction.atomic():
            told = record_activities(inputs, now=now, transfer_source=Transfer.Source.JOB)
    except DomainError as error:
        logger.warning("activities of type %s are not taken: %s", code, error.code)
        return 0
    return sum(result.outcome == "created" for result in told)
