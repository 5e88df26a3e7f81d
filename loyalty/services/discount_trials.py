"""What an order would cost with a discount rule that is being written, beside what it costs with
those that are live. Writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from loyalty.models import EarningRule, EarningRuleVersion, Order, Program
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.rules.discounts import Discount, Discounted, DiscountVersion
from loyalty.rules.facts import ZERO, Occasion
from loyalty.selectors.programs import is_discount
from loyalty.selectors.rulebooks import ProgramTerms, discount_version, terms_of
from loyalty.selectors.rules import rule_rows
from loyalty.selectors.stored_orders import order_occasion
from loyalty.services.contexts import Wish, with_contexts
from loyalty.services.quotes import discounted
from loyalty.services.trials import DRAFT_KEY, Buyer, buyer_in, place_among


@dataclass(frozen=True, slots=True)
class DiscountTrialRow:
    """What one rule takes off, now and with the draft; None: it is not there."""

    name: str
    now: Discount | None
    then: Discount
    is_draft: bool

    @property
    def changed(self) -> bool:
        return (self.now.amount if self.now else ZERO) != self.then.amount


@dataclass(frozen=True, slots=True)
class DiscountTrial:
    """An order before the live discounts, and before them with the draft in its place. Money in
    the program's currency: what it costs without any, what is taken off, what is left to pay."""

    rows: tuple[DiscountTrialRow, ...]
    price: Decimal
    now: Decimal
    then: Decimal

    @property
    def left_now(self) -> Decimal:
        return self.price - self.now

    @property
    def left_then(self) -> Decimal:
        return self.price - self.then


def try_discount(
    *,
    program: Program,
    definition: DiscountRuleDefinition,
    rule: EarningRule | None,
    tried: Order | Occasion,
    now: dt.datetime,
    buyer: Buyer | None = None,
) -> DiscountTrial:
    """`rule`: whose place the draft takes; None: it is a new one, at the end. The prices of a real
    order are taken as they were charged."""
    terms = terms_of(program)
    live = _live(program, terms, now)
    draft = _as_version(definition, program, rule)
    place = place_among(rule, [item.rule_id for item in live], program)
    others = [item for item in live if item.rule_id != draft.rule_id]
    then = [*others[:place], draft, *others[place:]]
    if isinstance(tried, Order):
        buyer = buyer_in(program.pk, tried.customer_id)
        tried = order_occasion(tried, terms)
    else:
        buyer = (buyer or Buyer()).of_made_up(tried)
    before = _judge(terms, live, tried, buyer)
    after = _judge(terms, then, tried, buyer)
    known = {item.version.rule_id: item for item in before.discounts}
    return DiscountTrial(
        tuple(
            DiscountTrialRow(
                item.version.rule_name,
                known.get(item.version.rule_id),
                item,
                item.version.id == DRAFT_KEY,
            )
            for item in after.discounts
        ),
        tried.basket.total,
        before.amount,
        after.amount,
    )


def _live(program: Program, terms: ProgramTerms, now: dt.datetime) -> list[DiscountVersion]:
    """What counts now; of a program that was never live, what will when it is."""
    if program.live_since is not None:
        return list(terms.rulebook.discounts_in_force(now))
    drafts = (row.draft for row in rule_rows(program, now))
    return [discount_version(draft) for draft in drafts if draft and is_discount(draft)]


def _as_version(
    definition: DiscountRuleDefinition, program: Program, rule: EarningRule | None
) -> DiscountVersion:
    unit = program.wallet_types.order_by("pk")[0]
    place = rule or EarningRule(program=program, wallet_type=unit, code=definition.code)
    place.name = definition.name
    body = definition.body().model_dump(mode="json")
    draft = EarningRuleVersion(pk=DRAFT_KEY, rule=place, number=0, body=body)
    return replace(discount_version(draft), rule_id=rule.pk if rule else DRAFT_KEY)


def _judge(
    terms: ProgramTerms, versions: Sequence[DiscountVersion], occasion: Occasion, buyer: Buyer
) -> Discounted:
    wish = Wish(
        terms, (), buyer.membership_id, buyer.customer_id, occasion, discounts=tuple(versions),
        joins=buyer.joins,
    )  # fmt: skip
    (wish,) = with_contexts([wish])
    return discounted(wish)
