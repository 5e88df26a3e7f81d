"""What the demonstration's marketing manager is working on: a rule that is scheduled, a draft
beside what is live, and an idea. None of it earns yet, so the history stays what it was."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from loyalty.models import Program
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.rules.calendar import localize
from loyalty.services.rules import create_rule, publish_draft, save_draft
from members.models import User
from members.services.audit import Actor

WEEKEND = {"all": [{"field": "order.weekday", "op": "one_of", "value": ["saturday", "sunday"]}]}
WEEKENDS_CODE = "double-weekends"


def write_rules(program: Program) -> None:
    """Once, however often the demonstration is loaded."""
    if program.earning_rules.filter(code=WEEKENDS_CODE).exists():
        return
    writer, now = Actor.of_user(User.objects.get(email="mia@setia.example")), timezone.now()
    weekends = create_rule(
        program=program, actor=writer, now=now,
        definition=_rule(
            WEEKENDS_CODE, "Double acorns at the weekend", kind="multiplier", factor=2,
            when=WEEKEND, caps={"per_order": 500},
        ),
    )  # fmt: skip
    first = now.astimezone(program.zone).date() + dt.timedelta(days=14)
    publish_draft(
        rule=weekends, actor=writer, now=now,
        starts_at=localize(dt.datetime.combine(first, dt.time()), program.zone),
        ends_at=localize(dt.datetime.combine(first + dt.timedelta(days=28), dt.time()),
                         program.zone),
    )  # fmt: skip
    create_rule(
        program=program, actor=writer, now=now,
        definition=_rule(
            "lunch-card", "Lunch card", kind="stamps", units=200, full_at=10,
            include={"categories": ["DELI"]},
        ),
    )  # fmt: skip
    base = program.earning_rules.get(code="base")
    save_draft(
        rule=base, actor=writer, now=now,
        definition=_rule(
            "base", base.name, units=1, per=1, exclude={"categories": ["FUEL", "COUPON"]},
            base={"include_tax": False, "paid_with_stored_value": False},
            caps={"per_order": 1000},
        ),
    )  # fmt: skip


def _rule(code: str, name: str, **said: Any) -> EarningRuleDefinition:
    return EarningRuleDefinition.model_validate(
        {"code": code, "name": name, "wallet_type": "acorns", **said}
    )
