"""What a basket would cost and earn, before it is bought: judged as the order would be, without
writing.

A program's discounts come first, and its rules judge what is left. The
same rules, facts, caps and windows as in `record_orders`; only nothing is locked, so another order
of the member may still come first.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from babel.numbers import get_currency_precision

from loyalty.codes_asked import CodeAnswer, CodesAsked
from loyalty.models import Membership
from loyalty.rules.bodies import WindowedBody
from loyalty.rules.bonus import Part, progress, standing
from loyalty.rules.bonus import award as bonus
from loyalty.rules.discounts import NO_BUDGETS, Discounted, discount
from loyalty.rules.engine import Award
from loyalty.rules.exchange import Exchange, as_counted
from loyalty.rules.facts import ZERO
from loyalty.rules.idle_multipliers import with_why_idle
from loyalty.rules.program_times import State
from loyalty.selectors.absences import absent_at
from loyalty.selectors.admissions import admissions
from loyalty.selectors.exchange_rates import Asked, exchanges_for
from loyalty.selectors.rulebooks import ProgramTerms, fresh_terms
from loyalty.selectors.window_parts import Wanted, window_parts
from loyalty.services.cap_books import CapBook
from loyalty.services.contexts import Wish, with_contexts
from loyalty.services.discount_budgets import Holders, rooms_for
from loyalty.services.order_checks import check_order
from loyalty.services.order_codes import codes_asked, with_codes_looked_at
from loyalty.services.order_inputs import CustomerRef, OrderInput
from loyalty.services.order_tiers import standings_around, tier_to_pay_in
from loyalty.services.orders import occasion_of
from loyalty.services.usable_units import UsableUnits, spendable_units, usable_for
from loyalty.services.window_awards import short_of_budget
from loyalty.tiers.progress import Standing
from members.models import Customer
from members.program_scope import is_in_scope

# A membership that does not exist yet has no rows to find.
NOBODY = 0


@dataclass(frozen=True, slots=True)
class Goal:
    """How far a rule with a goal would have come, and what would be missing to the next time."""

    reached: Decimal
    goal: Decimal
    missing: Decimal


@dataclass(frozen=True, slots=True)
class QuotedAward:
    """What one rule would give; of a rule that belongs to a window what the order would add."""

    award: Award
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What the basket would cost and earn in one program. `membership_id` None: whoever buys it
    would join with this order. `discounted`: the basket that the awards are for."""

    program: ProgramTerms
    membership_id: int | None
    awards: tuple[QuotedAward, ...]
    discounted: Discounted
    # Where the buyer stands in the program's tiers before it, and with it.
    tiers: tuple[Standing, Standing] | None = None
    # Of a member's units, what could pay for it.
    usable: tuple[UsableUnits, ...] = ()
    # Other than "live": nothing is earned and taken off by then.
    state: State = "live"
    # What is said of the codes that came with the basket.
    codes: tuple[CodeAnswer, ...] = ()
    # As they were asked; None: it came with none.
    codes_asked: CodesAsked | None = None


