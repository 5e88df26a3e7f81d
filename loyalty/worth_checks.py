"""A budget in money is for units that are worth some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from loyalty.rule_definitions import RuleDefinition
from loyalty.rules.body_parts import AnyBody
from members.wrong_values import WrongPartError

if TYPE_CHECKING:
    from loyalty.definitions import ProgramDefinition


def check_budgets_in_money(program: ProgramDefinition) -> None:
    """Raise WrongPartError where a rule has one for units that are worth nothing."""
    names = {item.code: item.plural for item in program.wallet_types if not item.unit_value}
    for place, rule in enumerate(program.earning_rules):
        if rule.wallet_type in names and has_budget_in_money(rule):
            raise WrongPartError(
                worthless(names[rule.wallet_type]), "earning_rules", place, "caps", "budget_money"
            )


def has_budget_in_money(rule: RuleDefinition) -> bool:
    body: object = rule
    return isinstance(body, AnyBody) and body.caps.budget_money is not None


def worthless(plural: str) -> str:
    return _("%s are worth no money: give the budget in units.") % capfirst(plural)
