"""What people want to be told, by which way, and which addresses must not be written to."""

from __future__ import annotations

import pgtrigger
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.models import Customer
from members.models.changes import customers_changed
from members.models.telling import tells_new

_STATES = ["granted", "denied", "asked"]
TOPIC_CODE = r"^[a-z][a-z_]*$"
TOPIC_WORDS = _("Use lower-case letters and underscores.")


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
        triggers = customers_changed("customer_id", ("state",))

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.topic} by {self.channel}: {self.state}"


class ConsentWording(models.Model):
    """What a box said that somebody ticked, word for word. Other words are another version of the
    same box; none ever changes."""

    channel = models.CharField(max_length=16)
    topic = models.CharField(max_length=16)
    locale = models.CharField(max_length=16, blank=True)
    version = models.PositiveIntegerField()
    text = models.TextField()
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "topic", "locale", "version"], name="consent_wording_once"
            ),
        ]
        triggers = [pgtrigger.Protect(name="consent_wording_immutable", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.topic} by {self.channel} ({self.locale}), version {self.version}"


class ConsentChange(models.Model):
    """When, where and by whom something else was said. It never changes."""

    class Source(models.TextChoices):
        ACCOUNT = "account", _("On their own page")
        LINK = "link", _("By the link in a message")
        ONE_CLICK = "one_click", _("By their mail program")
        CONFIRMED = "confirmed", _("By the link that confirms it")
        COMPLAINT = "complaint", _("Reported as spam")
        REPLY = "reply", _("By a reply to a message")
        JOIN = "join", _("As they joined")
        TILL = "till", _("At the till")
        IMPORT = "import", _("In a file")
        CONNECTION = "connection", _("By a connection")
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
    # When they said it, also where we learned of it later.
    at = models.DateTimeField()
    noted_at = models.DateTimeField(null=True)
    # How it is known, where it was not said here: a form, a list, a contract.
    evidence = models.CharField(max_length=200, blank=True, default="")
    # No index: none of them ever goes, and nobody asks who read one.
    wording = models.ForeignKey(
        ConsentWording, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

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


class OwnTopic(models.Model):
    """What messages of the merchant's may be about besides what comes with Setia. One that is put
    away is offered no more; what people said of it stays."""

    code = models.CharField(
        max_length=16, primary_key=True, validators=[RegexValidator(TOPIC_CODE, TOPIC_WORDS)]
    )
    name = models.CharField(_("name"), max_length=60)
    sentence = models.CharField(_("sentence"), max_length=200)
    # What it is called in other languages: {"el": {"name": …, "sentence": …}}.
    texts = models.JSONField(default=dict)
    # Never told to who has not said yes, whatever the policy says.
    opt_in_only = models.BooleanField(default=True)
    # Whether whoever joins is asked for it.
    asked_at_join = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.code