def quote_order(
    order: OrderInput, *, program_code: str | None = None, with_discounts: bool = True,
    customer_id: int | None = None, now: dt.datetime | None = None, holders: Holders = (),
) -> list[Quote]:  # fmt: skip
    """What an order would cost and earn in each live program that would count it, or in the one
    named, as far as whoever asks sees it; where that converts it, it takes nothing off and no
    units pay. Each program by itself: its discounts are off the prices as they came. Without
    discounts: they are in the prices already. `customer_id`: the buyer, where they have just been
    read; `holders`: the carts that it is for, which may hold some of a budget; `now`: by when
    others hold it no longer, by default the order's time. Raises InvalidOrderError."""
    check_order(order)
    terms = fresh_terms()
    programs = [
        program
        for program in terms.programs
        if program.live
        and (program.currency == order.currency or program.converts)
        and program_code in (None, program.code)
        and is_in_scope(program.id)
        and (order.partner is None or order.partner.program_id == program.id)
    ]
    exchanges = _exchanges(order, programs)
    programs = [
        item for item in programs if item.currency == order.currency or item.id in exchanges
    ]
    if customer_id is None:
        customer_id = _customer(order.customer)
    asked = [
        _as_counted(wish, exchanges.get(wish.program.id))
        for wish in _wishes(order, customer_id, programs, with_discounts)
    ]
    quotes = {quote.program.id: quote for quote in _resting(asked)}
    wishes = with_contexts(
        with_codes_looked_at([wish for wish in asked if wish.program.id not in quotes])
    )
    budgets = rooms_for(
        (version for wish in wishes for version in wish.discounts), now or order.placed_at, holders
    )
    reduced = [discounted(wish, budgets) for wish in wishes]
    if any(found.amount for found in reduced):
        # The tier that an order leads to, and the like, follow from what it costs then.
        wishes = with_contexts(
            [
                replace(wish, occasion=replace(wish.occasion, basket=found.basket), discounts=())
                for wish, found in zip(wishes, reduced, strict=True)
            ]
        )
    book = CapBook.look(wishes)
    held = spendable_units([wish.membership_id for wish in wishes], order.placed_at)
    for wish, found in zip(wishes, reduced, strict=True):
        quotes[wish.program.id] = replace(
            _quote(wish, book, found),
            usable=()
            if wish.occasion.exchange
            else usable_for(
                wish.program,
                held.get(wish.membership_id, {}),
                found.basket.total,
                partial(tier_to_pay_in, wish, ()),
            ),
        )
    return [quotes[wish.program.id] for wish in asked]


def _exchanges(order: OrderInput, programs: Sequence[ProgramTerms]) -> dict[Hashable, Exchange]:
    """By which rate the order would count in programs of another currency."""
    told = dict(order.rates)
    return exchanges_for([
        Asked(program.id, order.currency, told, program, order.placed_at)
        for program in programs
        if program.currency != order.currency
    ])  # fmt: skip


def _as_counted(wish: Wish, exchange: Exchange | None) -> Wish:
    """What is taken off a price is money of the program's own currency."""
    if exchange is None:
        return wish
    return replace(wish, occasion=as_counted(wish.occasion, exchange), discounts=())


def _resting(wishes: Sequence[Wish]) -> Iterator[Quote]:
    """Of programs that give nothing at that time: that it is so."""
    for wish in wishes:
        times, basket = wish.program.times, wish.occasion.basket
        if not times.earns_at(wish.at):
            joined = wish.membership_id or None
            yield Quote(
                wish.program, joined, (), Discounted((), basket), state=times.state_at(wish.at)
            )


def discounted(wish: Wish, budgets: Mapping[int, Decimal] = NO_BUDGETS) -> Discounted:
    """What a program takes off an order, by a wish that has its context. `budgets`: what is left of
    them; of those that are not named there is enough."""
    return discount(
        wish.discounts,
        wish.occasion,
        coin=Decimal(1).scaleb(-get_currency_precision(wish.occasion.currency)),
        context=wish.context,
        discounting=wish.program.discounting,
        rooms=budgets,
    )


def _customer(who: CustomerRef | None) -> int:
    """The buyer's key; nobody for one who is not known."""
    if who is None:
        return NOBODY
    found = Customer.objects.filter(pk=who.key) if who.key else Customer.objects.filter(
        external_id=who.external_id
    )  # fmt: skip
    customer = found.values_list("pk", "merged_into").first()
    return (customer[1] or customer[0]) if customer else NOBODY


