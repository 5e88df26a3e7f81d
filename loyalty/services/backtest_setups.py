"""A backtest made ready to replay customers: its rules on both sides, and how sums are kept."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from loyalty.backtest_members import Member, Unit
from loyalty.backtest_off import TakenOff
from loyalty.backtest_rules import KnownUnit, Wordings, draft_versions
from loyalty.backtest_sums import SIDES, Adder, Sums
from loyalty.backtest_tiers import with_tiers
from loyalty.models import Backtest, LotPolicy, Program, WalletType
from loyalty.rules.bodies import AnniversaryBody, EarningBody
from loyalty.rules.calendar import end_of_day, period_start, start_of_day
from loyalty.rules.celebrations import keepings
from loyalty.rules.engine import RuleVersion
from loyalty.rules.events import Budgets, Credit, Event, Sale
from loyalty.rules.lots import LotTerms, OrderTimes, lot_times, matures_at
from loyalty.rules.replay import Life
from loyalty.rules.replayed_prices import Charged, PricedLife, PriceRules
from loyalty.rules.rulesets import RuleSet
from loyalty.selectors.replayed_orders import (
    BEGINNING,
    Replayed,
    Stretch,
    program_of_replay,
    replayed_customers,
)
from loyalty.selectors.rulebooks import fresh_terms, lot_terms
from loyalty.selectors.unit_worths import worth_of
from loyalty.services.backtest_prices import charged_of, price_rules
from loyalty.tier_definitions import TiersDefinition
from members.conditions.scopes import TIER

NOT_PRICED = Charged()


@dataclass
class Setup:
    """What every part of a backtest shares; nothing of it changes while the job runs."""

    backtest: Backtest
    sides: Mapping[str, RuleSet]
    units: Mapping[int, WalletType]
    terms: Mapping[int, LotTerms]
    # Those of the draft, where it has others than life.
    tiers: TiersDefinition | None = None
    # By which orders are priced, where it tries discounts.
    prices: PriceRules | None = None
    _lasts: dict[tuple[int, int, dt.date], bool] = field(default_factory=dict)

    @classmethod
    def of(cls, backtest: Backtest) -> Setup:
        program = backtest.program
        units = {unit.pk: unit for unit in WalletType.objects.filter(program=program)}
        policies = LotPolicy.objects.filter(wallet_type__in=units, rule=None).order_by("pk")
        terms = {policy.wallet_type_id: lot_terms(policy) for policy in policies}
        known = {
            unit.code: KnownUnit(pk, unit.scale, terms[pk], worth_of(unit))
            for pk, unit in units.items()
        }
        published, others = _published(program, backtest.versions)
        live, draft = Wordings.from_json(backtest.live), Wordings.from_json(backtest.draft)
        since = start_of_day(backtest.since, program.zone)
        prices = price_rules(backtest, draft, since)
        sides = {
            "live": RuleSet(published, live.multiplying, others),  # type: ignore[arg-type]
            "draft": _drafted(published, others, live, draft, known, since, prices),
        }
        return cls(backtest, sides, units, terms, draft.tiers, prices)

    @property
    def program(self) -> Program:
        return self.backtest.program

    @cached_property
    def since(self) -> dt.datetime:
        return start_of_day(self.backtest.since, self.program.zone)

    @cached_property
    def until(self) -> dt.datetime:
        return end_of_day(self.backtest.until, self.program.zone)

    @cached_property
    def stretch(self) -> Stretch:
        """The orders that are replayed: the period's, and those before that share a window, a cap
        or a year with its first ones."""
        zone, starts = self.program.zone, [self.since]
        for period in {
            p for rules in self.sides.values() for p in rules.periods_before(self.since)
        }:
            if period == "lifetime":
                starts.append(BEGINNING)
            else:
                starts.append(start_of_day(period_start(period, self.since, zone), zone))
        scopes = {scope for rules in self.sides.values() for scope in rules.scopes}
        if self.tiers is not None:
            scopes.add(TIER)
        return Stretch(
            self.program, min(starts), self.until, frozenset(scopes),
            keeping=keepings(item for rules in self.sides.values() for item in rules.calendar),
            tiers=self.tiers, draft_from=self.since,
        )  # fmt: skip

    @property
    def has_budgets(self) -> bool:
        return any(rules.has_budgets for rules in self.sides.values())

    def lives(
        self, first: int, last: int, budgets: Mapping[str, Budgets]
    ) -> Iterator[tuple[Replayed, Life]]:
        """Each customer of a range, replayed."""
        program = program_of_replay(self.program)
        sides = [(self.sides[side], budgets[side]) for side in SIDES]
        for one, charged in self._charged(replayed_customers(self.stretch, first, last)):
            life = Life(program, one.person, sides, one.drafted)
            if self.prices is not None:
                life = PricedLife(program, one.person, sides, one.drafted, self.prices, charged)
            if one.days:
                _live_with_days(life, one)
            else:
                for event in one.events:
                    life.live(event)
            yield one, life

    def _charged(self, found: Iterator[Replayed]) -> Iterator[tuple[Replayed, Charged]]:
        """With how their orders were priced, where that is asked."""
        if self.prices is None:
            yield from ((one, NOT_PRICED) for one in found)
            return
        everybody = list(found)
        charged = charged_of(self.backtest, everybody, self.prices)
        yield from ((one, charged) for one in everybody)

    def add_up(self, first: int, last: int, budgets: Mapping[str, Budgets], off: TakenOff) -> Sums:
        """What the customers of a range come to; what is taken off their prices to `off`."""
        adder = Adder(self._weighed(), self.program.zone, self._lasting)
        for one, life in self.lives(first, last, budgets):
            if isinstance(life, PricedLife):
                off.add(one.customer_id, life.off, self.program.zone)
            adder.add(
                Member(
                    one.customer_id,
                    one.person.segments,
                    [event for event in one.events if self._is_counted(event)],
                    self._of_the_period(life.shared),
                    {
                        side: self._of_the_period(account.own)
                        for side, account in zip(SIDES, life.accounts, strict=True)
                    },
                    self._tiers_in_the_end(one, life),
                )
            )
        return adder.total()

    def _of_the_period(self, found: list[Credit]) -> list[Credit]:
        """Unless orders from before it were replayed too, all are."""
        since = self._since_utc
        if self._begins_with_it:
            return found
        return [credit for credit in found if credit.at >= since]

    @cached_property
    def _begins_with_it(self) -> bool:
        return self.stretch.since >= self.since

    @cached_property
    def _since_utc(self) -> dt.datetime:
        """Instants are compared with it very often: those of one zone are fast."""
        return self.since.astimezone(dt.UTC)

    def _tiers_in_the_end(self, one: Replayed, life: Life) -> dict[str, str]:
        """By side the tier that a member has after the last day; asked only where the draft has
        other tiers."""
        if self.tiers is None or not one.is_member:
            return {}
        last = self.until - dt.timedelta(microseconds=1)
        held = {
            side: account.tiers.pricing(last, leading=False) if account.tiers else None
            for side, account in zip(SIDES, life.accounts, strict=True)
        }
        return {side: str(tier) for side, tier in held.items() if tier is not None}

    @property
    def in_money(self) -> bool:
        """Whether members can be compared by what their units are worth."""
        return any(unit.unit_value for unit in self.units.values())

    def _weighed(self) -> dict[int, Unit]:
        return {
            pk: Unit(
                unit.code, (unit.unit_value if self.in_money else Decimal(1)).scaleb(-unit.scale)
            )
            for pk, unit in self.units.items()
        }

    def _is_counted(self, event: Event) -> bool:
        """Orders of the period that the program judges, and what came back of them; a return that
        names no order by its own day, where the program was told of it."""
        if isinstance(event, Sale):
            return event.judged and event.at >= self._since_utc
        if event.sale is not None:
            return event.sale.judged and event.sale.at >= self._since_utc
        own = event.currency == self.program.currency and not (event.linked or event.elsewhere)
        return own and self.since <= event.at < self.until

    def _lasting(self, credit: Credit, day: dt.date) -> bool:
        """Whether units of a local day would still be there after the last day, if nobody spent
        any."""
        version = credit.version
        key = version.id, version.wallet_type_id, day
        found = self._lasts.get(key)
        if found is None:
            zone = self.program.zone
            terms = version.lot_terms or self.terms[version.wallet_type_id]
            at = credit.at
            times = lot_times(terms, at, matures_at(terms, OrderTimes(at, at, at, at), zone), zone)
            found = self._lasts[key] = times.expires_at is None or times.expires_at > self.until
        return found


def _published(
    program: Program, versions: list[int]
) -> tuple[tuple[RuleVersion, ...], tuple[RuleVersion, ...]]:
    """The wordings by which orders earn, and those for days of the year."""
    for terms in fresh_terms().programs:
        if terms.id == program.pk:
            asked, days = set(versions), []
            for version in terms.rulebook.others:
                if version.id in asked and isinstance(version.body, AnniversaryBody):
                    days.append(version)
            return terms.rulebook.named(versions), tuple(days)
    return (), ()


def _drafted(
    published: tuple[RuleVersion, ...], others: tuple[RuleVersion, ...], live: Wordings,
    draft: Wordings, units: Mapping[str, KnownUnit], since: dt.datetime, prices: PriceRules | None,
) -> RuleSet:  # fmt: skip
    orders = draft_versions(published, live, draft, units, since, EarningBody)
    days = draft_versions(others, live, draft, units, since, AnniversaryBody)
    if draft.tiers is not None:
        orders = with_tiers(orders, draft.tiers, units, since, EarningBody)
        days = with_tiers(days, draft.tiers, units, since, AnniversaryBody)
    discounts = prices.versions if prices is not None else ()
    return RuleSet(orders, draft.multiplying, days, discounts)  # type: ignore[arg-type]


def _live_with_days(life: Life, one: Replayed) -> None:
    """Days of the year come before what happens on them."""
    days = deque(one.days)
    for event in one.events:
        while days and days[0].at <= event.at:
            life.celebrate(days.popleft())
        life.live(event)
    for day in days:
        life.celebrate(day)
