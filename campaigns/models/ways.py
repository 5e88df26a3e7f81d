"""Who sends by a way, and where members are reached by it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.webhook_addresses import without_secrets
from members.models import Customer


class ChannelSetting(models.Model):
    """How a way is set up, and how it does; no row: as the installation says. What is secret is
    encrypted (`members.kept_secrets`)."""

    # As in `campaigns.standard_channels`.
    channel = models.CharField(max_length=16, primary_key=True)
    is_on = models.BooleanField(_("is used"), default=True)
    # The provider's address with its keys; empty: the installation's.
    url = models.BinaryField(default=bytes, blank=True)
    # The same without keys, for those who may change it.
    url_hint = models.CharField(max_length=300, blank=True, default="")
    # What signs what another system is told.
    secret = models.BinaryField(default=bytes, blank=True)
    # How its provider tells what became of messages (`campaigns.receipt_mappings`); empty: as a
    # gateway or a system of one's own does, if it does.
    receipts = models.JSONField(default=dict, blank=True)
    # Whoever answers with it is told nothing more; empty: messages have a link for that.
    stop_word = models.CharField(_("word that ends it"), max_length=20, default="STOP", blank=True)
    # The secret part of the address to which the provider tells what was answered.
    stop_token = models.BinaryField(default=bytes, blank=True)
    test_to = models.CharField(_("tests go to"), max_length=500, blank=True, default="")
    sent_at = models.DateTimeField(_("last sent"), null=True)
    failed_at = models.DateTimeField(_("last failure"), null=True)
    # Without addresses.
    failure = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="channel_setting_failure",
                condition=Q(failed_at=None, failure="") | Q(failed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.channel

    @property
    def open_hint(self) -> str:
        """For those who may not: of an address of one's own the host alone."""
        return without_secrets(self.url_hint)


class EarlyReceipt(models.Model):
    """What became of a message that is known by no such name yet: providers are sometimes faster
    than we write it down."""

    channel = models.CharField(max_length=16)
    reference = models.CharField(max_length=200)
    # As in `campaigns.receipt_mappings.Outcome`.
    outcome = models.CharField(max_length=16)
    # Only where nothing is to be sent any more.
    address = models.CharField(max_length=500, blank=True, default="")
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "reference"], name="early_receipt_once"),
            models.CheckConstraint(name="early_receipt_named", condition=~Q(reference="")),
        ]
        indexes = [models.Index(fields=["told_at"], name="early_receipt_old")]

    def __str__(self) -> str:
        return f"{self.channel}: {self.reference}"


class ContactAddress(models.Model):
    """Where somebody is reached besides by mail and phone: a device, a number of its own."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="contact_addresses", db_index=False
    )
    channel = models.CharField(max_length=16)
    address = models.CharField(_("address"), max_length=500)
    # By which it is found: `campaigns.addresses`.
    digest = models.BinaryField(max_length=32)
    label = models.CharField(_("name"), max_length=80, blank=True, default="")
    # Of several numbers, the one that was named last is written to; of devices, all are.
    named_at = models.DateTimeField()
    # When it was shown to be theirs, or the shop said so; None: nothing but a code is sent there.
    confirmed_at = models.DateTimeField(null=True)
    # Since when the code counts that was sent there last, and how often another was typed.
    code_at = models.DateTimeField(null=True)
    code_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "contact addresses"
        constraints = [
            models.UniqueConstraint(fields=["channel", "digest"], name="contact_address_once"),
            models.CheckConstraint(name="contact_address_there", condition=~Q(address="")),
            models.CheckConstraint(
                name="contact_address_code",
                condition=Q(code_at=None, code_tries=0)
                | Q(code_at__isnull=False, confirmed_at=None),
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer", "channel", "-named_at", "-id"], name="contact_address_newest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.channel}"
