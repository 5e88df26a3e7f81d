"""What an order is judged by besides itself: its buyer's facts, as they are at that moment.

They are looked up for a whole batch in a constant number of queries, and only where a rule asks.
What rules made of them stays with the order's evaluation: a correction years later is judged by it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal

from loyalty.asked_elsewhere import BuyerAsked, asked_scopes, facts_of
from loyalty.codes_asked import CodeAnswer, counting
from loyalty.ledger.balances import Holding, holdings
from loyalty.models import Membership, Wallet
from loyalty.rules.behavior import Behavior
from loyalty.rules.bodies import CashbackBody
from loyalty.rules.calendar import period_start, start_of_day
from loyalty.rules.companies import CompanyFacts
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.rules.discounts import DiscountVersion
from loyalty.rules.engine import RuleVersion
from loyalty.rules.facts import NO_CONTEXT, ZERO, Context, Occasion
from loyalty.rules.member_facts import MemberFacts
from loyalty.rules.plans import plan_at
from loyalty.selectors.behavior import behavior_before, orders_between, spent_between
from loyalty.selectors.company_facts import companies_before
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.selectors.subscriptions import plan_spans
from loyalty.services.order_tiers import has_tiers, tiers_before
from loyalty.tiers.facts import TierHeld
from members.conditions.fields import (
    BEHAVIOR,
    CODES,
    COMPANY,
    CUSTOMER,
    JOINED,
    MEMBER,
    PLAN,
    SEGMENTS,
    TIER,
)
from members.conditions.predicate import Condition
from members.models import Customer
from members.selectors.segments import segments_of

# Since when what was spent is asked.
Since = Literal["year", "ever"]
SINCE: tuple[Since, ...] = ("year", "ever")
BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Wish:
    """An order that is to be judged: by which versions, for whom, when it was placed. `context`:
    what it is judged by besides itself."""

    program: ProgramTerms
    versions: Sequence[RuleVersion]
    membership_id: int
    customer_id: int
    occasion: Occasion
    context: Context = NO_CONTEXT
    discounts: Sequence[DiscountVersion] = ()
    # Of a new order, when it was completed; what waits for that counts from then on.
    confirmed_at: dt.datetime | None = None
    # It came back, and is judged as if it were bought: it leads to no tier.
    came_back: bool = False
    # Its buyer would become a member with it; and who that is, if they are not even known yet.
    joins: bool = False
    stranger: Customer | None = None
    # What is said of the codes that came with it.
    codes: tuple[CodeAnswer, ...] = ()

    @property
    def asking(self) -> Iterator[RuleVersion | DiscountVersion]:
        """Whatever may ask about the buyer."""
        yield from self.versions
        yield from self.discounts

    @property
    def at(self) -> dt.datetime:
        return self.occasion.moment.now


def with_contexts(wishes: Sequence[Wish]) -> list[Wish]:
    """These wishes with what their rules ask about their buyers. The buyers' wallets are locked by
    the caller; orders among them count as placed before those that came later."""
    asking = [
        number
        for number, wish in enumerate(wishes)
        if has_tiers(wish)
        or any(
            _outer(version) or _spent_since(version) or _company_spent(version)
            for version in wish.asking
        )
    ]
    if not asking:
        return list(wishes)
    chosen = [wishes[number] for number in asking]
    facts = _Facts.load(chosen)
    found = list(wishes)
    for number, wish in zip(asking, chosen, strict=True):
        found[number] = replace(wish, context=facts.context(wish))
    return found


def with_codes_anew(context: Context, wish: Wish) -> Context:
    """The same, but for what is asked about the codes, of which others count by now."""
    answers = dict(context.answers)
    for version in wish.asking:
        if isinstance(version.when, Condition) and version.id in answers:
            asked = zip(
                version.when.outer, answers[version.id],
                version.when.answers({CODES: counting(wish.codes)}, wish.occasion.moment),
                strict=True,
            )  # fmt: skip
            answers[version.id] = "".join(
                now if question.field.scope == CODES else before for question, before, now in asked
            )
    return replace(context, answers=answers)


def context_as_json(context: Context) -> dict[str, Any]:
    """What an evaluation keeps: answers and sums, no personal data."""
    kept: dict[str, Any] = {}
    if context.answers:
        kept["answers"] = {str(pk): answers for pk, answers in context.answers.items()}
    if context.spent:
        kept["spent"] = {str(pk): str(spent) for pk, spent in context.spent.items()}
    if context.tier:
        kept["tier"] = context.tier
    if context.plan:
        kept["plan"] = context.plan
    return kept


def context_from_json(kept: Mapping[str, Any]) -> Context:
    return Context(
        {int(pk): answers for pk, answers in kept.get("answers", {}).items()},
        {int(pk): Decimal(spent) for pk, spent in kept.get("spent", {}).items()},
        kept.get("tier", ""),
        kept.get("plan", ""),
    )


def _outer(version: RuleVersion | DiscountVersion) -> bool:
    return isinstance(version.when, Condition) and bool(version.when.outer)


def _spent_since(version: RuleVersion | DiscountVersion) -> Since | None:
    """Since when it asks what its buyer spent, if it does."""
    match version.body:
        case CashbackBody(brackets=brackets) if brackets:
            return "year"
        case DiscountBody(brackets_by="spent_year"):
            return "year"
        case DiscountBody(brackets_by="spent_lifetime"):
            return "ever"
    return None


# What brackets by a company's spend read of its facts.
COMPANY_SPENT = {
    "company_year": attrgetter("spend_year"),
    "company_lifetime": attrgetter("spend"),
}


def _company_spent(
    version: RuleVersion | DiscountVersion,
) -> Callable[[CompanyFacts], Decimal] | None:
    """What it asks of the company that its buyer buys for, if it does."""
    body = version.body
    return COMPANY_SPENT.get(body.brackets_by) if isinstance(body, DiscountBody) else None


class _Facts:
    """The facts of a batch's buyers, by scope."""

    def __init__(self) -> None:
        self.customers: dict[int, Customer] = {}
        self.behaviors: dict[int, Behavior] = {}
        self.memberships: dict[int, Membership] = {}
        self.held: dict[tuple[int, int], Holding] = {}
        self.segments: dict[int, frozenset[str]] = {}
        self.spent: dict[tuple[int, Since], Decimal] = {}
        self.tiers: dict[int, TierHeld] = {}
        self.plans: dict[int, str] = {}
        self.companies: dict[int, CompanyFacts] = {}
        self.joined: dict[int, int] = {}
        # By scope and wish: what higher applications know.
        self.elsewhere: dict[str, dict[int, Any]] = {}

    @classmethod
    def load(cls, wishes: Sequence[Wish]) -> _Facts:
        facts = cls()
        scopes = {
            scope
            for wish in wishes
            for version in wish.asking
            if isinstance(version.when, Condition)
            for scope in version.when.scopes
        }
        people = {wish.customer_id for wish in wishes}
        if CUSTOMER in scopes:
            facts.customers = Customer.objects.in_bulk(people)
        if BEHAVIOR in scopes:
            facts.behaviors = _behaviors(wishes)
        facts._load_membership(wishes, scopes)
        if SEGMENTS in scopes:
            facts.segments = segments_of(people)
        asked = [BuyerAsked(wish.program.id, wish.customer_id, wish.at) for wish in wishes]
        for scope in asked_scopes(scopes):
            facts.elsewhere[scope] = dict(zip(map(id, wishes), facts_of(scope, asked), strict=True))
        if COMPANY in scopes or any(
            _company_spent(version) for wish in wishes for version in wish.asking
        ):
            facts.companies = _companies(wishes)
        facts.tiers = tiers_before(wishes)
        if PLAN in scopes:
            facts.plans = _plans(wishes)
        for since in SINCE:
            own = [wish for wish in wishes if since in map(_spent_since, wish.asking)]
            facts.spent |= {(pk, since): spent for pk, spent in _spent(own, since).items()}
        return facts

    def _load_membership(self, wishes: Sequence[Wish], scopes: set[str]) -> None:
        if MEMBER in scopes or JOINED in scopes:
            keys = {wish.membership_id for wish in wishes}
            self.memberships = Membership.objects.in_bulk(keys)
        if MEMBER in scopes:
            self._load_holdings(wishes)
        if JOINED in scopes:
            self.joined = _orders_since_joining(wishes, self.memberships)

    def context(self, wish: Wish) -> Context:
        answers, spent = {}, {}
        for version in wish.asking:
            if isinstance(version.when, Condition) and version.when.outer:
                facts = self._of(wish, version)
                answers[version.id] = version.when.answers(facts, wish.occasion.moment)
            since = _spent_since(version)
            if since is not None:
                spent[version.id] = self.spent[id(wish), since]
            of_company, company = _company_spent(version), self.companies.get(id(wish))
            if of_company is not None and company is not None:
                spent[version.id] = max(of_company(company), ZERO)
        tier, plan = str(self.tiers.get(id(wish), "")), self.plans.get(id(wish), "")
        return Context(answers, spent, tier, plan)

    def _of(self, wish: Wish, version: RuleVersion | DiscountVersion) -> dict[str, Any]:
        facts: dict[str, Any] = {
            CUSTOMER: self.customers.get(wish.customer_id, wish.stranger),
            BEHAVIOR: self.behaviors.get(id(wish)),
            SEGMENTS: self.segments.get(wish.customer_id, frozenset()),
            TIER: self.tiers.get(id(wish)),
            PLAN: self.plans.get(id(wish), ""),
            CODES: counting(wish.codes),
            COMPANY: self.companies.get(id(wish)),
            JOINED: self.joined.get(id(wish)),
            **{scope: found.get(id(wish)) for scope, found in self.elsewhere.items()},
        }
        membership = self.memberships.get(wish.membership_id)
        if membership is not None:
            held = self.held.get((membership.account_id, version.wallet_type_id))
            units = held.spendable if held else 0
            balance = Decimal(units).scaleb(-version.scale)
            facts[MEMBER] = MemberFacts(membership.enrolled_at, balance)
        elif wish.joins:
            facts[MEMBER] = MemberFacts(wish.at, ZERO)
        return facts

    def _load_holdings(self, wishes: Sequence[Wish]) -> None:
        accounts = [membership.account_id for membership in self.memberships.values()]
        wallets = list(Wallet.objects.filter(account__in=accounts))
        latest = max(wish.at for wish in wishes)
        found = holdings(wallets, latest)
        self.held = {
            (wallet.account_id, wallet.wallet_type_id): found[wallet.pk] for wallet in wallets
        }


