"""Tiers: the ladder that a program has, what was given by hand, and where each member stands."""

from __future__ import annotations

import datetime as dt
import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.memberships import Membership
from loyalty.models.orders import MoneyField
from loyalty.models.programs import Program, code_validator
from loyalty.models.wallet_types import WalletType


class TierSet(models.Model):
    """One wording of a program's tiers, in force from `starts_at` until the next one; the first of
    a program that was never live has none and counts for orders of any date.

    A row never changes; only its end may be set, when a program has tiers no more.
    """

    class Metric(models.TextChoices):
        SPEND = "spend", _("What they spend")
        UNITS = "units", _("Units they earn")
        ORDERS = "orders", _("Number of orders")
        SCORE = "score", _("Activity score")

    class Window(models.TextChoices):
        CALENDAR_YEAR = "calendar_year", _("Calendar year")
        ROLLING = "rolling_12_months", _("The last 12 months")
        MEMBERSHIP_YEAR = "membership_year", _("Year of membership")
        LIFETIME = "lifetime", _("Ever")

    class CountsFrom(models.TextChoices):
        PLACED = "placed", _("When an order is placed")
        CONFIRMED = "confirmed", _("When an order is completed or confirmed")

    class RefundsCountOn(models.TextChoices):
        SALE = "sale", _("In the window of the sale")
        REFUND_DATE = "refund_date", _("On their own date")

    class Downgrade(models.TextChoices):
        NONE = "none", _("Never")
        SOFT_LANDING = "soft_landing", _("One tier down at most")
        RECOMPUTE = "recompute", _("To what was reached")
        TO_BASE = "to_base", _("To the first tier")
        IMMEDIATE = "immediate", _("At once, to what counts at any time")

    class PricedBy(models.TextChoices):
        BEFORE = "before", _("The tier before the order")
        AFTER = "after", _("The tier that the order leads to")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="tier_sets")
    number = models.PositiveIntegerField()
    metric = models.CharField(max_length=16, choices=Metric.choices)
    # Of a metric that counts units.
    wallet_type = models.ForeignKey(
        WalletType, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Of an activity score: what an activity counts, by the code of its type.
    score = models.JSONField(default=dict)
    window = models.CharField(max_length=24, choices=Window.choices)
    counts_from = models.CharField(max_length=16, choices=CountsFrom.choices)
    refunds_count_on = models.CharField(max_length=16, choices=RefundsCountOn.choices)
    return_days = models.PositiveSmallIntegerField()
    downgrade = models.CharField(max_length=16, choices=Downgrade.choices)
    grace_days = models.PositiveSmallIntegerField(default=0)
    priced_by = models.CharField(max_length=16, choices=PricedBy.choices)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["program", "number"]
        constraints = [
            models.UniqueConstraint(fields=["program", "number"], name="tier_set_number"),
            models.UniqueConstraint(
                fields=["program", "starts_at"], name="tier_set_begins_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="tier_set_counts_units",
                condition=Q(metric="units", wallet_type__isnull=False)
                | (~Q(metric="units") & Q(wallet_type=None)),
            ),
            models.CheckConstraint(
                name="tier_set_days", condition=Q(return_days__lte=365, grace_days__lte=180)
            ),
            models.CheckConstraint(
                name="tier_set_ends_later",
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gte=F("starts_at")),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="tier_set_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func="""
                    IF TG_OP = 'UPDATE' AND OLD.ends_at IS NULL
                       AND (to_jsonb(NEW) - 'ends_at') = (to_jsonb(OLD) - 'ends_at') THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'a tier set does not change' USING ERRCODE = 'SL010';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.number}"


class Tier(models.Model):
    """A step of a ladder; the first is reached with nothing. `benefits` is validated by
    `loyalty.tier_definitions`."""

    tier_set = models.ForeignKey(TierSet, on_delete=models.CASCADE, related_name="tiers")
    position = models.PositiveSmallIntegerField()
    code = models.CharField(_("code"), max_length=32, validators=[code_validator])
    name = models.CharField(_("name"), max_length=60)
    color = models.CharField(_("color"), max_length=16, default="secondary")
    icon = models.CharField(_("icon"), max_length=32, default="award")
    threshold = MoneyField(_("from"))
    benefits = models.JSONField(default=list)

    class Meta:
        ordering = ["tier_set", "position"]
        constraints = [
            models.UniqueConstraint(fields=["tier_set", "position"], name="tier_position"),
            models.UniqueConstraint(fields=["tier_set", "code"], name="tier_code"),
            models.UniqueConstraint(fields=["tier_set", "threshold"], name="tier_threshold"),
            models.CheckConstraint(name="tier_at_most_six", condition=Q(position__lte=5)),
            models.CheckConstraint(
                name="tier_first_is_free",
                condition=Q(position=0, threshold=0) | Q(position__gt=0, threshold__gt=0),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="tier_immutable", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="tier_rises",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (SELECT 1 FROM loyalty_tier t WHERE t.tier_set_id = NEW.tier_set_id
                                  AND (t.position < NEW.position) <> (t.threshold < NEW.threshold))
                    THEN
                        RAISE EXCEPTION 'a higher tier asks for more' USING ERRCODE = 'SL010';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ManualTier(models.Model):
    """A tier that was given by hand: the member has at least this one, in [since, until)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="manual_tiers"
    )
    tier_code = models.CharField(max_length=32)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Before its end, by hand: when, by whom and why.
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_why = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-since", "-id"]
        constraints = [
            models.CheckConstraint(
                name="manual_tier_ends_later", condition=Q(until=None) | Q(until__gt=F("since"))
            ),
            models.CheckConstraint(name="manual_tier_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.membership}: {self.tier_code}"

    @property
    def lasts_until(self) -> dt.datetime | None:
        """Its end, or the earlier one that somebody gave it."""
        return min((at for at in (self.until, self.ended_at) if at is not None), default=None)


class MemberTier(models.Model):
    """Where a member stands. Derived from their orders, refunds and what was given by hand; exact
    until `changes_at`, and worked out anew by whoever reads it later."""

    membership = models.OneToOneField(
        Membership, primary_key=True, on_delete=models.CASCADE, related_name="tier"
    )
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    total = MoneyField(default=0)
    # Without anything more: when the tier is lost, and to which.
    lost_at = models.DateTimeField(null=True)
    falls_to = models.ForeignKey(
        Tier, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    changes_at = models.DateTimeField(null=True)
    # Where nothing lies ahead but the ends of a period and of a grace period: `turn` and `due`, and
    # the rank that is then held at least. Those who stand alike are reviewed together.
    by_clock = models.BooleanField(default=False, db_default=False)
    turn = models.DateTimeField(null=True)
    due = models.DateTimeField(null=True)
    landing = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="member_tier_by_clock",
                condition=Q(by_clock=True) | Q(turn=None, due=None, landing=0),
            ),
            models.CheckConstraint(
                name="member_tier_loss",
                condition=Q(lost_at=None, falls_to=None)
                | Q(lost_at__isnull=False, falls_to__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["changes_at"], name="member_tier_due", condition=~Q(changes_at=None)
            ),
            models.Index(
                fields=["lost_at", "membership"],
                name="member_tier_lost",
                condition=~Q(lost_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.tier}"
