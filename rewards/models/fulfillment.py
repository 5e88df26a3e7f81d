"""What is sent to members: rewards, and what somebody of the staff gives them on top."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership, Program
from members.models.telling import tells
from rewards.models.redemptions import Redemption

# How a task goes on: forward, back by one undone step, or to an end that can be opened again.
STEPS = (
    ("awaited", "to_do"), ("to_do", "packed"), ("packed", "sent"), ("sent", "returned"),
    ("returned", "to_do"), ("awaited", "canceled"), ("to_do", "canceled"),
    ("packed", "canceled"), ("returned", "canceled"),
)  # fmt: skip
UNDONE = tuple(
    (after, before) for before, after in STEPS if (before, after) != ("awaited", "to_do")
)


class FulfillmentTerms(models.Model):
    """How soon a program sends what it owes."""

    program = models.OneToOneField(
        Program, primary_key=True, on_delete=models.CASCADE, related_name="fulfillment_terms"
    )
    days = models.PositiveSmallIntegerField(_("days to send it"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="fulfillment_days_sensible", condition=Q(days__gte=0, days__lte=365)
            )
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.days}"


class FulfillmentTask(models.Model):
    """Something to be packed and sent to a member."""

    class Kind(models.TextChoices):
        REWARD = "reward", _("Reward")
        SURPRISE = "surprise", _("Surprise gift")
        NOTE = "note", _("Hand-written note")

    class Status(models.TextChoices):
        AWAITED = "awaited", _("Waits for an address")
        TO_DO = "to_do", _("To do")
        PACKED = "packed", _("Packed")
        SENT = "sent", _("Sent")
        RETURNED = "returned", _("Returned")
        CANCELED = "canceled", _("Canceled")

    # Still to be sent.
    OPEN = (Status.AWAITED, Status.TO_DO, Status.PACKED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="fulfillment_tasks", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="fulfillment_tasks"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # What was taken; None: given by somebody of the staff.
    redemption = models.OneToOneField(
        Redemption, null=True, on_delete=models.PROTECT, related_name="fulfillment"
    )
    what = models.CharField(_("what"), max_length=200)
    # What the note says.
    words = models.TextField(_("words"), max_length=2000, blank=True, default="")
    status = models.CharField(max_length=8, choices=Status.choices)
    # Where it goes to (`rewards.addresses`); None: not told yet, or forgotten.
    address = models.JSONField(null=True)
    # Its member was erased while it was still to be sent: where it goes to is forgotten with that.
    forgets_address = models.BooleanField(default=False)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    carrier = models.CharField(_("carrier"), max_length=64, blank=True, default="")
    tracking_number = models.CharField(_("tracking number"), max_length=64, blank=True, default="")
    # Makes it happen once.
    key = models.CharField(max_length=160, unique=True)
    created_at = models.DateTimeField()
    # Should be sent by then; None: it waits for its address.
    due_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="fulfillment_of_its_kind",
                condition=Q(kind="reward", redemption__isnull=False)
                | Q(kind__in=["surprise", "note"], redemption=None),
            ),
            models.CheckConstraint(
                name="fulfillment_note_has_words", condition=~Q(kind="note") | ~Q(words="")
            ),
            models.CheckConstraint(
                name="fulfillment_status_of_its_times",
                condition=Q(status="awaited", due_at=None, sent_at=None, closed_at=None)
                | Q(status__in=["to_do", "packed"], address__isnull=False, due_at__isnull=False,
                    sent_at=None, closed_at=None)
                | Q(status="sent", sent_at__isnull=False, closed_at=None)
                | Q(status__in=["returned", "canceled"], closed_at__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["due_at", "id"], name="fulfillment_open",
                condition=Q(status__in=["awaited", "to_do", "packed"]),
            ),
            models.Index(fields=["program", "status"], name="fulfillment_of_program"),
        ]  # fmt: skip
        triggers = [
            *tells("told.parcels", "status"),
            pgtrigger.Protect(name="fulfillment_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="fulfillment_goes_on", field="status", transitions=[*STEPS, *UNDONE]
            ),
        ]

    def __str__(self) -> str:
        return self.what

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class FulfillmentStep(models.Model):
    """A step of a task, also one that was undone."""

    task = models.ForeignKey(FulfillmentTask, on_delete=models.CASCADE, related_name="steps")
    before = models.CharField(max_length=8, choices=FulfillmentTask.Status.choices)
    after = models.CharField(max_length=8, choices=FulfillmentTask.Status.choices)
    at = models.DateTimeField()
    # When it should have been sent, before the step.
    due_before = models.DateTimeField(null=True)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True, default="")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.task}: {self.after}"
