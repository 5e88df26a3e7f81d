"""Carts on their way to an order: what they keep of a member's units, rewards and vouchers, and of
gift cards."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership, Transfer, WalletType
from loyalty.models.orders import MoneyField
from members.models.telling import tells
from rewards.models.gift_cards import GiftCard
from rewards.models.redemptions import Redemption
from rewards.models.vouchers import Voucher


class Checkout(models.Model):
    """A cart by the shop's own name for it. What it keeps is spent from the first moment and comes
    back when it is canceled, or when nobody paid for it in time."""

    class Status(models.TextChoices):
        RESERVED = "reserved", _("Held")
        COMMITTED = "committed", _("Paid")
        CANCELED = "cancelled", _("Canceled")
        EXPIRED = "expired", _("Ran out")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="checkouts", db_index=False
    )
    # Together the shop's name for the cart; its order comes from the same source.
    source = models.CharField(max_length=32)
    cart = models.CharField(max_length=95)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.RESERVED)
    reserved_until = models.DateTimeField()
    # How often it was reserved: a cart that changed, ran out or was given up begins anew.
    round = models.PositiveIntegerField(default=1)
    request_hash = models.BinaryField(max_length=32)
    currency = models.CharField(max_length=3)
    # What the goods cost before, what is taken off, what is left: the base of its tax, of which
    # units and gift cards pay a part.
    goods = MoneyField()
    shipping = MoneyField()
    discount = MoneyField()
    voucher_discount = MoneyField()
    total = MoneyField()
    tax = MoneyField()
    paid_units = MoneyField()
    paid_gift_cards = MoneyField(default=0)
    # The lines as they are to be recorded.
    lines = models.JSONField(default=list)
    # What was said of the promotion codes that came with it, as `loyalty.codes_asked` keeps it.
    codes = models.JSONField(default=dict, db_default={})
    order_external_id = models.CharField(max_length=128, blank=True, default="")
    created_at = models.DateTimeField()
    committed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "cart"], name="checkout_cart_once"),
            models.UniqueConstraint(
                fields=["source", "order_external_id"], name="checkout_order_once",
                condition=Q(status="committed"),
            ),
            models.CheckConstraint(
                name="checkout_status_of_its_times",
                condition=Q(status="reserved", committed_at=None, closed_at=None,
                            order_external_id="")
                | (Q(status="committed", committed_at__isnull=False, closed_at=None)
                   & ~Q(order_external_id=""))
                | Q(status="cancelled", closed_at__isnull=False)
                | Q(status="expired", closed_at__isnull=False, committed_at=None),
            ),
            models.CheckConstraint(
                name="checkout_units_pay_a_part",
                condition=Q(paid_units__gte=0, paid_units__lte=F("total")),
            ),
            models.CheckConstraint(
                name="checkout_gift_cards_pay_a_part",
                condition=Q(
                    paid_gift_cards__gte=0, paid_gift_cards__lte=F("total") - F("paid_units")
                ),
            ),
            models.CheckConstraint(
                name="checkout_discounts", condition=Q(discount__gte=0, voucher_discount__gte=0)
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["membership", "-created_at"], name="checkout_of_member"),
            models.Index(
                fields=["reserved_until"], name="checkout_held", condition=Q(status="reserved")
            ),
        ]
        triggers = [
            *tells("told.checkouts", "status"),
            pgtrigger.Protect(name="checkout_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="checkout_status_goes_on", field="status",
                transitions=[
                    ("reserved", "committed"), ("reserved", "cancelled"), ("reserved", "expired"),
                    ("committed", "cancelled"), ("cancelled", "reserved"), ("expired", "reserved"),
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.cart

    @property
    def name(self) -> str:
        """What its vouchers know it by."""
        return f"{self.source}/{self.cart}"

    @property
    def to_pay(self) -> Decimal:
        """What is left to be paid with money."""
        return Decimal(self.total - self.paid_units - self.paid_gift_cards)


class CheckoutUnits(models.Model):
    """Units of one kind that pay a part of it."""

    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, related_name="units")
    wallet_type = models.ForeignKey(WalletType, on_delete=models.PROTECT, related_name="+")
    amount = MoneyField()
    transfer = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, related_name="checkout_units"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["checkout", "wallet_type"], name="checkout_units_once"),
            models.CheckConstraint(name="checkout_units_amount", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_type} for {self.checkout}"


class CheckoutGiftCard(models.Model):
    """A gift card that pays a part of it, whoever it belongs to."""

    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, related_name="gift_cards")
    gift_card = models.ForeignKey(GiftCard, on_delete=models.PROTECT, related_name="checkouts")
    amount = MoneyField()
    transfer = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, related_name="checkout_gift_card"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["checkout", "gift_card"], name="checkout_gift_card_once"
            ),
            models.CheckConstraint(name="checkout_gift_card_amount", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.gift_card} at {self.checkout}"


class CheckoutReward(models.Model):
    """A reward that is taken with it. `amount`: what that takes off its price."""

    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, related_name="rewards")
    redemption = models.OneToOneField(
        Redemption, on_delete=models.PROTECT, related_name="checkout_reward"
    )
    amount = MoneyField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="checkout_reward_amount", condition=Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.redemption} at {self.checkout}"


class CheckoutVoucher(models.Model):
    """A voucher that it uses. `amount`: what that takes off its price."""

    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, related_name="vouchers")
    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="checkouts")
    amount = MoneyField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["checkout", "voucher"], name="checkout_voucher_once"),
            models.CheckConstraint(name="checkout_voucher_amount", condition=Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.voucher} at {self.checkout}"
