"""What discounts cost, line by line: the books of what moves no units."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.earning_rules import EarningRuleVersion
from loyalty.models.orders import MoneyField, Order
from loyalty.models.programs import Program


class DiscountEntry(models.Model):
    """Money that members paid less, on the day on which it is booked; below zero where it came
    back. What one discount costs by now is the sum of its lines."""

    class Kind(models.TextChoices):
        RULE = "rule", _("Discount rule")
        REWARD = "reward", _("Reward")
        VOUCHER = "voucher", _("Voucher")
        # Units that paid more than they are worth.
        WORTH = "worth", _("Worth in a tier")

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="discount_entries", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # Which discount it is of, and which of its lines this is: nobody books a change twice.
    subject = models.CharField(max_length=64)
    turn = models.PositiveIntegerField()
    # Of what a rule took off.
    order = models.ForeignKey(
        Order, null=True, on_delete=models.PROTECT, related_name="discount_entries"
    )
    rule_version = models.ForeignKey(
        EarningRuleVersion, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    amount = MoneyField()
    occurred_at = models.DateTimeField()
    # The day of the program, or the first one that is open.
    booked_on = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "turn"], name="discount_entry_once"),
            models.CheckConstraint(name="discount_entry_amount", condition=~Q(amount=0)),
            models.CheckConstraint(
                name="discount_entry_of_its_kind",
                condition=Q(kind="rule", order__isnull=False, rule_version__isnull=False)
                | Q(kind__in=["reward", "voucher", "worth"], order=None, rule_version=None),
            ),
        ]
        indexes = [models.Index(fields=["program", "booked_on"], name="discount_entry_days")]
        triggers = [
            pgtrigger.Protect(
                name="discount_entry_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.amount}"
