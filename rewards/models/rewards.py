"""What members may take for their units."""

from __future__ import annotations

import datetime as dt
import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import FileExtensionValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Charity, Program, WalletType
from loyalty.models.charities import ThingsField
from loyalty.models.orders import MoneyField
from loyalty.models.programs import code_validator


class Reward(models.Model):
    """Something in the catalog of one program. What it costs and who may take it may change;
    what somebody has taken stays as it was told to them then."""

    class Kind(models.TextChoices):
        AMOUNT_OFF = "amount_off", _("Money off")
        PERCENT_OFF = "percent_off", _("Percent off")
        FREE_PRODUCT = "free_product", _("Free product")
        FREE_SHIPPING = "free_shipping", _("Free shipping")
        ACCESS = "access", _("Exclusive access")
        PARTNER_VOUCHER = "partner_voucher", _("Partner's voucher")
        GIFT_CARD = "gift_card", _("Gift card")
        STORE_CREDIT = "store_credit", _("Store credit")
        CHARITY = "charity", _("Donation to a charity")
        MYSTERY = "mystery", _("Mystery gift")
        GIFT = "gift", _("Gift that is sent")
        EXPERIENCE = "experience", _("Experience")
        EVENT_SEAT = "event_seat", _("Seat at an event")
        CONTENT = "content", _("Something to read, hear or watch")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        ARCHIVED = "archived", _("Archived")

    class Period(models.TextChoices):
        EVER = "ever", _("ever")
        YEAR = "year", _("a year")
        MONTH = "month", _("a month")
        WEEK = "week", _("a week")
        DAY = "day", _("a day")

    # Which give money that is used as such, and no voucher.
    STORED_VALUE = (Kind.GIFT_CARD, Kind.STORE_CREDIT)
    # Which are done with being taken: no voucher is left to be used.
    WITHOUT_VOUCHER = (*STORED_VALUE, Kind.CHARITY)
    # Those that can be in a mystery gift: a voucher is all of them, unless they are sent.
    DRAWN = (
        Kind.AMOUNT_OFF, Kind.PERCENT_OFF, Kind.FREE_PRODUCT, Kind.FREE_SHIPPING, Kind.ACCESS,
        Kind.PARTNER_VOUCHER, Kind.EXPERIENCE,
    )  # fmt: skip
    # Whose voucher takes something off an order's price.
    OFF_THE_PRICE = (Kind.AMOUNT_OFF, Kind.PERCENT_OFF, Kind.FREE_PRODUCT, Kind.FREE_SHIPPING)
    # Whose code is not for a checkout: it is sent, opens a door, or something to read.
    ELSEWHERE = (Kind.GIFT, Kind.EVENT_SEAT, Kind.CONTENT)
    # What may cost nothing.
    MAY_BE_FREE = (Kind.GIFT, Kind.EVENT_SEAT, Kind.CONTENT, Kind.EXPERIENCE)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="rewards")
    code = models.CharField(_("code"), max_length=64, validators=[code_validator])
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.DRAFT
    )
    # Members find it and may take it; else it is only given to them.
    on_shelf = models.BooleanField(default=True, db_default=True)
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(_("name"), max_length=80)
    summary = models.CharField(_("in a sentence"), max_length=200, blank=True, default="")
    details = models.TextField(_("what applies"), max_length=2000, blank=True, default="")
    # Name, summary and details in further languages, by the language's code.
    texts = models.JSONField(default=dict, blank=True)
    picture = models.FileField(
        _("picture"), upload_to="rewards/", blank=True, default="",
        validators=[FileExtensionValidator(["png", "jpg", "webp"])],
    )  # fmt: skip
    # What it takes, in the smallest units of the wallet type.
    wallet_type = models.ForeignKey(WalletType, on_delete=models.PROTECT, related_name="rewards")
    price = models.BigIntegerField(_("price"))
    amount = MoneyField(_("money"), null=True, blank=True)
    # Whom a donation goes to, and so many of the things that its work is counted in; with neither
    # things nor money it is worth what its units are worth there.
    charity = models.ForeignKey(
        Charity, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    things = ThingsField(_("things"), null=True, blank=True)
    percent = models.DecimalField(
        _("percent off"), max_digits=7, decimal_places=4, null=True, blank=True
    )
    most = MoneyField(_("money off at most"), null=True, blank=True)
    # Which of the shop's goods: the free ones, or those that something is taken off; none: all.
    skus = ArrayField(models.CharField(max_length=128), default=list, blank=True)
    categories = ArrayField(models.CharField(max_length=128), default=list, blank=True)
    least = MoneyField(_("only for orders from"), null=True, blank=True)
    # What it is worth to who takes it, and what it costs the merchant, in the program's currency.
    worth = MoneyField(_("worth"), default=0)
    cost = MoneyField(_("cost"), default=0)
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    # With which sale it comes: from when on that opens for a member, until it closes.
    window = models.ForeignKey(
        "rewards.AccessWindow", null=True, blank=True, on_delete=models.PROTECT,
        related_name="rewards",
    )  # fmt: skip
    # How many there are, and how many of them are taken; None: as many as are wanted.
    stock = models.PositiveIntegerField(_("stock"), null=True, blank=True)
    taken = models.PositiveIntegerField(default=0, db_default=0)
    # How many are kept for those whose turn it is, until they answer.
    kept = models.PositiveIntegerField(default=0, db_default=0)
    per_member = models.PositiveIntegerField(_("for one member at most"), null=True, blank=True)
    per_period = models.CharField(
        _("in"), max_length=8, choices=Period.choices, default=Period.EVER
    )
    # Who may take it, in the language of conditions.
    when = models.JSONField(default=dict, blank=True)
    # How long its voucher can be used.
    valid_days = models.PositiveIntegerField(_("days to use it"), null=True, blank=True)
    combines = models.BooleanField(_("together with other vouchers"), default=False)
    # Of those of one group a cart has one; and which takes its part off before others.
    stacking_group = models.CharField(_("group"), max_length=32, blank=True, default="")
    applies = models.PositiveSmallIntegerField(_("its turn"), default=100, db_default=100)
    # Whether it goes to an address.
    sent = models.BooleanField(_("is sent"), default=False, db_default=False)
    prefix = models.CharField(_("codes begin with"), max_length=8, blank=True, default="")
    # Where its codes come from; None: they are made.
    voucher_pool = models.ForeignKey(
        "rewards.VoucherPool", null=True, blank=True, on_delete=models.PROTECT,
        related_name="rewards",
    )  # fmt: skip
    # Since when it is archived; None where it was never on offer before.
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="reward_code"),
            models.CheckConstraint(
                name="reward_kind_known",
                condition=Q(
                    kind__in=[
                        "amount_off",
                        "percent_off",
                        "free_product",
                        "free_shipping",
                        "access",
                        "partner_voucher",
                        "gift_card",
                        "store_credit",
                        "charity",
                        "mystery",
                        "gift",
                        "experience",
                        "event_seat",
                        "content",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="reward_archived", condition=Q(archived_at=None) | Q(status="archived")
            ),
            models.CheckConstraint(
                name="reward_status_known", condition=Q(status__in=["draft", "live", "archived"])
            ),
            models.CheckConstraint(
                name="reward_price_positive",
                condition=Q(price__gt=0)
                | Q(price=0, kind__in=["gift", "experience", "event_seat", "content"]),
            ),
            models.CheckConstraint(
                name="reward_sent_of_its_kind",
                condition=Q(kind="gift", sent=True)
                | Q(kind__in=["free_product", "experience"])
                | Q(~Q(kind="gift"), sent=False),
            ),
            models.CheckConstraint(
                name="reward_amount_of_its_kind",
                condition=Q(kind__in=["amount_off", "gift_card", "store_credit"], amount__gt=0)
                | Q(kind="charity", amount__gt=0)
                | (~Q(kind__in=["amount_off", "gift_card", "store_credit"]) & Q(amount=None)),
            ),
            models.CheckConstraint(
                name="reward_charity_of_its_kind",
                condition=Q(kind="charity", charity__isnull=False)
                & (Q(things=None) | Q(things__gt=0, amount=None))
                | (~Q(kind="charity") & Q(charity=None, things=None)),
            ),
            models.CheckConstraint(
                name="reward_percent_of_its_kind",
                condition=Q(kind="percent_off", percent__gt=0, percent__lte=100)
                | (~Q(kind="percent_off") & Q(percent=None)),
            ),
            models.CheckConstraint(
                name="reward_most_of_its_kind",
                condition=Q(most=None) | Q(kind="percent_off", most__gt=0),
            ),
            models.CheckConstraint(
                name="reward_product_named", condition=~Q(kind="free_product") | ~Q(skus=[])
            ),
            models.CheckConstraint(
                name="reward_partner_has_pool",
                condition=~Q(kind="partner_voucher") | Q(voucher_pool__isnull=False),
            ),
            models.CheckConstraint(
                name="reward_stock_not_exceeded",
                condition=Q(stock=None, kept=0) | Q(taken__lte=F("stock") - F("kept")),
            ),
            models.CheckConstraint(
                name="reward_ends_after_start",
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
            ),
            models.CheckConstraint(
                name="reward_begins_once", condition=Q(starts_at=None) | Q(window=None)
            ),
            models.CheckConstraint(
                name="reward_per_member", condition=Q(per_member=None) | Q(per_member__gt=0)
            ),
            models.CheckConstraint(
                name="reward_per_period",
                condition=Q(per_period__in=["ever", "year", "month", "week", "day"]),
            ),
            models.CheckConstraint(
                name="reward_group_of_combining",
                condition=Q(stacking_group="") | Q(combines=True),
            ),
            models.CheckConstraint(
                name="reward_valid_days", condition=Q(valid_days=None) | Q(valid_days__gt=0)
            ),
            models.CheckConstraint(
                name="reward_worth_and_cost", condition=Q(worth__gte=0, cost__gte=0)
            ),
        ]
        triggers = [pgtrigger.Protect(name="reward_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name

    @property
    def left(self) -> int | None:
        """How many can still be taken; None: as many as are wanted."""
        return None if self.stock is None else self.stock - self.taken - self.kept

    def is_past(self, now: dt.datetime) -> bool:
        """Nobody can take it any more: it has ended, or its sale is closed or was put away."""
        if self.ends_at is not None and self.ends_at <= now:
            return True
        window = self.window
        return window is not None and (window.archived_at is not None or window.closes_at <= now)

    @property
    def takes_off(self) -> bool:
        """At a checkout; a product that is sent to the member is in no basket."""
        return self.kind in self.OFF_THE_PRICE and not self.sent

    @property
    def is_stored_value(self) -> bool:
        return self.kind in self.STORED_VALUE

    @property
    def is_donation(self) -> bool:
        return self.kind == self.Kind.CHARITY


class RewardPrice(models.Model):
    """Another price for who has a tier."""

    reward = models.ForeignKey(Reward, on_delete=models.CASCADE, related_name="tier_prices")
    tier = models.CharField(_("tier"), max_length=64)
    price = models.BigIntegerField(_("price"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reward", "tier"], name="reward_price_once"),
            models.CheckConstraint(name="reward_tier_price_positive", condition=Q(price__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.reward} · {self.tier}"
