"""Recording refunds: each an additive fact with its own number; its order is reconciled with it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from loyalty.errors import InvalidOrderError, OrderConflictError
from loyalty.ledger.posting import post
from loyalty.models import Order, Refund, RefundLine, Transfer
from loyalty.selectors.rulebooks import Terms
from loyalty.services.member_tiers import refresh_customers
from loyalty.services.order_batches import Enrolling, Opened, Wanted, hold_people, open_batch
from loyalty.services.order_checks import check_refund, refuse_refund_ahead
from loyalty.services.order_inputs import CustomerRef, RefundInput
from loyalty.services.own_amounts import own_amount_movements
from loyalty.services.pool_shares import with_pools
from loyalty.services.reconciliation import member_refs, reconcile_orders
from members.errors import FieldError
from members.prepared import KeptQuery
from members.selectors.merges import were_one
from members.services.transactions import run_atomically

_TOLD: KeptQuery[Refund] = KeptQuery(
    lambda numbers, source: Refund.objects.filter(external_id__among=numbers, source=source)
)
_BOUGHT: KeptQuery[Order] = KeptQuery(
    lambda ids: Order.objects.only("customer_id", "currency").filter(pk__among=ids)
)


@dataclass(frozen=True, slots=True)
class RefundResult:
    """`parked`: it names an order that has not come yet, and waits for it."""

    refund_id: int
    external_id: str
    outcome: Literal["created", "unchanged"]
    parked: bool


def record_refunds(
    refunds: Sequence[RefundInput],
    *,
    now: dt.datetime,
    transfer_source: str,
    program_ids: Sequence[int] | None = None,
    enrolling: Enrolling | None = None,
) -> list[RefundResult]:
    """Record refunds of one source, all or nothing; repeating them changes nothing.

    By default nobody becomes a member by a refund. Raises InvalidOrderError, and
    OrderConflictError where a number comes again with other content.
    """
    for refund in refunds:
        check_refund(refund)
    enrolling = enrolling or Enrolling(never=True)
    return run_atomically(lambda: _record(refunds, now, transfer_source, program_ids, enrolling))


def _record(
    refunds: Sequence[RefundInput],
    now: dt.datetime,
    transfer_source: str,
    program_ids: Sequence[int] | None,
    enrolling: Enrolling,
) -> list[RefundResult]:
    if not refunds:
        return []
    source = refunds[0].source
    wanted = [Wanted(item.order_external_id, item.customer, item.refunded_at) for item in refunds]
    terms, opened = open_batch(wanted, source=source, program_ids=program_ids, enrolling=enrolling)
    numbers = [refund.external_id for refund in refunds]
    known = {refund.external_id: refund for refund in _TOLD.rows(numbers, source)}
    orders = {
        order.pk: order
        for order in _BOUGHT.rows([place.order_id for place in opened if place.known])
    }
    outcomes: list[Literal["created", "unchanged"]] = []
    created: dict[str, tuple[Refund, RefundInput]] = {}
    for item, place in zip(refunds, opened, strict=True):
        refund = known.get(item.external_id)
        if refund is None:
            refuse_refund_ahead(item, now)
            order = orders.get(place.order_id) if item.order_external_id else None
            refund = known[item.external_id] = _refund(item, place, order, now, program_ids)
            created[item.external_id] = refund, item
            outcomes.append("created")
        else:
            _refuse_other_content(refund, item)
            outcomes.append("unchanged")
    _write(created.values())
    _apply([refund for refund, _item in created.values()], terms, now, transfer_source)
    return [
        RefundResult(refund.pk, item.external_id, outcome, refund.is_parked)
        for item, outcome in zip(refunds, outcomes, strict=True)
        for refund in (known[item.external_id],)
    ]


def link_to_orders(source: str, numbers: Sequence[str]) -> dict[int, list[Refund]]:
    """Refunds that came before these orders find them now, and with them whose they are.

    Returns the newly linked refunds of each order. A refund in another currency, or of
    another customer, stays parked.
    """
    if not numbers:
        return {}
    orders = {
        order.external_id: order
        for order in Order.objects.only("external_id", "customer_id", "currency").filter(
            source=source, external_id__in=numbers
        )
    }
    linked = []
    for refund in Refund.objects.filter(
        source=source, order_external_id__in=list(orders), order=None
    ):
        order = orders[refund.order_external_id]
        if refund.currency != order.currency:
            continue
        named = refund.customer_id is not None and order.customer_id is not None
        if named and not were_one(refund.customer_id, order.customer_id):
            continue
        refund.order, refund.customer_id = order, refund.customer_id or order.customer_id
        linked.append(refund)
    Refund.objects.bulk_update(linked, ["order", "customer"], batch_size=500)
    return _by_order(linked)


def reconcile_with_parked(
    order_ids: Sequence[int],
    source: str,
    numbers: Sequence[str],
    *,
    terms: Terms,
    now: dt.datetime,
    transfer_source: str,
    beside: Sequence[int] = (),
) -> set[int | None]:
    """Reconcile these orders, with the refunds that came before those of these numbers. `beside`:
    as `reconcile_orders` says. Returns whose orders they are: the caller looks at their tiers."""
    causes = link_to_orders(source, numbers)
    people = reconcile_orders(
        order_ids, terms=terms, now=now, transfer_source=transfer_source, causes=causes,
        beside=beside, tiers=False,
    )  # fmt: skip
    take_back_linked(causes, terms=terms, now=now, transfer_source=transfer_source)
    return people


def link_parked_refunds(*, now: dt.datetime, limit: int = 500) -> int:
    """Link refunds whose order was being recorded in the very moment in which they came, when
    neither could see the other. Returns how many orders found refunds."""
    parked = Refund.objects.filter(order=None).exclude(order_external_id="")
    order = Order.objects.filter(
        source=OuterRef("source"),
        external_id=OuterRef("order_external_id"),
        currency=OuterRef("currency"),
    )
    numbers: defaultdict[str, set[str]] = defaultdict(set)
    for source, number in parked.filter(
        Exists(order.filter(Q(customer=None) | Q(customer=OuterRef("customer"))))
        | Q(customer=None) & Exists(order)
    ).values_list("source", "order_external_id")[:limit]:
        numbers[source].add(number)
    linked = 0
    for source, found in sorted(numbers.items()):
        linked += run_atomically(partial(_link, source, sorted(found), now))
    return linked


def _link(source: str, numbers: Sequence[str], now: dt.datetime) -> int:
    orders = Order.objects.filter(source=source, external_id__in=numbers)
    wanted = [
        Wanted(order.external_id, CustomerRef(key=order.customer_id), order.placed_at)
        for order in orders
        if order.customer_id
    ]
    terms, _opened = open_batch(
        wanted, source=source, program_ids=None, enrolling=Enrolling(never=True)
    )
    linked = link_to_orders(source, numbers)
    reconcile_orders(
        sorted(linked), terms=terms, now=now, transfer_source=Transfer.Source.JOB, causes=linked
    )
    take_back_linked(linked, terms=terms, now=now, transfer_source=Transfer.Source.JOB)
    return len(linked)


def take_back_linked(
    linked: Mapping[int, Sequence[Refund]],
    *,
    terms: Terms,
    now: dt.datetime,
    transfer_source: str,
) -> None:
    """Refunds that just found their order, in programs that take back a return's own amount.
    What was taken back before stays as it is."""
    if all(program.reconciles_linked for program in terms.programs):
        return
    _take_back_own_amounts(
        [refund for refunds in linked.values() for refund in refunds], terms, now, transfer_source
    )


def _by_order(refunds: Iterable[Refund]) -> dict[int, list[Refund]]:
    """The refunds of each order, in the order in which they happened."""
    found: defaultdict[int, list[Refund]] = defaultdict(list)
    for refund in sorted(refunds, key=lambda refund: (refund.refunded_at, refund.pk)):
        if refund.order_id:
            found[refund.order_id].append(refund)
    return found


def _refund(
    item: RefundInput, place: Opened, order: Order | None, now: dt.datetime,
    program_ids: Sequence[int] | None,
) -> Refund:  # fmt: skip
    """The row of a new refund, linked to its order if that is known. One that names only its order
    belongs to whoever bought; one that names none, to the program that it was told for alone."""
    alone = program_ids[0] if program_ids is not None and len(program_ids) == 1 else None
    if order is not None:
        _refuse_foreign_order(item, place, order)
    return Refund(
        source=item.source,
        external_id=item.external_id,
        customer_id=(order.customer_id if order else None) or place.customer_id,
        order=order,
        order_external_id=item.order_external_id,
        only_program_id=None if item.order_external_id else alone,
        refunded_at=item.refunded_at,
        currency=item.currency,
        total=item.total,
        tax_total=item.tax_total,
        shipping_total=item.shipping_total,
        body_hash=item.body_hash(),
        recorded_at=now,
    )


def _write(created: Iterable[tuple[Refund, RefundInput]]) -> None:
    created = list(created)
    hold_people(refund.customer_id for refund, _item in created)
    Refund.objects.bulk_create(refund for refund, _item in created)
    RefundLine.objects.bulk_create(
        RefundLine(
            refund=refund, line_no=line.line_no, order_line_no=line.order_line_no, sku=line.sku,
            category=line.category, quantity=line.quantity, total=line.total, tax=line.tax,
        )
        for refund, item in created
        for line in item.lines
    )  # fmt: skip


def _apply(created: Sequence[Refund], terms: Terms, now: dt.datetime, transfer_source: str) -> None:
    linked = _by_order(created)
    people = {refund.customer_id for refund in created}
    if linked:
        people |= reconcile_orders(
            sorted(linked), terms=terms, now=now, transfer_source=transfer_source, causes=linked,
            tiers=False,
        )  # fmt: skip
    _take_back_own_amounts(created, terms, now, transfer_source)
    # Also where the return takes back nothing: what came back was not bought.
    refresh_customers(people, terms=terms, now=now, locked=True)


def _take_back_own_amounts(
    refunds: Sequence[Refund], terms: Terms, now: dt.datetime, transfer_source: str
) -> None:
    """For the programs and refunds where a return stands for itself; see `own_amount_movements`."""
    alone = any(not program.reconciles_linked for program in terms.programs)
    refunds = [r for r in refunds if r.customer_id and (alone or not r.order_external_id)]
    if not refunds:
        return
    members = member_refs({r.customer_id for r in refunds if r.customer_id}, terms)
    movements = []
    for refund in sorted(refunds, key=lambda r: (r.refunded_at, r.pk)):
        movements += own_amount_movements(
            refund, terms=terms, members=members, transfer_source=transfer_source
        )
    post(with_pools(movements, terms), now=now)


def _refuse_other_content(refund: Refund, item: RefundInput) -> None:
    if bytes(refund.body_hash) != item.body_hash():
        raise OrderConflictError(
            _("Refund %(number)s was recorded with other content.") % {"number": item.external_id},
            errors=[
                FieldError(
                    "external_id", _("Give a further refund a number of its own."), "not_unique"
                )
            ],
        )


def _refuse_foreign_order(item: RefundInput, place: Opened, order: Order) -> None:
    named = place.customer_id is not None and order.customer_id is not None
    if named and not were_one(order.customer_id, place.customer_id):
        raise InvalidOrderError(
            _("Order %(number)s belongs to another customer.") % {"number": item.order_external_id},
            errors=[FieldError("customer", _("Not the buyer of the order."))],
        )
    if order.currency != item.currency:
        raise InvalidOrderError(
            _("Order %(number)s was placed in %(currency)s.")
            % {"number": item.order_external_id, "currency": order.currency},
            errors=[FieldError("currency", _("Refund in the order's currency."))],
        )
