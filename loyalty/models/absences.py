"""When a member took no part."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from loyalty.models.memberships import Membership


class Absence(models.Model):
    """From when to when a membership was suspended, or had been left: what was bought or done in
    between earns nothing, whenever it is told."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="absences")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], name="absence_one", condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="absence_span",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership}: {self.began_at} – {self.ended_at or ''}"
