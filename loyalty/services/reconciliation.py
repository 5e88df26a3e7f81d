"""Bringing what was posted for an order to what its net basket deserves.

Whatever happened to an order — repeated, corrected, refunded, canceled — the same thing is done:
its net basket is judged by the rule versions it was first judged by, and the difference is posted.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from loyalty.codes_asked import answers_as_json
from loyalty.ledger.posting import Movement, post, retime
from loyalty.models import Absence, Membership, Order, OrderEvaluation, Refund
from loyalty.rules.basket import net_basket
from loyalty.rules.caps import Room, rooms_as_json, rooms_from_json
from loyalty.rules.engine import Award
from loyalty.rules.exchange import as_counted, converted
from loyalty.rules.facts import (
    NOTHING,
    Basket,
)
from loyalty.selectors.partners import AtPartner
from loyalty.selectors.posted_units import Posted, posted_units
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.selectors.stored_orders import (
    as_return,
    order_basket,
    order_occasion,
    orders_to_judge,
)
from loyalty.services.awards import accrual, clawback, explain_award, spread_over
from loyalty.services.cap_books import CapBook
from loyalty.services.contexts import (
    Wish,
    context_as_json,
    context_from_json,
    with_contexts,
)
from loyalty.services.conversions import conversion, conversion_told, known_exchanges
from loyalty.services.discount_budgets import settle_discounts
from loyalty.services.discount_costs import book_rule_discounts
from loyalty.services.maturities import ByHand, retimings, times_of
from loyalty.services.member_tiers import refresh_customers
from loyalty.services.order_batches import MemberRef
from loyalty.services.order_codes import with_codes_of_known
from loyalty.services.pool_shares import with_pools
from loyalty.services.restorations import restorations
from loyalty.services.window_awards import Contribution, window_movements
from members.prepared import KeptQuery, read_along, run_prepared

_MEMBERSHIPS: KeptQuery[Membership] = KeptQuery(
    lambda customers, programs: Membership.objects.filter(
        customer__among=customers, program__among=programs
    )
)
_ABSENCES: KeptQuery[Absence] = KeptQuery(lambda ids: Absence.objects.filter(membership__among=ids))


def reconcile_orders(
    order_ids: Sequence[int],
    *,
    terms: Terms,
    now: dt.datetime,
    transfer_source: str,
    causes: Mapping[int, Sequence[Refund]],
    by_hand: ByHand | None = None,
    void: Container[int] = (),
    beside: Sequence[int] = (),
    kept: bool = False,
    tiers: bool = True,
) -> set[int | None]:
    """Post the differences of these orders in one batch. The caller holds their members' locks.
    Returns whose orders they are.

    Those in `void` are judged as if nothing had been bought.

    `causes`: the refunds that brought an order here, if any did, in their order. What one takes
    back happened with it; without one it happens now. `beside`: orders that were recorded with
    them, whose discounts are settled together with theirs. `kept`: somebody asks that these count
    from now on, also in programs of another currency. `tiers`: False where the caller goes on and
    looks at the tiers of all whose orders they are in the end.
    """
    orders = orders_to_judge(order_ids)
    posted = posted_units(order_ids)
    members = _members(orders, terms)
    cases = _with_contexts(list(_cases(orders, members, terms, kept=kept)), now)
    book = CapBook.load((case.wish for case in cases), whole=_budgets_of(cases))
    movements: list[Movement] = []
    windows: list[Contribution] = []
    for case in cases:
        why = causes.get(case.order.pk, ())
        judged = _judged(case, book, posted, why, void=case.order.pk in void)
        movements += _differences(case, book, posted, judged, now, transfer_source)
        windows += _contributions(case, judged, now)
    movements += window_movements(windows, book, now=now, transfer_source=transfer_source)
    book.write()
    movements += restorations(orders, terms=terms, now=now, transfer_source=transfer_source)
    post(with_pools(movements, terms), now=now)
    retime(retimings(orders, terms=terms, now=now, by_hand=by_hand), now=now)
    book_rule_discounts([order.pk for order in orders], now=now, causes=causes)
    settle_discounts([*(order.pk for order in orders), *beside], terms, now)
    people = {order.customer_id for order in orders}
    if tiers:
        refresh_customers(people, terms=terms, now=now, locked=True)
    return people


def _budgets_of(cases: Iterable[_Case]) -> set[int]:
    return {
        version.budget_key
        for case in cases
        for version in case.wish.versions
        if version.body.caps.has_budget
    }


@dataclass(frozen=True, slots=True)
class _Case:
    """An order before one program: who bought, by which versions it is judged, and the room that
    their caps left when it first was."""

    order: Order
    member: MemberRef
    wish: Wish
    evaluation: OrderEvaluation

    @property
    def rooms(self) -> dict[int, Room]:
        return rooms_from_json(self.evaluation.context)


def _cases(
    orders: Sequence[Order], members: Mapping[tuple[int | None, int], MemberRef], terms: Terms,
    *, kept: bool,
) -> Iterator[_Case]:  # fmt: skip
    exchanges = known_exchanges(orders, members, terms, kept=kept)
    for order in orders:
        for program in terms.programs:
            member = members.get((order.customer_id, program.id))
            exchange = exchanges.get((order.pk, program.id))
            if member is None or order.customer_id is None:
                continue
            if order.partner is not None and order.partner.account.program_id != program.id:
                continue
            if order.currency != program.currency and exchange is None:
                continue
            found = _evaluation(order, program, member)
            if found is not None:
                versions = program.rulebook.named(found.rule_versions)
                wish = Wish(
                    program, versions, member.membership_id, order.customer_id,
                    as_counted(order_occasion(order, program), exchange),
                    context_from_json(found.context),
                )  # fmt: skip
                yield _Case(order, member, wish, found)


def _with_contexts(cases: list[_Case], now: dt.datetime) -> list[_Case]:
    """What orders are judged by that never were before; the others keep what they had."""
    new = [number for number, case in enumerate(cases) if not case.evaluation.pk]
    wishes = with_codes_of_known(
        [cases[number].wish for number in new], [cases[number].order for number in new], now
    )
    wishes = with_contexts(wishes)
    for number, wish in zip(new, wishes, strict=True):
        cases[number] = replace(cases[number], wish=wish)
    return cases


def _evaluation(order: Order, program: ProgramTerms, member: MemberRef) -> OrderEvaluation | None:
    """The context that the order is judged in; a new one if this is its first judgment."""
    for evaluation in order.evaluations.all():
        if evaluation.program_id == program.id:
            return evaluation
    if not member.earns_at(order.placed_at) or not program.earns_at(order.placed_at):
        return None
    return OrderEvaluation(
        order=order,
        program_id=program.id,
        membership_id=member.membership_id,
        rule_versions=[version.id for version in program.rulebook.in_force(order.placed_at)],
    )


# What an order deserves after each of the refunds that brought it here, or now; and what is told of
# its conversion then.
_Judged = list[tuple[Refund | None, tuple[Award, ...], dict[str, Any]]]


def _judged(
    case: _Case,
    book: CapBook,
    posted: dict[tuple[int, int], Posted],
    causes: Sequence[Refund],
    *,
    void: bool,
) -> _Judged:
    order, wish = case.order, case.wish
    given = {
        version.id: posted[order.pk, version.id].units + posted[order.pk, version.id].taken_by_hand
        for version in wish.versions
        if (order.pk, version.id) in posted
    }
    linked = causes if wish.program.reconciles_linked else ()
    baskets = [(None, NOTHING)] if void else _net_baskets(order, linked, wish.program)
    judged: _Judged = []
    exchange = wish.occasion.exchange
    for cause, basket in baskets:
        counted = converted(basket, exchange) if exchange else basket
        awards, rooms = book.judge(wish, counted, recorded=case.rooms, given=given)
        judged.append((cause, awards, conversion_told(basket, exchange)))
        if not case.evaluation.pk:
            # Its first judgment: the room that it has now is what it keeps.
            kept = context_as_json(wish.context) | answers_as_json(wish.codes)
            case.evaluation.context = rooms_as_json(rooms) | kept
            case.evaluation.save()
            if exchange is not None:
                conversion(order.pk, wish.program.id, exchange).save()
    return judged


def _contributions(case: _Case, judged: _Judged, now: dt.datetime) -> Iterator[Contribution]:
    """What the order brings towards windows of its buyer, as it is now. What is new of it is dated
    by the order, what is gone by the refund that took it."""
    cause, awards, _told = judged[-1]
    for award in awards:
        if award.counted is not None:
            yield Contribution(
                case.wish.program, case.member, award, case.order.pk, case.order.placed_at,
                case.wish.program.currency,
                at=cause.refunded_at if cause else now,
                refund_id=cause.pk if cause else None,
            )  # fmt: skip


def _differences(
    case: _Case,
    book: CapBook,
    posted: dict[tuple[int, int], Posted],
    judged: _Judged,
    now: dt.datetime,
    transfer_source: str,
) -> list[Movement]:
    order, wish = case.order, case.wish
    known = {
        version.id: posted.get((order.pk, version.id)) or Posted() for version in wish.versions
    }
    given = {pk: so_far.units for pk, so_far in known.items()}
    movements: list[Movement] = []
    for position, version in enumerate(wish.versions):
        so_far = known[version.id]
        steps = [(cause, awards[position], told) for cause, awards, told in judged]
        targets = [so_far.units, *(so_far.due(award.units) for _cause, award, _told in steps)]
        if targets != sorted(targets, reverse=True):
            # Something is added too: one movement for it all.
            steps = steps[-1:]
        for cause, award, told in steps:
            found = _difference(case, award, so_far, cause, told, now, transfer_source)
            so_far.units = so_far.due(award.units)
            so_far.movements += len(found)
            movements += found
        book.take(version, wish, so_far.units - given[version.id])
    return movements


def _net_baskets(
    order: Order, causes: Sequence[Refund], program: ProgramTerms
) -> Iterator[tuple[Refund | None, Basket]]:
    """What was left of the order after each of these refunds, as if they had come one by one."""
    if order.status in Order.VOID:
        yield None, NOTHING
        return
    refunds = sorted(order.refunds.all(), key=lambda refund: (refund.refunded_at, refund.pk))
    if not program.reconciles_linked:
        refunds = []
    basket = order_basket(order)
    for number, cause in enumerate(causes or (None,), start=1):
        later = {refund.pk for refund in causes[number:]}
        returns = [as_return(refund) for refund in refunds if refund.pk not in later]
        yield cause, net_basket(basket, returns)


def _difference(
    case: _Case,
    award: Award,
    so_far: Posted,
    cause: Refund | None,
    told: dict[str, Any],
    now: dt.datetime,
    transfer_source: str,
) -> list[Movement]:
    order, program, member = case.order, case.wish.program, case.member
    due = so_far.due(award.units)
    partner = AtPartner.of(order.partner) if order.partner else None
    explanation = explain_award(
        award,
        currency=program.currency,
        partner=partner,
        order=order.external_id,
        refund=cause.external_id if cause else None,
        was=so_far.units,
        now=due,
        **({"taken": so_far.taken_by_hand} if so_far.taken else {}),
        **told,
    )
    key = f"order:{order.pk}:{award.version.id}:{so_far.movements}"
    if due > so_far.units:
        return [
            accrual(
                award, units=due - so_far.units, member=member, terms=program,
                times=times_of(order), recorded_at=order.recorded_at, key=key,
                source=transfer_source, order_id=order.pk, explanation=explanation,
                partner=partner,
            )
        ]  # fmt: skip
    parts = spread_over(so_far.units - due, so_far.accruals)
    taken = dict(parts)
    so_far.accruals = [(pk, room - taken.get(pk, 0)) for pk, room in so_far.accruals]
    return [
        clawback(
            award, units=units, member=member, terms=program,
            occurred_at=cause.refunded_at if cause else now,
            key=f"{key}:{number}" if number else key, source=transfer_source,
            explanation=explanation, order_id=order.pk,
            refund_id=cause.pk if cause else None, corrects=transfer_id, partner=partner,
        )
        for number, (transfer_id, units) in enumerate(parts)
    ]  # fmt: skip


def _members(orders: Iterable[Order], terms: Terms) -> dict[tuple[int | None, int], MemberRef]:
    return member_refs({order.customer_id for order in orders if order.customer_id}, terms)


def member_refs(
    customer_ids: Iterable[int], terms: Terms
) -> dict[tuple[int | None, int], MemberRef]:
    """Memberships with their wallets and absences by (customer, program), in three queries."""
    memberships = _MEMBERSHIPS.rows(list(customer_ids), terms.ids)
    read_along(memberships, "absences", _ABSENCES)
    wallets: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for account_id, wallet_type_id, pk in run_prepared(
        "SELECT account_id, wallet_type_id, id FROM loyalty_wallet"
        " WHERE account_id = ANY(%s::bigint[])",
        [[membership.account_id for membership in memberships]],
    ):
        wallets[account_id][wallet_type_id] = pk
    return {
        (membership.customer_id, membership.program_id): MemberRef(
            membership.pk,
            membership.status == Membership.Status.ACTIVE,
            membership.account_id,
            wallets[membership.account_id],
            earns_from=membership.earns_from,
            absences=tuple((span.began_at, span.ended_at) for span in membership.absences.all()),
        )
        for membership in memberships
    }