def _wishes(
    order: OrderInput,
    customer_id: int,
    programs: Sequence[ProgramTerms],
    with_discounts: bool,
) -> Iterator[Wish]:
    memberships = {
        membership.program_id: membership
        for membership in Membership.objects.filter(
            customer=customer_id, program__in=[program.id for program in programs]
        ).annotate(away=absent_at(order.placed_at))
    }
    basket = order.basket()
    for program in programs:
        membership = memberships.get(program.id)
        joins = membership is None and _would_join(order, customer_id, program)
        if not joins and (membership is None or membership.away or not _earns(membership, order)):
            continue
        book = program.rulebook
        yield Wish(
            program,
            book.in_force(order.placed_at),
            membership.pk if membership else NOBODY,
            customer_id,
            occasion_of(order, basket, program),
            discounts=book.discounts_in_force(order.placed_at) if with_discounts else (),
            joins=joins,
            stranger=_stranger(order) if customer_id == NOBODY else None,
        )


def _stranger(order: OrderInput) -> Customer:
    """Somebody whom the order would make known, with what it says of them."""
    said = order.customer
    return Customer(
        created_at=order.placed_at,
        email=said.email if said else "",
        phone=said.phone if said else "",
    )


def _would_join(order: OrderInput, customer_id: int, program: ProgramTerms) -> bool:
    """Whether the order would make its buyer a member. Whom nobody knows is in no list."""
    asks = order.enroll and program.joinable
    if not asks and not program.automatic:
        return False
    found = admissions(program_id=program.id, moments={customer_id: order.placed_at})[customer_id]
    return found.may_join if asks else found.joins_with_order


def _earns(membership: Membership, order: OrderInput) -> bool:
    begun = membership.earns_from is None or order.placed_at >= membership.earns_from
    return begun and membership.status == Membership.Status.ACTIVE


def _quote(wish: Wish, book: CapBook, reduced: Discounted) -> Quote:
    basket = wish.occasion.basket
    judged, _rooms = book.judge(wish, basket)
    awards = with_why_idle(judged, basket, wish.program.multiplying)
    member, zone = wish.membership_id, wish.program.zone
    parts = window_parts((Wanted(member, award.version, zone) for award in awards), wish.at)
    return Quote(
        wish.program,
        wish.membership_id or None,
        tuple(
            _quoted(award, wish, book, parts.get((member, award.version.id), []))
            for award in awards
        ),
        reduced,
        _tiers(wish, awards),
        codes=wish.codes,
        codes_asked=codes_asked(wish) if wish.codes else None,
    )


def _tiers(wish: Wish, awards: Sequence[Award]) -> tuple[Standing, Standing] | None:
    """As if it were bought, and completed where orders have to be."""
    units: defaultdict[str, Decimal] = defaultdict(Decimal)
    for award in awards:
        version = award.version
        code = wish.program.units[version.wallet_type_id].code
        units[code] += Decimal(award.units).scaleb(-version.scale)
    return standings_around(replace(wish, confirmed_at=wish.at), units)


def _quoted(award: Award, wish: Wish, book: CapBook, parts: list[Part]) -> QuotedAward:
    body = award.version.body
    if not isinstance(body, WindowedBody):
        return QuotedAward(award)
    if not body.windowed:
        return QuotedAward(award, _goal_of_order(body, award))
    before, _steps = bonus(body, progress(body, parts), award.version.scale)
    if award.counted:
        local = wish.at.astimezone(wish.program.zone)
        parts = [*parts, (local, award.counted)]
    reached = progress(body, parts)
    units, steps = bonus(body, reached, award.version.scale)
    added = max(units - before, 0)
    got, left = book.of_budget(award.version, added, wish.at)
    if got < added:
        steps = (*steps, short_of_budget(award.version, got, left))
    more = replace(award, units=got, kept=(*award.kept, *steps))
    return QuotedAward(more, _goal(body, standing(body, parts), units))


def _goal_of_order(body: WindowedBody, award: Award) -> Goal | None:
    """Of a threshold for one order, from the step that says how far it came."""
    for code, *values in award.steps:
        if code == "threshold":
            return _goal(body, Decimal(values[2]), award.units)
    return None


def _goal(body: WindowedBody, reached: Decimal, units: int) -> Goal:
    if units and not body.repeated:
        return Goal(reached, body.goal, ZERO)
    return Goal(reached, body.goal, body.goal - reached % body.goal)
