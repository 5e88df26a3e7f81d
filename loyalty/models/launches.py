"""How a program begins: in phases, with something for those who join first, and prepared staff."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.ledger import Transfer
from loyalty.models.memberships import Membership
from loyalty.models.orders import MoneyField
from loyalty.models.programs import Program
from loyalty.models.wallet_types import WalletType
from members.models import Customer


class Launch(models.Model):
    """A program's launch in phases. Who may join is decided by the phase in force at the moment;
    once it is stopped, no further phase begins."""

    program = models.OneToOneField(Program, on_delete=models.PROTECT, related_name="launch")
    # When the customers were put in order by what they spend, and how many there were.
    listed_at = models.DateTimeField(null=True)
    listed = models.PositiveIntegerField(default=0)
    stopped_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.program}"


class LaunchPhase(models.Model):
    """From when on more customers may join: the best, a larger share by invitation, everyone."""

    class Kind(models.TextChoices):
        TOP = "top", _("Best customers")
        INVITED = "invited", _("Invited customers")
        EVERYONE = "everyone", _("Everyone")

    launch = models.ForeignKey(
        Launch, on_delete=models.CASCADE, related_name="phases", db_index=False
    )
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    # Of all customers who ever bought, in the order of what they spent; counted from the first.
    percent = models.PositiveSmallIntegerField(null=True)
    starts_at = models.DateTimeField()

    class Meta:
        ordering = ["launch", "position"]
        constraints = [
            models.UniqueConstraint(fields=["launch", "position"], name="launch_phase_position"),
            models.UniqueConstraint(fields=["launch", "kind"], name="launch_phase_kind"),
            models.CheckConstraint(
                name="launch_phase_share",
                condition=Q(kind="everyone", percent=None)
                | Q(kind__in=["top", "invited"], percent__gte=1, percent__lte=99),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="launch_phase_in_order",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func="""
                    IF EXISTS (SELECT 1 FROM loyalty_launchphase a JOIN loyalty_launchphase b
                                  ON b.launch_id = a.launch_id AND b.position > a.position
                                WHERE a.launch_id = NEW.launch_id
                                  AND (b.starts_at <= a.starts_at OR a.kind = 'everyone'
                                       OR b.percent <= a.percent)) THEN
                        RAISE EXCEPTION 'a later phase begins later and takes in more'
                            USING ERRCODE = 'SL010';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.launch}: {self.kind}"


class LaunchPlace(models.Model):
    """A customer on the list of a launch: kept as it was drawn up, whatever they buy later."""

    launch = models.ForeignKey(
        Launch, on_delete=models.CASCADE, related_name="places", db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    rank = models.PositiveIntegerField()
    spend = MoneyField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["launch", "customer"], name="launch_place_once"),
        ]
        indexes = [
            models.Index(fields=["launch", "position", "rank"], name="launch_place_rank"),
        ]

    def __str__(self) -> str:
        return f"{self.launch}: {self.rank}"


class FoundingBonus(models.Model):
    """What those get who join within some days of a program's beginning."""

    program = models.OneToOneField(Program, on_delete=models.PROTECT, related_name="founding_bonus")
    wallet_type = models.ForeignKey(
        WalletType, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    units = models.BigIntegerField()
    days = models.PositiveSmallIntegerField()
    most_members = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="founding_bonus_terms",
                condition=Q(units__gt=0, days__gte=1, days__lte=365)
                & (Q(most_members=None) | Q(most_members__gte=1)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.units}"


class FoundingGrant(models.Model):
    """A founding member, by the order of joining; given once."""

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="founding_grants", db_index=False
    )
    membership = models.OneToOneField(
        Membership, on_delete=models.PROTECT, related_name="founding_grant"
    )
    number = models.PositiveIntegerField()
    units = models.BigIntegerField()
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "number"], name="founding_grant_number"),
            models.CheckConstraint(name="founding_grant_units", condition=Q(units__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.membership}: {self.number}"


class ProgramReading(models.Model):
    """Somebody of the staff has read what a program says, at one of its revisions."""

    program = models.ForeignKey(
        Program, on_delete=models.CASCADE, related_name="readings", db_index=False
    )
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    revision = models.PositiveIntegerField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "reader", "revision"], name="program_reading_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.reader}"
