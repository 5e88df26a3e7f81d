"""Experiments: a question, arms that members are drawn into, and what was decided."""

from __future__ import annotations

import uuid
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from campaigns.models.tally_triggers import ARMS
from loyalty.models import Membership, Program
from loyalty.models.programs import code_validator
from members.models.telling import tells

# What is settled once it runs.
_SETTLED = (
    "program_id", "code", "compares", "occasion", "measure", "audience", "smallest", "started_at",
    "ends_at", "needed",
)  # fmt: skip


class Experiment(models.Model):
    """A question that members answer by what they do: drawn into arms, of which each gets something
    else. What is compared says what that is: a promotion, or words of a message."""

    class Compares(models.TextChoices):
        PROMOTIONS = "promotions", _("Promotions")
        MESSAGES = "messages", _("Words of a message")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RUNNING = "running", _("Running")
        ENDED = "ended", _("Ended")

    class Measure(models.TextChoices):
        REVENUE = "revenue", _("Money spent by each member")
        ORDERS = "orders", _("Orders of each member")
        ORDERED = "ordered", _("Share who ordered")
        REDEEMED = "redeemed", _("Share who took a reward")
        CLICKED = "clicked", _("Share who followed a link in it")

    class Ending(models.TextChoices):
        OVER = "over", _("Its time was over")
        EARLY = "early", _("Somebody ended it")

    class Verdict(models.TextChoices):
        BETTER = "better", _("One is better")
        WORSE = "worse", _("The first is better")
        NONE = "none", _("No difference shown")
        FEW = "few", _("Too few members")
        EARLY = "early", _("Ended too early to say")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="experiments", db_index=False
    )
    code = models.CharField(max_length=48, validators=[code_validator])
    name = models.CharField(max_length=80)
    question = models.CharField(max_length=300)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.DRAFT)
    compares = models.CharField(
        max_length=10, choices=Compares.choices, default=Compares.PROMOTIONS,
        db_default=Compares.PROMOTIONS,
    )  # fmt: skip
    # Of which message it compares the words; empty where it compares something else.
    occasion = models.CharField(max_length=32, blank=True, default="", db_default="")
    measure = models.CharField(max_length=8, choices=Measure.choices)
    # For whom, in the language of conditions; empty: every member.
    audience = models.JSONField(default=dict, blank=True)
    # The smallest difference that would matter, in percent of what is measured now.
    smallest = models.PositiveSmallIntegerField()
    # How long it runs; None: as long as the number of members asks for.
    weeks = models.PositiveSmallIntegerField(null=True)
    # Members in each arm that were needed by its plan; None: nobody knew.
    needed = models.PositiveIntegerField(null=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    # Who wants somebody else to start it, and why that one sent it back.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    asked_at = models.DateTimeField(null=True)
    sent_back = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    # Counted up with everything that becomes of it: who changes it says what they had seen.
    revision = models.PositiveIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=8, choices=Ending.choices, blank=True, default="")
    # When it was last looked at, which is once a day.
    looked_at = models.DateTimeField(null=True)
    # What was declared, of which arm (its place), and when. It stays.
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True, default="")
    winner = models.PositiveSmallIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="experiment_code"),
            models.UniqueConstraint(
                fields=["program", "occasion"], name="experiment_of_message_alone",
                condition=Q(status="running") & ~Q(occasion=""),
            ),
            models.CheckConstraint(
                name="experiment_message",
                condition=Q(compares="messages") & ~Q(occasion="")
                | ~Q(compares="messages") & Q(occasion="") & ~Q(measure="clicked"),
            ),
            models.CheckConstraint(
                name="experiment_status_of_its_times",
                condition=Q(status="draft", started_at=None, ended_at=None, ending="", verdict="")
                | Q(status="running", started_at__isnull=False, ends_at__isnull=False,
                    ended_at=None, ending="")
                | Q(status="ended", started_at__isnull=False, ended_at__isnull=False)
                & ~Q(ending="") & ~Q(verdict=""),
            ),
            models.CheckConstraint(
                name="experiment_ends_later",
                condition=Q(ends_at=None) | Q(ends_at__gt=F("started_at")),
            ),
            models.CheckConstraint(
                name="experiment_bounds",
                condition=Q(smallest__gte=1, smallest__lte=500)
                & (Q(weeks=None) | Q(weeks__gte=1, weeks__lte=26)),
            ),
            models.CheckConstraint(
                name="experiment_decided",
                condition=Q(verdict="", winner=None, decided_at=None)
                | Q(verdict__in=["better", "worse"], winner__isnull=False, decided_at__isnull=False)
                | Q(verdict__in=["none", "few", "early"], winner=None, decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="experiment_asked",
                condition=Q(asked_by=None, asked_at=None)
                | Q(status="draft", asked_by__isnull=False, asked_at__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [
            # What is looked at each day.
            models.Index(fields=["status"], name="experiment_running",
                         condition=Q(status="running")),
        ]  # fmt: skip
        triggers = [
            *tells("told.experiments", state="verdict"),
            pgtrigger.Protect(
                name="experiment_stays", operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__status__in=["running", "ended"]),
            ),
            pgtrigger.FSM(
                name="experiment_goes_on", field="status",
                transitions=[("draft", "running"), ("running", "ended")],
            ),
            pgtrigger.Trigger(
                name="experiment_settled", operation=pgtrigger.Update, when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status__in=["running", "ended"]),
                func=f"""
                    IF ({", ".join(f"NEW.{name}" for name in _SETTLED)}) IS DISTINCT FROM
                       ({", ".join(f"OLD.{name}" for name in _SETTLED)})
                       OR OLD.verdict <> '' AND (NEW.verdict, NEW.winner, NEW.decided_at)
                          IS DISTINCT FROM (OLD.verdict, OLD.winner, OLD.decided_at) THEN
                        RAISE EXCEPTION 'what an experiment asks does not change once it runs'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="experiment_shares", operation=pgtrigger.Update, when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status="draft", new__status="running"),
                func="""
                    IF (SELECT sum(a.share) FROM campaigns_experimentarm a
                         WHERE a.experiment_id = NEW.id) IS DISTINCT FROM 100 THEN
                        RAISE EXCEPTION 'the shares of its arms come to 100'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="experiment_arms_get", operation=pgtrigger.Update, when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status="draft", new__status="running"),
                func="""
                    IF EXISTS (
                        SELECT FROM campaigns_experimentarm a
                         WHERE a.experiment_id = NEW.id AND CASE NEW.compares
                          WHEN 'promotions' THEN a.silent OR a.place > 0 AND a.campaign_id IS NULL
                          ELSE a.campaign_id IS NOT NULL OR a.place > 0 AND NOT EXISTS (
                            SELECT FROM campaigns_messagetemplate t
                             WHERE t.variant = NEW.id || '-' || a.place AND t.archived_at IS NULL
                               AND t.occasion = NEW.occasion)
                          END
                    ) THEN
                        RAISE EXCEPTION 'each arm but the first gets what is compared'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            self.revision += 1
        super().save(*args, **kwargs)


class ExperimentArm(models.Model):
    """A part of the members by lot, and what they get: a promotion, or a message in words of its
    own (`MessageTemplate.variant`). The first is what the others are compared with; it alone may be
    as it is without the experiment, or without the message."""

    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="arms", db_index=False
    )
    place = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    # Percent of the audience.
    share = models.PositiveSmallIntegerField()
    campaign = models.OneToOneField(
        Campaign, null=True, on_delete=models.PROTECT, related_name="arm"
    )
    # They are not told it at all.
    silent = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "place"], name="experiment_arm_place"),
            models.CheckConstraint(
                name="experiment_arm_share", condition=Q(share__gte=1, share__lte=99)
            ),
            models.CheckConstraint(
                name="experiment_arm_silent", condition=Q(silent=False) | Q(place=0, campaign=None)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="experiment_arm_settled", when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF EXISTS (
                        SELECT FROM campaigns_experiment e
                         WHERE e.id IN (NEW.experiment_id, OLD.experiment_id)
                           AND e.status <> 'draft'
                    ) THEN
                        RAISE EXCEPTION 'the arms of an experiment do not change once it runs'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def variant(self) -> str:
        """By which the words of an arm are found."""
        return f"{self.experiment_id}-{self.place}"


class ExperimentMember(models.Model):
    """That a member is compared, and into which arm they were drawn."""

    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="members", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    arm = models.ForeignKey(
        ExperimentArm, on_delete=models.PROTECT, related_name="members", db_index=False
    )
    # From when on what they do counts: their first such message. None: since it began.
    since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "membership"], name="experiment_member_once"
            ),
        ]
        indexes = [
            models.Index(fields=["membership"], name="experiment_member_of"),
            models.Index(fields=["arm"], name="experiment_member_arm"),
        ]
        triggers = [
            *ARMS.triggers(),
            pgtrigger.Protect(
                name="experiment_member_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.membership_id}"
