"""What people want to be told, by which way, and which addresses must not be written to."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.models import Customer
from members.models.telling import tells_new

_STATES = ["granted", "denied", "asked"]


class Consent(models.Model):
    """What somebody has said about a topic by a channel; no row: nothing."""

    class State(models.TextChoices):
        GRANTED = "granted", _("Yes")
        DENIED = "denied", _("No")
        # They said yes, and have not confirmed it yet.
        ASKED = "asked", _("To be confirmed")

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="consents", db_index=False
    )
    channel = models.CharField(max_length=16)
    topic = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=State.choices)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "channel", "topic"], name="consent_once"),
            models.CheckConstraint(name="consent_state", condition=Q(state__in=_STATES)),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.topic} by {self.channel}: {self.state}"


class ConsentChange(models.Model):
    """When, where and by whom something else was said. It never changes."""

    class Source(models.TextChoices):
        ACCOUNT = "account", _("On their own page")
        LINK = "link", _("By the link in a message")
        ONE_CLICK = "one_click", _("By their mail program")
        CONFIRMED = "confirmed", _("By the link that confirms it")
        COMPLAINT = "complaint", _("Reported as spam")
        REPLY = "reply", _("By a reply to a message")
        STAFF = "staff", _("By staff")
        API = "api", _("By the API")
        MERGE = "merge", _("With a merge")

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="consent_changes", db_index=False
    )
    channel = models.CharField(max_length=16)
    topic = models.CharField(max_length=16)
    # Empty: nothing had been said.
    was = models.CharField(max_length=8, blank=True)
    became = models.CharField(max_length=8, blank=True)
    source = models.CharField(max_length=16, choices=Source.choices)
    actor_label = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(name="consent_change_is_one", condition=~Q(was=F("became"))),
        ]
        indexes = [
            models.Index(fields=["customer", "-at", "-id"], name="consent_history"),
        ]
        triggers = [
            pgtrigger.Protect(name="consent_change_immutable", operation=pgtrigger.Update),
            *tells_new("told.consent_changes"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.topic} by {self.channel}: {self.was} → {self.became}"


class ContactPreference(models.Model):
    """By which clock somebody lives, where they said so."""

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.CASCADE, related_name="contact_preference"
    )
    time_zone = models.CharField(_("time zone"), max_length=64)

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.time_zone}"


class BlockedAddress(models.Model):
    """An address that nothing is sent to: it does not exist, or its owner called a message spam.
    Only a keyed digest is kept, so it holds also when the person is erased."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", _("It does not exist")
        COMPLAINED = "complained", _("Reported as spam")

    channel = models.CharField(max_length=16)
    digest = models.BinaryField(max_length=32)
    reason = models.CharField(max_length=16, choices=Reason.choices)
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "blocked addresses"
        constraints = [
            models.UniqueConstraint(fields=["channel", "digest"], name="blocked_address_once"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.reason}"
