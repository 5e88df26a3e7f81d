"""A program that nobody has saved yet, made ready to judge the orders of a year."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from babel.numbers import get_currency_precision

from loyalty.backtest_rules import KnownUnit, Wordings, draft_rules
from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.plan_definitions import PlanDefinition
from loyalty.rule_conditions import stored_condition
from loyalty.rules.bodies import AnniversaryBody, CashbackBody, RateBody
from loyalty.rules.companies import CompanyFacts
from loyalty.rules.discounts import Discounting, DiscountVersion
from loyalty.rules.engine import RuleVersion
from loyalty.rules.facts import ZERO
from loyalty.rules.lots import LotTerms
from loyalty.rules.rulesets import RuleSet
from loyalty.rules.worth import Worth
from loyalty.tier_definitions import TiersDefinition
from loyalty.unit_definitions import WalletTypeDefinition


@dataclass(frozen=True)
class ProjectedRules:
    """What a definition's rules, units and tiers say, for orders from `since` on."""

    definition: ProgramDefinition
    since: dt.datetime

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.definition.time_zone)

    @cached_property
    def program(self) -> Program:
        """As a row that is nowhere: it has no members and has judged no order."""
        said = self.definition
        return Program(
            pk=0, code=said.code, name=said.name, currency=said.currency,
            time_zone=said.time_zone, linked_returns=said.linked_returns,
            unlinked_returns=said.unlinked_returns,
        )  # fmt: skip

    @cached_property
    def units(self) -> dict[int, WalletTypeDefinition]:
        return dict(enumerate(self.definition.wallet_types, start=1))

    @property
    def main(self) -> int:
        """The units that members collect first of all."""
        return 1

    def worth(self, wallet_type_id: int, units: int | Decimal) -> Decimal:
        """In money, of units at their scale."""
        unit = self.units[wallet_type_id]
        return Decimal(units).scaleb(-unit.decimals) * unit.unit_value

    @cached_property
    def _known(self) -> dict[str, KnownUnit]:
        return {
            unit.code: KnownUnit(pk, unit.decimals, lot_terms_of(unit), Worth(unit.unit_value))
            for pk, unit in self.units.items()
        }

    def terms(self, version: RuleVersion) -> LotTerms:
        return version.lot_terms or self._known[self.units[version.wallet_type_id].code].terms

    @cached_property
    def rules(self) -> RuleSet:
        """Those that orders earn by."""
        wanted = Wordings.of(self.definition)
        return draft_rules((), Wordings((), wanted.multiplying), wanted, self._known, self.since)

    @cached_property
    def discounts(self) -> tuple[DiscountVersion, ...]:
        return tuple(
            DiscountVersion(
                id=number, rule_id=number, rule_code=rule.code, rule_name=rule.name, number=0,
                body=rule.body(), wallet_type_id=self.main,
                scale=self.units[self.main].decimals, when=stored_condition(rule.body().when),
            )
            for number, rule in enumerate(self.definition.discount_rules, start=1)
        )  # fmt: skip

    @cached_property
    def plan(self) -> PlanDefinition | None:
        """The paid plan that is looked at: the first that is offered."""
        return next((plan for plan in self.definition.plans if plan.offered), None)

    @cached_property
    def plan_factor(self) -> Decimal:
        """Times how much its members earn of the first units."""
        main = self.definition.wallet_types[0].code
        own = (item for item in (self.plan.benefits if self.plan else ())
               if item.wallet_type in ("", main))  # fmt: skip
        return max((item.factor for item in own if item.factor is not None), default=Decimal(1))

    @cached_property
    def company(self) -> CompanyFacts:
        """Nobody buys for a company of a program that is not there; whoever starts one for
        companies has buyers that do."""
        return CompanyFacts(pool_id=0, role="owner", year_since=self.since, months_since=self.since)

    @property
    def discounting(self) -> Discounting:
        return self.definition.discounting

    @cached_property
    def coin(self) -> Decimal:
        return Decimal(1).scaleb(-get_currency_precision(self.definition.currency))

    @cached_property
    def scopes(self) -> frozenset[str]:
        """Which facts about buyers the rules ask for."""
        asked = (version.when for version in self.discounts if version.when is not None)
        return self.rules.scopes | {scope for when in asked for scope in when.scopes}

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The tiers; none where orders do not decide them."""
        tiers = self.definition.tiers
        if tiers is None or tiers.metric == "score":
            return ()
        return tuple(self._step(tiers, place) for place in range(len(tiers.tiers)))

    def _step(self, tiers: TiersDefinition, place: int) -> Step:
        tier, main = tiers.tiers[place], self.definition.wallet_types[0].code
        own = [item for item in tier.benefits if item.wallet_type in ("", main)]
        return Step(
            tier.name,
            tier.threshold,
            max((item.factor for item in own if item.factor is not None), default=Decimal(1)),
            sum((item.units for item in own if item.units is not None), ZERO),
        )

    @cached_property
    def tier_unit(self) -> int | None:
        """The units that count for the tiers; None: something else does."""
        tiers = self.definition.tiers
        if tiers is None or tiers.metric != "units":
            return None
        return next(pk for pk, unit in self.units.items() if unit.code == tiers.wallet_type)

    @property
    def by_orders(self) -> bool:
        return self.definition.tiers is not None and self.definition.tiers.metric == "orders"

    def is_multiplied(self, version: RuleVersion) -> bool:
        """Whether a tier's factor acts on what it gives."""
        return version.wallet_type_id == self.main and isinstance(
            version.body, RateBody | CashbackBody
        )

    def yearly(self) -> Decimal:
        """What a member gets for the days of the year, at most, in money."""
        found = ZERO
        units = {unit.code: (pk, unit) for pk, unit in self.units.items()}
        for rule in self.definition.earning_rules:
            body = rule.body()
            if isinstance(body, AnniversaryBody):
                _pk, unit = units[rule.wallet_type]
                found += body.units * unit.unit_value
        return found


@dataclass(frozen=True, slots=True)
class Step:
    """A tier: from how much on, times how much its members earn, and units for their birthday."""

    name: str
    threshold: Decimal
    factor: Decimal
    birthday: Decimal


def rank_of(steps: Sequence[Step], total: Decimal) -> int:
    """The highest tier that so much reaches."""
    return max((rank for rank, step in enumerate(steps) if step.threshold <= total), default=0)


def lot_terms_of(unit: WalletTypeDefinition) -> LotTerms:
    """When units are spendable and gone, as the engine reads it."""
    return LotTerms(
        pending_from=unit.pending_from, pending_days=unit.pending_days,
        renewed_by=unit.expiry.renewals, **unit.expiry.model_dump(exclude={"renewed_by"}),
    )  # fmt: skip
