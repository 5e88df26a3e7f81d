"""What members who agreed look at in the shop: told by its pages, kept for a while. It earns
nothing.

The events are what was told, the days are their sums, which conditions ask of; both, and what lies
in carts, go when the merchant's time for them is over."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models import Customer


class BrowsingPolicy(models.Model):
    """Whether what members look at is kept, and how long: exactly one row."""

    is_on = models.BooleanField(_("keep what members look at"), default=False)
    kept_days = models.PositiveSmallIntegerField(_("days that it is kept"), default=90)

    class Meta:
        verbose_name_plural = "browsing policies"
        constraints = [
            models.CheckConstraint(name="browsing_policy_single_row", condition=Q(pk=1)),
            models.CheckConstraint(
                name="browsing_policy_kept_days",
                condition=Q(kept_days__gte=1, kept_days__lte=400),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kept_days} days" if self.is_on else "off"


class BrowsingEvent(models.Model):
    """Something that a member looked at, searched for or put into their cart, as it was told."""

    class Kind(models.TextChoices):
        PRODUCT = "product_viewed", _("Looked at a product")
        CATEGORY = "category_viewed", _("Looked at a category")
        SEARCH = "searched", _("Searched")
        CART = "cart_updated", _("Changed the cart")

    # No index of its own: the constraint and the index below begin with it.
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # By what the teller knows it: told again it is the same.
    external_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    # The SKU, the category, or the words that were searched for.
    subject = models.CharField(max_length=200)
    # What people call it, and the category of a product, where they were told.
    name = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=128, blank=True)
    # Of a cart: how many of it are in there now.
    quantity = models.PositiveIntegerField(null=True)
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "external_id"], name="browsing_event_told_once"
            ),
            models.CheckConstraint(
                name="browsing_event_quantity_of_carts",
                condition=Q(kind="cart_updated", quantity__isnull=False)
                | (~Q(kind="cart_updated") & Q(quantity=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-occurred_at"], name="browsing_event_newest"),
            # By which those are found whose time is over.
            models.Index(fields=["occurred_at"], name="browsing_event_kept"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.kind} {self.subject}"


class BrowsingDay(models.Model):
    """How often a member looked at something on a day of the merchant's, and when last."""

    class What(models.TextChoices):
        PRODUCT = "product", _("Product")
        # By its own page, or by one of its products.
        CATEGORY = "category", _("Category")
        # One word of what was searched for, folded.
        WORD = "word", _("Word")
        CART = "cart", _("Cart")

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    what = models.CharField(max_length=8, choices=What.choices)
    subject = models.CharField(max_length=200)
    day = models.DateField()
    times = models.PositiveIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "what", "subject", "day"], name="browsing_day_once"
            ),
            models.CheckConstraint(name="browsing_day_some", condition=Q(times__gt=0)),
        ]
        indexes = [
            # Who looked at something, of all members.
            models.Index(fields=["what", "subject", "day"], name="browsing_day_subject"),
            # Whose visit is so long ago, and what is to be forgotten.
            models.Index(fields=["last_at", "customer"], name="browsing_day_last"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.what} {self.subject}, {self.day}"


class CartLine(models.Model):
    """How many of a product are in a member's cart, as it was told last."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    sku = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    # 0: it was taken out, which something told late must not undo.
    quantity = models.PositiveIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "sku"], name="cart_line_once"),
        ]
        indexes = [
            models.Index(fields=["changed_at", "customer"], name="cart_line_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.quantity} × {self.sku}"
