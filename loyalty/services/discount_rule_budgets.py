"""The budget of a discount rule that people write: what all orders together are reduced by at most.

Those of campaigns are one for all of their rules, and kept by `loyalty.services.campaign_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from loyalty.models import DiscountBudget, EarningRule, OrderDiscount
from members.errors import ConflictError, DomainError, FieldError


def keep_discount_budget(rule: EarningRule, body: Mapping[str, Any]) -> None:
    """What a wording says of its budget counts from when it is published. Raises ConflictError
    where it would begin or end after something was taken off, and DomainError where more was."""
    if body.get("kind") != "discount" or rule.source:
        return
    said = body.get("budget")
    amount = None if said is None else Decimal(said)
    if (amount is None) != (rule.discount_budget_id is None) and _has_taken(rule):
        raise ConflictError(
            _("It has taken something off already: a budget begins with a rule and stays. Write a"
              " new rule for it."),
            code="budget_stays", errors=[FieldError("budget", _("Leave it as it is."))],
        )  # fmt: skip
    if amount is None:
        drop_discount_budget(rule)
    else:
        _put(rule, amount)


def _put(rule: EarningRule, amount: Decimal) -> None:
    """Whoever takes of it holds its row."""
    budget, _created = DiscountBudget.objects.select_for_update(no_key=True).get_or_create(
        program_id=rule.program_id, source=_source(rule), defaults={"amount": amount}
    )
    if amount < budget.used:
        message = _("More than that has been taken off already.")
        raise DomainError(message, errors=[FieldError("budget", message, "used")])
    if budget.amount != amount:
        budget.amount = amount
        budget.save(update_fields=["amount"])
    if rule.discount_budget_id != budget.pk:
        rule.discount_budget = budget
        rule.save(update_fields=["discount_budget"])


def drop_discount_budget(rule: EarningRule) -> None:
    """Of a rule that took nothing off."""
    if rule.discount_budget_id is not None:
        rule.discount_budget = None
        rule.save(update_fields=["discount_budget"])
        DiscountBudget.objects.filter(program=rule.program_id, source=_source(rule)).delete()


def _has_taken(rule: EarningRule) -> bool:
    """Whether an order had it, or a cart holds some of its budget."""
    budget = rule.discount_budget
    held = budget is not None and budget.uses.exists()
    return held or OrderDiscount.objects.filter(rule_version__rule=rule).exists()


def _source(rule: EarningRule) -> str:
    return f"rule:{rule.pk}"
