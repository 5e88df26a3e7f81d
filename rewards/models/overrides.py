"""What staff let pass that was against a reward's terms, and how far each role may go."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models import StaffMember
from rewards.models.redemptions import Redemption

Role = StaffMember.Role


class OverrideLimit(models.Model):
    """How far a role may let pass what is against the terms of rewards. A role without a row has
    what comes with Setia."""

    role = models.CharField(_("role"), max_length=32, choices=Role.choices, unique=True)
    most_in_a_day = models.PositiveIntegerField(
        _("how many in a day"),
        null=True,
        blank=True,
        help_text=_("Empty: as many as they like. 0: none."),
    )
    units_at_once = models.BigIntegerField(
        _("units at once"),
        null=True,
        blank=True,
        help_text=_("What one reward may take at most. Empty: as much as they like."),
    )
    units_in_a_day = models.BigIntegerField(
        _("units in a day"),
        null=True,
        blank=True,
        help_text=_("What all of them together may take. Empty: as much as they like."),
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="override_limit_role_known", condition=Q(role__in=Role.values)
            ),
            models.CheckConstraint(
                name="override_limit_not_negative",
                condition=(Q(units_at_once=None) | Q(units_at_once__gte=0))
                & (Q(units_in_a_day=None) | Q(units_in_a_day__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return self.get_role_display()


class StaffOverride(models.Model):
    """One time that somebody of the staff let something pass, and why. It stays."""

    class Kind(models.TextChoices):
        TAKEN = "taken", _("Taken against its terms")
        REOPENED = "reopened", _("Brought back")
        MINIMUM = "minimum", _("Smallest order let pass")

    redemption = models.ForeignKey(Redemption, on_delete=models.PROTECT, related_name="overrides")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Which refusals, where it was taken.
    codes = ArrayField(models.CharField(max_length=32), default=list)
    reason = models.CharField(max_length=500)
    # What the reward takes, in whole units: what limits are held against.
    units = models.DecimalField(max_digits=20, decimal_places=6)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="staff_override_of_its_kind",
                condition=(Q(kind="taken") & ~Q(codes=[]))
                | Q(kind__in=["reopened", "minimum"], codes=[]),
            ),
            models.CheckConstraint(name="staff_override_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="staff_override_units", condition=Q(units__gte=0)),
        ]
        indexes = [
            models.Index(fields=["staff", "created_at"], name="staff_override_of_a_day"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="staff_override_stays", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.redemption}"
