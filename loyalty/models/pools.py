"""Pools: members of a program who put their units together."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from loyalty.models.ledger import Account
from loyalty.models.memberships import Membership
from loyalty.models.programs import Program
from loyalty.pool_roles import Right, has_right


class Pool(models.Model):
    """A household or a company. Its account holds one wallet per wallet type."""

    class Kind(models.TextChoices):
        HOUSEHOLD = "household", _("Household")
        COMPANY = "company", _("Company")

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("state", "Open")
        CLOSED = "closed", _("Closed")

    class Contribution(models.TextChoices):
        ALL = "all", _("Everything that members earn")
        SHARE = "share", _("A share of what members earn")
        BY_HAND = "by_hand", _("What members put in themselves")

    class Spending(models.TextChoices):
        EVERYONE = "everyone", _("Every member")
        OWNERS = "owners", _("Owners only")
        NAMED = "named", _("Owners, and members who were named")

    class Leaving(models.TextChoices):
        OWN = "own", _("What is left of what they put in")
        STAYS = "stays", _("Nothing: it stays in the pool")
        EQUAL_SHARE = "equal_share", _("An equal share of what is there")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="pools")
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="pool")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.HOUSEHOLD)
    name = models.CharField(_("name"), max_length=120)
    status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.OPEN
    )
    contribution = models.CharField(
        _("what goes into the pool"),
        max_length=16,
        choices=Contribution.choices,
        default=Contribution.ALL,
    )
    share = models.PositiveSmallIntegerField(
        _("share in percent"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    spending = models.CharField(
        _("who may spend"), max_length=16, choices=Spending.choices, default=Spending.EVERYONE
    )
    leaving = models.CharField(
        _("what members who leave get back"),
        max_length=16,
        choices=Leaving.choices,
        default=Leaving.OWN,
    )
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # Makes it be founded once by a file, which calls it something.
    key = models.CharField(max_length=128, null=True, unique=True, editable=False)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                name="pool_kind_known", condition=Q(kind__in=["household", "company"])
            ),
            models.CheckConstraint(
                name="pool_share_where_shared",
                condition=Q(contribution="share", share__range=(1, 100))
                | (~Q(contribution="share") & Q(share=None)),
            ),
            models.CheckConstraint(
                name="pool_closed_at",
                condition=Q(status="open", closed_at=None)
                | Q(status="closed", closed_at__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="pool_company_stays",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__kind="company") & ~pgtrigger.Q(new__kind="company"),
                func="""
                    RAISE EXCEPTION 'a company stays one' USING ERRCODE = 'SL010';
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def percent(self) -> int:
        """How much of what a member earns goes into the pool by itself."""
        if self.contribution == self.Contribution.ALL:
            return 100
        return self.share or 0

    @property
    def ratio(self) -> Decimal:
        """The same as a number between 0 and 1."""
        return Decimal(self.percent).scaleb(-2)


class PoolMember(models.Model):
    """A member's time in a pool. Rows stay when members leave."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        MEMBER = "member", _("Member")
        BUYER = "buyer", _("Buyer")
        APPROVER = "approver", _("Approver")

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="members")
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="pool_members"
    )
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.MEMBER)
    # Asked only where the pool says that members are named.
    may_spend = models.BooleanField(_("may spend"), default=False, db_default=False)
    # A member's own switch: without it nothing of what they earn goes into the pool by itself.
    contributes = models.BooleanField(_("contributes"), default=True, db_default=True)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["joined_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], name="pool_member_once", condition=Q(left_at=None)
            ),
            models.CheckConstraint(
                name="pool_member_time",
                condition=Q(left_at=None) | Q(left_at__gte=models.F("joined_at")),
            ),
            models.CheckConstraint(
                name="pool_member_role_known",
                condition=Q(role__in=["owner", "member", "buyer", "approver"]),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="pool_member_role_of_kind",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                condition=~pgtrigger.Q(new__role="owner"),
                func="""
                    IF (NEW.role = 'member') = EXISTS (
                        SELECT 1 FROM loyalty_pool p
                         WHERE p.id = NEW.pool_id AND p.kind = 'company')
                    THEN
                        RAISE EXCEPTION 'buyers and approvers are in companies, members are not'
                            USING ERRCODE = 'SL010';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership.customer} · {self.pool}"

    @property
    def is_owner(self) -> bool:
        return self.role == self.Role.OWNER

    @property
    def spends_freely(self) -> bool:
        """Without a company's limits, and whoever else may."""
        return has_right(self.role, Right.SPEND_FREELY)

    @property
    def decides(self) -> bool:
        """Whether they decide what buyers of the company ask for."""
        return self.pool.kind == Pool.Kind.COMPANY and has_right(self.role, Right.DECIDE)

    @property
    def can_spend(self) -> bool:
        """Whether the pool's rules let this member spend from it."""
        match self.pool.spending:
            case Pool.Spending.EVERYONE:
                return True
            case Pool.Spending.NAMED:
                return self.spends_freely or self.may_spend
        return self.spends_freely
