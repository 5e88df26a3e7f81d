"""A draft of a program's tiers in a backtest: the rules that its benefits are, instead of those of
the tiers that were live."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from loyalty.backtest_rules import KnownUnit
from loyalty.rule_conditions import stored_condition
from loyalty.rule_definitions import TIER_RULES
from loyalty.rules.bodies import AnniversaryBody, EarningBody, parse_body
from loyalty.rules.engine import RuleVersion
from loyalty.tier_benefits import benefit_rules, tier_source
from loyalty.tier_definitions import TiersDefinition

# Keys of wordings that are nowhere stored; those of drafted rules begin at -1.
FIRST_KEY = -100_000


def with_tiers(
    versions: Sequence[RuleVersion],
    tiers: TiersDefinition,
    units: Mapping[str, KnownUnit],
    since: dt.datetime,
    kind: type[EarningBody] | type[AnniversaryBody],
) -> list[RuleVersion]:
    """From `since` on what the draft's tiers give; before, what those of life gave. They come last,
    as in life."""
    kept = [
        replace(item, ends_at=min(item.ends_at or since, since)) if _of_tiers(item) else item
        for item in versions
        if not _of_tiers(item) or item.starts_at is None or item.starts_at < since
    ]
    return [*kept, *_drafted(tiers, units, since, kind)]


def _of_tiers(version: RuleVersion) -> bool:
    return version.rule_code.startswith(TIER_RULES)


def _drafted(
    tiers: TiersDefinition,
    units: Mapping[str, KnownUnit],
    since: dt.datetime,
    kind: type[EarningBody] | type[AnniversaryBody],
) -> Iterator[RuleVersion]:
    sources = [tier_source(tier) for tier in tiers.tiers]
    for number, rule in enumerate(benefit_rules(sources, units, TIER_RULES), start=1):
        body = parse_body(rule.body)
        if isinstance(body, kind):
            key = FIRST_KEY - number
            yield RuleVersion(
                id=key, rule_name=rule.name, number=0, wallet_type_id=rule.unit.pk,
                scale=rule.unit.scale, body=body, starts_at=since, rule_id=key,
                rule_code=rule.code, when=stored_condition(body.when),
            )  # fmt: skip
