"""What is charged for paid plans, the units that come with it, and what payment providers tell."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from loyalty.models.ledger import Transfer
from loyalty.models.orders import MoneyField
from loyalty.models.plans import PlanVersion, Subscription
from loyalty.models.programs import Program


class PlanCharge(models.Model):
    """What one period costs: an invoice, collected by a provider or paid by hand."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("a payment", "Open")
        FAILED = "failed", _("Payment failed")
        PAID = "paid", _("Paid")
        REFUNDED = "refunded", _("Refunded")
        VOID = "void", _("Void")

    UNPAID = (State.OPEN, State.FAILED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="charges", db_index=False
    )
    version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    period_number = models.PositiveIntegerField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    # Counted in the program, for people.
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_index=False)
    invoice_number = models.PositiveIntegerField()
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    issued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    # How often a provider was asked to collect it and said no, and when it is asked next.
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=64, blank=True, default="")
    provider_reference = models.CharField(max_length=255, blank=True, default="")
    paid_at = models.DateTimeField(null=True)
    # By hand: who saw the money.
    paid_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    refunded = MoneyField(default=0)
    refunded_at = models.DateTimeField(null=True)
    # What a provider was asked to give back, since when: its answer is not known yet. It is asked
    # again at `next_attempt_at`, under the key of this time.
    giving_back = MoneyField(default=0, db_default=0)
    refund_asked_at = models.DateTimeField(null=True)
    # What a provider had taken on to give back, and could not: since when and why, as a short code.
    # With `next_attempt_at` it is asked again, under the key of another `refund_asked_at`.
    refund_failed_at = models.DateTimeField(null=True)
    refund_failure = models.CharField(max_length=64, blank=True, default="", db_default="")
    # Of what was paid: how much was left when another plan took the place of this one, and was
    # taken off the first payment for that.
    carried = MoneyField(default=0, db_default=0)
    carried_from = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="carried_to"
    )
    # What was left of that one, and lowers this invoice: with the amount, what the period cost.
    taken_off = MoneyField(default=0, db_default=0)

    class Meta:
        ordering = ["-issued_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "period_number"], name="plan_charge_once"
            ),
            models.UniqueConstraint(
                fields=["program", "invoice_number"], name="plan_charge_invoice"
            ),
            models.CheckConstraint(
                name="plan_charge_amount",
                condition=(Q(amount__gt=0) | Q(amount=0, taken_off__gt=0))
                & Q(refunded__gte=0, refunded__lte=F("amount")),
            ),
            # Nothing is both given back and taken off something else.
            models.CheckConstraint(
                name="plan_charge_carried",
                condition=Q(carried=0)
                | Q(carried__gt=0, state__in=["paid", "refunded"])
                & Q(carried__lte=F("amount") + F("taken_off") - F("refunded") - F("giving_back")),
            ),
            models.CheckConstraint(
                name="plan_charge_taken_off",
                condition=Q(taken_off=0) | Q(taken_off__gt=0, carried_from__isnull=False),
            ),
            models.CheckConstraint(
                name="plan_charge_period", condition=Q(period_end__gt=F("period_start"))
            ),
            models.CheckConstraint(
                name="plan_charge_state",
                condition=Q(state__in=["open", "failed", "void"], paid_at=None, refunded=0)
                | Q(state="paid", paid_at__isnull=False, refunded=0)
                | Q(
                    state="refunded",
                    paid_at__isnull=False,
                    refunded__gt=0,
                    refunded_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="plan_charge_attempt",
                condition=Q(next_attempt_at=None)
                | Q(state__in=["open", "failed"])
                | Q(giving_back__gt=0)
                | Q(refund_failed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="plan_charge_refund_failed",
                condition=Q(refund_failed_at=None, refund_failure="")
                | Q(
                    refund_failed_at__isnull=False,
                    state="refunded",
                    refund_asked_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="plan_charge_giving_back",
                condition=Q(giving_back=0)
                | Q(
                    giving_back__gt=0,
                    giving_back__lte=F("amount"),
                    state="paid",
                    refund_asked_at__isnull=False,
                    next_attempt_at__isnull=False,
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider_reference"],
                name="plan_charge_reference",
                condition=~Q(provider_reference=""),
            ),
            models.Index(fields=["program", "-issued_at"], name="plan_charge_issued"),
            models.Index(
                fields=["next_attempt_at"],
                name="plan_charge_given_back",
                condition=Q(giving_back__gt=0),
            ),
            models.Index(
                fields=["program", "refund_failed_at"],
                name="plan_charge_not_given_back",
                condition=~Q(refund_failed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.invoice_number}"

    @property
    def remaining(self) -> Decimal:
        """What of its worth was neither given back, nor is to be, nor taken off another price."""
        gone: Decimal = self.carried + self.refunded + self.giving_back
        left: Decimal = self.amount + self.taken_off - gone
        return left

    @property
    def refundable(self) -> Decimal:
        """What of a payment can still be given back: never more than came by it."""
        cash: Decimal = self.amount - self.refunded - self.giving_back
        return min(cash, self.remaining)


class PlanCredit(models.Model):
    """Units that came with a payment: the n-th of it, and how much of them was withdrawn."""

    charge = models.ForeignKey(
        PlanCharge, on_delete=models.PROTECT, related_name="credits", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="plan_credit")
    units = models.BigIntegerField()
    withdrawn = models.BigIntegerField(default=0)
    withdrawal = models.OneToOneField(
        Transfer, null=True, on_delete=models.PROTECT, related_name="plan_withdrawal"
    )

    class Meta:
        ordering = ["charge", "number"]
        constraints = [
            models.UniqueConstraint(fields=["charge", "number"], name="plan_credit_once"),
            models.CheckConstraint(
                name="plan_credit_withdrawn",
                condition=Q(units__gt=0, withdrawn__gte=0, withdrawn__lte=F("units")),
            ),
            models.CheckConstraint(
                name="plan_credit_withdrawal",
                condition=Q(withdrawn=0, withdrawal=None)
                | Q(withdrawn__gt=0, withdrawal__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.charge}: {self.units}"


class PaymentEvent(models.Model):
    """Something that a payment provider told, by its number there: it is acted on once. What it
    said is not kept."""

    provider = models.CharField(max_length=32)
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=64)
    charge = models.ForeignKey(
        PlanCharge, null=True, on_delete=models.PROTECT, related_name="events"
    )
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="payment_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.kind}"
