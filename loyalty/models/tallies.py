"""Sums that the database keeps (`tally_triggers.py`): how many members programs have, what
charities were given, and what moved at partners."""

from __future__ import annotations

from django.db import models

from loyalty.models.programs import Program


class MemberTally(models.Model):
    """A program has as many memberships in a state, of those that began on a day, as its rows come
    to."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="member_tallies")
    # Of memberships; those of merged duplicates are "merged".
    status = models.CharField(max_length=16)
    # By the program's clock.
    joined_on = models.DateField()
    members = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.program_id} {self.status}: {self.members}"


class CharityTally(models.Model):
    """A charity was given on a day, in a way and by a kind of unit, what its rows come to; and how
    much of it a payout holds."""

    charity = models.ForeignKey(
        "loyalty.Charity", on_delete=models.PROTECT, related_name="tallies", db_index=False
    )
    kind = models.CharField(max_length=16)
    wallet_type = models.ForeignKey(
        "loyalty.WalletType", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    payout = models.ForeignKey(
        "loyalty.CharityPayout", null=True, on_delete=models.PROTECT, related_name="+"
    )
    booked_on = models.DateField()
    units = models.BigIntegerField()
    money = models.DecimalField(max_digits=18, decimal_places=4)
    things = models.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        indexes = [models.Index(fields=["charity", "booked_on"], name="charity_tally_day")]

    def __str__(self) -> str:
        return f"{self.charity_id} {self.booked_on}: {self.money}"


class PartnerTally(models.Model):
    """What moved at a partner on a day, and is in no settlement yet, by whose day's rate."""

    partner = models.ForeignKey(
        "loyalty.Partner", on_delete=models.PROTECT, related_name="tallies", db_index=False
    )
    wallet_type = models.ForeignKey(
        "loyalty.WalletType", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Whether units were earned there (issued) or spent there (taken_in).
    side = models.CharField(max_length=8)
    booked_on = models.DateField()
    rated_on = models.DateField()
    units = models.BigIntegerField()
    movements = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["partner", "booked_on"], name="partner_tally_day")]

    def __str__(self) -> str:
        return f"{self.partner_id} {self.side} {self.booked_on}: {self.units}"
