"""Two backtests in the demonstration, tried on the last weeks' orders: double points at weekends,
and a bonus for large orders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from loyalty.backtest_rules import with_changes
from loyalty.models import Backtest, Program
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.selectors.programs import definition_of
from loyalty.services.backtest_runs import run_backtest
from loyalty.services.backtests import create_backtest
from members.services.audit import SYSTEM

DAYS = 60
DOUBLE = {
    "kind": "multiplier",
    "code": "double-weekends",
    "name": "Double weekends",
    "factor": 2,
    "when": {"all": [{"field": "order.weekday", "op": "one_of", "value": ["saturday", "sunday"]}]},
}
BONUS = {
    "kind": "threshold_bonus", "code": "bonus-over-50", "name": "Bonus over 50", "units": 50,
    "reach": 50,
}  # fmt: skip


def try_rules(program: Program) -> None:
    """Each once; whoever loads the demonstration again finds them there."""
    for rule in (DOUBLE, BONUS):
        if not Backtest.objects.filter(program=program, name=rule["name"]).exists():
            _try(program, rule)


def _try(program: Program, said: Mapping[str, Any]) -> None:
    now = timezone.now()
    definition = definition_of(program, now)
    unit = definition.wallet_types[0]
    rule = EarningRuleDefinition.model_validate({**said, "wallet_type": unit.code})
    today = now.astimezone(program.zone).date()
    backtest = create_backtest(
        program=program,
        since=today - dt.timedelta(days=DAYS),
        until=today,
        draft=with_changes(definition, put=[rule]),
        name=rule.name,
        actor=SYSTEM,
        now=now,
    )
    if backtest.job_id is not None:
        run_backtest(backtest.job_id)
