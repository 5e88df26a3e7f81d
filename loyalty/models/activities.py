"""What people do besides buying: the types there are, what was told, and what it brought."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.checkpoint_triggers import told_about_customers
from loyalty.models.earning_rules import EarningRule, EarningRuleVersion
from loyalty.models.ledger import Transfer
from loyalty.models.memberships import Membership
from members.models import Customer
from members.models.changes import customers_changed
from members.models.telling import tells


class ActivityType(models.Model):
    """A kind of thing that people do, as a review or a survey. It is the merchant's, so that all
    programs may reward it; each says in its rules how much."""

    class Proof(models.TextChoices):
        NONE = "none", _("Not asked for")
        OPTIONAL = "optional", _("Can come along")
        REQUIRED = "required", _("Required")

    class Period(models.TextChoices):
        DAY = "day", _("In a day")
        WEEK = "week", _("In a week")
        MONTH = "month", _("In a month")
        EVER = "ever", _("Ever")

    code = models.SlugField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("what it is called"), max_length=120)
    # With {subject} for what it was about.
    told = models.CharField(_("what members read"), max_length=120, blank=True, default="")
    active = models.BooleanField(_("is taken"), default=True)
    data_schema = models.JSONField(_("schema of its data"), default=dict, blank=True)
    proof = models.CharField(_("proof"), max_length=16, choices=Proof.choices, default=Proof.NONE)
    approval = models.BooleanField(_("somebody approves it"), default=False)
    most = models.PositiveIntegerField(_("at most"), null=True, blank=True)
    period = models.CharField(
        _("in each"), max_length=16, choices=Period.choices, default=Period.EVER
    )
    once_per_subject = models.BooleanField(_("once about the same subject"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                name="activity_type_code", condition=Q(code__regex=r"^[a-z0-9][a-z0-9-]*$")
            ),
            models.CheckConstraint(
                name="activity_type_most", condition=Q(most=None) | Q(most__gt=0)
            ),
            models.CheckConstraint(
                name="activity_type_proof", condition=Q(proof__in=["none", "optional", "required"])
            ),
            models.CheckConstraint(
                name="activity_type_period",
                condition=Q(period__in=["day", "week", "month", "ever"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def words(self, subject: str) -> str:
        """What such an activity is called where people read of it: "Review of Blue Mug"."""
        if "{subject}" in self.told and subject:
            return self.told.replace("{subject}", subject)
        plain = self.told if self.told and "{subject}" not in self.told else self.name
        return plain if not subject or self.told else f"{plain}: {subject}"


class Activity(models.Model):
    """Something that a customer did, as a shop or another system told it; told again it is the
    same."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waits for approval")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        REVERSED = "reversed", _("Taken back")

    # Those that are there: they use up limits.
    COUNTED = (State.PENDING, State.APPROVED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=32)
    external_id = models.CharField(max_length=128)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="activities")
    type = models.ForeignKey(ActivityType, on_delete=models.PROTECT, related_name="activities")
    # What it was about, as a SKU, and what people call that.
    subject = models.CharField(max_length=128, blank=True, default="")
    subject_name = models.CharField(max_length=200, blank=True, default="")
    data = models.JSONField(default=dict)
    # A link, or a text.
    proof = models.TextField(blank=True, default="")
    body_hash = models.BinaryField(max_length=32)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    # Of a coalition: whoever told it.
    partner = models.ForeignKey(
        "loyalty.Partner", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Why it was rejected or taken back.
    decision_note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="activity_address"),
            models.CheckConstraint(
                name="activity_state",
                condition=Q(state="pending", decided_at=None)
                | Q(state="approved")
                | Q(state__in=["rejected", "reversed"], decided_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "type", "occurred_at"], name="activity_done"),
            models.Index(fields=["customer", "-occurred_at", "-id"], name="activity_history"),
            models.Index(
                fields=["recorded_at", "id"], name="activity_waiting", condition=Q(state="pending")
            ),
            models.Index(
                fields=["decided_at", "id"],
                name="activity_decided",
                condition=Q(decided_at__isnull=False),
            ),
        ]
        triggers = [
            *customers_changed("customer_id", ("type_id", "state", "occurred_at")),
            *told_about_customers("r.occurred_at", ("type_id", "state", "occurred_at")),
            *tells("told.activities", "state"),
        ]

    def __str__(self) -> str:
        return self.type.words(self.subject_name or self.subject)


class ActivityAward(models.Model):
    """What one rule said about an activity, when it counted. `transfer`: the movement; none where
    the rule gave nothing."""

    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="awards")
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    rule_version = models.ForeignKey(
        EarningRuleVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    units = models.BigIntegerField()
    steps = models.JSONField(default=list)
    transfer = models.OneToOneField(
        Transfer, null=True, on_delete=models.PROTECT, related_name="activity_award"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["activity", "rule_version"], name="activity_award_once"
            ),
            models.CheckConstraint(
                name="activity_award_moved",
                condition=Q(units=0, transfer=None) | Q(units__gt=0, transfer__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.activity_id}: {self.units}"


class OccasionGrant(models.Model):
    """What a rule for a day of the year said of a member, once for each such day. `transfer`: the
    movement; none where the rule gave nothing."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="occasions")
    rule = models.ForeignKey(
        EarningRule, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    rule_version = models.ForeignKey(
        EarningRuleVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # The birthday, or the anniversary; units may have been given some days ahead.
    day = models.DateField()
    units = models.BigIntegerField()
    steps = models.JSONField(default=list)
    transfer = models.OneToOneField(
        Transfer, null=True, on_delete=models.PROTECT, related_name="occasion_grant"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "membership", "day"], name="occasion_grant_once"
            ),
            models.CheckConstraint(
                name="occasion_grant_moved",
                condition=Q(units=0, transfer=None) | Q(units__gt=0, transfer__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.units} on {self.day}"
