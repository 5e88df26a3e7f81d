"""What terms of its own a rule may have beside the others of its units."""

from __future__ import annotations

import datetime as dt

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from loyalty.models import EarningRule
from loyalty.rule_definitions import EarningRuleDefinition, RuleDefinition
from loyalty.selectors.lot_policies import expiry_of
from loyalty.selectors.rules import ENDED, rule_rows, state_of
from loyalty.unit_definitions import ExpiryDefinition
from loyalty.worth_checks import has_budget_in_money, worthless
from members.errors import DomainError, FieldError


def refuse_unfit(rule: EarningRule, definition: RuleDefinition, now: dt.datetime) -> None:
    """Raise DomainError where its terms do not go with its units and the other rules of these."""
    if isinstance(definition, EarningRuleDefinition):
        refuse_other_inactivity(rule, definition.expiry, now)
    if has_budget_in_money(definition) and not rule.wallet_type.unit_value:
        message = worthless(rule.wallet_type.plural)
        raise DomainError(message, errors=[FieldError("caps.budget_money", message, "worthless")])


def refuse_other_inactivity(
    rule: EarningRule, expiry: ExpiryDefinition | None, now: dt.datetime
) -> None:
    """Units of a wallet that expire by inactivity expire together, whichever rule gave them."""
    if expiry is None or expiry.kind != "inactivity":
        return
    general = rule.wallet_type.lot_policies.filter(rule=None).latest("pk")
    policies = [general] + [
        version.lot_policy
        for row in rule_rows(rule.program, now)
        if row.rule.pk != rule.pk and row.rule.wallet_type_id == rule.wallet_type_id
        for version in row.versions
        if version.lot_policy is not None and state_of(version, now) != ENDED
    ]
    for other in map(expiry_of, policies):
        alike = (other.length, other.last_day, other.renewals) == (
            expiry.length, expiry.last_day, expiry.renewals,
        )  # fmt: skip
        if other.kind == "inactivity" and not alike:
            message = _(
                "%s that expire by inactivity expire together: give them the same terms."
            ) % capfirst(rule.wallet_type.plural)
            raise DomainError(message, errors=[FieldError("expiry", message, "expire_together")])
