"""What an order would earn by a rule that is being written, beside what it earns by those that are
live. Writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loyalty.definitions import EarningRuleDefinition
from loyalty.models import EarningRule, Membership, Order, Program, WalletType
from loyalty.rule_conditions import stored_condition
from loyalty.rules.engine import Award, RuleVersion, evaluate
from loyalty.rules.facts import Occasion
from loyalty.selectors.rulebooks import ProgramTerms, draft_version, terms_of
from loyalty.selectors.rules import rule_rows
from loyalty.services.contexts import Wish, with_contexts
from loyalty.services.reconciliation import order_occasion

# The draft's own key among the versions, which the database counts from 1.
DRAFT_KEY = -1


@dataclass(frozen=True, slots=True)
class TrialRow:
    """What one rule gives, now and with the draft; None: it is not there."""

    name: str
    wallet_type: WalletType
    now: Award | None
    then: Award | None
    is_draft: bool

    @property
    def changed(self) -> bool:
        return _units(self.now) != _units(self.then)


@dataclass(frozen=True, slots=True)
class Trial:
    """An order before the live rules, and before them with the draft in its place."""

    rows: tuple[TrialRow, ...]

    def totals(self) -> list[tuple[WalletType, int, int]]:
        """By kind of units: what it earns now, and then."""
        found: dict[int, tuple[WalletType, int, int]] = {}
        for row in self.rows:
            unit = row.wallet_type
            _unit, now, then = found.get(unit.pk, (unit, 0, 0))
            found[unit.pk] = unit, now + _units(row.now), then + _units(row.then)
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Buyer:
    """Whose order it is; nobody in particular: nothing is known of them."""

    customer_id: int = 0
    membership_id: int = 0


def try_rule(
    *,
    program: Program,
    definition: EarningRuleDefinition,
    rule: EarningRule | None,
    order: Order | Occasion,
    now: dt.datetime,
) -> Trial:
    """`rule`: whose place the draft takes; None: it is a new one, at the end. A real order is
    judged as of the moment at which it was placed, but by the rules of now."""
    terms = terms_of(program)
    live = _live(program, terms, now)
    draft = _as_version(definition, program, rule)
    place = next((i for i, item in enumerate(live) if rule and item.rule_id == rule.pk), len(live))
    then = [*live[:place], draft, *(item for item in live[place:] if item.rule_id != draft.rule_id)]
    buyer = Buyer() if isinstance(order, Occasion) else _buyer(order, program)
    occasion = order if isinstance(order, Occasion) else order_occasion(order, terms)
    units = {item.pk: item for item in program.wallet_types.all()}
    rows = _rows(_judge(terms, live, occasion, buyer), _judge(terms, then, occasion, buyer), units)
    return Trial(tuple(rows))


def _live(program: Program, terms: ProgramTerms, now: dt.datetime) -> list[RuleVersion]:
    """What counts now; of a program that was never live, what will when it is."""
    if program.live_since is not None:
        return list(terms.rulebook.in_force(now))
    return [draft_version(row.draft) for row in rule_rows(program, now) if row.draft is not None]


def _as_version(
    definition: EarningRuleDefinition, program: Program, rule: EarningRule | None
) -> RuleVersion:
    wallet_type = program.wallet_types.get(code=definition.wallet_type)
    body = definition.body()
    return RuleVersion(
        id=DRAFT_KEY,
        rule_name=definition.name,
        number=0,
        wallet_type_id=wallet_type.pk,
        scale=wallet_type.scale,
        body=body,
        rule_id=rule.pk if rule else DRAFT_KEY,
        rule_code=rule.code if rule else definition.code,
        when=stored_condition(body.when),
    )


def _buyer(order: Order, program: Program) -> Buyer:
    membership = Membership.objects.filter(program=program, customer=order.customer_id).first()
    return Buyer(order.customer_id or 0, membership.pk if membership else 0)


def _judge(
    terms: ProgramTerms, versions: Sequence[RuleVersion], occasion: Occasion, buyer: Buyer
) -> dict[int, Award]:
    """By rule, in order of evaluation."""
    wish = Wish(terms, versions, buyer.membership_id, buyer.customer_id, occasion)
    (wish,) = with_contexts([wish])
    decision = evaluate(versions, occasion, context=wish.context, multiplying=terms.multiplying)
    return {award.version.rule_id: award for award in decision.awards}


def _rows(
    now: dict[int, Award], then: dict[int, Award], units: dict[int, WalletType]
) -> Iterator[TrialRow]:
    for rule_id, award in then.items():
        yield TrialRow(
            name=award.version.rule_name,
            wallet_type=units[award.version.wallet_type_id],
            now=now.get(rule_id),
            then=award,
            is_draft=award.version.id == DRAFT_KEY,
        )


def _units(award: Award | None) -> int:
    return award.units if award else 0
