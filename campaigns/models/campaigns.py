"""Campaigns: something that members get for a time, and who is kept aside to see what it brings."""

from __future__ import annotations

import uuid
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership, Program
from loyalty.models.programs import code_validator
from loyalty.selectors.rules import CAMPAIGN
from members.models.telling import tells

# What is settled once it is no draft any more: rules were written by it.
_SETTLED = (
    "program_id", "code", "template", "offer", "audience", "holdout", "budget_units",
    "budget_money", "codes", "starts_at", "ends_at",
)  # fmt: skip


class Campaign(models.Model):
    """An offer to some members for a time. It acts through rules that name it as their source."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        LIVE = "live", _("Live")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    class Metric(models.TextChoices):
        NONE = "", _("None")
        ORDERS = "orders", _("Orders for each member")
        REVENUE = "revenue", _("Money spent by each member")
        TAKERS = "takers", _("Members who take part")

    class Ending(models.TextChoices):
        OVER = "over", _("Its time was over")
        EARLY = "early", _("Somebody ended it")
        BUDGET = "budget", _("Its budget was used up")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="campaigns", db_index=False
    )
    code = models.CharField(_("code"), max_length=48, validators=[code_validator])
    name = models.CharField(_("name"), max_length=80)
    # What it came from, a code of `campaigns.campaign_templates`. It stays.
    template = models.CharField(max_length=32)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.DRAFT)
    goal = models.CharField(_("what it is for"), max_length=200, blank=True, default="")
    metric = models.CharField(max_length=8, choices=Metric.choices, blank=True, default="")
    target = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    # As in `campaigns.campaign_definitions`.
    offer = models.JSONField(default=dict)
    # For whom, in the language of conditions; empty: every member.
    audience = models.JSONField(default=dict, blank=True)
    # Percent of them who do not get it, to compare with.
    holdout = models.PositiveSmallIntegerField(default=0)
    budget_units = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    budget_money = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    # Whether it takes a code to get it: `campaigns.campaign_definitions.Codes`; empty: none.
    codes = models.JSONField(default=dict, blank=True, db_default={})
    # What members read, and the three in further languages by the language's code.
    title = models.CharField(_("title"), max_length=80)
    text = models.CharField(_("text"), max_length=300, blank=True, default="")
    teaser = models.CharField(_("teaser"), max_length=200, blank=True, default="")
    texts = models.JSONField(default=dict, blank=True)
    # From when on the teaser is shown; None: it is not.
    teased_at = models.DateTimeField(null=True)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    # Who wants a draft published by somebody else, and why that one sent it back.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    asked_at = models.DateTimeField(null=True)
    sent_back = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    # What members are told of it by messages: `campaigns.campaign_definitions.TELLINGS`.
    tells = models.JSONField(default=list, blank=True, db_default=[])
    # Counted up with everything that becomes of it: who changes it says what they had seen.
    revision = models.PositiveIntegerField(default=0, db_default=0)
    # When it was live first, whether or not it was paused since.
    live_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=8, choices=Ending.choices, blank=True, default="")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="campaign_code"),
            models.CheckConstraint(
                name="campaign_status_of_its_times",
                condition=Q(status="draft", live_at=None, ended_at=None, ending="")
                | Q(
                    status="scheduled",
                    live_at=None,
                    ended_at=None,
                    ending="",
                    starts_at__isnull=False,
                    ends_at__isnull=False,
                )
                | Q(
                    status__in=["live", "paused"],
                    live_at__isnull=False,
                    ended_at=None,
                    ending="",
                    starts_at__isnull=False,
                    ends_at__isnull=False,
                )
                | Q(status="ended", live_at__isnull=False, ended_at__isnull=False) & ~Q(ending=""),
            ),
            models.CheckConstraint(
                name="campaign_ends_later",
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
            ),
            models.CheckConstraint(name="campaign_holdout_share", condition=Q(holdout__lte=50)),
            models.CheckConstraint(
                name="campaign_budget_above_zero",
                condition=(Q(budget_units=None) | Q(budget_units__gt=0))
                & (Q(budget_money=None) | Q(budget_money__gt=0)),
            ),
            models.CheckConstraint(
                name="campaign_target_of_a_metric",
                condition=Q(target=None) | ~Q(metric="") & Q(target__gt=0),
            ),
            models.CheckConstraint(
                name="campaign_asked",
                condition=Q(asked_by=None, asked_at=None)
                | Q(status="draft", asked_by__isnull=False, asked_at__isnull=False),
            ),
        ]
        indexes = [
            # What the clock moves on.
            models.Index(
                fields=["status"], name="campaign_going",
                condition=Q(status__in=["scheduled", "live", "paused"]),
            ),
        ]  # fmt: skip
        triggers = [
            *tells("told.campaigns", state="status"),
            pgtrigger.Protect(
                name="campaign_stays", operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__status__in=["scheduled", "live", "paused", "ended"]),
            ),
            pgtrigger.FSM(
                name="campaign_goes_on", field="status",
                transitions=[("draft", "scheduled"), ("scheduled", "draft"), ("scheduled", "live"),
                             ("live", "paused"), ("paused", "live"), ("live", "ended"),
                             ("paused", "ended")],
            ),
            pgtrigger.Trigger(
                name="campaign_settled", operation=pgtrigger.Update, when=pgtrigger.Before,
                condition=pgtrigger.Q(old__status__in=["scheduled", "live", "paused", "ended"],
                                      new__status__in=["scheduled", "live", "paused", "ended"]),
                func=f"""
                    IF ({", ".join(f"NEW.{name}" for name in _SETTLED)}) IS DISTINCT FROM
                       ({", ".join(f"OLD.{name}" for name in _SETTLED)}) THEN
                        RAISE EXCEPTION 'what a campaign gives does not change once it is planned'
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

    @property
    def source(self) -> str:
        """What its rules name as their source."""
        return f"{CAMPAIGN}{self.pk}"


class CampaignMember(models.Model):
    """That a member was in the audience when it began, and whether they were kept aside."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="members", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    held_out = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "membership"], name="campaign_member_once"),
        ]
        indexes = [models.Index(fields=["membership"], name="campaign_member_of")]
        triggers = [
            pgtrigger.Protect(
                name="campaign_member_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.membership_id}"
