"""Rules that a campaign writes: in force for its time, under its name, with one budget for all of
them. What a campaign is, nobody here knows; its rules name it as their source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import (
    DiscountBudget,
    EarningRule,
    EarningRuleVersion,
    Order,
    Program,
    WalletType,
)
from loyalty.rule_checks import Finding, check_rule, refusals
from loyalty.rules.bodies import RuleBody
from loyalty.rules.body_parts import AnyBody
from loyalty.selectors.rules import campaign_rows, rule_rows, standing, standings
from loyalty.services.rule_versions import end_rule, next_number, own_policy, put_in_force
from loyalty.services.rules import RuleRefusedError, count_up, hold_program, require_live
from loyalty.unit_definitions import ExpiryDefinition
from members.conditions.moments import Moment
from members.errors import ConflictError, FieldError
from members.services.audit import Actor

# After the rules that people write, before the benefits of tiers and plans.
POSITION = 20_000


@dataclass(frozen=True, slots=True)
class CampaignRule:
    """A rule as a campaign wants it. `expiry`: of its units; None: as of all of their kind."""

    code: str
    name: str
    unit: WalletType
    body: RuleBody
    expiry: ExpiryDefinition | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """For which orders: those placed in [starts_at, ends_at)."""

    starts_at: dt.datetime
    ends_at: dt.datetime


@transaction.atomic
def put_campaign_rules(
    *, program: Program, source: str, wanted: Sequence[CampaignRule], span: Span, actor: Actor,
    now: dt.datetime, money: Decimal | None = None,
) -> list[EarningRule]:  # fmt: skip
    """The rules of a campaign count for a time; what its rules have used of their caps stays used.
    `money`: so much they take off prices in all at most; None: as much as they say. Raises
    RuleRefusedError where one could never give anything."""
    program = hold_program(program)
    require_live(program)
    found = campaign_findings(program=program, source=source, wanted=wanted, span=span, now=now)
    wrong = refusals(found)
    if wrong:
        raise RuleRefusedError(
            wrong[0].message,
            errors=[FieldError(item.field, item.message, item.code) for item in wrong],
        )
    rules = [_rule(program, source, number, item) for number, item in enumerate(wanted)]
    _share_budgets(rules, wanted)
    _put_money_budget(program, source, rules, money)
    for rule, item in zip(rules, wanted, strict=True):
        version = EarningRuleVersion(
            rule=rule, body=item.body.model_dump(mode="json"), written_by=actor.user,
            written_at=now, number=next_number(rule),
            lot_policy=own_policy(rule, None, item.expiry, now),
        )  # fmt: skip
        put_in_force(version, starts_at=span.starts_at, ends_at=span.ends_at, actor=actor, now=now)
    count_up(program)
    return rules


@transaction.atomic
def stop_campaign_rules(*, program: Program, source: str, at: dt.datetime) -> None:
    """Orders placed from then on get nothing by them; what was to come later does not come."""
    program = hold_program(program)
    rules = list(campaign_rules(program, source))
    coming = EarningRuleVersion.objects.filter(rule__in=rules, starts_at__gte=at)
    first = min((version.starts_at for version in coming if version.starts_at), default=None)
    if first is not None and Order.objects.filter(placed_at__gte=first).exists():
        raise ConflictError(
            _("An order with a later date has been judged by it already."), code="counts_already"
        )
    for rule in rules:
        end_rule(rule, at)
    count_up(program)


def campaign_rules(program: Program, source: str) -> Iterable[EarningRule]:
    return program.earning_rules.filter(source=source).order_by("pk")


def campaign_findings(
    *, program: Program, source: str, wanted: Sequence[CampaignRule], span: Span, now: dt.datetime
) -> list[Finding]:  # fmt: skip
    """What speaks against these rules, and with what others they meet."""
    people = rule_rows(program, now)
    others = [row for row in campaign_rows(program, now) if row.rule.source != source]
    beside = [*standings(people, now), *standings(others, now)]
    found = []
    for number, item in enumerate(wanted):
        rule = EarningRule(
            program=program, wallet_type=item.unit, code=item.code, name=item.name, source=source
        )
        version = EarningRuleVersion(
            rule=rule, body=item.body.model_dump(mode="json"), starts_at=span.starts_at,
            ends_at=span.ends_at,
        )  # fmt: skip
        found += check_rule(
            standing(rule, version, len(people) + number), beside,
            moment=Moment(now, program.zone), multiplying=program.multiplying,
            discounting=program.discounting,
        )  # fmt: skip
    return found


def _rule(program: Program, source: str, number: int, item: CampaignRule) -> EarningRule:
    rule, _created = EarningRule.objects.get_or_create(
        program=program, code=item.code,
        defaults={"source": source, "wallet_type": item.unit, "name": item.name,
                  "position": POSITION + number},
    )  # fmt: skip
    if rule.source != source:
        raise ConflictError(
            _("The program has another rule with the code %s.") % item.code, code="taken"
        )
    if rule.name != item.name:
        rule.name = item.name
        rule.save(update_fields=["name"])
    return rule


def keepers(wanted: Sequence[CampaignRule]) -> dict[str, str]:
    """By code of a campaign's rules the first of the same units, in whose counters it counts: what
    all of them give in all, and to one member. Nothing where a single one has such limits."""
    limited = [item for item in wanted if isinstance(item.body, AnyBody) and item.body.caps.counted]
    if len(limited) < 2:
        return {}
    first: dict[int, str] = {}
    return {item.code: first.setdefault(item.unit.pk, item.code) for item in limited}


def _share_budgets(rules: Sequence[EarningRule], wanted: Sequence[CampaignRule]) -> None:
    by_code = {rule.code: rule for rule in rules}
    for code, keeper in keepers(wanted).items():
        rule = by_code[code]
        if rule.budget_rule_id != by_code[keeper].pk:
            rule.budget_rule = by_code[keeper]
            rule.save(update_fields=["budget_rule"])


def drop_campaign_rules(*, program: Program, source: str) -> None:
    """Of a campaign that never began: its rules, and the budget that they had."""
    rules = program.earning_rules.filter(source=source)
    rules.update(budget_rule=None, discount_budget=None)
    for rule in rules:
        rule.delete()
    DiscountBudget.objects.filter(program=program, source=source).delete()


def _put_money_budget(
    program: Program, source: str, rules: Sequence[EarningRule], money: Decimal | None
) -> None:
    """All of them take it off together; what they took before stays taken."""
    budget = None
    if money is not None:
        budget, _created = DiscountBudget.objects.update_or_create(
            program=program, source=source, defaults={"amount": money}
        )
    program.earning_rules.filter(pk__in=[rule.pk for rule in rules]).update(discount_budget=budget)
