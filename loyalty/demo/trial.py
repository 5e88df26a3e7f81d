"""A backtest in the demonstration: double points at weekends, tried on the last weeks' orders."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from loyalty.backtest_rules import with_changes
from loyalty.definitions import EarningRuleDefinition
from loyalty.models import Backtest, Program
from loyalty.selectors.programs import definition_of
from loyalty.services.backtest_runs import run_backtest
from loyalty.services.backtests import create_backtest
from members.services.audit import SYSTEM

NAME = "Double weekends"
DAYS = 60


def try_rules(program: Program) -> None:
    """Once; whoever loads the demonstration again finds it there."""
    if Backtest.objects.filter(program=program, name=NAME).exists():
        return
    now = timezone.now()
    definition = definition_of(program, now)
    unit = definition.wallet_types[0]
    rule = EarningRuleDefinition.model_validate(
        {
            "kind": "multiplier",
            "code": "double-weekends",
            "name": NAME,
            "wallet_type": unit.code,
            "factor": 2,
            "when": {
                "all": [{"field": "order.weekday", "op": "one_of", "value": ["saturday", "sunday"]}]
            },
        }
    )
    today = now.astimezone(program.zone).date()
    backtest = create_backtest(
        program=program,
        since=today - dt.timedelta(days=DAYS),
        until=today,
        draft=with_changes(definition, put=[rule]),
        name=NAME,
        actor=SYSTEM,
        now=now,
    )
    if backtest.job_id is not None:
        run_backtest(backtest.job_id)
