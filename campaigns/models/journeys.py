"""Journeys: what members are led through, step by step, and where each of them is."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.messages import Message
from campaigns.models.tally_triggers import PASSAGES
from loyalty.models import Membership, Program, Transfer
from members.models import Customer
from members.models.telling import tells
from rewards.models import Redemption


class Journey(models.Model):
    """A way that members of a program are led. What it consists of is in its versions."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="journeys")
    name = models.CharField(_("name"), max_length=80)
    # What begins it, a code of `campaigns.journey_triggers`. It stays.
    trigger = models.CharField(max_length=24)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    # Only what happened from then on leads into it.
    since = models.DateTimeField(null=True)
    # Up to when members were looked for, where no event tells of them.
    looked_until = models.DateTimeField(null=True)
    # Up to when it was noted when members are due; None: all of them have to be noted.
    noted_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                name="journey_status_of_its_times",
                condition=Q(status="draft", since=None, ended_at=None)
                | Q(status__in=["live", "paused"], since__isnull=False, ended_at=None)
                | Q(status="ended", ended_at__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="journey_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="journey_goes_on", field="status",
                transitions=[("draft", "live"), ("draft", "ended"), ("live", "paused"),
                             ("paused", "live"), ("live", "ended"), ("paused", "ended")],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class JourneyVersion(models.Model):
    """What a journey consists of: for whom, how often, its steps in order. Once published it never
    changes, and whoever has begun it goes on by it."""

    journey = models.ForeignKey(
        Journey, on_delete=models.PROTECT, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField()
    # As in `campaigns.journey_definitions`.
    body = models.JSONField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    created_at = models.DateTimeField()
    # None: it is being written.
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["journey", "number"], name="journey_version_once"),
            models.UniqueConstraint(
                fields=["journey"], name="journey_version_one_draft",
                condition=Q(published_at=None),
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Protect(
                name="journey_version_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__published_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.journey} · {self.number}"


class Passage(models.Model):
    """One member's way through a journey, or that they are kept aside to compare with."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Under way")
        DONE = "done", _("Over")

    journey = models.ForeignKey(
        Journey, on_delete=models.PROTECT, related_name="passages", db_index=False
    )
    version = models.ForeignKey(
        JourneyVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="passages", db_index=False
    )
    # What it began with, such as an order: with it, it begins once.
    occurrence = models.CharField(max_length=80)
    # The day of the year that it is about, where it is about one.
    day = models.DateField(null=True)
    held_out = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices)
    entered_at = models.DateTimeField()
    # The key of the step that is next, or that they wait in.
    step = models.CharField(max_length=16, blank=True, default="")
    due_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    # Why they left: a code of `campaigns.words`.
    why = models.CharField(max_length=24, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "membership"], name="passage_one_active",
                condition=Q(state="active"),
            ),
            models.UniqueConstraint(
                fields=["journey", "membership", "occurrence"], name="passage_once"
            ),
            models.CheckConstraint(
                name="passage_state_of_its_times",
                condition=Q(state="active", held_out=False, left_at=None, why="",
                            due_at__isnull=False) & ~Q(step="")
                | Q(state="done", left_at__isnull=False, due_at=None) & ~Q(why=""),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["journey", "due_at"], name="passage_due", condition=Q(state="active")
            ),
            models.Index(fields=["membership", "journey"], name="passage_of_member"),
            models.Index(fields=["journey", "-entered_at", "-id"], name="passage_newest"),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Protect(name="passage_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="passage_goes_on", field="state", transitions=[("active", "done")]
            ),
            *PASSAGES.triggers(),
            *tells("told.passages", "state"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.journey_id}: {self.membership_id}, {self.occurrence}"


class PassageStep(models.Model):
    """That a step was taken, once for each passage, and what came of it."""

    class Outcome(models.TextChoices):
        TOLD = "told", _("Told")
        TOLD_BEFORE = "told_before", _("Was told already")
        WITHHELD = "withheld", _("Not told: compared without it")
        NOTHING = "nothing", _("There was nothing to tell")
        WAITS = "waits", _("Waits")
        YES = "yes", _("It holds")
        NO = "no", _("It does not hold")
        GIVEN = "given", _("Given")
        REFUSED = "refused", _("Could not be given")

    passage = models.ForeignKey(
        Passage, on_delete=models.PROTECT, related_name="steps", db_index=False
    )
    step = models.CharField(max_length=16)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    message = models.ForeignKey(
        Message, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    transfer = models.ForeignKey(
        Transfer, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    redemption = models.ForeignKey(
        Redemption, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["passage", "step"], name="passage_step_once"),
        ]
        indexes = [
            models.Index(
                fields=["message"], name="passage_step_message",
                condition=Q(message__isnull=False),
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Protect(
                name="passage_step_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.passage_id}: {self.step}, {self.outcome}"


class JourneyDue(models.Model):
    """When somebody is due for a journey if nothing happens, where no index of what is known says
    so. Derived from their facts; what they do since is looked at when they are due."""

    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    due_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["journey", "customer"], name="journey_due_once"),
        ]
        indexes = [
            models.Index(fields=["journey", "due_at", "customer"], name="journey_due_next"),
        ]

    def __str__(self) -> str:
        return f"{self.journey_id}: {self.customer_id}"
