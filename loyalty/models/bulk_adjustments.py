"""Adjustments and gifts for many members at once: read, checked, looked at, posted, undone."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.models.ledger import Transfer, Wallet
from loyalty.models.wallet_types import WalletType
from members.models import ApiKey, Job


class BulkAdjustment(models.Model):
    """Movements that were asked for together. Its rows say whom they concern, wherever they came
    from; so a further source is another way to fill the rows."""

    class Kind(models.TextChoices):
        ADJUSTMENT = "adjustment", _("Adjustment")
        GRANT = "grant", _("Gift")

    class Source(models.TextChoices):
        FILE = "file", _("File")
        LIST = "list", _("List")
        SEGMENT = "segment", _("Segment")
        API = "api", _("API")

    class State(models.TextChoices):
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked")
        WAITING = "waiting", _("Waits for approval")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")
        POSTING = "posting", _("Being posted")
        POSTED = "posted", _("Posted")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    wallet_type = models.ForeignKey(WalletType, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=64)
    note = models.CharField(max_length=500, blank=True, default="")
    # What members read beside a gift.
    message = models.CharField(max_length=200, blank=True, default="")
    # Of a gift: what everybody gets, and the most that all may get together.
    units_each = models.BigIntegerField(null=True)
    budget = models.BigIntegerField(null=True)
    source = models.CharField(max_length=16, choices=Source.choices)
    source_name = models.CharField(max_length=200)
    source_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State.choices, default=State.CHECKING)
    # The work that was started last for it.
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    # A person, or a shop's system with its key.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    api_key = models.ForeignKey(ApiKey, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_note = models.TextField(blank=True, default="")
    # When posting and undoing began.
    posted_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    undone_key = models.ForeignKey(ApiKey, null=True, on_delete=models.PROTECT, related_name="+")
    row_count = models.PositiveIntegerField(default=0)
    member_count = models.PositiveIntegerField(default=0)
    given = models.BigIntegerField(default=0)
    taken = models.BigIntegerField(default=0)
    # What all members held when the rows were checked.
    outstanding = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="bulk_adjustment_grant",
                condition=Q(kind="adjustment", units_each=None, budget=None, message="")
                | Q(kind="grant", units_each__gt=0),
            ),
            models.CheckConstraint(
                name="bulk_adjustment_made",
                condition=Q(created_by=None, api_key__isnull=False)
                | Q(created_by__isnull=False, api_key=None),
            ),
            models.CheckConstraint(
                name="bulk_adjustment_sums", condition=Q(given__gte=0, taken__gte=0)
            ),
            models.CheckConstraint(
                name="bulk_adjustment_within_budget",
                condition=Q(budget=None)
                | Q(given__lte=F("budget"))
                | Q(state__in=["checking", "checked", "withdrawn"]),
            ),
            models.CheckConstraint(
                name="bulk_adjustment_other_person",
                condition=Q(decided_by=None) | ~Q(decided_by=F("created_by")),
            ),
            models.CheckConstraint(
                name="bulk_adjustment_decided",
                condition=Q(decided_by=None, decided_at=None)
                | Q(decided_by__isnull=False, decided_at__isnull=False, asked_at__isnull=False),
            ),
            models.CheckConstraint(
                name="bulk_adjustment_state",
                condition=Q(
                    state__in=["checking", "checked"],
                    asked_at=None, decided_by=None, posted_at=None, undone_at=None,
                )
                | Q(
                    state__in=["waiting", "expired"],
                    asked_at__isnull=False, decided_by=None, posted_at=None, undone_at=None,
                )
                | Q(state="withdrawn", decided_by=None, posted_at=None, undone_at=None)
                | (
                    Q(
                        state="rejected",
                        decided_by__isnull=False, posted_at=None, undone_at=None,
                    )
                    & ~Q(decision_note="")
                )
                | Q(state__in=["posting", "posted"], posted_at__isnull=False, undone_at=None)
                | (
                    Q(state__in=["undoing", "undone"])
                    & Q(posted_at__isnull=False, undone_at__isnull=False)
                    & (
                        Q(undone_by__isnull=False, undone_key=None)
                        | Q(undone_by=None, undone_key__isnull=False)
                    )
                ),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["source_hash"], name="bulk_adjustment_source"),
            models.Index(
                fields=["asked_at"],
                name="bulk_adjustment_waiting",
                condition=Q(state="waiting"),
            ),
        ]

    def __str__(self) -> str:
        return self.source_name

    @property
    def made_by(self) -> str:
        """Who made it, as people read it."""
        return _who(self.created_by, self.api_key)

    @property
    def taken_back_by(self) -> str:
        """Who undid it."""
        return _who(self.undone_by, self.undone_key)


def _who(user: models.Model | None, key: ApiKey | None) -> str:
    if key is not None:
        return gettext("API key %s") % key
    return str(user or "")


class BulkRow(models.Model):
    """One member of a bulk adjustment: as it was written, what it means, what became of it."""

    class State(models.TextChoices):
        NEW = "new", _("Not checked yet")
        GOOD = "good", _("Can be posted")
        WRONG = "wrong", _("Cannot be posted")
        POSTED = "posted", _("Posted")
        REFUSED = "refused", _("Refused")
        UNDONE = "undone", _("Undone")
        KEPT = "kept", _("Could not be undone")

    batch = models.ForeignKey(
        BulkAdjustment, on_delete=models.CASCADE, related_name="rows", db_index=False
    )
    number = models.PositiveIntegerField()
    cells = models.JSONField(default=dict)
    wallet = models.ForeignKey(
        Wallet, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    units = models.BigIntegerField(null=True)
    note = models.CharField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=16, choices=State.choices, default=State.NEW)
    # Each [column, value, reason].
    problems = models.JSONField(default=list)
    transfer = models.OneToOneField(
        Transfer, null=True, on_delete=models.PROTECT, related_name="bulk_row"
    )

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="bulk_row_once"),
            models.UniqueConstraint(
                fields=["batch", "wallet"],
                name="bulk_row_member_once",
                condition=~Q(wallet=None),
            ),
            models.CheckConstraint(
                name="bulk_row_state",
                condition=Q(
                    state__in=["new", "wrong"], wallet=None, units=None, transfer=None
                )
                | Q(
                    state__in=["good", "refused"],
                    wallet__isnull=False, units__isnull=False, transfer=None,
                )
                | Q(
                    state__in=["posted", "undone", "kept"],
                    wallet__isnull=False, units__isnull=False, transfer__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="bulk_row_moves_something", condition=Q(units=None) | ~Q(units=0)
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["batch", "state", "number"], name="bulk_row_state_number"),
        ]

    def __str__(self) -> str:
        return f"row {self.number}"