def _plans(wishes: Sequence[Wish]) -> dict[int, str]:
    """By wish: the paid plan that its buyer had at that moment."""
    spans = plan_spans({wish.membership_id for wish in wishes} - {0})
    return {id(wish): plan_at(spans.get(wish.membership_id, ()), wish.at) for wish in wishes}


def _behaviors(wishes: Sequence[Wish]) -> dict[int, Behavior]:
    """By wish: what is stored of before it, and the batch's own earlier orders of that buyer."""
    known = behavior_before([(wish.customer_id, wish.at) for wish in wishes])
    batch = _by_buyer(wishes)
    found = {}
    for wish, stored in zip(wishes, known, strict=True):
        behavior = stored
        for other in _earlier(wish, batch):
            behavior = behavior.after(other.occasion.bought, other.at)
        found[id(wish)] = behavior
    return found


def _orders_since_joining(
    wishes: Sequence[Wish], memberships: Mapping[int, Membership]
) -> dict[int, int]:
    """By wish: how many orders its buyer had placed before it as a member, those of the batch too.
    Of what was before they joined it is not known."""
    since = {
        id(wish): memberships[wish.membership_id].enrolled_at
        for wish in wishes
        if wish.membership_id in memberships
    }
    found = {id(wish): 0 for wish in wishes if wish.joins}
    own = [wish for wish in wishes if id(wish) in since and wish.at >= since[id(wish)]]
    known = orders_between([(wish.customer_id, since[id(wish)], wish.at) for wish in own])
    batch = _by_buyer(wishes)
    for wish, stored in zip(own, known, strict=True):
        earlier = (other for other in _earlier(wish, batch) if other.at >= since[id(wish)])
        found[id(wish)] = stored + sum(1 for _other in earlier)
    return found


