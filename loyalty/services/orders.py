"""Recording orders: what came in is written, judged by every program, and posted, all at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from django.utils.translation import gettext as _

from loyalty.codes_asked import answers_as_json
from loyalty.errors import InvalidOrderError, OrderConflictError
from loyalty.ledger.posting import post
from loyalty.models import Order
from loyalty.rules.caps import rooms_as_json
from loyalty.rules.engine import Award
from loyalty.rules.exchange import as_counted
from loyalty.rules.facts import NOTHING, Basket, Occasion
from loyalty.selectors.partners import AtPartner, partners_of_orders
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.services.awards import accrual, explain_award
from loyalty.services.cap_books import CapBook, with_budgets
from loyalty.services.contexts import Wish, context_as_json, with_contexts
from loyalty.services.conversions import Exchanges, conversion, conversion_told, keep_rates
from loyalty.services.discount_budgets import settle_discounts
from loyalty.services.member_tiers import refresh_customers
from loyalty.services.order_batches import (
    Enrolling,
    Opened,
    Rows,
    Wanted,
    Written,
    open_batch,
    write_batch,
)
from loyalty.services.order_changes import rewrite_order
from loyalty.services.order_checks import check_order, refuse_order_ahead
from loyalty.services.order_codes import let_codes_go, with_codes_used
from loyalty.services.order_codes_again import called_off, claim_codes_again
from loyalty.services.order_discounts import keep_discounts
from loyalty.services.order_inputs import OrderInput, order_times
from loyalty.services.order_rounds import in_rounds, rounds_of
from loyalty.services.pool_shares import with_pools
from loyalty.services.refunds import reconcile_with_parked
from loyalty.services.round_ups import keep_round_ups
from loyalty.services.tender_inputs import paid_by_kind
from loyalty.services.unit_tenders import UnitPayments
from loyalty.services.window_awards import Contribution, window_movements
from members.conditions.moments import Moment
from members.errors import FieldError, placed

# outdated: a newer message about the order had come before.
Outcome = Literal["created", "updated", "unchanged", "outdated"]


@dataclass(frozen=True, slots=True)
class OrderResult:
    """What became of one order. `awards`: program id and award, for orders judged just now."""

    order_id: int
    external_id: str
    outcome: Outcome
    customer_id: int | None
    awards: tuple[tuple[int, Award], ...] = ()


def record_orders(
    orders: Sequence[OrderInput],
    *,
    now: dt.datetime,
    transfer_source: str,
    program_ids: Sequence[int] | None = None,
    enrolling: Enrolling | None = None,
    checked: bool = False,
) -> list[OrderResult]:
    """Record orders of one source, all or nothing; repeating them changes nothing.

    New orders are judged by the rule versions in force when they were placed; changed ones are
    reconciled under the versions they were first judged by. `checked`: the caller has run
    `check_order` on each already. Raises InvalidOrderError, OrderConflictError.
    """
    for order in () if checked else orders:
        check_order(order)
    _refuse_doubles(orders)
    how = (now, transfer_source, program_ids, enrolling or Enrolling())
    return with_budgets(lambda whole: _record(orders, *how, whole))


def _record(
    orders: Sequence[OrderInput],
    now: dt.datetime,
    transfer_source: str,
    program_ids: Sequence[int] | None,
    enrolling: Enrolling,
    whole: set[int],
) -> list[OrderResult]:
    if not orders:
        return []
    if orders[0].partner is not None:
        program_ids = [orders[0].partner.program_id]
    terms, opened = open_batch(
        [_wanted(order) for order in orders],
        source=orders[0].source, program_ids=program_ids, enrolling=enrolling,
    )  # fmt: skip
    rounds = rounds_of(orders, terms)
    if len(rounds) > 1:
        how = (now, transfer_source, program_ids, enrolling, whole)
        return in_rounds(lambda some: _record(some, *how), orders, rounds)
    return _record_opened(orders, opened, terms, now, transfer_source, whole)


def _record_opened(
    orders: Sequence[OrderInput],
    opened: Sequence[Opened],
    terms: Terms,
    now: dt.datetime,
    transfer_source: str,
    whole: set[int],
) -> list[OrderResult]:
    """The caller holds the wallets of all buyers."""
    anew = [_content_anew(order, known) for order, known in zip(orders, opened, strict=True)]
    orders = _at_partners(orders, opened)
    payments = UnitPayments.load(orders, opened, anew, terms, now, transfer_source)
    orders = payments.completed(orders)
    rows = Rows()
    windows: list[Contribution] = []
    exchanges = Exchanges.load(orders, opened, terms)
    wishes = _all_wishes(orders, opened, terms, exchanges, now)
    new = [wish for found in wishes for wish in found]
    payments.wishes = new
    reconciles = any(anew) or any(known.parked for known in opened)
    book = CapBook.load(new, whole=whole | (_budgets_of(new) if reconciles else set()))
    results: list[OrderResult] = []
    off = called_off([known.order_id for known, new in zip(opened, anew, strict=True) if new])
    for index, (order, known) in enumerate(zip(orders, opened, strict=True)):
        with placed(index):
            if known.known:
                result = _take_again(order, known, anew[index], now)
            else:
                exchanges.refuse(index, order, known, terms)
                result = _judge(order, known, wishes[index], rows, book, now, transfer_source)
            windows += _contributions(order, known, wishes[index], result)
            if result.outcome in ("created", "updated"):
                payments.take(order, known)
        results.append(result)
    _write(rows, payments, terms, now)
    exchanges.keep_missing(opened)
    keep_rates({result.order_id: order.rates for order, result in zip(orders, results, strict=True)
                if result.outcome != "outdated"})  # fmt: skip
    let_codes_go([order for order, told in zip(orders, results, strict=True)
                  if told.outcome == "updated"], now)  # fmt: skip
    claim_codes_again(off, terms, now)
    keep_discounts(_written(orders, results, lambda order: order.discounts), terms, now)
    keep_round_ups(_written(orders, results, lambda order: order.round_up), now=now)
    of_windows = window_movements(windows, book, now=now, transfer_source=transfer_source)
    book.write()
    post(with_pools(of_windows, terms), now=now)
    people = _reconcile(orders, opened, results, terms, now, transfer_source)
    people |= {told.customer_id for told in results if told.outcome in ("created", "updated")}
    refresh_customers(people, terms=terms, now=now, locked=True)
    return results


def _reconcile(
    orders: Sequence[OrderInput],
    opened: Sequence[Opened],
    results: Sequence[OrderResult],
    terms: Terms,
    now: dt.datetime,
    transfer_source: str,
) -> set[int | None]:
    """Bring those that changed, and all budgets, to what they are by now; whose they are."""
    fresh = [result.order_id for result in results if result.outcome == "created"]
    changed = [
        known.order_id
        for known, result in zip(opened, results, strict=True)
        if known.parked or result.outcome == "updated"
    ]
    if not changed:
        settle_discounts(fresh, terms, now)
        return set()
    parked = [o.external_id for o, k in zip(orders, opened, strict=True) if k.parked]
    return reconcile_with_parked(
        changed, orders[0].source, parked, terms=terms, now=now,
        transfer_source=transfer_source, beside=fresh,
    )  # fmt: skip


def _write(rows: Rows, payments: UnitPayments, terms: Terms, now: dt.datetime) -> None:
    """The rows, between the spends that pay for them and what says so."""
    payments.post()
    rows.movements = with_pools(rows.movements, terms)
    write_batch(rows, now=now)
    payments.write()


def _wanted(order: OrderInput) -> Wanted:
    return Wanted(order.external_id, order.customer, order.placed_at, order.enroll)


def _written(
    orders: Sequence[OrderInput], results: Sequence[OrderResult],
    says: Callable[[OrderInput], object],
) -> list[Written]:  # fmt: skip
    """Those that say something now, or may have said it before they were written anew."""
    return [
        Written(place, result.order_id, order)
        for place, (order, result) in enumerate(zip(orders, results, strict=True))
        if result.outcome == "updated" or (result.outcome == "created" and says(order))
    ]


def _at_partners(orders: Sequence[OrderInput], opened: Sequence[Opened]) -> list[OrderInput]:
    """Known orders stay with the partner at whose they were placed, whoever tells them again; a
    partner tells its own only. Raises OrderConflictError."""
    ids = [known.order_id for known in opened if known.known]
    at = partners_of_orders(ids) if ids else {}
    return [
        _at_its_partner(place, order, at.get(known.order_id)) if known.known else order
        for place, (order, known) in enumerate(zip(orders, opened, strict=True))
    ]


def _at_its_partner(place: int, order: OrderInput, partner: AtPartner | None) -> OrderInput:
    with placed(place):
        if order.partner not in (None, partner):
            raise OrderConflictError(
                _("Order %(number)s is not yours.") % {"number": order.external_id},
                errors=[FieldError("external_id", _("It belongs to another."), "not_unique")],
            )
    return replace(order, partner=partner)


def _content_anew(order: OrderInput, known: Opened) -> bytes | None:
    """The hash of what a known order consists of by now; None: it is as it was."""
    if not known.known:
        return None
    body_hash = order.content().body_hash()
    return body_hash if body_hash != known.body_hash else None


def _take_again(
    order: OrderInput, known: Opened, anew: bytes | None, now: dt.datetime
) -> OrderResult:
    outcome: Outcome = "unchanged"
    if anew is not None:
        outcome = "updated" if rewrite_order(order, known, anew, now) else "outdated"
    return OrderResult(known.order_id, order.external_id, outcome, known.customer_id)


def _all_wishes(
    orders: Sequence[OrderInput], opened: Sequence[Opened], terms: Terms, exchanges: Exchanges,
    now: dt.datetime,
) -> list[list[Wish]]:  # fmt: skip
    """For each new order of a batch, by which programs it is judged, with what they ask."""
    wishes = [
        [] if known.known else list(_wishes(place, order, known, terms, exchanges, now))
        for place, (order, known) in enumerate(zip(orders, opened, strict=True))
    ]
    wishes = with_codes_used(wishes, orders, now)
    asked = iter(with_contexts([wish for found in wishes for wish in found]))
    return [[next(asked) for _wish in found] for found in wishes]


def _wishes(
    place: int, order: OrderInput, known: Opened, terms: Terms, exchanges: Exchanges,
    now: dt.datetime,
) -> Iterator[Wish]:  # fmt: skip
    """By which programs a new order is judged: those that the customer belongs to."""
    if known.customer_id is None:
        return
    basket = order.basket() if order.status not in Order.VOID else NOTHING
    for program in terms.programs:
        member = known.members.get(program.id)
        at = order.placed_at
        if order.partner is not None and order.partner.program_id != program.id:
            continue
        if member is None or not member.earns_at(at) or not program.earns_at(at):
            continue
        if exchanges.counts(place, order, program):
            versions = program.rulebook.in_force(order.placed_at)
            yield Wish(
                program, versions, member.membership_id, known.customer_id,
                as_counted(
                    occasion_of(order, basket, program), exchanges.found.get((place, program.id))
                ),
                confirmed_at=order_times(order, None, now).completed_at if program.tiers else None,
            )  # fmt: skip


def occasion_of(order: OrderInput, basket: Basket, program: ProgramTerms) -> Occasion:
    """An order that came in, as the rules of a program see it."""
    return Occasion(
        basket,
        Moment(order.placed_at, program.zone),
        currency=order.currency,
        channel=order.channel,
        store=order.store,
        payment_method=order.payment_method,
        coupons=order.coupons,
        paid_with=tuple(sorted(paid_by_kind(order.paid))),
        partner=order.partner.code if order.partner else "",
    )


def _judge(
    order: OrderInput,
    known: Opened,
    wishes: Sequence[Wish],
    rows: Rows,
    book: CapBook,
    now: dt.datetime,
    transfer_source: str,
) -> OrderResult:
    """Price a new order in each program that the customer belongs to."""
    refuse_order_ahead(order, now)
    times = order_times(order, None, now)
    rows.add_order(known.order_id, known.customer_id, order, times)
    if known.customer_id is None:
        return OrderResult(known.order_id, order.external_id, "created", None)
    awards: list[tuple[int, Award]] = []
    for wish in wishes:
        program, basket = wish.program, wish.occasion.basket
        found, rooms = book.judge(wish, basket)
        rows.add_evaluation(
            known.order_id, program.id, wish.membership_id,
            [version.id for version in wish.versions],
            rooms_as_json(rooms) | context_as_json(wish.context) | answers_as_json(wish.codes),
        )  # fmt: skip
        exchange = wish.occasion.exchange
        if exchange is not None:
            rows.conversions.append(conversion(known.order_id, program.id, exchange))
        told = conversion_told(order.basket(), exchange) if exchange else {}
        for award in found if basket is not NOTHING else ():
            awards.append((program.id, award))
            if award.units:
                book.take(award.version, wish, award.units)
                rows.movements.append(
                    accrual(
                        award,
                        units=award.units,
                        member=known.members[program.id],
                        terms=program,
                        times=times,
                        recorded_at=now,
                        key=f"order:{known.order_id}:{award.version.id}:0",
                        source=transfer_source,
                        order_id=known.order_id,
                        explanation=explain_award(
                            award,
                            currency=program.currency,
                            order=order.external_id,
                            partner=order.partner,
                            **told,
                        ),
                        partner=order.partner,
                    )
                )
    return OrderResult(
        known.order_id, order.external_id, "created", known.customer_id, tuple(awards)
    )


def _budgets_of(wishes: Sequence[Wish]) -> set[int]:
    """The budgets to lock as a whole from the beginning: those of new orders in a batch that will
    reconcile others, or themselves, for which it needs all slices. Whoever held some of them by
    then and waited for the rest would be in the way of others who do the same."""
    return {
        version.budget_key
        for wish in wishes
        for version in wish.versions
        if version.body.caps.has_budget
    }


def _contributions(
    order: OrderInput, known: Opened, wishes: Sequence[Wish], result: OrderResult
) -> Iterator[Contribution]:
    """What a new order brings towards windows of its buyer."""
    by_program = {wish.program.id: wish.program for wish in wishes}
    for program_id, award in result.awards:
        if award.counted:
            yield Contribution(
                by_program[program_id], known.members[program_id], award, known.order_id,
                order.placed_at, by_program[program_id].currency, order.placed_at,
            )  # fmt: skip


def _refuse_doubles(orders: Sequence[OrderInput]) -> None:
    seen: set[tuple[str, str]] = set()
    for index, order in enumerate(orders):
        address = (order.source, order.external_id)
        if address in seen or order.source != orders[0].source:
            raise InvalidOrderError(
                _("The batch names order %(number)s twice.") % {"number": order.external_id},
                errors=[
                    FieldError(f"orders[{index}].external_id", _("It is there twice."), "duplicate")
                ],
            )
        seen.add(address)
