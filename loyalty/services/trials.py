"""What an order, an activity or a day of the year would earn by a rule that is being written,
beside what it earns by those that are live. Writes nothing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Sum

from loyalty.models import (
    Activity,
    EarningRule,
    Membership,
    Order,
    Program,
    Transfer,
    WalletType,
)
from loyalty.rule_conditions import stored_condition
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.rules.bodies import EarningBody
from loyalty.rules.caps import Room
from loyalty.rules.engine import Award, RuleVersion, evaluate
from loyalty.rules.exchange import as_counted
from loyalty.rules.facts import Deed, Occasion
from loyalty.rules.grants import concerned, grant
from loyalty.rules.idle_multipliers import with_why_idle
from loyalty.selectors.exchange_rates import recorded_exchange
from loyalty.selectors.programs import is_discount
from loyalty.selectors.rulebooks import ProgramTerms, draft_version, terms_of
from loyalty.selectors.rules import rule_rows
from loyalty.selectors.stored_orders import order_occasion
from loyalty.selectors.unit_worths import worth_of
from loyalty.services.activity_awards import deed_of
from loyalty.services.cap_books import CapBook
from loyalty.services.contexts import Wish, with_contexts

# The draft's own key among the versions, which the database counts from 1.
DRAFT_KEY = -1


@dataclass(frozen=True, slots=True)
class TrialRow:
    """What one rule gives, now and with the draft; None: it is not there. `room`: what its caps
    leave, by the wording that would count then."""

    name: str
    wallet_type: WalletType
    now: Award | None
    then: Award | None
    is_draft: bool
    room: Room | None = None

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
    """Whose order it is; nobody in particular: nothing is known of them, and all that caps leave
    is left to them. `joins`: they become a member with it."""

    customer_id: int = 0
    membership_id: int = 0
    joins: bool = False

    def of_made_up(self, occasion: Occasion) -> Buyer:
        """Who is no member joins with what is made up, as a quote takes it; on a day of the year
        nobody does."""
        is_day = isinstance(occasion, Deed) and not occasion.activity
        return replace(self, joins=not self.membership_id and not is_day)


@dataclass(frozen=True, slots=True)
class _Tried:
    """What is judged, for whom, and what it was given already, by rule."""

    occasion: Occasion
    buyer: Buyer
    given: Mapping[int, int] = field(default_factory=dict)


def try_rule(
    *,
    program: Program,
    definition: EarningRuleDefinition,
    rule: EarningRule | None,
    tried: Order | Activity | Occasion,
    now: dt.datetime,
    buyer: Buyer | None = None,
) -> Trial:
    """`rule`: whose place the draft takes; None: it is a new one, at the end. A real order or
    activity is judged as of the moment at which it came about, but by the rules of now; one that
    is made up for `buyer`."""
    terms = terms_of(program)
    draft = _as_version(definition, program, rule)
    found = _told(tried, terms, buyer or Buyer())
    live = _beside(draft, found.occasion, _live(program, terms, now))
    place = place_among(rule, [item.rule_id for item in live], program)
    others = [item for item in live if item.rule_id != draft.rule_id]
    then = [*others[:place], draft, *others[place:]]
    units = {item.pk: item for item in program.wallet_types.all()}
    before, _rooms = _judge(terms, live, found)
    after, rooms = _judge(terms, then, found)
    return Trial(tuple(_rows(before, after, rooms, units)))


def place_among(rule: EarningRule | None, live: Sequence[int], program: Program) -> int:
    """How many of the live rules come before it; a new one is the last."""
    if rule is None:
        return len(live)
    places = dict(program.earning_rules.values_list("pk", "position"))
    return sum(1 for pk in live if pk != rule.pk and places[pk] < rule.position)


def buyer_in(program_id: int, customer_id: int | None) -> Buyer:
    """A customer as a program knows them."""
    membership = Membership.objects.filter(program=program_id, customer=customer_id).first()
    return Buyer(customer_id or 0, membership.pk if membership else 0)


def _told(tried: Order | Activity | Occasion, terms: ProgramTerms, buyer: Buyer) -> _Tried:
    if isinstance(tried, Order):
        buyer = buyer_in(terms.id, tried.customer_id)
        occasion = as_counted(order_occasion(tried, terms), recorded_exchange(tried, terms))
        return _Tried(occasion, buyer, _given_to_order(tried))
    if isinstance(tried, Activity):
        buyer = buyer_in(terms.id, tried.customer_id)
        return _Tried(deed_of(tried, terms), buyer, _given_to_activity(tried))
    return _Tried(tried, buyer.of_made_up(tried))


def _given_to_order(order: Order) -> dict[int, int]:
    """What an order has been given, less what was taken back."""
    found: defaultdict[int, int] = defaultdict(int)
    transfers = Transfer.objects.filter(order=order, rule_version__isnull=False)
    for rule_id, kind, corrects_id, amount in transfers.values_list(
        "rule_version__rule", "kind", "corrects", "amount"
    ):
        if kind == Transfer.Kind.ACCRUAL:
            found[rule_id] += amount
        elif corrects_id is not None:
            found[rule_id] -= amount
    return found


def _given_to_activity(activity: Activity) -> dict[int, int]:
    if activity.state != Activity.State.APPROVED:
        return {}
    given = activity.awards.values("rule_version__rule").annotate(units_given=Sum("units"))
    return dict(given.values_list("rule_version__rule", "units_given"))


def _live(program: Program, terms: ProgramTerms, now: dt.datetime) -> list[RuleVersion]:
    """What counts now; of a program that was never live, what will when it is."""
    if program.live_since is not None:
        return [*terms.rulebook.in_force(now), *terms.rulebook.others_in_force(now)]
    drafts = [row.draft for row in rule_rows(program, now) if row.draft is not None]
    return [draft_version(draft) for draft in drafts if not is_discount(draft)]


def _beside(
    draft: RuleVersion, occasion: Occasion, live: Sequence[RuleVersion]
) -> list[RuleVersion]:
    """The rules that the draft is judged together with: for orders, for its type of activity, or
    itself alone."""
    if isinstance(draft.body, EarningBody):
        return [version for version in live if isinstance(version.body, EarningBody)]
    if isinstance(occasion, Deed) and occasion.activity:
        return list(concerned(live, occasion))
    return [version for version in live if version.rule_id == draft.rule_id]


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
        worth=worth_of(wallet_type),
    )


def _judge(
    terms: ProgramTerms, versions: Sequence[RuleVersion], tried: _Tried
) -> tuple[dict[int, Award], dict[int, Room]]:
    """What each gives, by rule, in order of evaluation, and what their caps leave, by version.
    Nothing is locked: another order may come in between."""
    buyer, occasion = tried.buyer, tried.occasion
    wish = Wish(
        terms, versions, buyer.membership_id, buyer.customer_id, occasion, joins=buyer.joins
    )
    (wish,) = with_contexts([wish])
    given = {version.id: tried.given.get(version.rule_id, 0) for version in versions}
    rooms = CapBook.look([wish]).rooms(wish, given)
    if isinstance(occasion, Deed):
        decision = grant(versions, occasion, rooms, context=wish.context)
    else:
        decision = evaluate(
            versions, occasion, rooms, context=wish.context, multiplying=terms.multiplying
        )
    awards = with_why_idle(decision.awards, occasion.basket, terms.multiplying)
    return {award.version.rule_id: award for award in awards}, rooms


def _rows(
    now: dict[int, Award],
    then: dict[int, Award],
    rooms: dict[int, Room],
    units: dict[int, WalletType],
) -> Iterator[TrialRow]:
    for rule_id, award in then.items():
        yield TrialRow(
            name=award.version.rule_name,
            wallet_type=units[award.version.wallet_type_id],
            now=now.get(rule_id),
            then=award,
            is_draft=award.version.id == DRAFT_KEY,
            room=rooms.get(award.version.id),
        )


def _units(award: Award | None) -> int:
    return award.units if award else 0
