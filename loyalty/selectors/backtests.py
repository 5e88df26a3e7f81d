"""Backtests, newest first, and the drafts of rules that one may try out."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from loyalty.models import Backtest, EarningRuleVersion, Program
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.selectors.programs import rule_definition
from members.errors import NotFoundError


def list_backtests() -> QuerySet[Backtest]:
    return Backtest.objects.select_related("program", "job", "created_by", "api_key")


def get_backtest(public_id: UUID) -> Backtest:
    """Raises NotFoundError."""
    found = list_backtests().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such backtest.")
    return found


def finished_backtests(ids: Sequence[UUID]) -> list[Backtest]:
    """Those of them that are done, the oldest first."""
    found = list_backtests().filter(public_id__in=ids, result__isnull=False)
    return list(found.order_by("pk"))


def drafted_rules(program: Program, codes: Sequence[str]) -> list[EarningRuleDefinition]:
    """The drafts that these rules of a program have, as a program file says them."""
    if not codes:
        return []
    drafts = EarningRuleVersion.objects.filter(
        rule__program=program,
        rule__code__in=[code.replace("\x00", "") for code in codes],
        status=EarningRuleVersion.Status.DRAFT,
    ).select_related("rule__wallet_type", "lot_policy")
    drafts = drafts.order_by("rule__position")
    rules = (rule_definition(version.rule, version) for version in drafts)
    # Discounts move no units: there is nothing of them to compare.
    return [rule for rule in rules if isinstance(rule, EarningRuleDefinition)]
