"""Benefits that earn are rules of their own, which ask for the tier or the plan that brings them.
They follow from there alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from loyalty.models import EarningRule, EarningRuleVersion, Program, WalletType
from loyalty.rules.bodies import parse_body
from loyalty.services.rule_versions import (
    delete_rule,
    end_rule,
    in_force_at,
    next_number,
    put_in_force,
    write_draft,
)
from loyalty.tier_benefits import BenefitSource, benefit_rules
from members.services.audit import Actor


def apply_benefit_rules(
    program: Program,
    sources: Sequence[BenefitSource],
    wallet_types: Mapping[str, WalletType],
    *,
    source: str,
    prefix: str,
    position: int,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Bring the rules of one `source` (tiers, plans) to what their benefits say, from now on.
    `prefix`: how their codes begin."""
    wanted = {rule.code: rule for rule in benefit_rules(sources, wallet_types, prefix)}
    drafting = program.live_since is None
    existing = {rule.code: rule for rule in program.earning_rules.filter(source=source)}
    for code in existing.keys() - wanted.keys():
        if drafting:
            delete_rule(existing[code])
        else:
            end_rule(existing[code], now)
    for number, (code, item) in enumerate(wanted.items()):
        rule = existing.get(code) or EarningRule(
            program=program, wallet_type=item.unit, code=code, source=source
        )
        rule.name, rule.position = item.name, position + number
        rule.save()
        _apply_body(rule, item.body, drafting, actor=actor, now=now)


def _apply_body(
    rule: EarningRule, body: dict[str, Any], drafting: bool, *, actor: Actor, now: dt.datetime
) -> None:
    if drafting:
        write_draft(rule, body, None, actor=actor, now=now)
        return
    current = in_force_at(rule, now)
    if current is not None and parse_body(current.body) == parse_body(body):
        return
    version = EarningRuleVersion(
        rule=rule, body=body, written_by=actor.user, written_at=now, number=next_number(rule)
    )
    put_in_force(version, starts_at=now, actor=actor, now=now)
