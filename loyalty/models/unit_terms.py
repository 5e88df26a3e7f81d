"""What was said of units before."""

from __future__ import annotations

import pgtrigger
from django.db import models

from loyalty.models.wallet_types import WalletType


class FormerUnitTerms(models.Model):
    """The terms of a kind of unit as they were until a moment, for the page of the program's terms.

    `said` is what a program file said of it (`loyalty.unit_definitions.WalletTypeDefinition`); of
    what was changed before such rows were kept only when units could be spent and were gone.
    """

    wallet_type = models.ForeignKey(
        WalletType, on_delete=models.PROTECT, related_name="former_terms", db_index=False
    )
    said = models.JSONField()
    ended_at = models.DateTimeField()

    class Meta:
        ordering = ["wallet_type", "-ended_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["wallet_type", "ended_at"], name="former_unit_terms_end"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="former_unit_terms_immutable", operation=pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_type} until {self.ended_at}"
