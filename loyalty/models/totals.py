from __future__ import annotations

from django.db import models

from loyalty.models.ledger import Transfer
from loyalty.models.programs import WalletType


class DailyTotal(models.Model):
    """What moved on one accounting day, per kind. Derived: `loyalty.services.totals` rebuilds it.

    `incoming` and `outgoing` are units seen from the members; `movements` counts transfers,
    `orders`
    the different orders that they belong to.
    """

    wallet_type = models.ForeignKey(
        WalletType, on_delete=models.CASCADE, related_name="daily_totals"
    )
    day = models.DateField()
    kind = models.CharField(max_length=16, choices=Transfer.Kind.choices)
    incoming = models.BigIntegerField(default=0)
    outgoing = models.BigIntegerField(default=0)
    movements = models.BigIntegerField(default=0)
    orders = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet_type", "day", "kind"], name="daily_total_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}"
