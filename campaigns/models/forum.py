"""The forum that members reach with the account that they have here, and what it is to be told."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership, Program


class Forum(models.Model):
    """The one forum of the installation. Its secrets are kept encrypted (`kept_secrets`)."""

    # There is one.
    number = models.PositiveSmallIntegerField(default=1, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="+", verbose_name=_("program")
    )
    url = models.CharField(_("address"), max_length=300)
    is_on = models.BooleanField(_("on"), default=False)
    secret = models.BinaryField(default=bytes)
    api_key = models.BinaryField(default=bytes)
    api_user = models.CharField(_("user of the key"), max_length=60, default="system")
    # The forum's group of each tier, by the tier's code.
    groups = models.JSONField(default=dict, blank=True)
    tested_at = models.DateTimeField(null=True)
    # What the last test found; empty: all was well.
    test_problem = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(name="forum_is_one", condition=Q(number=1)),
            models.CheckConstraint(
                name="forum_on_has_secret", condition=Q(is_on=False) | ~Q(secret=b"")
            ),
        ]

    def __str__(self) -> str:
        return self.url


class ForumMember(models.Model):
    """A member who agreed that the forum is told who they are."""

    membership = models.OneToOneField(
        Membership, on_delete=models.PROTECT, related_name="forum_member"
    )
    # By which the forum knows them.
    external_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agreed_at = models.DateTimeField()
    # When they took that back.
    left_at = models.DateTimeField(null=True)
    signed_in_at = models.DateTimeField(null=True)
    # What the forum was told last.
    tier = models.CharField(max_length=64, blank=True, default="")
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="forum_left_after_agreeing",
                condition=Q(left_at=None) | Q(left_at__gte=models.F("agreed_at")),
            )
        ]

    def __str__(self) -> str:
        return str(self.external_id)


class ForumSignIn(models.Model):
    """A request of the forum that was answered, which is not answered a second time."""

    # The hash of its nonce.
    nonce = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.nonce[:12]


class ForumTask(models.Model):
    """Something that the forum is to be told: tried again until it has got it."""

    class Kind(models.TextChoices):
        SYNC = "sync", _("Groups and title")
        LOG_OUT = "log_out", _("Sign out")
        ANONYMIZE = "anonymize", _("Make anonymous")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    external_id = models.UUIDField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id", "kind"], name="forum_task_open_once",
                condition=Q(state="open"),
            ),
            models.CheckConstraint(
                name="forum_task_done_when",
                condition=Q(state__in=["open", "failed"], done_at=None)
                | Q(state="done", done_at__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["due_at"], name="forum_task_due", condition=Q(state="open"))
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.external_id}"
