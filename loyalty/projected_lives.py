"""One buyer's year under a program that was not there: what it would have given them, and what that
would have cost. As if the program had begun with the year's first day."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from loyalty.projected_rules import ProjectedRules, rank_of
from loyalty.rules import events as replay
from loyalty.rules.discounts import discount
from loyalty.rules.events import Credit, Event, GivenBack, Person, Sale, Unlimited
from loyalty.rules.facts import ZERO, Context
from loyalty.rules.history import History
from loyalty.rules.lots import OrderTimes, lot_times, matures_at
from loyalty.rules.replay import Life
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


@dataclass(slots=True)
class Outcome:
    """Of one buyer. `revenue` is what they paid before the program's discounts, less returns.

    `earned`: worth of the units that rules gave, by rule code, less what returns took back;
    `tiered`: of what tiers' factors added; `planned`: of what a paid plan's added beyond it;
    `discounts`: money off the price. `reached`: with which purchase the first reward was there;
    None: not in the year. `left`: worth of what would not have expired by the end, if nothing were
    spent, and `rest` if every reward were taken at once.
    """

    revenue: Decimal = ZERO
    purchases: int = 0
    earned: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    tiered: Decimal = ZERO
    planned: Decimal = ZERO
    discounts: Decimal = ZERO
    reached: int | None = None
    left: Decimal = ZERO
    rest: Decimal = ZERO
    rank: int = 0

    @property
    def cost(self) -> Decimal:
        added = self.tiered + self.planned
        return sum(self.earned.values(), ZERO) + added + self.discounts


class ProjectedLife:
    """The events of one buyer, in their order. `reward`: how many units the first reward costs, at
    their scale; None: there is none to save for, and the first discount is it.
    `has_plan`: all year long."""

    def __init__(
        self, rules: ProjectedRules, person: Person, reward: int | None, until: dt.datetime,
        *, has_plan: bool = False,
    ) -> None:  # fmt: skip
        self.rules, self.person, self.reward, self.until = rules, person, reward, until
        self.plan = rules.plan if has_plan else None
        self.program = replay.Program(
            rules.zone, rules.definition.currency,
            rules.definition.linked_returns == "reconcile",
            rules.definition.unlinked_returns == "own_amount",
        )  # fmt: skip
        self.life = Life(self.program, person, [(rules.rules, Unlimited())])
        self.history = History(
            self.program, person, with_behavior=True, with_spent=True, with_joined=True
        )
        self.outcome = Outcome()
        self._seen = 0
        self._extra = ZERO
        self._counted = ZERO
        self._spent = ZERO
        # What discounts left of an order, for what comes back of it.
        self._kept: dict[int, tuple[Sale, Decimal]] = {}

    def live(self, events: Sequence[Event]) -> Outcome:
        for event in events:
            if isinstance(event, Sale):
                self._buy(event)
            else:
                self._give_back(event)
        out = self.outcome
        out.rank = rank_of(self.rules.steps, self._counted)
        self._end()
        return out

    def _buy(self, sale: Sale) -> None:
        if not sale.judged:
            self.life.live(sale)
            return
        out, basket = self.outcome, sale.occasion.basket
        priced = self._discounted(sale)
        rank = rank_of(self.rules.steps, self._counted)
        self.life.live(priced)
        out.purchases += 1
        out.revenue += basket.total
        self._spent += priced.occasion.basket.total
        stored = sum((line.total for line in basket.lines if line.stored_value), ZERO)
        self._count(Decimal(1) if self.rules.by_orders else priced.occasion.basket.total - stored)
        self._take_in(rank)
        if out.reached is None and self._has_reward():
            out.reached = out.purchases

    def _give_back(self, back: GivenBack) -> None:
        """Of what was paid: a discount that the order had comes off what is given back, too."""
        sale, kept = self._kept.get(back.sale.id, (back.sale, Decimal(1))) if back.sale else (
            None, Decimal(1))  # fmt: skip
        self.life.live(replace(back, sale=sale))
        if sale is None or sale.judged:
            total = back.given.total
            self.outcome.revenue -= total
            self.outcome.discounts -= total * (1 - kept)
            self._spent -= total * kept
            if not self.rules.by_orders:
                self._count(-total * kept)
        self._take_in(rank_of(self.rules.steps, self._counted))

    def _discounted(self, sale: Sale) -> Sale:
        """The order at the prices that members would have paid."""
        if not self.rules.discounts:
            return sale
        self.history.reach(sale.at)
        before = sale.occasion.basket.total
        found = discount(
            self.rules.discounts, sale.occasion, coin=self.rules.coin, context=self._context(sale),
            discounting=self.rules.discounting,
        )  # fmt: skip
        self.history.note(sale)
        self.outcome.discounts += found.amount
        priced = Sale(
            sale.id, replace(sale.occasion, basket=found.basket), sale.judged, sale.returned
        )
        kept = 1 - found.amount / before if before > 0 else Decimal(1)
        self._kept[sale.id] = priced, kept
        return priced

    def _context(self, sale: Sale) -> Context:
        facts = {
            CUSTOMER: self.person.customer,
            BEHAVIOR: self.history.behavior,
            SEGMENTS: self.person.segments,
            MEMBER: None,
            JOINED: self.history.orders_since_joining(sale.at),
            PLAN: self.plan.code if self.plan else "",
            COMPANY: self.rules.company,
            TIER: self.person.tiers.pricing(sale.at) if self.person.tiers else None,
        }
        answers = {
            version.id: version.when.answers(facts, sale.occasion.moment)
            for version in self.rules.discounts
            if version.when is not None and version.when.outer
        }
        spent = {version.id: max(self._spent, ZERO) for version in self.rules.discounts}
        return Context(answers, spent)

    def _count(self, amount: Decimal) -> None:
        if self.rules.tier_unit is None:
            self._counted += amount

    def _take_in(self, rank: int) -> None:
        """What rules gave since the last event, and what the tier adds to it."""
        account, rules, out = self.life.accounts[0], self.rules, self.outcome
        steps = rules.steps
        factor = steps[rank].factor - 1 if steps else ZERO
        # Of two multipliers the larger counts.
        more = max(rules.plan_factor - 1 - factor, ZERO) if self.plan else ZERO
        for credit in account.credits[self._seen :]:
            version = credit.version
            out.earned[version.rule_code] += rules.worth(version.wallet_type_id, credit.units)
            if version.wallet_type_id == rules.tier_unit:
                self._counted += Decimal(credit.units).scaleb(-version.scale)
            if (factor or more) and rules.is_multiplied(version):
                self._extra += credit.units * (factor + more)
                out.tiered += rules.worth(version.wallet_type_id, credit.units * factor)
                out.planned += rules.worth(version.wallet_type_id, credit.units * more)
        self._seen = len(account.credits)

    def _has_reward(self) -> bool:
        if self.reward is None:
            return self.outcome.discounts > 0
        return self.life.accounts[0].balances[self.rules.main] + self._extra >= self.reward

    def _end(self) -> None:
        """What is owed in the end."""
        given, rules = self.life.accounts[0].credits, self.rules
        lasting = [credit for credit in given if self._lasts(credit)]
        left = sum((rules.worth(c.version.wallet_type_id, c.units) for c in lasting), ZERO)
        earned = sum(self.outcome.earned.values(), ZERO)
        share = left / earned if earned else ZERO
        added = self.outcome.tiered + self.outcome.planned
        self.outcome.left = max(left + added * share, ZERO)
        if self.reward:
            own = sum(c.units for c in lasting if c.version.wallet_type_id == rules.main)
            rest = rules.worth(rules.main, max(own, 0) % self.reward)
            self.outcome.rest = min(rest, self.outcome.left)

    def _lasts(self, credit: Credit) -> bool:
        at, zone, terms = credit.at, self.rules.zone, self.rules.terms(credit.version)
        times = lot_times(terms, at, matures_at(terms, OrderTimes(at, at, at, at), zone), zone)
        return times.expires_at is None or times.expires_at > self.until
