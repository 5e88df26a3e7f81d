"""Figures of days and months. All are derived: `loyalty.services.totals` rebuilds them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.ledger import Account, Transfer
from loyalty.models.wallet_types import WalletType


class DailyTotal(models.Model):
    """What moved on one accounting day, per kind and account on the other side.

    `incoming` and `outgoing` are units seen from the members; `movements` counts transfers,
    `orders` the different orders that they belong to.
    """

    wallet_type = models.ForeignKey(
        WalletType, on_delete=models.CASCADE, related_name="daily_totals"
    )
    day = models.DateField()
    kind = models.CharField(max_length=16, choices=Transfer.Kind.choices)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    incoming = models.BigIntegerField(default=0)
    outgoing = models.BigIntegerField(default=0)
    movements = models.BigIntegerField(default=0)
    orders = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wallet_type", "day", "kind", "account"], name="daily_total_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}"


class LotFigures(models.Model):
    """Units of lots of one cohort with one end: what was granted, and what was used of them."""

    class Ends(models.TextChoices):
        DATE = "date", _("On a day")
        INACTIVITY = "inactivity", _("With inactivity")
        NONE = "none", _("Never, or not known yet")
        # Of months that are over: its day had come by then.
        PAST = "past", _("Expired")

    # Beside the kinds of transfers: units whose lot got another end.
    RETIMED = "retimed"

    wallet_type = models.ForeignKey(
        WalletType, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # Of the transfers; what undoes something counts as what it undoes.
    kind = models.CharField(max_length=16)
    earned_in = models.DateField()  # the first day of the month
    ends = models.CharField(max_length=16, choices=Ends.choices)
    expires_on = models.DateField(null=True)  # the first day on which they are gone
    granted = models.BigIntegerField(default=0)
    used = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class LotTotal(LotFigures):
    """What one accounting day did to lots, by the month they were earned in and by their end.

    Units of lots that got another end on the day leave the one (used) and come to the other
    (used less). So all days up to one add up to what remained of all lots at its end.
    """

    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wallet_type", "day", "kind", "earned_in", "ends", "expires_on"],
                name="lot_total_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="lot_total_end",
                condition=Q(ends="date", expires_on__isnull=False)
                | Q(ends__in=["inactivity", "none"], expires_on=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.earned_in}"


class LotPosition(LotFigures):
    """All lot totals up to the end of a month, so that no read adds up years of days.

    Dropped where a day before is rebuilt, and written anew by the nightly rebuild.
    """

    until = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wallet_type", "until", "kind", "earned_in", "ends", "expires_on"],
                name="lot_position_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="lot_position_end",
                condition=Q(ends="date", expires_on__isnull=False)
                | Q(ends__in=["inactivity", "none", "past"], expires_on=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.until} {self.kind} {self.earned_in}"
