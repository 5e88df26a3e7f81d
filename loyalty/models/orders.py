"""What was bought, how it was paid, what came back. Money in the order's currency."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.checkpoint_triggers import of_evaluations, told_about_customers
from loyalty.models.memberships import Membership
from loyalty.models.programs import Program
from members.models import Customer
from members.models.changes import customers_changed
from members.models.telling import tells, tells_new, tells_reached

# The outbox event that tells of canceled orders, whoever wrote and whoever bought.
CANCELED = "orders.canceled"


class MoneyField(models.DecimalField):  # type: ignore[type-arg]
    """Four decimals hold every ISO currency and unit prices below the smallest coin."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs["max_digits"] = 18
        kwargs["decimal_places"] = 4
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


class Order(models.Model):
    """A sale, addressed by (source, external_id): the system it came from and that system's
    number."""

    class Status(models.TextChoices):
        PLACED = "placed", _("Placed")
        PAID = "paid", _("Paid")
        FULFILLED = "fulfilled", _("Fulfilled")
        COMPLETED = "completed", _("Completed")
        PARTLY_REFUNDED = "partly_refunded", _("Partly refunded")
        REFUNDED = "refunded", _("Refunded")
        CANCELED = "cancelled", _("Canceled")

    # What came to nothing, whatever its refunds say.
    VOID = (Status.CANCELED, Status.REFUNDED)

    source = models.CharField(max_length=32)
    external_id = models.CharField(max_length=128)
    customer = models.ForeignKey(
        Customer,
        null=True,
        on_delete=models.PROTECT,
        related_name="orders",
        db_index=False,
    )
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.COMPLETED)
    placed_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    fulfilled_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    # The source's own count or time of its changes: what is older than what we have is ignored.
    sequence = models.BigIntegerField(null=True)
    changed_at = models.DateTimeField(null=True)
    # By hand: nothing of it matures while it is held back; what was confirmed has matured.
    held_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    # By hand: a guest order that was given to its buyer afterwards.
    claimed_at = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3)
    total = MoneyField()
    tax_total = MoneyField(default=0)
    taxes_included = models.BooleanField(default=True)
    shipping_total = MoneyField(default=0)
    discount_total = MoneyField(default=0)
    channel = models.CharField(max_length=32, blank=True, default="")
    store = models.CharField(max_length=64, blank=True, default="")
    payment_method = models.CharField(max_length=32, blank=True, default="", db_default="")
    # Of a coalition: at whose it was bought, which is whoever told it.
    partner = models.ForeignKey(
        "loyalty.Partner", null=True, on_delete=models.PROTECT, related_name="orders",
        db_index=False,
    )  # fmt: skip
    coupons = ArrayField(models.CharField(max_length=64), default=list, db_default=[])
    body_hash = models.BinaryField(max_length=32)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="order_external_id"),
            models.CheckConstraint(
                name="order_status_known",
                condition=Q(
                    status__in=[
                        "placed",
                        "paid",
                        "fulfilled",
                        "completed",
                        "partly_refunded",
                        "refunded",
                        "cancelled",
                    ]
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-placed_at", "-id"], name="order_customer"),
            # The list of all orders.
            models.Index(fields=["-placed_at", "-id"], name="order_newest"),
            # People type the order number without naming the shop that it came from.
            models.Index(
                fields=["external_id"],
                name="order_number",
                opclasses=["text_pattern_ops"],
            ),
            models.Index(
                fields=["partner", "-placed_at", "-id"],
                name="order_partner",
                condition=~Q(partner=None),
            ),
            # What was sold in a time: small, as orders come about as they are placed.
            BrinIndex(fields=["placed_at"], name="order_placed", autosummarize=True),
        ]
        # The facts about customers follow their orders.
        triggers = customers_changed(
            "customer_id", ("status", "placed_at", "total", "discount_total", "body_hash")
        ) + told_about_customers(
            "r.placed_at",
            ("status", "placed_at", "total", "confirmed_at", "completed_at", "body_hash"),
        )
        triggers += tells("told.orders", "status", ("customer_id", "total"))
        triggers += tells_reached(
            CANCELED, name="tell_canceled", named="orders", there="n.status = 'cancelled'",
            not_before="o.status <> 'cancelled'",
        )  # fmt: skip

    def __str__(self) -> str:
        return self.external_id


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    line_no = models.PositiveIntegerField()
    sku = models.CharField(max_length=128, blank=True, default="")
    name = models.CharField(max_length=200, blank=True, default="")
    category = models.CharField(max_length=128, blank=True, default="")
    brand = models.CharField(max_length=128, blank=True, default="", db_default="")
    tags = ArrayField(models.CharField(max_length=64), default=list)
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    unit_price = MoneyField()
    # What one of it cost the shop, without tax; null: it does not say. Nothing for customers.
    unit_cost = MoneyField(null=True)
    discount = MoneyField(default=0)
    total = MoneyField()
    tax = MoneyField(default=0)
    stored_value = models.BooleanField(default=False)  # a gift card or a top-up

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "line_no"], name="order_line_no"),
        ]

    def __str__(self) -> str:
        return f"{self.sku} × {self.quantity}"


