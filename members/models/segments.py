"""Named groups of customers."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.customers import Customer


class Segment(models.Model):
    """Who is in it follows from a condition, or from a list that somebody gave. Both are kept as
    rows (`SegmentMember`), so that what asks for it need not know how it was decided."""

    class Kind(models.TextChoices):
        DYNAMIC = "dynamic", _("By a condition")
        STATIC = "static", _("A list")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(
        _("code"), max_length=64, unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$",
                                   _("Use lower-case letters, digits and hyphens."))],
        help_text=_("Short name for rules, files and the API. Stays as it is."),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.DYNAMIC)
    condition = models.JSONField(default=dict, blank=True)
    size = models.PositiveIntegerField(default=0, db_default=0)
    # As of when its members are right; NULL: it has not been worked out since it was changed.
    refreshed_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                name="segment_kind_known", condition=Q(kind__in=["dynamic", "static"])
            ),
            models.CheckConstraint(
                name="segment_list_has_no_condition",
                condition=Q(kind="dynamic") | Q(condition={}),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """A customer's place in a segment."""

    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="members", db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="segments")
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "customer"], name="segment_member_once"),
        ]
        indexes = [
            # The list of members goes on from where it was, the newest first.
            models.Index(fields=["segment", "-since", "-id"], name="segment_member_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.segment_id}"


class SegmentSize(models.Model):
    """How many were in a segment at the end of a day, or are today."""

    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="sizes", db_index=False
    )
    day = models.DateField()
    size = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "day"], name="segment_size_once"),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id} on {self.day}: {self.size}"
