"""What members are told, and what became of it by each way."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.templates import TemplateVersion
from loyalty.models import Membership
from members.models import Customer
from members.models.telling import tells

# How a delivery goes on. One that may have gone out is not sent again by itself, only by people.
STEPS = (
    ("queued", "sending"), ("queued", "suppressed"), ("queued", "failed"),
    ("sending", "sent"), ("sending", "failed"), ("sending", "uncertain"), ("sending", "queued"),
    # The worker was only slow, or the provider told that it arrived.
    ("uncertain", "sent"), ("uncertain", "failed"), ("uncertain", "queued"),
    # It came back; somebody of the staff sends it again.
    ("sent", "failed"), ("failed", "queued"),
)  # fmt: skip


class Message(models.Model):
    """Something that one person is told once, however often the event behind it is told."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    # None: it is about the person, not about a program.
    membership = models.ForeignKey(
        Membership, null=True, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    occasion = models.CharField(max_length=32)
    # Which one it was, such as an order and a membership. With it, a message is written once.
    occurrence = models.CharField(max_length=160)
    topic = models.CharField(max_length=16)
    # In whose words, where an experiment compares them; None: as it is without one.
    arm = models.ForeignKey(
        "campaigns.ExperimentArm", null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    # The language that it is told in.
    locale = models.CharField(max_length=16)
    # What the variables say, as it was when it happened.
    values = models.JSONField(default=dict)
    # What follows from it being told, such as which units may expire now.
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    # From then on it is no news any more; None: it always is.
    stale_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["occasion", "occurrence"], name="message_once"),
            models.CheckConstraint(name="message_has_occurrence", condition=~Q(occurrence="")),
        ]
        indexes = [
            # Whoever deletes an arm has to know that nobody was told in its words.
            models.Index(fields=["arm"], name="message_of_arm", condition=Q(arm__isnull=False)),
            models.Index(fields=["customer", "-created_at", "-id"], name="message_of_customer"),
            models.Index(
                fields=["membership"], name="message_of_membership",
                condition=Q(membership__isnull=False),
            ),
            models.Index(fields=["-created_at", "-id"], name="message_newest"),
            # What may still count against how often somebody is written to.
            models.Index(fields=["customer", "stale_at"], name="message_still_news"),
        ]  # fmt: skip
        triggers = [pgtrigger.Protect(name="message_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.occasion} · {self.occurrence}"


class Delivery(models.Model):
    """A message by one way, and to one device where they have several."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        UNCERTAIN = "uncertain", _("Perhaps sent")
        SUPPRESSED = "suppressed", _("Not sent")

    # Those that count against how often somebody is written to.
    COUNTED = (State.SENDING, State.SENT, State.UNCERTAIN)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    message = models.ForeignKey(
        Message, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    channel = models.CharField(max_length=16)
    # Which of several it goes to (`ContactAddress`); None: where they are reached by then.
    device = models.UUIDField(null=True, editable=False)
    state = models.CharField(max_length=10, choices=State.choices)
    # Why it was not sent, failed or waits: a code of `campaigns.words`.
    reason = models.CharField(max_length=32, blank=True, default="")
    # What the mail server said, without the address.
    detail = models.CharField(max_length=300, blank=True, default="")
    # The lower, the sooner, where not all may be sent.
    priority = models.PositiveSmallIntegerField()
    # Looked at from then on; while somebody works on it: until when it is theirs.
    available_at = models.DateTimeField()
    # Which attempt this is: whoever has an older one has lost it.
    attempts = models.PositiveSmallIntegerField(default=0)
    # What was told; the version is none where the words were ready-made.
    version = models.ForeignKey(
        TemplateVersion, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    subject = models.CharField(max_length=400, blank=True, default="")
    # Only of what is read here, in the member's inbox.
    text = models.TextField(blank=True, default="")
    # Under which name the provider knows it.
    reference = models.CharField(max_length=200, blank=True, default="")
    handed_over_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    # Whether it went out so that following a link, and opening it, can be counted.
    counts_clicks = models.BooleanField(default=False)
    counts_opens = models.BooleanField(default=False)
    # The first time, as far as it is counted. Opening is seen of some readers alone.
    opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["message", "channel", "device"], name="delivery_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="delivery_state_of_its_times",
                condition=Q(state="queued", sent_at=None)
                | Q(state__in=["sending", "uncertain"], handed_over_at__isnull=False, sent_at=None)
                | Q(state="sent", handed_over_at__isnull=False, sent_at__isnull=False)
                | Q(state="suppressed", handed_over_at=None) & ~Q(reason="")
                | Q(state="failed") & ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="delivery_counts_what_it_may",
                condition=(Q(clicked_at=None) | Q(counts_clicks=True))
                & (Q(opened_at=None) | Q(counts_opens=True)),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["channel", "priority", "available_at", "id"], name="delivery_waiting",
                condition=Q(state="queued"),
            ),
            models.Index(
                fields=["available_at"], name="delivery_under_way", condition=Q(state="sending")
            ),
            models.Index(
                fields=["reference"], name="delivery_reference", condition=~Q(reference="")
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Protect(name="delivery_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(name="delivery_goes_on", field="state", transitions=list(STEPS)),
            *tells(
                "told.deliveries",
                "state",
                ("delivered_at", "read_at", "opened_at", "clicked_at", "unsubscribed_at"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message} · {self.channel}"


class ShortLink(models.Model):
    """Where a short link of a text leads (`campaigns.short_links`). Kept as long as its delivery,
    until its reader is erased."""

    code = models.CharField(max_length=11, primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="short_links")
    target = models.CharField(max_length=1_500)

    class Meta:
        constraints = [models.CheckConstraint(name="short_link_leads", condition=~Q(target=""))]

    def __str__(self) -> str:
        return self.code


class DeliveryClick(models.Model):
    """Which link of a delivery was followed. `link`: where it leads, without what is personal in
    it. Kept for as long as figures by link are shown."""

    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="clicks", db_index=False
    )
    link = models.CharField(max_length=200)
    first_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "link"], name="delivery_click_once"),
            models.CheckConstraint(
                name="delivery_click_counted", condition=Q(count__gte=1) & ~Q(link="")
            ),
        ]
        indexes = [models.Index(fields=["first_at"], name="delivery_click_old")]

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.link}"
