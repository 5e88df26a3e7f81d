"""What is counted of messages: which links were followed, that a mail was opened, if it may be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from campaigns.click_links import place_of, with_counted_links, with_pixel
from campaigns.models import (
    Consent,
    Delivery,
    DeliveryClick,
    MessagingPolicy,
    ProgramMeasuring,
    ShortLink,
)
from campaigns.selectors.consents import said_of_counting, why_not_counted
from campaigns.selectors.policies import get_policy
from campaigns.topics import TRACKING
from members.forgetting import register_forgetting
from members.models import Customer
from members.models.changes import CHANGED
from members.services.outbox import record_event

EMAIL = "email"
# So long it is kept which links somebody followed; figures go back no further.
KEPT_FOR = dt.timedelta(days=90)
_CLICKED = """
    INSERT INTO campaigns_deliveryclick AS c (delivery_id, link, first_at, count)
    VALUES (%s, %s, %s, 1)
    ON CONFLICT (delivery_id, link) DO UPDATE SET count = c.count + 1
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of one delivery."""

    clicks: bool = False
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Measuring:
    """What may be counted at all, read once for many messages; `off`: the programs of which
    nothing is."""

    policy: MessagingPolicy
    off: frozenset[int]

    @classmethod
    def load(cls, policy: MessagingPolicy) -> Measuring:
        off = ProgramMeasuring.objects.filter(is_off=True)
        return cls(policy, frozenset(off.values_list("program_id", flat=True)))

    def of(self, row: Delivery, customer: Customer, said: Mapping[tuple[int, str], str]) -> Counted:
        """`said`: by customer and topic."""
        member = row.message.membership
        if member is not None and member.program_id in self.off:
            return Counted()
        if why_not_counted(said.get((customer.pk, TRACKING.code), ""), self.policy):
            return Counted()
        return Counted(self.policy.track_clicks, self.policy.track_opens)


def with_marks(html: str, delivery: UUID, counted: Counted) -> str:
    """The mail as it is sent, so that what is counted can be."""
    if counted.clicks:
        html = with_counted_links(html, delivery)
    return with_pixel(html, delivery) if counted.opens else html


@transaction.atomic
def note_click(*, delivery: UUID, target: str, now: dt.datetime) -> None:
    """A link was followed. Not counted where it was not to be, or they have said no since."""
    row = _counted(delivery, counts_clicks=True)
    if row is None:
        return
    own = Delivery.objects.filter(pk=row.pk)
    with connection.cursor() as cursor:
        cursor.execute(_CLICKED, [row.pk, place_of(target), now])
    if row.clicked_at is None:
        own.filter(counts_clicks=True, clicked_at=None).update(clicked_at=now)
        _tell(row)
    # Whoever follows a link has opened the mail.
    if row.counts_opens and row.opened_at is None:
        own.filter(counts_opens=True, opened_at=None).update(opened_at=now)


@transaction.atomic
def note_open(*, delivery: UUID, now: dt.datetime) -> None:
    """It was opened, as far as that can be seen. Again it changes nothing."""
    row = _counted(delivery, counts_opens=True)
    if row is not None and row.opened_at is None:
        own = Delivery.objects.filter(pk=row.pk, counts_opens=True)
        if own.filter(opened_at=None).update(opened_at=now):
            _tell(row)


def prune_clicks(*, now: dt.datetime) -> int:
    """Forget which links were followed long ago; that some were stays with the message."""
    return DeliveryClick.objects.filter(first_at__lt=now - KEPT_FOR).delete()[0]


@transaction.atomic
def forget_readers(customers: Sequence[Customer]) -> list[str]:
    """What they opened and followed is not known any more, and nothing is counted of what comes."""
    of_them = Q(message__customer__in=customers)
    DeliveryClick.objects.filter(delivery__message__customer__in=customers).delete()
    # They may lead to what is personal; what is followed afterwards leads nowhere.
    ShortLink.objects.filter(delivery__message__customer__in=customers).delete()
    Delivery.objects.filter(of_them).filter(Q(counts_clicks=True) | Q(counts_opens=True)).update(
        counts_clicks=False, counts_opens=False, clicked_at=None, opened_at=None
    )
    return []


def register() -> None:
    """Called once, when the application is ready."""
    register_forgetting("readers", forget_readers)


def _tell(row: Delivery) -> None:
    """Segments may ask when they last did: once for each message, not for each link."""
    record_event(CHANGED, {"customers": [row.message.customer_id]})


def _counted(delivery: UUID, **which: bool) -> Delivery | None:
    """The delivery, if what happened to it is counted."""
    row = (
        Delivery.objects.select_related("message")
        .filter(public_id=delivery, handed_over_at__isnull=False, **which)
        .first()
    )
    if row is None:
        return None
    said = Consent.objects.filter(said_of_counting(), customer=row.message.customer_id)
    state = said.values_list("state", flat=True).first() or ""
    return None if why_not_counted(state, get_policy()) else row