def _companies(wishes: Sequence[Wish]) -> dict[int, CompanyFacts]:
    """By wish: the company that it was placed for as it was before it, with the batch's own earlier
    orders of all its buyers."""
    found: dict[int, CompanyFacts] = {}
    for program in {wish.program.id: wish.program for wish in wishes}.values():
        own = [wish for wish in wishes if wish.program.id == program.id]
        known = companies_before([(wish.membership_id, wish.at) for wish in own], program.zone)
        placed = [(wish, facts) for wish, facts in zip(own, known, strict=True) if facts]
        for wish, facts in placed:
            company = facts
            for other, of_other in placed:
                if (
                    of_other.pool_id == facts.pool_id
                    and other.at < wish.at
                    and other.occasion.basket.lines
                ):
                    company = company.after(other.occasion.basket.total, other.at)
            found[id(wish)] = company
    return found


def _spent(wishes: Sequence[Wish], kind: Since) -> dict[int, Decimal]:
    """By wish: what its buyer had spent before it, in the calendar year or ever."""
    found: dict[int, Decimal] = {}
    for currency in {wish.program.currency for wish in wishes}:
        own = [wish for wish in wishes if wish.program.currency == currency]
        since = [_beginning(wish, kind) for wish in own]
        sums = spent_between(
            [
                (wish.customer_id, first, wish.at, wish.program.id)
                for wish, first in zip(own, since, strict=True)
            ],
            currency=currency,
        )
        batch = _by_buyer(own)
        for wish, first, spent in zip(own, since, sums, strict=True):
            earlier = (other for other in _earlier(wish, batch) if other.at >= first)
            more = (other.occasion.basket.total for other in earlier)
            found[id(wish)] = max(spent + sum(more, ZERO), ZERO)
    return found


def _beginning(wish: Wish, kind: Since) -> dt.datetime:
    if kind == "ever":
        return BEGINNING
    zone = wish.program.zone
    return start_of_day(period_start("year", wish.at, zone), zone)


_Batch = Mapping[tuple[int, int], Sequence[Wish]]


def _by_buyer(wishes: Iterable[Wish]) -> _Batch:
    found: defaultdict[tuple[int, int], list[Wish]] = defaultdict(list)
    for wish in wishes:
        found[wish.program.id, wish.customer_id].append(wish)
    return found


def _earlier(wish: Wish, batch: _Batch) -> Iterator[Wish]:
    """The other new orders of the batch that the same person placed before it."""
    for other in batch[wish.program.id, wish.customer_id]:
        if other.at < wish.at and other.occasion.basket.lines:
            yield other
