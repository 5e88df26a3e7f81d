"""A member's orders lived through again, in the order of business time, under a set of rules.

What the database keeps in life is kept in memory: what the member did before, what is used up of
caps, how far windows have come, what is spent in the year. Nothing else differs, so that the live
rules give what the ledger holds.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from loyalty.rules.basket import as_basket, net_basket
from loyalty.rules.bodies import StreakBody, WindowedBody
from loyalty.rules.bonus import Part, progress, window_start
from loyalty.rules.bonus import award as bonus
from loyalty.rules.calendar import period_start, start_of_day
from loyalty.rules.caps import NO_LIMIT, Room, of_periods, smallest_units
from loyalty.rules.celebrations import KeptDay, keeping_of
from loyalty.rules.discounts import DiscountVersion
from loyalty.rules.engine import NO_ROOMS, Award, RuleVersion, evaluate
from loyalty.rules.events import (
    Budgets,
    Credit,
    Event,
    GivenBack,
    Person,
    Pricing,
    Program,
    Sale,
    SharedBudgets,
)
from loyalty.rules.exchange import as_counted, converted
from loyalty.rules.facts import NO_CONTEXT, NOTHING, ZERO, Context, Deed, Occasion, Return
from loyalty.rules.grants import grant
from loyalty.rules.history import History
from loyalty.rules.member_facts import MemberFacts
from loyalty.rules.plans import plan_at
from loyalty.rules.reckoning import Reckoner
from loyalty.rules.replayed_rooms import given_together, remembered, with_what_it_has
from loyalty.rules.rulesets import InForce, Panel, RuleSet, plans_of
from members.conditions.moments import Moment
from members.conditions.scopes import (
    BEHAVIOR,
    COMPANY,
    CUSTOMER,
    JOINED,
    MEMBER,
    PLAN,
    SEGMENTS,
    TIER,
)

__all__ = ["Account", "Life", "SharedBudgets"]


class Life:
    """One member's events under several sets of rules at once; what they did is one, what they were
    given is an account for each."""

    def __init__(
        self,
        program: Program,
        person: Person,
        sides: Sequence[tuple[RuleSet, Budgets]],
        drafted: Pricing | None = None,
    ) -> None:
        """`drafted`: their tiers under the last set of rules, where those are others."""
        self.history = History(
            program,
            person,
            with_behavior=any(BEHAVIOR in rules.scopes for rules, _budgets in sides),
            with_spent=any(rules.by_brackets for rules, _budgets in sides),
            with_joined=any(JOINED in rules.scopes for rules, _budgets in sides),
        )
        # What all are given alike.
        self.shared: list[Credit] = []
        self.accounts = [
            Account(program, person, rules, budgets, self.history, self.shared)
            for rules, budgets in sides
        ]
        self._plans = plans_of(*[rules for rules, _budgets in sides])
        if drafted is not None:
            self.accounts[-1].tiers = drafted

    def celebrate(self, day: KeptDay) -> None:
        """A day of the year comes, before what happens on it."""
        self.history.reach(day.at)
        for account in self.accounts:
            account.celebrate(day)

    def live(self, event: Event) -> None:
        """The next event, in the order of `in_order`."""
        noted = self.history.noted
        if noted:
            self.history.reach(event.at)
        if isinstance(event, Sale):
            if event.judged:
                self._sell(event)
        else:
            for account in self.accounts:
                account.take_back(event)
        if noted:
            self.history.note(event)

    def _sell(self, sale: Sale) -> None:
        """What comes out alike under all sets of rules is judged once."""
        occasion = sale.occasion
        plan, reckoner = self._plans.at(sale.at), Reckoner(occasion.basket, sale.goods)
        alike_for_all = NOTHING_SHARED
        if plan.shared is not None:
            alike_for_all = _Shared.of(sale, plan.shared.awards(occasion, reckoner))
        for account, (rules, panel) in zip(self.accounts, plan.sides, strict=True):
            account.sell(sale, rules, panel, alike_for_all, reckoner)
        self.shared += alike_for_all.credits


class _Shared(NamedTuple):
    """What an order is given alike by all sides: no caps of members or budgets are in it. `credits`
    of what gave units, `counted` of what belongs to a window."""

    awards: Sequence[Award]
    credits: list[Credit]
    counted: list[Award]

    @classmethod
    def of(cls, sale: Sale, awards: Sequence[Award]) -> _Shared:
        at = sale.at
        return cls(
            awards,
            [Credit(sale, at, award.version, award.units) for award in awards if award.units],
            [award for award in awards if award.counted is not None],
        )


NOTHING_SHARED = _Shared((), [], [])


@dataclass(slots=True)
class _Window:
    """What a member's orders brought to a window, by order, and what was given for it."""

    parts: dict[int, Part] = field(default_factory=dict)
    reached: Decimal = ZERO
    units: int = 0
    # What it has come to beyond that, for which a budget was not enough.
    short: int = 0


