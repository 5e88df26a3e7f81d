"""Gift cards: money that belongs to whoever has the code."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Account, Program, Transfer
from loyalty.models.orders import MoneyField
from members.models import Customer, Job
from members.models.telling import tells


class GiftCardBatch(models.Model):
    """Cards of one amount that are made together, to be printed or handed out."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    amount = MoneyField(_("amount of each"))
    count = models.PositiveIntegerField(_("how many"))
    # Whether they can be used at once, or only once a till has sold them.
    active = models.BooleanField(_("can be used at once"), default=True)
    job = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Since then their codes cannot be read any more.
    codes_forgotten_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(name="gift_card_batch_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="gift_card_batch_count", condition=Q(count__gte=1, count__lte=100_000)
            ),
        ]
        triggers = [pgtrigger.Protect(name="gift_card_batch_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name


class GiftCard(models.Model):
    """A code that money can be spent with, from an account of its own. What is on it is in the
    ledger alone.

    A card that was lost is replaced by another one of the same account, so nothing moves.
    """

    class Status(models.TextChoices):
        INACTIVE = "inactive", _("Not sold yet")
        ACTIVE = "active", _("Active")
        BLOCKED = "blocked", _("Blocked")
        REPLACED = "replaced", _("Replaced")
        CANCELED = "cancelled", _("Canceled")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="gift_cards", db_index=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="gift_cards", db_index=False
    )
    status = models.CharField(max_length=16, choices=Status.choices)
    # Its code, as a keyed hash, and how it ends.
    code_hash = models.BinaryField(max_length=32, unique=True)
    last_four = models.CharField(max_length=4)
    # With the installation's key the code is worked out from it; NULL: it was told, and is
    # forgotten.
    seed = models.BinaryField(max_length=16, null=True)
    # What it was issued with.
    amount = MoneyField()
    # The payment that it began with.
    deposit = models.ForeignKey(
        Transfer, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Who bought it; nobody, where that is not known.
    buyer = models.ForeignKey(
        Customer, null=True, on_delete=models.PROTECT, related_name="gift_cards_bought"
    )
    # For whom it is. Personal data of somebody who may be no customer.
    recipient_name = models.CharField(max_length=120, blank=True, default="")
    recipient_email = models.EmailField(blank=True, default="")
    message = models.CharField(max_length=500, blank=True, default="")
    sender_name = models.CharField(max_length=120, blank=True, default="")
    batch = models.ForeignKey(
        GiftCardBatch, null=True, on_delete=models.PROTECT, related_name="cards"
    )
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    # Makes it be issued once.
    key = models.CharField(max_length=128, unique=True)
    source = models.CharField(max_length=16, choices=Transfer.Source.choices)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # Why it was blocked, replaced or canceled.
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="gift_card_status_of_its_times",
                condition=Q(status="inactive", deposit=None, activated_at=None, closed_at=None)
                | Q(status__in=["active", "blocked"], deposit__isnull=False,
                    activated_at__isnull=False, closed_at=None)
                | Q(status__in=["replaced", "cancelled"], closed_at__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["account"], condition=~Q(status="replaced"), name="gift_card_of_account"
            ),
            models.CheckConstraint(name="gift_card_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="gift_card_last_four", condition=Q(last_four__regex=r"^[A-Z0-9]{4}$")
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["last_four"], name="gift_card_ending"),
            models.Index(fields=["program", "-created_at"], name="gift_card_of_program"),
            models.Index(
                fields=["created_at"], name="gift_card_told", condition=Q(seed__isnull=False)
            ),
        ]
        triggers = [
            *tells("told.gift_cards", "status"),
            pgtrigger.Protect(name="gift_card_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="gift_card_status_goes_on",
                field="status",
                transitions=[
                    ("inactive", "active"), ("inactive", "cancelled"), ("inactive", "replaced"),
                    ("active", "blocked"), ("active", "replaced"), ("active", "cancelled"),
                    ("blocked", "active"), ("blocked", "replaced"), ("blocked", "cancelled"),
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"•••• {self.last_four}"
