"""Connections: which shops and tools tell what happens there, and what came in from each."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Program


class Connection(models.Model):
    """A shop or a tool whose messages are taken. Its orders are addressed by `source` and the
    shop's own numbers, so that a file or an API that names the same source means the same ones."""

    class Kind(models.TextChoices):
        SHOPIFY = "shopify", _("Shopify")
        WOOCOMMERCE = "woocommerce", _("WooCommerce")
        MAPPED = "mapped", _("Something else")

    # Those with accounts of their own: two of them must not number their customers alike.
    SHOPS = (Kind.SHOPIFY, Kind.WOOCOMMERCE)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=100)
    source = models.CharField(_("source"), max_length=32)
    # Put before the shop's customer numbers.
    customer_prefix = models.CharField(max_length=16, blank=True, default="")
    # None: its orders count in every program.
    program = models.ForeignKey(Program, null=True, on_delete=models.PROTECT, related_name="+")
    # Encrypted (`kept_secrets`): what signs its messages.
    secret = models.BinaryField(max_length=512, default=b"")
    # Where its API is, and what opens it; encrypted. Only for bringing in what happened before.
    shop_url = models.CharField(_("address of the shop"), max_length=300, blank=True, default="")
    api_access = models.BinaryField(max_length=2048, default=b"")
    # Of a mapped one: what its messages are and where their fields are (`connectors.mapping`).
    mapping = models.JSONField(default=dict)
    enabled = models.BooleanField(_("is taken in"), default=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer_prefix"], name="connection_customers_apart",
                condition=Q(kind__in=["shopify", "woocommerce"]),
            ),
            models.UniqueConstraint(
                fields=["source"], name="connection_orders_apart",
                condition=Q(kind__in=["shopify", "woocommerce"]),
            ),
            models.CheckConstraint(
                name="connection_source",
                condition=Q(source__regex=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"),
            ),
            models.CheckConstraint(
                name="connection_kind", condition=Q(kind__in=["shopify", "woocommerce", "mapped"])
            ),
            models.CheckConstraint(
                name="connection_mapping", condition=Q(kind="mapped") | Q(mapping={})
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class InboundMessage(models.Model):
    """What came in by a connection, and what became of it. One that was not signed as it should
    is kept without its content; those of a minute are counted together."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits")
        DONE = "done", _("Taken in")
        SKIPPED = "skipped", _("Passed over")
        FAILED = "failed", _("Failed")
        REFUSED = "refused", _("Refused")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    # The sender's own number of the message, or what stands for it; empty for refused ones.
    delivery_id = models.CharField(max_length=160, blank=True, default="")
    topic = models.CharField(max_length=64, blank=True, default="")
    content_type = models.CharField(max_length=64, blank=True, default="")
    # Empty once it is forgotten.
    payload = models.TextField(blank=True, default="")
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    # How often it came: a repeat changes nothing but this.
    times = models.PositiveIntegerField(default=1)
    # What it became: kind, number and outcome of each.
    result = models.JSONField(default=list)
    # What was wrong: place and message of each.
    errors = models.JSONField(default=list)
    note = models.CharField(max_length=300, blank=True, default="")
    # Customers whom it tells of, by number: what is forgotten when they are.
    people = models.JSONField(default=list)
    # When it happened there, as far as the message says.
    happened_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "delivery_id"],
                name="inbound_message_once",
                condition=~Q(delivery_id=""),
            ),
            models.CheckConstraint(
                name="inbound_message_state",
                condition=Q(state="waiting", finished_at=None)
                | Q(state__in=["done", "skipped", "failed", "refused"], finished_at__isnull=False),
            ),
            models.CheckConstraint(
                name="inbound_message_refused", condition=~Q(state="refused") | Q(payload="")
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "-id"], name="inbound_message_log"),
            models.Index(
                fields=["connection", "state", "received_at"], name="inbound_message_state"
            ),
            models.Index(fields=["received_at"], name="inbound_message_age"),
            models.Index(
                fields=["topic", "-id"], name="inbound_message_topic", condition=~Q(topic="")
            ),
            models.Index(fields=["state", "-id"], name="inbound_message_of_state"),
            # What something became, by its number.
            GinIndex(
                fields=["result"], name="inbound_message_result", opclasses=["jsonb_path_ops"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.delivery_id}".strip()


class KnownVersion(models.Model):
    """The newest that a connection has told about a customer, or that an order or a customer is
    gone: what is older comes too late."""

    class Subject(models.TextChoices):
        ORDER = "order", _("Order")
        CUSTOMER = "customer", _("Customer")

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    subject = models.CharField(max_length=16, choices=Subject.choices)
    number = models.CharField(max_length=128)
    version = models.BigIntegerField(default=0)
    gone = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "subject", "number"], name="known_version_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.number}"
