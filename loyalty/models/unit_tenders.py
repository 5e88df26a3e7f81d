"""What of an order was paid with units. The order may come later than its payment."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from loyalty.models.ledger import Account, Transfer
from loyalty.models.orders import MoneyField, Order
from loyalty.models.wallet_types import WalletType


class UnitTender(models.Model):
    """Units of one kind that pay a part of an order, addressed as orders are. A checkout pays
    before its order is told: then the order finds it by its number."""

    source = models.CharField(max_length=32)
    order_external_id = models.CharField(max_length=128)
    order = models.ForeignKey(
        Order, null=True, on_delete=models.PROTECT, related_name="unit_tenders", db_index=False
    )
    wallet_type = models.ForeignKey(
        WalletType, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # The gift card that paid, by its account; of what a member's own units paid there is none.
    bearer = models.ForeignKey(
        Account, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # The spend; another one where an order that had been called off was taken up again.
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="unit_tender")
    # What they paid, in the order's currency.
    amount = MoneyField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "order_external_id", "wallet_type"], name="unit_tender_once",
                condition=Q(bearer=None),
            ),
            models.UniqueConstraint(
                fields=["source", "order_external_id", "bearer"], name="unit_tender_card_once",
                condition=~Q(bearer=None),
            ),
            models.CheckConstraint(name="unit_tender_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="unit_tender_addressed", condition=~Q(order_external_id="")
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["order"], name="unit_tender_order", condition=~Q(order=None)),
            models.Index(
                fields=["source", "order_external_id"], name="unit_tender_parked",
                condition=Q(order=None),
            ),
        ]  # fmt: skip
        triggers = [
            # Only a payment that no order has found yet can be called off.
            pgtrigger.Protect(
                name="unit_tender_stays",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__order__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.wallet_type} for {self.order_external_id}"
