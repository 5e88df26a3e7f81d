"""When a sale opens: for some earlier than for others."""

from __future__ import annotations

import uuid
from collections.abc import Collection

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Program
from loyalty.models.programs import code_validator
from members.models import Segment


class AccessWindow(models.Model):
    """Something that members may enter from a moment on, until another."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="access_windows", db_index=False
    )
    # The shop asks for it by this.
    code = models.CharField(_("code"), max_length=64, validators=[code_validator])
    name = models.CharField(_("name"), max_length=80)
    teaser = models.CharField(_("teaser"), max_length=300, blank=True, default="")
    link = models.URLField(_("link"), max_length=500, blank=True, default="")
    # For every member; None: only for those who are named.
    opens_at = models.DateTimeField(_("opens for every member"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"))
    # What is held back until it opens; nothing named: the shop asks for the window itself.
    skus = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    categories = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["closes_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="access_window_code"),
            models.CheckConstraint(
                name="access_window_closes_later",
                condition=Q(opens_at=None) | Q(closes_at__gt=F("opens_at")),
            ),
        ]
        triggers = [pgtrigger.Protect(name="access_window_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name

    def covers(self, sku: str, categories: Collection[str]) -> bool:
        """Whether it names a product; one that names nothing holds nothing back."""
        return sku in self.skus or bool(set(self.categories) & set(categories))


class AccessOpening(models.Model):
    """From when on those of a tier, of a plan or of a segment may come."""

    window = models.ForeignKey(AccessWindow, on_delete=models.CASCADE, related_name="openings")
    tier = models.CharField(_("tier"), max_length=64, blank=True, default="")
    plan = models.CharField(_("plan"), max_length=64, blank=True, default="")
    segment = models.ForeignKey(
        Segment, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    opens_at = models.DateTimeField(_("opens"))

    class Meta:
        ordering = ["opens_at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="access_opening_of_one",
                condition=(Q(segment=None, plan="") & ~Q(tier=""))
                | (Q(segment=None, tier="") & ~Q(plan=""))
                | Q(segment__isnull=False, tier="", plan=""),
            ),
            models.UniqueConstraint(
                fields=["window", "tier"], condition=~Q(tier=""), name="access_opening_tier"
            ),
            models.UniqueConstraint(
                fields=["window", "plan"], condition=~Q(plan=""), name="access_opening_plan"
            ),
            models.UniqueConstraint(
                fields=["window", "segment"], condition=Q(segment__isnull=False),
                name="access_opening_segment",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.window}: {self.tier or self.plan or self.segment}"
