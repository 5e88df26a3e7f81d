"""Broadcasts: a message that many are sent once, at one time; and who they were when it began."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.tally_triggers import RECIPIENTS
from loyalty.models import Membership, Program
from members.models import Customer
from members.models.telling import tells

# Before its number: `campaigns.occasions.register_family`.
FAMILY = "broadcast"
# What is settled once it is sent: it went to those, by these ways.
_SETTLED = (
    "program_id", "audience", "holdout", "channels", "only_first", "topic", "by_member_clock",
    "begun_at",
)  # fmt: skip


class Broadcast(models.Model):
    """Its words are templates of an occasion of its own."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        SENDING = "sending", _("Being sent")
        PAUSED = "paused", _("Paused")
        SENT = "sent", _("Sent")
        STOPPED = "stopped", _("Stopped")

    # Its members are written down.
    BEGUN = (Status.SENDING, Status.PAUSED, Status.SENT, Status.STOPPED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # None: it is for customers, whichever program they are in.
    program = models.ForeignKey(
        Program, null=True, on_delete=models.PROTECT, related_name="broadcasts", db_index=False
    )
    name = models.CharField(_("name"), max_length=120)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.DRAFT)
    # For whom, in the language of conditions; empty: everybody.
    audience = models.JSONField(default=dict, blank=True)
    # Percent of them who do not get it, to compare with.
    holdout = models.PositiveSmallIntegerField(default=0)
    channels = ArrayField(models.CharField(max_length=16), default=list)
    # By the first of the ways that reaches somebody, in their order, rather than by all of them.
    only_first = models.BooleanField(default=False)
    topic = models.CharField(max_length=16)
    # An order so many days after it counts as one that followed it.
    order_days = models.PositiveSmallIntegerField(default=7)
    # When it is sent, once it is scheduled.
    send_at = models.DateTimeField(null=True)
    # Whether each is told when their own clock shows what the sender's shows at `send_at`.
    by_member_clock = models.BooleanField(default=False)
    # When its members are written down: where it is that time first.
    begins_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="broadcast_status_of_its_times",
                condition=Q(status="draft", send_at=None, begins_at=None, begun_at=None,
                            ended_at=None)
                | Q(status="scheduled", send_at__isnull=False, begins_at__isnull=False,
                    begun_at=None, ended_at=None)
                | Q(status__in=["sending", "paused"], begun_at__isnull=False, ended_at=None)
                | Q(status__in=["sent", "stopped"], begun_at__isnull=False,
                    ended_at__isnull=False),
            ),
            models.CheckConstraint(name="broadcast_holdout_share", condition=Q(holdout__lte=50)),
            models.CheckConstraint(
                name="broadcast_order_days", condition=Q(order_days__gte=1, order_days__lte=90)
            ),
        ]  # fmt: skip
        indexes = [
            # What the clock moves on.
            models.Index(
                fields=["status"], name="broadcast_going",
                condition=Q(status__in=["scheduled", "sending", "paused"]),
            ),
        ]  # fmt: skip
        triggers = [
            *tells("told.broadcasts", state="status"),
            pgtrigger.Protect(
                name="broadcast_stays", operation=pgtrigger.Delete,
                condition=pgtrigger.Q(
                    old__status__in=["scheduled", "sending", "paused", "sent", "stopped"]
                ),
            ),
            pgtrigger.FSM(
                name="broadcast_goes_on", field="status",
                transitions=[("draft", "scheduled"), ("scheduled", "draft"),
                             ("scheduled", "sending"), ("sending", "paused"),
                             ("paused", "sending"), ("sending", "sent"), ("sending", "stopped"),
                             ("paused", "stopped")],
            ),
            pgtrigger.Trigger(
                name="broadcast_settled", operation=pgtrigger.Update, when=pgtrigger.Before,
                condition=pgtrigger.Q(
                    old__status__in=["sending", "paused", "sent", "stopped"]
                ),
                func=f"""
                    IF ({", ".join(f"NEW.{name}" for name in _SETTLED)}) IS DISTINCT FROM
                       ({", ".join(f"OLD.{name}" for name in _SETTLED)}) THEN
                        RAISE EXCEPTION 'a broadcast does not change once it is sent'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def occasion(self) -> str:
        """The code under which its messages and words are kept."""
        return f"{FAMILY}-{self.pk}"


class BroadcastRecipient(models.Model):
    """That somebody was in the audience when it began, whether they were kept aside, and when it
    was their turn."""

    broadcast = models.ForeignKey(
        Broadcast, on_delete=models.PROTECT, related_name="recipients", db_index=False
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    membership = models.ForeignKey(
        Membership, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    held_out = models.BooleanField()
    # None: by their own clock, which was not looked at yet.
    due_at = models.DateTimeField(null=True)
    # When the message was written, or was known why not.
    settled_at = models.DateTimeField(null=True)
    # Why not: a code of `campaigns.words`.
    untold = models.CharField(max_length=32, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["broadcast", "customer"], name="broadcast_recipient_once"
            ),
            models.CheckConstraint(
                name="broadcast_recipient_aside_is_not_told",
                condition=Q(held_out=False) | Q(settled_at=None),
            ),
        ]
        indexes = [
            models.Index(
                fields=["broadcast", "due_at", "id"], name="broadcast_recipient_waiting",
                condition=Q(held_out=False, settled_at=None),
            ),
            models.Index(
                fields=["broadcast", "id"], name="broadcast_recipient_undated",
                condition=Q(due_at=None),
            ),
            models.Index(fields=["customer"], name="broadcast_recipient_customer"),
            models.Index(
                fields=["membership"], name="broadcast_recipient_member",
                condition=Q(membership__isnull=False),
            ),
        ]  # fmt: skip
        triggers = [
            *RECIPIENTS.triggers(),
            pgtrigger.Protect(name="broadcast_recipient_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="broadcast_recipient_as_begun", operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF (NEW.broadcast_id, NEW.customer_id, NEW.membership_id, NEW.held_out)
                       IS DISTINCT FROM
                       (OLD.broadcast_id, OLD.customer_id, OLD.membership_id, OLD.held_out)
                       OR OLD.settled_at IS NOT NULL THEN
                        RAISE EXCEPTION 'who is told is settled when it begins, and told once'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.broadcast_id}: {self.customer_id}"