class Tender(models.Model):
    """How a part of an order was paid."""

    class Kind(models.TextChoices):
        MONEY = "money", _("Money")
        STORED_VALUE = "stored_value", _("Gift card or credit")
        UNITS = "units", _("Points")
        VOUCHER = "voucher", _("Voucher")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="tenders")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    amount = MoneyField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="tender_amount", condition=Q(amount__gt=0)),
            models.UniqueConstraint(fields=["order", "kind"], name="tender_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"


class OrderDiscount(models.Model):
    """What a discount rule took off an order, as the shop says: a cost of the program that moves
    no units. By the wording that was in force when the order was placed."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="discounts")
    rule_version = models.ForeignKey(
        "loyalty.EarningRuleVersion", on_delete=models.PROTECT, related_name="order_discounts"
    )
    amount = MoneyField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="order_discount_amount", condition=Q(amount__gt=0)),
            models.UniqueConstraint(fields=["order", "rule_version"], name="order_discount_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_version} {self.amount}"


class Refund(models.Model):
    """Money given back: for an order (linked), for one not seen yet (parked), or for none
    (unlinked).

    Amounts are above zero. A refund is a fact of its own: it never changes.
    """

    source = models.CharField(max_length=32)
    external_id = models.CharField(max_length=128)
    customer = models.ForeignKey(
        Customer,
        null=True,
        on_delete=models.PROTECT,
        related_name="refunds",
        db_index=False,
    )
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="refunds")
    order_external_id = models.CharField(max_length=128, blank=True, default="")
    # Of one without an order: the only program that it was told for, by a file; NULL: all of them.
    only_program = models.ForeignKey(
        Program, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    refunded_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    total = MoneyField()
    tax_total = MoneyField(default=0)
    shipping_total = MoneyField(default=0)
    body_hash = models.BinaryField(max_length=32)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="refund_external_id"),
            models.CheckConstraint(
                name="refund_for_one_program",
                condition=Q(only_program=None) | Q(order=None, order_external_id=""),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-refunded_at"], name="refund_customer"),
            models.Index(
                fields=["source", "order_external_id"],
                name="refund_parked",
                condition=Q(order=None) & ~Q(order_external_id=""),
            ),
        ]
        triggers = customers_changed(
            "customer_id", ("order_id", "total", "refunded_at")
        ) + told_about_customers(
            "least(r.refunded_at, x.placed_at)",
            ("order_id", "total", "refunded_at"),
            joins="LEFT JOIN loyalty_order x ON x.id = r.order_id",
        )
        triggers += tells_new("told.refunds")

    @property
    def is_parked(self) -> bool:
        """It names an order that has not come yet, and waits for it."""
        return self.order_id is None and bool(self.order_external_id)

    def __str__(self) -> str:
        return self.external_id


class RefundLine(models.Model):
    refund = models.ForeignKey(
        Refund, on_delete=models.CASCADE, related_name="lines", db_index=False
    )
    line_no = models.PositiveIntegerField()
    order_line_no = models.PositiveIntegerField(null=True)
    sku = models.CharField(max_length=128, blank=True, default="")
    category = models.CharField(max_length=128, blank=True, default="")
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    total = MoneyField()
    tax = MoneyField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["refund", "line_no"], name="refund_line_no"),
        ]

    def __str__(self) -> str:
        return f"{self.sku} × {self.quantity}"


class OrderEvaluation(models.Model):
    """One program's judgment of an order: the context it was priced in, kept for every later
    correction."""

    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="evaluations", db_index=False
    )
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_index=False)
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="evaluations", db_index=False
    )
    rule_versions = ArrayField(models.BigIntegerField())
    context = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "program"], name="order_evaluated_once"),
        ]
        triggers = of_evaluations()

    def __str__(self) -> str:
        return f"{self.order} in {self.program}"


class WindowAward(models.Model):
    """What a member has come to, and was given, by a rule version whose award belongs to a window
    rather than to one order. Judged anew whenever one of its orders changes."""

    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="window_awards", db_index=False
    )
    rule_version = models.ForeignKey(
        "loyalty.EarningRuleVersion", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    window_start = models.DateField()
    units = models.BigIntegerField(default=0, db_default=0)
    movements = models.PositiveIntegerField(default=0, db_default=0)
    # What it has come to beyond `units`, for which a budget was not enough.
    short = models.BigIntegerField(default=0, db_default=0)
    # Of a duplicate who was merged away: the window that their orders count in now.
    merged_into = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="duplicates", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "rule_version", "window_start"], name="window_award_once"
            ),
            models.CheckConstraint(name="window_award_units", condition=Q(units__gte=0)),
            models.CheckConstraint(name="window_award_short", condition=Q(short__gte=0)),
        ]
        indexes = [
            models.Index(
                fields=["merged_into"], name="window_merged", condition=~Q(merged_into=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_version} from {self.window_start}"


class WindowPart(models.Model):
    """What an order brings towards a window."""

    award = models.ForeignKey(WindowAward, on_delete=models.PROTECT, related_name="parts")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="window_parts")
    amount = models.DecimalField(max_digits=28, decimal_places=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["award", "order"], name="window_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.order}"
