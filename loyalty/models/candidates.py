"""Who may become a member and is none yet: the invited, those who wait, and requests to join."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.memberships import Membership
from loyalty.models.programs import Program
from members.models import Customer


class Candidate(models.Model):
    """A customer who was asked to join a program, or asked to and waits.

    There is no membership and no wallet before they join, so there is nothing that could earn. The
    row stays afterwards and says how it went.
    """

    class State(models.TextChoices):
        INVITED = "invited", _("Invited")
        WAITING = "waiting", _("Waiting")
        DECLINED = "declined", _("Declined")
        JOINED = "joined", _("Joined")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="candidates", db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="candidacies")
    state = models.CharField(max_length=16, choices=State.choices)
    source = models.CharField(max_length=16, choices=Membership.Source.choices)
    source_detail = models.CharField(max_length=64, blank=True, default="", db_default="")
    # Of an invitation: when the mail was written, until when its link works, and the link's hash;
    # the link itself is in the mail alone.
    invited_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    token_hash = models.BinaryField(max_length=32, null=True, unique=True)
    waiting_since = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "customer"], name="candidate_once"),
            models.CheckConstraint(
                name="candidate_state",
                condition=Q(state="invited", invited_at__isnull=False, answered_at=None)
                | Q(state="waiting", waiting_since__isnull=False, answered_at=None)
                | Q(state__in=["declined", "joined"], answered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="candidate_link",
                condition=Q(token_hash=None) | Q(state="invited", expires_at__gt=F("invited_at")),
            ),
        ]
        indexes = [
            models.Index(fields=["program", "state", "id"], name="candidate_state"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.program}: {self.state}"


class JoinRequest(models.Model):
    """Somebody without an account who filled in the form of a program's public page. They are a
    customer once the link in the mail has shown that the address is theirs; until then nothing of
    it counts, and after its end the row is removed."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="join_requests")
    email = models.EmailField(max_length=254)
    given_name = models.CharField(max_length=100, blank=True, default="")
    family_name = models.CharField(max_length=100, blank=True, default="")
    locale = models.CharField(max_length=16, blank=True, default="")
    source_detail = models.CharField(max_length=64, blank=True, default="")
    # What they want to be told, with the words that they read.
    consents = models.JSONField(default=list)
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="join_request_ends_later", condition=Q(expires_at__gt=F("created_at"))
            ),
        ]
        indexes = [
            models.Index(fields=["email", "created_at"], name="join_request_address"),
            models.Index(fields=["expires_at"], name="join_request_end"),
        ]

    def __str__(self) -> str:
        return f"{self.program}: #{self.pk}"
