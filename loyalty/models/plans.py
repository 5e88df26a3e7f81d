"""Paid membership: the plans of a program, and who has one."""

from __future__ import annotations

import datetime as dt
import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.memberships import Membership
from loyalty.models.orders import MoneyField
from loyalty.models.programs import Program, code_validator
from loyalty.models.wallet_types import LotPolicy, WalletType
from members.models.telling import tells


class Plan(models.Model):
    """Something that members pay for again and again. What it says is in its versions.

    One that is not offered is kept by those who have it; one that has ended was had by somebody.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="plans")
    code = models.CharField(_("code"), max_length=32, validators=[code_validator])
    position = models.PositiveSmallIntegerField(default=0)
    offered = models.BooleanField(default=True)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["program", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="plan_code"),
            models.CheckConstraint(
                name="plan_ended_is_not_offered", condition=Q(ended_at=None) | Q(offered=False)
            ),
        ]

    def __str__(self) -> str:
        return self.code


class PlanVersion(models.Model):
    """One wording of a plan; the newest is what is sold. Whoever has the plan keeps the price and
    the credits of theirs until it renews. `benefits` is validated by
    `loyalty.tier_definitions`."""

    class Period(models.TextChoices):
        MONTH = "month", _("month")
        QUARTER = "quarter", _("quarter")
        YEAR = "year", _("year")

    class CreditsEvery(models.TextChoices):
        MONTH = "month", _("every month")
        PERIOD = "period", _("with every payment")

    class Upgrade(models.TextChoices):
        RENEWAL = "renewal", _("When the plan before renews")
        AT_ONCE = "at_once", _("At once, with what is left of the plan before taken off")

    MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(_("name"), max_length=60)
    description = models.CharField(max_length=500, blank=True, default="")
    price = MoneyField()
    period = models.CharField(max_length=16, choices=Period.choices)
    trial_days = models.PositiveSmallIntegerField(default=0)
    benefits = models.JSONField(default=list)
    # Units that come with it, at the wallet type's scale; NULL: none.
    credits = models.BigIntegerField(null=True)
    credits_wallet_type = models.ForeignKey(
        WalletType, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    credits_every = models.CharField(
        max_length=16, choices=CreditsEvery.choices, default=CreditsEvery.MONTH
    )
    # Their own expiry; NULL: as the wallet type says.
    credits_policy = models.ForeignKey(
        LotPolicy, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # When a payment that failed is tried again: days after it was due.
    retry_days = ArrayField(models.PositiveSmallIntegerField(), default=list)
    # What is not paid so many days after it was due ends the plan; its benefits last until then.
    grace_days = models.PositiveSmallIntegerField()
    # An invoice that nobody collects is due so many days after its date.
    pay_days = models.PositiveSmallIntegerField()
    # When members who have a cheaper plan of the program get this one instead.
    upgrade = models.CharField(
        max_length=16, choices=Upgrade.choices, default=Upgrade.RENEWAL,
        db_default=Upgrade.RENEWAL,
    )  # fmt: skip
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_number"),
            models.CheckConstraint(name="plan_version_price", condition=Q(price__gt=0)),
            models.CheckConstraint(
                name="plan_version_credits",
                condition=Q(credits=None, credits_wallet_type=None, credits_policy=None)
                | Q(credits__gt=0, credits_wallet_type__isnull=False),
            ),
            models.CheckConstraint(
                name="plan_version_days",
                condition=Q(trial_days__lte=365, grace_days__lte=90, pay_days__lte=90),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="plan_version_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def months(self) -> int:
        """Of one period."""
        return self.MONTHS[self.Period(self.period)]

    @property
    def credits_per_payment(self) -> int:
        """How often units come with one payment."""
        if self.credits is None:
            return 0
        return self.months if self.credits_every == self.CreditsEvery.MONTH else 1


class Subscription(models.Model):
    """A member's paid plan, from the wish to its end; another plan is another subscription.

    One that waits and follows another is an upgrade whose payment is being asked for: it takes the
    other's place, or goes without a trace. Its benefits are there in [benefits_from,
    benefits_until), whether or not any job has run. `next_at` is when something is to be done next;
    nothing is to be done for one that has ended.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for the first payment")
        TRIALING = "trialing", _("On trial")
        ACTIVE = "active", _("Active")
        PAST_DUE = "past_due", _("Payment overdue")
        CANCELED = "canceled", _("Canceled")
        LAPSED = "lapsed", _("Lapsed")

    class Why(models.TextChoices):
        PERIOD_END = "period_end", _("Canceled at the end of the period")
        AT_ONCE = "at_once", _("Canceled at once")
        NOT_PAID = "not_paid", _("Not paid")
        CHANGED = "changed", _("Another plan")
        LEFT = "left", _("No longer a member")

    class Source(models.TextChoices):
        ACCOUNT = "account", _("Customer’s page")
        BACKOFFICE = "backoffice", _("Back-office")
        API = "api", _("API")
        RENEWAL = "renewal", _("Renewal")
        CHANGE = "change", _("Instead of another plan")

    ENDED = (State.CANCELED, State.LAPSED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="subscriptions"
    )
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="subscriptions")
    # What the current period was sold as.
    version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, choices=State.choices)
    source = models.CharField(max_length=16, choices=Source.choices)
    # Who collects, and under which references of theirs; no secret is among them.
    provider = models.CharField(max_length=32)
    provider_customer = models.CharField(max_length=255, blank=True, default="")
    provider_method = models.CharField(max_length=255, blank=True, default="")
    asked_at = models.DateTimeField()
    trial_ends_at = models.DateTimeField(null=True)
    # Periods are counted from this day, so that the 31st comes back after a short month.
    anchor = models.DateField(null=True)
    anchor_number = models.PositiveIntegerField(default=1)  # the period that begins on it
    # Of the current period; 0 is the trial, or the time before the first payment.
    period_number = models.PositiveIntegerField(default=0)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    benefits_from = models.DateTimeField(null=True)
    benefits_until = models.DateTimeField(null=True)
    past_due_since = models.DateTimeField(null=True)
    cancel_at_period_end = models.BooleanField(default=False)
    cancel_asked_at = models.DateTimeField(null=True)
    # What it becomes when it renews.
    next_plan = models.ForeignKey(
        Plan, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    follows = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="followed_by"
    )
    next_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=16, choices=Why.choices, blank=True, default="")

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            # A membership is in one program: one running plan for each of them, and beside it at
            # most one that waits to take its place.
            models.UniqueConstraint(
                fields=["membership"],
                name="subscription_one_running",
                condition=Q(ended_at=None) & (Q(follows=None) | ~Q(state="waiting")),
            ),
            models.CheckConstraint(
                name="subscription_ended",
                condition=Q(state__in=["canceled", "lapsed"], ended_at__isnull=False, next_at=None)
                & ~Q(ended_why="")
                | Q(
                    state__in=["waiting", "trialing", "active", "past_due"],
                    ended_at=None,
                    ended_why="",
                ),
            ),
            models.CheckConstraint(
                name="subscription_past_due",
                condition=Q(state="past_due", past_due_since__isnull=False)
                | (~Q(state="past_due") & Q(past_due_since=None)),
            ),
            models.CheckConstraint(
                name="subscription_period",
                condition=Q(period_start=None, period_end=None, anchor=None)
                | Q(period_end__gt=F("period_start"), anchor__isnull=False),
            ),
            models.CheckConstraint(
                name="subscription_benefits",
                condition=Q(benefits_from=None, state__in=["waiting", "canceled", "lapsed"])
                | Q(benefits_until=None, benefits_from__isnull=False)
                | Q(benefits_until__gte=F("benefits_from")),
            ),
            models.CheckConstraint(
                name="subscription_trial",
                condition=~Q(state="trialing") | Q(trial_ends_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], name="subscription_due", condition=~Q(next_at=None)),
            models.Index(
                fields=["plan", "period_end"],
                name="subscription_running",
                condition=Q(ended_at=None),
            ),
        ]
        triggers = tells("told.subscriptions", "state", ("period_number", "cancel_at_period_end"))

    def __str__(self) -> str:
        return f"{self.membership}: {self.plan}"

    @property
    def running(self) -> bool:
        return self.ended_at is None

    @property
    def renews_at(self) -> dt.datetime | None:
        """When it is charged next; None: it is not."""
        if self.ended_at is not None or self.cancel_at_period_end:
            return None
        return self.period_end

    @property
    def takes_over(self) -> bool:
        """Whether it is to take the place of a plan that still runs."""
        return self.state == self.State.WAITING and self.follows_id is not None

    def in_force(self, at: dt.datetime) -> bool:
        """Whether its benefits are there."""
        return (
            self.benefits_from is not None
            and self.benefits_from <= at
            and (self.benefits_until is None or at < self.benefits_until)
        )
