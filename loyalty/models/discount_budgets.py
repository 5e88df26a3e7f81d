"""Budgets of money off prices: how much discount rules may take off in all, and who has it."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.orders import MoneyField
from loyalty.models.programs import Program


class DiscountBudget(models.Model):
    """How much the rules of one source take off in all at most. Whoever takes of it holds its row;
    `used` is what carts hold and orders have, counted by the database."""

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="discount_budgets", db_index=False
    )
    # As of `EarningRule.source`.
    source = models.CharField(max_length=32)
    amount = MoneyField()
    used = MoneyField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "source"], name="discount_budget_once"),
            models.CheckConstraint(
                name="discount_budget_not_exceeded",
                condition=Q(amount__gt=0, used__gte=0, used__lte=F("amount")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.used} of {self.amount}"


class DiscountBudgetUse(models.Model):
    """What a cart holds of a budget, or what an order has of it."""

    budget = models.ForeignKey(
        DiscountBudget, on_delete=models.PROTECT, related_name="uses", db_index=False
    )
    # "cart:" and the cart's name, or "order:" with its source and number: `loyalty.codes_asked`.
    holder = models.CharField(_("holder"), max_length=180)
    # What its cart was promised; 0 of an order without one.
    promised = MoneyField(default=0)
    # What is off prices, less what came back, and what the budget bears of it.
    asked = MoneyField()
    amount = MoneyField()
    # Of a cart: when this is kept for it no longer.
    held_until = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["budget", "holder"], name="discount_budget_use_once"),
            models.CheckConstraint(
                name="discount_budget_use_bears_what_is_off",
                condition=Q(promised__gte=0, amount__gte=0, amount__lte=F("asked")),
            ),
            models.CheckConstraint(
                name="discount_budget_use_of_a_cart",
                condition=Q(held_until=None)
                | Q(amount=F("asked")) & (Q(asked=0) | Q(asked=F("promised"))),
            ),
        ]
        indexes = [
            models.Index(fields=["holder"], name="discount_budget_use_holder"),
            models.Index(
                fields=["budget", "held_until"], name="discount_budget_use_held",
                condition=Q(held_until__isnull=False),
            ),
        ]  # fmt: skip
        triggers = [
            # Whoever writes holds the budget's row.
            pgtrigger.Trigger(
                name="discount_budget_use_counted",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.After,
                declare=[("more", "numeric")],
                func="""
                    more := coalesce(NEW.amount, 0) - coalesce(OLD.amount, 0);
                    IF more <> 0 THEN
                        UPDATE loyalty_discountbudget SET used = used + more
                         WHERE id = coalesce(NEW.budget_id, OLD.budget_id);
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder}: {self.amount} of {self.asked}"
