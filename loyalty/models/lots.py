"""Lots: units that came in together, with their maturity and expiry, and what used them.

Only `loyalty.ledger.posting` writes these tables, as those of `loyalty.models.ledger`.
"""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.ledger import Transfer, Wallet


class Lot(models.Model):
    """The units of one incoming transfer, with their own maturity and expiry.

    Units that go to another wallet become child lots there: each keeps the origin, the maturity
    and the expiry of the lot that it came from.
    """

    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="lots", db_index=False
    )
    transfer = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, related_name="lots", db_index=False
    )
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="children", db_index=False
    )
    # The transfer that granted the units in the first place: of a lot without parent its own.
    origin = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, related_name="origin_lots", db_index=False
    )
    earned_at = models.DateTimeField()  # when the origin occurred
    granted = models.BigIntegerField()
    remaining = models.BigIntegerField()
    spendable_at = models.DateTimeField()  # NEVER: not known yet, or held back
    expires_at = models.DateTimeField(null=True)  # exclusive
    # When it would expire if its warning had gone out; `expires_at` is set by the warning.
    planned_expires_at = models.DateTimeField(null=True)
    # Expires with the inactivity of its wallet: while `expires_at` is NULL at its `active_until`.
    renewable = models.BooleanField(default=False, db_default=False)
    # `expires_at` (or NEVER) while something remains, NULL once nothing does: what makes the
    # indexes small.
    due_at = models.DateTimeField(null=True)
    policy = models.ForeignKey(
        "loyalty.LotPolicy",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="lot_within_grant",
                condition=Q(granted__gt=0, remaining__gte=0, remaining__lte=F("granted")),
            ),
            models.CheckConstraint(
                name="lot_due_while_open",
                condition=Q(due_at=None, remaining=0) | Q(due_at__isnull=False, remaining__gt=0),
            ),
            # One lot without parent for each transfer, and one child of each parent.
            models.UniqueConstraint(
                fields=["transfer", "parent"], name="lot_once", nulls_distinct=False
            ),
        ]
        indexes = [
            models.Index(
                fields=["wallet", "due_at", "id"],
                name="lot_open",
                condition=~Q(due_at=None),
            ),
            models.Index(fields=["due_at"], name="lot_due", condition=~Q(due_at=None)),
            # Of what had to wait, when it can be spent.
            models.Index(
                fields=["spendable_at", "id"],
                name="lot_matures",
                condition=Q(due_at__isnull=False, spendable_at__gt=F("earned_at")),
            ),
            models.Index(fields=["origin"], name="lot_child_origin", condition=~Q(parent=None)),
            models.Index(
                fields=["planned_expires_at"],
                name="lot_to_warn",
                condition=Q(expires_at=None, due_at__isnull=False) & ~Q(planned_expires_at=None),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="lot_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="lot_grant_fixed",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition(
                    "((OLD.granted, OLD.wallet_id, OLD.transfer_id, OLD.policy_id, OLD.parent_id,"
                    " OLD.origin_id, OLD.earned_at) IS DISTINCT FROM"
                    " (NEW.granted, NEW.wallet_id, NEW.transfer_id, NEW.policy_id, NEW.parent_id,"
                    " NEW.origin_id, NEW.earned_at))"
                ),
                func=(
                    "RAISE EXCEPTION 'what a lot was granted does not change'"
                    " USING ERRCODE = 'SL004';"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"lot #{self.pk}: {self.remaining} of {self.granted}"


class LotChange(models.Model):
    """A lot got another maturity or expiry after it was granted. What was, is kept, so that any
    past instant can be looked at as it was known then."""

    class Reason(models.TextChoices):
        ORDER = "order", _("The order went on")
        HELD = "held", _("Held back")
        RELEASED = "released", _("Released")
        CONFIRMED = "confirmed", _("Confirmed early")
        EXTENDED = "extended", _("Extended")
        REINSTATED = "reinstated", _("Brought back")
        RESTORED = "restored", _("A spend was undone")
        WARNED = "warned", _("A warning went out")
        POLICY = "policy", _("The expiry policy was changed for units that exist")
        INACTIVE = "inactive", _("Nothing happened for too long")
        RENEWED = "renewed", _("An activity was told late")
        ENDING = "ending", _("The program ends")

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="changes")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    booked_on = models.DateField()
    spendable_before = models.DateTimeField()
    spendable_after = models.DateTimeField()
    expires_before = models.DateTimeField(null=True)
    expires_after = models.DateTimeField(null=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    note = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["booked_on"], name="lot_change_booked")]
        triggers = [
            pgtrigger.Protect(
                name="lot_change_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"lot #{self.lot_id}: {self.reason}"


class LotUse(models.Model):
    """How much of a lot a transfer used; below zero where a reversal put it back."""

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="uses")
    transfer = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, related_name="lot_uses", db_index=False
    )
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="lot_use_not_zero", condition=~Q(amount=0)),
            models.UniqueConstraint(fields=["transfer", "lot"], name="lot_use_once"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="lot_use_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of lot #{self.lot_id}"
