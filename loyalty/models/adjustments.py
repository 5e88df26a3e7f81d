"""Moving units by hand: why it may be done, how far each role may go, and what waits for a second
person."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.ledger import Transfer, Wallet
from loyalty.models.programs import Program
from members.models import StaffMember

Role = StaffMember.Role

reason_code_validator = RegexValidator(
    r"^[a-z][a-z0-9_]*$", _("Use lower-case letters, digits and underscores.")
)


class AdjustmentReason(models.Model):
    """A reason that staff choose and that the API names by its code.

    A movement keeps the code and what the reason was called then; so a row is never deleted, only
    no longer offered.
    """

    code = models.CharField(
        _("code"), max_length=64, unique=True, validators=[reason_code_validator],
        help_text=_("Short name for files and the API. Stays as it is."),
    )  # fmt: skip
    label = models.CharField(_("what it is called"), max_length=80)
    is_active = models.BooleanField(_("can be chosen"), default=True)
    roles = ArrayField(
        models.CharField(max_length=32, choices=Role.choices),
        default=list,
        verbose_name=_("who may use it"),
    )
    note_required = models.BooleanField(_("a note is required"), default=False)
    told_to_members = models.BooleanField(
        _("customers read it"),
        default=True,
        help_text=_("Beside the movement, on their own pages."),
    )
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                name="adjustment_reason_code", condition=Q(code__regex=r"^[a-z][a-z0-9_]*$")
            ),
            models.CheckConstraint(name="adjustment_reason_label", condition=~Q(label="")),
        ]
        triggers = [
            pgtrigger.Protect(name="adjustment_reason_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.label


class AdjustmentLimit(models.Model):
    """How many whole units a role may move: at once, in a day, and without a second person.

    A row without program holds for every program that has none of its own.
    """

    role = models.CharField(_("role"), max_length=32, choices=Role.choices)
    program = models.ForeignKey(
        Program, null=True, blank=True, on_delete=models.CASCADE, related_name="adjustment_limits"
    )
    most_at_once = models.BigIntegerField(
        _("at once"), null=True, blank=True, help_text=_("Empty: as many as they like.")
    )
    most_in_a_day = models.BigIntegerField(
        _("in a day"), null=True, blank=True, help_text=_("Empty: as many as they like.")
    )
    approval_above = models.BigIntegerField(
        _("a second person above"),
        null=True,
        blank=True,
        help_text=_("Above it, somebody else has to approve. Empty: never."),
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["program_id", "role"]
        constraints = [
            models.UniqueConstraint(
                fields=["role", "program"], name="adjustment_limit_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="adjustment_limit_role_known", condition=Q(role__in=Role.values)
            ),
            models.CheckConstraint(
                name="adjustment_limit_not_negative",
                condition=(Q(most_at_once=None) | Q(most_at_once__gte=0))
                & (Q(most_in_a_day=None) | Q(most_in_a_day__gte=0))
                & (Q(approval_above=None) | Q(approval_above__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return self.get_role_display()


class AdjustmentRequest(models.Model):
    """An adjustment that a second person has to decide. Once decided, it never changes."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for approval")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="adjustment_requests")
    units = models.BigIntegerField()
    reason = models.CharField(max_length=64)
    note = models.TextField(blank=True, default="")
    # Becomes the transfer's, so that the form that asked moves units once, whatever happens.
    key = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_note = models.TextField(blank=True, default="")
    transfer = models.OneToOneField(
        Transfer, null=True, on_delete=models.PROTECT, related_name="adjustment_request"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="adjustment_request_units", condition=~Q(units=0)),
            models.CheckConstraint(
                name="adjustment_request_other_person",
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="adjustment_request_decided",
                condition=Q(state="waiting", decided_by=None, decided_at=None, transfer=None)
                | Q(
                    state="approved",
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                    transfer__isnull=False,
                )
                | (
                    Q(
                        state="rejected",
                        decided_by__isnull=False,
                        decided_at__isnull=False,
                        transfer=None,
                    )
                    & ~Q(decision_note="")
                )
                | Q(
                    state__in=["withdrawn", "expired"],
                    decided_by=None,
                    decided_at__isnull=False,
                    transfer=None,
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                name="adjustment_request_waiting",
                condition=Q(state="waiting"),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="adjustment_request_final",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=["approved", "rejected", "withdrawn",
                                                      "expired"]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.units:+d} ({self.state})"
