"""Events with seats, and those who wait for one."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership
from members.models.telling import tells
from rewards.models.redemptions import Redemption
from rewards.models.rewards import Reward


class Event(models.Model):
    """Something that takes place. Its seats are the stock of its reward, and whoever takes one has
    booked; the reward says what it costs, who may come and from when on."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("Planned")
        CANCELED = "canceled", _("Canceled")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reward = models.OneToOneField(Reward, on_delete=models.PROTECT, related_name="event")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PLANNED)
    # Where: a place, or an address on the net that only who has booked is told.
    place = models.CharField(_("place"), max_length=200, blank=True, default="")
    link = models.URLField(_("link"), max_length=500, blank=True, default="")
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    # So long may somebody think about it whose turn it is.
    offer_hours = models.PositiveSmallIntegerField(_("hours to answer"), default=24)
    canceled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="event_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(name="event_is_somewhere", condition=~Q(place="") | ~Q(link="")),
            models.CheckConstraint(
                name="event_offer_hours", condition=Q(offer_hours__gte=1, offer_hours__lte=720)
            ),
            models.CheckConstraint(
                name="event_canceled_at",
                condition=Q(status="planned", canceled_at=None)
                | Q(status="canceled", canceled_at__isnull=False),
            ),
        ]
        triggers = [
            *tells("told.events", "status"),
            pgtrigger.Protect(name="event_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="event_status_goes_on", field="status", transitions=[("planned", "canceled")]
            ),
        ]

    def __str__(self) -> str:
        return self.reward.name


class EventWait(models.Model):
    """A member's place in the waiting list of an event. A seat that is offered is kept for them
    until they answer, or their time is over."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        OFFERED = "offered", _("Seat offered")
        ACCEPTED = "accepted", _("Booked")
        LAPSED = "lapsed", _("Did not answer")
        LEFT = "left", _("Left the list")

    OPEN = (Status.WAITING, Status.OFFERED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="waits", db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="event_waits")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    created_at = models.DateTimeField()
    offered_at = models.DateTimeField(null=True)
    # The seat is kept until then.
    offered_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    redemption = models.OneToOneField(
        Redemption, null=True, on_delete=models.PROTECT, related_name="waited"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "membership"], condition=Q(status__in=["waiting", "offered"]),
                name="event_wait_once",
            ),
            models.CheckConstraint(
                name="event_wait_status_of_its_times",
                condition=Q(status="waiting", offered_until=None, closed_at=None, redemption=None)
                | Q(status="offered", offered_at__isnull=False, offered_until__isnull=False,
                    closed_at=None, redemption=None)
                | Q(status="accepted", closed_at__isnull=False, redemption__isnull=False)
                | Q(status__in=["lapsed", "left"], closed_at__isnull=False, redemption=None),
            ),
        ]  # fmt: skip
        indexes = [
            # Who is next.
            models.Index(
                fields=["event", "id"], name="event_wait_next", condition=Q(status="waiting")
            ),
            models.Index(
                fields=["offered_until"], name="event_wait_offered",
                condition=Q(status="offered"),
            ),
        ]  # fmt: skip
        triggers = [
            *tells("told.event_waits", "status"),
            pgtrigger.Protect(name="event_wait_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="event_wait_goes_on",
                field="status",
                transitions=[
                    ("waiting", "offered"), ("waiting", "left"), ("offered", "accepted"),
                    ("offered", "lapsed"), ("offered", "left"),
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.event} · {self.membership}"
