"""The rules that a backtest compares: those in force when orders were placed, and the same with a
draft in their place from the first day of the period on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

from django.utils.translation import gettext as _

from loyalty.definitions import ProgramDefinition
from loyalty.rule_conditions import stored_condition
from loyalty.rule_definitions import DiscountRuleDefinition, EarningRuleDefinition
from loyalty.rules.bodies import AnniversaryBody, EarningBody
from loyalty.rules.engine import RuleVersion
from loyalty.rules.lots import LotTerms
from loyalty.rules.replayed_prices import NO_LIMITS, Limits
from loyalty.rules.rulesets import RuleSet
from loyalty.rules.stacking import Multiplying
from loyalty.rules.worth import NO_WORTH, Worth
from loyalty.tier_definitions import TiersDefinition
from loyalty.unit_definitions import PendingDefinition
from members.errors import DomainError, FieldError


@dataclass(frozen=True, slots=True)
class Discounted:
    """A discount rule that is tried, and what it may come to. `by_code`: as if everybody had the
    code that it takes."""

    rule: DiscountRuleDefinition
    limits: Limits = NO_LIMITS
    by_code: bool = False

    def as_json(self) -> dict[str, Any]:
        limits = self.limits
        return {
            "rule": self.rule.model_dump(mode="json", exclude_none=True),
            "budget": None if limits.budget is None else str(limits.budget),
            "uses": limits.uses, "per_member": limits.per_member, "days": limits.days,
            "by_code": self.by_code,
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Discounted:
        budget = None if kept["budget"] is None else Decimal(kept["budget"])
        limits = Limits(budget, kept["uses"], kept["per_member"], kept["days"])
        rule = DiscountRuleDefinition.model_validate(kept["rule"])
        return cls(rule, limits, kept["by_code"])


@dataclass(frozen=True, slots=True)
class Beside:
    """What is tried of campaigns, which no program file has. `sharing`: by code the rule in whose
    counters it keeps its caps, where several share them; `left_out`: rules that are not to count;
    `discounts`: those that price orders."""

    sharing: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    discounts: tuple[Discounted, ...] = ()


@dataclass(frozen=True, slots=True)
class Wordings:
    """What rules say, as a program file has them; `multiplying`: how several multipliers work;
    `tiers`: other tiers than those of life."""

    rules: tuple[EarningRuleDefinition, ...]
    multiplying: str = "best"
    tiers: TiersDefinition | None = None
    beside: Beside = Beside()

    @classmethod
    def of(cls, program: ProgramDefinition) -> Wordings:
        return cls(program.earning_rules, program.multiplying)

    def as_json(self) -> dict[str, Any]:
        rules = [rule.model_dump(mode="json", exclude_none=True) for rule in self.rules]
        said: dict[str, Any] = {"multiplying": self.multiplying, "earning_rules": rules}
        if self.tiers is not None:
            said["tiers"] = self.tiers.model_dump(mode="json", exclude_defaults=True)
        if self.beside.sharing:
            said["sharing"] = dict(self.beside.sharing)
        if self.beside.left_out:
            said["left_out"] = list(self.beside.left_out)
        if self.beside.discounts:
            said["discounts"] = [item.as_json() for item in self.beside.discounts]
        return said

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Wordings:
        rules = kept["earning_rules"]
        tiers = kept.get("tiers")
        return cls(
            tuple(map(EarningRuleDefinition.model_validate, rules)),
            kept["multiplying"],
            TiersDefinition.model_validate(tiers) if tiers else None,
            Beside(
                kept.get("sharing", {}),
                tuple(kept.get("left_out", ())),
                tuple(map(Discounted.from_json, kept.get("discounts", ()))),
            ),
        )

    def changed_to(self, draft: Wordings) -> dict[str, str]:
        """What becomes of which rule, by its code: added, changed or removed."""
        own, theirs = ({rule.code: rule for rule in side.rules} for side in (self, draft))
        found = {code: "removed" for code in own if code not in theirs}
        for code, rule in theirs.items():
            if code not in own:
                found[code] = "added"
            elif own[code] != rule:
                found[code] = "changed"
        return found


def with_changes(
    program: ProgramDefinition,
    *,
    put: Sequence[EarningRuleDefinition] = (),
    without: Sequence[str] = (),
) -> ProgramDefinition:
    """The program with some rules replaced or added, and others left out. Raises DomainError."""
    if not put and not without:
        return program
    known = {rule.code for rule in program.earning_rules}
    missing = sorted(set(without) - known)
    if missing:
        raise DomainError(
            _("The program has no rule %s.") % missing[0], code="unknown_rule",
            errors=[FieldError("without", _("Name rules of the program."))],
        )  # fmt: skip
    wanted = {rule.code: rule for rule in put}
    rules = [wanted.pop(rule.code, rule) for rule in program.earning_rules]
    rules = [rule for rule in rules if rule.code not in set(without)]
    said = program.model_dump(mode="json", exclude_none=True)
    everything = [*rules, *wanted.values()]
    said["earning_rules"] = [rule.model_dump(mode="json", exclude_none=True) for rule in everything]
    return ProgramDefinition.model_validate(said)


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """A wallet type that rules may award: its key, decimals, terms of new lots, and what one is
    worth."""

    pk: int
    scale: int
    terms: LotTerms
    worth: Worth = NO_WORTH


def draft_rules(
    published: Sequence[RuleVersion],
    live: Wordings,
    draft: Wordings,
    units: Mapping[str, KnownUnit],
    since: dt.datetime,
) -> RuleSet:
    """Those by which orders earn."""
    versions = draft_versions(published, live, draft, units, since, EarningBody)
    return RuleSet(versions, cast("Multiplying", draft.multiplying))


def draft_versions(
    published: Sequence[RuleVersion],
    live: Wordings,
    draft: Wordings,
    units: Mapping[str, KnownUnit],
    since: dt.datetime,
    kind: type[EarningBody] | type[AnniversaryBody],
) -> list[RuleVersion]:
    """The published versions as they were, but from `since` on with what the draft says instead.
    `kind`: rules by which orders earn, or those for days of the year."""
    changes = live.changed_to(draft) | dict.fromkeys(draft.beside.left_out, "removed")
    rule_ids = {version.rule_code: version.rule_id for version in published}
    made = {
        rule.code: _version(-number, rule, units, since, rule_ids.get(rule.code, -number))
        for number, rule in enumerate(draft.rules, start=1)
        if changes.get(rule.code) in {"added", "changed"} and isinstance(rule.body(), kind)
    }
    for code, keeper in draft.beside.sharing.items():
        if code in made and keeper in made:
            made[code] = replace(made[code], shared_budget=made[keeper].rule_id)
    kept = [
        version
        for version in published
        if version.rule_code not in changes
        or version.starts_at is None
        or version.starts_at < since
    ]
    before = [
        replace(version, ends_at=min(version.ends_at or since, since))
        if version.rule_code in changes
        else version
        for version in kept
    ]
    versions = [*before, *made.values()]
    place = {code: number for number, code in enumerate(_order(published, draft))}
    versions.sort(key=lambda version: place[version.rule_code])
    return versions


def _order(published: Sequence[RuleVersion], draft: Wordings) -> Iterator[str]:
    """The order of evaluation: the draft's; rules that it does not have stay behind the one that
    they came after."""
    wanted = [rule.code for rule in draft.rules]
    after: dict[str, list[str]] = {}
    last = ""
    for code in dict.fromkeys(version.rule_code for version in published):
        if code in wanted:
            last = code
        else:
            after.setdefault(last, []).append(code)
    yield from after.get("", ())
    for code in wanted:
        yield code
        yield from after.get(code, ())


def _version(
    number: int,
    rule: EarningRuleDefinition,
    units: Mapping[str, KnownUnit],
    since: dt.datetime,
    rule_id: int,
) -> RuleVersion:
    unit, body = units[rule.wallet_type], rule.body()
    return RuleVersion(
        id=number, rule_name=rule.name, number=0, wallet_type_id=unit.pk, scale=unit.scale,
        body=body, starts_at=since, rule_id=rule_id, lot_terms=_terms(rule, unit.terms),
        rule_code=rule.code, when=stored_condition(body.when), worth=unit.worth,
    )  # fmt: skip


def _terms(rule: EarningRuleDefinition, general: LotTerms) -> LotTerms | None:
    """Its own terms for maturity and expiry; what it does not say is as the units have it."""
    if rule.pending is None and rule.expiry is None:
        return None
    pending = rule.pending or PendingDefinition.model_validate(
        {"pending_from": general.pending_from, "pending_days": general.pending_days}
    )
    terms = replace(
        general, policy_id=0, pending_from=pending.pending_from, pending_days=pending.pending_days
    )
    expiry = rule.expiry
    if expiry is None:
        return terms
    return replace(
        terms, kind=expiry.kind, length=expiry.length, period=expiry.period,
        month_day=expiry.month_day, counted_from=expiry.counted_from, last_day=expiry.last_day,
        renewed_by=expiry.renewals, restored_days=expiry.restored_days,
        warned_days=expiry.warned_days,
    )  # fmt: skip
