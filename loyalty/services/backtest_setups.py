"""A backtest made ready to replay customers: its rules on both sides, and how sums are kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from loyalty.backtest_rules import KnownUnit, Wordings, draft_rules
from loyalty.backtest_sums import SIDES, Adder, Member, Sums, Unit
from loyalty.models import Backtest, LotPolicy, Program, WalletType
from loyalty.rules.calendar import end_of_day, period_start, start_of_day
from loyalty.rules.engine import RuleVersion
from loyalty.rules.events import Budgets, Credit, Event, Sale
from loyalty.rules.lots import LotTerms, OrderTimes, lot_times, matures_at
from loyalty.rules.replay import Life
from loyalty.rules.rulesets import RuleSet
from loyalty.selectors.replayed_orders import (
    BEGINNING,
    Replayed,
    Stretch,
    program_of_replay,
    replayed_customers,
)
from loyalty.selectors.rulebooks import fresh_terms, lot_terms


@dataclass
class Setup:
    """What every part of a backtest shares; nothing of it changes while the job runs."""

    backtest: Backtest
    sides: Mapping[str, RuleSet]
    units: Mapping[int, WalletType]
    terms: Mapping[int, LotTerms]
    _lasts: dict[tuple[int, int, dt.date], bool] = field(default_factory=dict)

    @classmethod
    def of(cls, backtest: Backtest) -> Setup:
        program = backtest.program
        units = {unit.pk: unit for unit in WalletType.objects.filter(program=program)}
        policies = LotPolicy.objects.filter(wallet_type__in=units, rule=None).order_by("pk")
        terms = {policy.wallet_type_id: lot_terms(policy) for policy in policies}
        known = {unit.code: KnownUnit(pk, unit.scale, terms[pk]) for pk, unit in units.items()}
        published = _published(program, backtest.versions)
        live, draft = Wordings.from_json(backtest.live), Wordings.from_json(backtest.draft)
        since = start_of_day(backtest.since, program.zone)
        return cls(
            backtest,
            {
                "live": RuleSet(published, live.multiplying),  # type: ignore[arg-type]
                "draft": draft_rules(published, live, draft, known, since),
            },
            units,
            terms,
        )

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
        scopes = frozenset(scope for rules in self.sides.values() for scope in rules.scopes)
        return Stretch(self.program, min(starts), self.until, scopes)

    @property
    def has_budgets(self) -> bool:
        return any(rules.has_budgets for rules in self.sides.values())

    def lives(
        self, first: int, last: int, budgets: Mapping[str, Budgets]
    ) -> Iterator[tuple[Replayed, Life]]:
        """Each customer of a range, replayed."""
        program = program_of_replay(self.program)
        sides = [(self.sides[side], budgets[side]) for side in SIDES]
        for one in replayed_customers(self.stretch, first, last):
            life = Life(program, one.person, sides)
            for event in one.events:
                life.live(event)
            yield one, life

    def add_up(self, first: int, last: int, budgets: Mapping[str, Budgets]) -> Sums:
        """What the customers of a range come to."""
        adder, since = Adder(self._weighed(), self.program.zone, self._lasting), self.since
        # Unless orders from before the period were replayed too, all credits are of it.
        whole = self.stretch.since >= since
        for one, life in self.lives(first, last, budgets):
            adder.add(
                Member(
                    one.customer_id,
                    one.person.segments,
                    [event for event in one.events if self._is_counted(event)],
                    {
                        side: account.credits
                        if whole
                        else [credit for credit in account.credits if credit.at >= since]
                        for side, account in zip(SIDES, life.accounts, strict=True)
                    },
                )
            )
        return adder.total()

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
        names no order by its own day."""
        if isinstance(event, Sale):
            return event.judged and event.at >= self.since
        if event.sale is not None:
            return event.sale.judged and event.sale.at >= self.since
        own = event.currency == self.program.currency and not event.linked
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


def _published(program: Program, versions: list[int]) -> tuple[RuleVersion, ...]:
    for terms in fresh_terms().programs:
        if terms.id == program.pk:
            return terms.rulebook.named(versions)
    return ()