@dataclass(slots=True)
class _Judged:
    """What is kept of an order whose goods may come back: how it was judged, and what it has."""

    context: Context
    rooms: Mapping[int, Room]
    given: dict[int, int] = field(default_factory=dict)
    returns: list[Return] = field(default_factory=list)


class Account:
    """What one member is given under one set of rules."""

    def __init__(
        self,
        program: Program,
        person: Person,
        rules: RuleSet,
        budgets: Budgets,
        history: History,
        shared: list[Credit],
    ) -> None:
        """`shared`: what all accounts are given alike, also later."""
        self.program, self.person, self.rules = program, person, rules
        self.budgets, self.history, self.tiers = budgets, history, person.tiers
        self.shared, self.own = shared, list[Credit]()
        self._joined = False
        # Added up when somebody asks, so far.
        self._balances: defaultdict[int, int] = defaultdict(int, person.balances)
        self._added = [0, 0]
        self._used: defaultdict[tuple[int, str, dt.date], int] = defaultdict(int)
        self._windows: defaultdict[tuple[int, dt.date], _Window] = defaultdict(_Window)
        self._judged: dict[int, _Judged] = {}

    @property
    def credits(self) -> list[Credit]:
        """All that it was given."""
        return [*self.shared, *self.own] if self.shared else self.own

    @property
    def balances(self) -> Mapping[int, int]:
        """What it holds of which wallet type."""
        balances = self._balances
        for place, found in enumerate((self.shared, self.own)):
            for credit in found[self._added[place] :]:
                balances[credit.version.wallet_type_id] += credit.units
            self._added[place] = len(found)
        return balances

    def sell(
        self,
        sale: Sale,
        rules: InForce,
        panel: Panel | None,
        shared: _Shared,
        reckoner: Reckoner,
    ) -> None:
        """Judge a new order by its own versions; what those gave that it shares is known."""
        self._joined = True
        context = NO_CONTEXT if rules.impersonal else self._context(rules, sale.occasion)
        rooms = self._rooms(rules, sale) if rules.capped else NO_ROOMS
        awards: Sequence[Award] = ()
        if panel is not None:
            awards = panel.awards(sale.occasion, reckoner, rooms, context)
        for award in shared.counted:
            self._count(award, sale)
        own, at = self.own, sale.at
        for award in awards:
            units = award.units
            if units:
                # As `_give` does, of which there is nothing more often.
                version = award.version
                if version.counts:
                    self._use_up(version, at, units)
                own.append(Credit(sale, at, version, units))
            elif award.counted is not None:
                self._count(award, sale)
        if sale.returned:
            judged = self._judged[sale.id] = _Judged(context, remembered(rooms, awards))
            for award in (*shared.awards, *awards):
                if award.units:
                    judged.given[award.version.id] = award.units

    def take_back(self, back: GivenBack) -> None:
        """Bring the order to what is left of it, or take back what the return itself would earn."""
        program = self.program
        if back.sale is not None and program.reconciles_linked:
            if back.sale.judged:
                self._reconcile(back.sale, back.given)
            return
        ordered_at = back.sale.at if back.sale is not None else back.ordered_at
        earned = ordered_at is None or program.times.earns_at(ordered_at)
        if back.elsewhere or not earned:
            return
        alone = not program.reconciles_linked if back.linked else program.takes_back_unlinked
        counts = back.currency == program.currency or back.exchange is not None
        if alone and self._is_member(back.at) and counts:
            self._take_own_amount(back)

    def celebrate(self, day: KeptDay) -> None:
        """Give what rules give for a day, by the wording that was in force as it began."""
        zone = self.program.zone
        begins, moment = start_of_day(day.given_on, zone), Moment(day.at, zone)
        if not self.program.times.earns_at(begins):
            return
        for version in self.rules.calendar:
            if not version.in_force(begins) or keeping_of(version) != day.keeping:
                continue
            answers = {}
            if version.when is not None and version.when.outer:
                facts = self.facts(version, day.at, leading=False)
                answers[version.id] = version.when.answers(facts, moment)
            rooms = {version.id: self._room(version, day.at)} if version.counts else NO_ROOMS
            deed = Deed(NOTHING, moment)
            [award] = grant((version,), deed, rooms, context=Context(answers)).awards
            if award.units:
                if version.counts:
                    self._use_up(version, day.at, award.units)
                self._credit(Credit(None, day.at, version, award.units))

    def _is_member(self, at: dt.datetime) -> bool:
        since = self.person.enrolled_at
        return self._joined or (since is not None and since <= at)

    def _reconcile(self, sale: Sale, given: Return) -> None:
        known = self._judged[sale.id]
        known.returns.append(given)
        basket, exchange = net_basket(sale.occasion.bought, known.returns), sale.occasion.exchange
        if exchange is not None:
            basket = converted(basket, exchange)
        rules = self.rules.at(sale.at)
        given_before = given_together(rules.capped, known.given)
        rooms = {
            pk: with_what_it_has(room, given_before[pk], known.rooms.get(pk))
            for pk, room in self._rooms(rules, sale).items()
        }
        awards = evaluate(
            rules.versions, replace(sale.occasion, basket=basket), rooms,
            context=known.context, multiplying=self.rules.multiplying,
        ).awards  # fmt: skip
        for award in awards:
            if award.counted is not None:
                self._count(award, sale)
                continue
            more = award.units - known.given.get(award.version.id, 0)
            if more:
                self._give(award.version, sale, more)
                known.given[award.version.id] = award.units

    def _take_own_amount(self, back: GivenBack) -> None:
        own = Occasion(
            as_basket(back.given), Moment(back.at, self.program.zone), currency=back.currency,
            partner=back.sale.occasion.partner if back.sale else "",
        )  # fmt: skip
        occasion = as_counted(own, back.exchange)
        rules = self.rules.at(back.at)
        awards = evaluate(
            rules.versions, occasion,
            context=self._context(rules, occasion, leading=False),
            multiplying=self.rules.multiplying,
        ).awards  # fmt: skip
        for award in awards:
            if award.units:
                self._credit(Credit(None, back.at, award.version, -award.units))

    def _count(self, award: Award, sale: Sale) -> None:
        """What an order brings to its window, and what the window comes to with it."""
        version, body, amount = award.version, award.version.body, award.counted or ZERO
        assert isinstance(body, WindowedBody)
        start = window_start(body, sale.at, self.program.zone)
        if not amount and (version.id, start) not in self._windows:
            return
        window = self._windows[version.id, start]
        _at, before = window.parts.get(sale.id, (None, ZERO))
        if amount == before:
            return
        window.parts[sale.id] = sale.at.astimezone(self.program.zone), amount
        window.reached += amount - before
        reached = window.reached
        if isinstance(body, StreakBody):
            reached = progress(body, [window.parts[pk] for pk in window.parts])
        deserved, _steps = bonus(body, reached, version.scale)
        units = self._within_budget(window, version, deserved, sale)
        if units != window.units:
            self._give(version, sale, units - window.units)
            window.units = units

    def _within_budget(
        self, window: _Window, version: RuleVersion, deserved: int, sale: Sale
    ) -> int:
        """What of it a window gets: as the live windows do."""
        more = deserved - window.units - window.short
        if more < 0:
            window.short = max(window.short + more, 0)
            return deserved - window.short
        room = None
        if version.body.caps.has_budget:
            room = self.budgets.room(version, sale.at, sale.id).in_all
        got = more if room is None else min(more, room)
        window.short += more - got
        return window.units + got

    def _give(self, version: RuleVersion, sale: Sale, units: int) -> None:
        if version.counts:
            self._use_up(version, sale.at, units)
        self._credit(Credit(sale, sale.at, version, units, later=True))

    def _use_up(self, version: RuleVersion, at: dt.datetime, units: int) -> None:
        caps = version.body.caps
        for period, _most in caps.per_member.said:
            key = version.budget_key, period, period_start(period, at, self.program.zone)
            self._used[key] = max(self._used[key] + units, 0)
        if caps.has_budget:
            self.budgets.take(version, at, units)

    def _credit(self, credit: Credit) -> None:
        self.own.append(credit)

    def _rooms(self, rules: InForce, sale: Sale) -> dict[int, Room]:
        return {version.id: self._room(version, sale.at, sale.id) for version in rules.capped}

    def _room(self, version: RuleVersion, at: dt.datetime, order: int = 0) -> Room:
        caps, key, zone = version.body.caps, version.budget_key, self.program.zone
        member, period = of_periods(
            (each, max(smallest_units(most, version.scale) - self._used[key, each, start], 0))
            for each, most in caps.per_member.said
            for start in (period_start(each, at, zone),)
        )
        left = self.budgets.room(version, at, order) if caps.has_budget else NO_LIMIT
        return Room(member, left.budget, left.money, period)

    def _context(self, rules: InForce, occasion: Occasion, *, leading: bool = True) -> Context:
        if rules.impersonal:
            return NO_CONTEXT
        answers = {}
        for version in rules.asking:
            assert version.when is not None
            facts = self.facts(version, occasion.moment.now, leading=leading)
            answers[version.id] = version.when.answers(facts, occasion.moment)
        spent = self.history.spent_before(occasion.moment.now) if rules.by_brackets else ZERO
        return Context(answers, {version.id: spent for version in rules.by_brackets})

    def facts(
        self, version: RuleVersion | DiscountVersion, at: dt.datetime, *, leading: bool
    ) -> dict[str, Any]:
        """What conditions may ask about the member."""
        tiers = self.tiers
        balance = Decimal(max(self.balances[version.wallet_type_id], 0)).scaleb(-version.scale)
        return {
            CUSTOMER: self.person.customer,
            BEHAVIOR: self.history.behavior,
            SEGMENTS: self.person.segments,
            MEMBER: MemberFacts(self.person.enrolled_at, balance),
            JOINED: self.history.orders_since_joining(at),
            TIER: tiers.pricing(at, leading=leading) if tiers else None,
            PLAN: plan_at(self.person.plans, at),
            COMPANY: self.person.companies.get(at),
            **{scope: found.get(at) for scope, found in self.person.elsewhere.items()},
        }
