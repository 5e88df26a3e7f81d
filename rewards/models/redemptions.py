"""What members took for their units, and what they were given."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership, Transfer
from members.models.telling import tells, tells_reached
from rewards.models.gift_cards import GiftCard
from rewards.models.rewards import Reward
from rewards.models.tallies import counted_by_day
from rewards.models.vouchers import Voucher

# The outbox event that tells which rewards were handed out, whoever wrote.
ISSUED = "rewards.issued"
# How something that was taken may go on.
TRANSITIONS = (
    ("reserved", "issued"), ("reserved", "cancelled"), ("reserved", "expired"),
    # What gives money, to the member or to a charity, is used with being given.
    ("reserved", "used"),
    ("issued", "used"), ("issued", "cancelled"), ("issued", "expired"),
    ("used", "cancelled"), ("used", "issued"), ("expired", "issued"),
    # A till that was offline used it in time.
    ("expired", "used"),
)  # fmt: skip


class Redemption(models.Model):
    """A reward that a member took, or was given. The units of one that was taken are spent from the
    first moment; they come back when it is canceled, or when it was only reserved and nobody came
    for it. One that was given costs the member nothing."""

    class Status(models.TextChoices):
        RESERVED = "reserved", _("Reserved")
        ISSUED = "issued", _("To be used")
        USED = "used", _("Used")
        EXPIRED = "expired", _("Expired")
        CANCELED = "cancelled", _("Canceled")

    class Gift(models.TextChoices):
        STAFF = "staff", _("By hand")
        MANY = "many", _("To many")
        BIRTHDAY = "birthday", _("Birthday")
        ENROLLMENT = "enrollment", _("Day of joining")
        FIRST_PURCHASE = "first_purchase", _("Day of the first purchase")
        JOURNEY = "journey", _("In a journey")
        GAME = "game", _("In a game")
        REFERRAL = "referral", _("For bringing a friend")

    # Those that a member has had: one whose voucher ran out, too, for its code was given out.
    HAD = Q(status__in=[Status.RESERVED, Status.ISSUED, Status.USED]) | Q(
        status=Status.EXPIRED, issued_at__isnull=False
    )

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reward = models.ForeignKey(
        Reward, on_delete=models.PROTECT, related_name="redemptions", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="reward_redemptions", db_index=False
    )
    status = models.CharField(max_length=16, choices=Status.choices)
    # In the smallest units of the reward's wallet type; 0: it was given, or cost nothing.
    units = models.BigIntegerField()
    # None: it was given, or cost nothing.
    spent = models.OneToOneField(Transfer, null=True, on_delete=models.PROTECT, related_name="+")
    # Why it was given; empty: it was taken. And what the member reads with it.
    gift = models.CharField(max_length=16, choices=Gift.choices, blank=True, default="")
    message = models.CharField(max_length=200, blank=True, default="")
    returned = models.OneToOneField(Transfer, null=True, on_delete=models.PROTECT, related_name="+")
    voucher = models.OneToOneField(
        Voucher, null=True, on_delete=models.PROTECT, related_name="redemption"
    )
    # While it is reserved: the code of a list that it will hand out, which nobody else is given.
    kept_code = models.OneToOneField(
        Voucher, null=True, on_delete=models.PROTECT, related_name="kept_for"
    )
    # What it gave where it gives money: a card, or what was paid in to the member's credit.
    gift_card = models.OneToOneField(
        GiftCard, null=True, on_delete=models.PROTECT, related_name="redemption"
    )
    credit = models.OneToOneField(Transfer, null=True, on_delete=models.PROTECT, related_name="+")
    # Whether it took one of the stock that has not come back.
    stocked = models.BooleanField()
    # What was drawn out of a mystery gift, and whether it took one of that one's stock; how it was
    # drawn: the weights there were, and the number that came. Nobody is told before it is issued.
    drawn = models.ForeignKey(
        Reward, null=True, on_delete=models.PROTECT, related_name="draws", db_index=False
    )
    drawn_stocked = models.BooleanField(default=False, db_default=False)
    draw = models.JSONField(default=dict, blank=True)
    # Makes it happen once.
    key = models.CharField(max_length=128, unique=True)
    source = models.CharField(max_length=16, choices=Transfer.Source.choices)
    reserved_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # Why it was canceled.
    reason = models.CharField(max_length=500, blank=True, default="")
    # What somebody of the staff let pass that was against the reward's terms, and why.
    overridden = ArrayField(models.CharField(max_length=32), default=list)
    override_reason = models.CharField(max_length=500, blank=True, default="")
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="redemption_taken_or_given",
                condition=Q(units__gt=0, spent__isnull=False, gift="", message="")
                | Q(units=0, spent=None, returned=None) & (~Q(gift="") | Q(message="")),
            ),
            models.CheckConstraint(
                name="redemption_status_of_its_times",
                condition=Q(status="reserved", reserved_until__isnull=False, issued_at=None,
                            closed_at=None, voucher=None, returned=None)
                | Q(status="issued", issued_at__isnull=False, closed_at=None, returned=None)
                | Q(status="used", issued_at__isnull=False, closed_at__isnull=False, returned=None)
                | Q(status="expired", closed_at__isnull=False)
                | Q(status="cancelled", closed_at__isnull=False)
                & (Q(returned__isnull=False) | Q(spent=None)),
            ),
            models.CheckConstraint(
                name="redemption_gives_one_thing",
                condition=Q(voucher=None, gift_card=None)
                | Q(voucher=None, credit=None)
                | Q(gift_card=None, credit=None),
            ),
            models.CheckConstraint(
                name="redemption_drawn_keeps_stock",
                condition=Q(drawn_stocked=False) | Q(drawn__isnull=False),
            ),
            models.CheckConstraint(
                name="redemption_keeps_code_while_reserved",
                condition=Q(kept_code=None) | Q(status="reserved"),
            ),
            models.CheckConstraint(
                name="redemption_override_has_reason",
                condition=Q(overridden=[]) | (~Q(override_reason="") & Q(staff__isnull=False)),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["drawn"], name="redemption_drawn", condition=Q(drawn__isnull=False)
            ),
            # The newest first, of all and of each state.
            models.Index(fields=["-created_at", "-id"], name="redemption_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="redemption_of_status"),
            models.Index(fields=["membership", "-created_at"], name="redemption_of_member"),
            models.Index(fields=["reward", "-created_at"], name="redemption_of_reward"),
            models.Index(
                fields=["reserved_until"], name="redemption_held", condition=Q(status="reserved")
            ),
        ]
        triggers = [
            *tells("told.redemptions", "status", ("returned_id",)),
            pgtrigger.Protect(name="redemption_stays", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="redemption_drawn_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__drawn__isnull=False)
                & pgtrigger.Q(old__drawn__df=pgtrigger.F("new__drawn")),
            ),
            pgtrigger.FSM(
                name="redemption_status_goes_on", field="status", transitions=list(TRANSITIONS)
            ),
            counted_by_day(),
            *tells_reached(
                ISSUED,
                name="tell_issued",
                named="redemptions",
                there="n.issued_at IS NOT NULL",
                not_before="o.issued_at IS NULL",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reward} · {self.membership}"

    @property
    def gives_value(self) -> bool:
        """Whether it gave money that may still be there, so that it can be canceled: to the member,
        or to a charity."""
        given = self.gift_card_id is not None or self.credit_id is not None
        given = given or self.reward.is_donation
        return given and self.status == self.Status.USED

    @property
    def got(self) -> Reward:
        """What they have of it: what was drawn, where it is a gift that something is drawn from."""
        return self.drawn or self.reward
