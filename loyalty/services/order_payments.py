"""Units and gift cards that were spent before their order came, and the order that they pay for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from loyalty.errors import OrderConflictError
from loyalty.models import Account, Order, Tender, Transfer, UnitTender, Wallet
from loyalty.selectors.rulebooks import Terms
from loyalty.selectors.unit_tenders import called_off, spends_on
from loyalty.services.order_batches import Enrolling, Opened, Wanted, open_batch
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.reconciliation import reconcile_orders
from loyalty.services.tender_inputs import (
    TenderInput,
    paid_by_kind,
    refuse_overpaid,
    tender_kind,
    with_prepaid,
)
from members.selectors.merges import were_one
from members.services.transactions import run_atomically


@dataclass(frozen=True, slots=True)
class OrderToPay:
    """An order by its address, whether it was told by now, and the terms of all programs. Its
    buyer's wallets are locked."""

    source: str
    external_id: str
    known: Opened
    terms: Terms


def open_order(*, source: str, external_id: str, customer_id: int, now: dt.datetime) -> OrderToPay:
    """Lock all wallets of whoever pays, and look whether the order was told. Raises
    OrderConflictError where it is somebody else's, or came to nothing."""
    wanted = Wanted(external_id, CustomerRef(key=customer_id), now)
    terms, [known] = open_batch(
        [wanted], source=source, program_ids=None, enrolling=Enrolling(never=True)
    )
    if known.known:
        order = Order.objects.only("customer_id", "status").get(pk=known.order_id)
        if order.customer_id and not were_one(order.customer_id, customer_id):
            raise OrderConflictError(_("Order %s belongs to another customer.") % external_id)
        if order.status in Order.VOID:
            raise OrderConflictError(_("Order %s was canceled.") % external_id)
    return OrderToPay(source, external_id, known, terms)


def pay_order(
    order: OrderToPay,
    spends: Mapping[Transfer, Decimal],
    *,
    now: dt.datetime,
    transfer_source: str,
    with_cards: bool = True,
) -> None:
    """Say that these spends, each worth so much, pay for an order; without cards none of them is a
    gift card's. One that was told already is judged anew: what units paid of it does not earn.
    Raises OrderConflictError where units of the same kind, or the same gift card, paid for it
    before."""
    bearers = _bearers(spends) if with_cards else {}
    before = _paid_before(order, spends, bearers)
    told = order.known.known
    fresh = []
    for transfer, amount in spends.items():
        row = before.get((transfer.wallet_type_id, bearers.get(transfer.wallet_id)))
        if row is not None:
            row.transfer, row.amount = transfer, amount
            row.save(update_fields=["transfer", "amount"])
            continue
        fresh.append(
            UnitTender(
                source=order.source, order_external_id=order.external_id,
                order_id=order.known.order_id if told else None,
                wallet_type_id=transfer.wallet_type_id, bearer_id=bearers.get(transfer.wallet_id),
                transfer=transfer, amount=amount, recorded_at=now,
            )
        )  # fmt: skip
    UnitTender.objects.bulk_create(fresh)
    if told and spends:
        _retell_tenders(order.known.order_id)
        reconcile_orders(
            [order.known.order_id], terms=order.terms, now=now, transfer_source=transfer_source,
            causes={},
        )  # fmt: skip


def _paid_before(
    order: OrderToPay, spends: Mapping[Transfer, Decimal], bearers: Mapping[int | None, int]
) -> dict[tuple[int, int | None], UnitTender]:
    """What these pay in place of: it came back whole when the order was called off, before it was
    taken up again. Raises OrderConflictError where something of the same kind still pays."""
    kinds = [spend.wallet_type_id for spend in spends if spend.wallet_id not in bearers]
    rows = list(
        UnitTender.objects.filter(
            Q(bearer=None, wallet_type__in=kinds) | Q(bearer__in=bearers.values()),
            source=order.source, order_external_id=order.external_id,
        ).select_related("transfer")
    )  # fmt: skip
    back = called_off(rows) if rows else set()
    if any(row.pk not in back for row in rows):
        raise OrderConflictError(
            _("Order %s was paid with other units already.") % order.external_id
        )
    return {(row.wallet_type_id, row.bearer_id): row for row in rows}


def _bearers(spends: Iterable[Transfer]) -> dict[int | None, int]:
    """Of those that are of gift cards: the cards' accounts, by their wallets."""
    wallets = Wallet.objects.filter(
        pk__in=[spend.wallet_id for spend in spends], account__kind=Account.Kind.BEARER
    )
    return dict(wallets.values_list("pk", "account_id"))


def call_off_payment(*, source: str, external_id: str) -> None:
    """Nothing pays for this order before it is told, after all. Raises OrderConflictError where it
    was told, and stands; what came to nothing has given its units back already."""
    order = Order.objects.filter(source=source, external_id=external_id).first()
    if order is not None and order.status not in Order.VOID:
        raise OrderConflictError(_("Order %s was told. Cancel or refund it.") % external_id)
    UnitTender.objects.filter(source=source, order_external_id=external_id, order=None).delete()


def link_payments(*, now: dt.datetime, limit: int = 200) -> int:
    """Link payments with orders that came in the very moment in which they were made, when neither
    could see the other: an order without a buyer waits for nobody's wallets. How many there were.
    """
    order = Order.objects.filter(
        source=OuterRef("source"), external_id=OuterRef("order_external_id")
    )
    rows = UnitTender.objects.filter(Exists(order.filter(customer=None)), order=None)
    found = rows.values_list("source", "order_external_id").distinct()[:limit]
    for source, number in list(found):
        run_atomically(partial(_link, source, number, now))
    return len(found)


def _link(source: str, number: str, now: dt.datetime) -> None:
    wanted = Wanted(number, None, now)
    terms, [known] = open_batch(
        [wanted], source=source, program_ids=None, enrolling=Enrolling(never=True)
    )
    order = Order.objects.select_for_update(no_key=True).get(pk=known.order_id)
    rows = UnitTender.objects.filter(source=source, order_external_id=number, order=None)
    if order.customer_id is None and rows.update(order=order):
        _retell_tenders(order.pk)
        reconcile_orders(
            [order.pk], terms=terms, now=now, transfer_source=Transfer.Source.JOB, causes={}
        )


def _retell_tenders(order_id: int) -> None:
    """The order's tenders, with all that units paid."""
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    told = tuple(TenderInput(item.kind, item.amount) for item in order.tenders.all())
    paid = [
        TenderInput(tender_kind(spend.transfer.wallet_type), spend.amount)
        for spend in spends_on([order_id])
        if spend.amount is not None
    ]
    refuse_overpaid(paid, order.total, order.external_id, order.currency)
    order.tenders.all().delete()
    Tender.objects.bulk_create(
        Tender(order=order, kind=kind, amount=amount)
        for kind, amount in paid_by_kind(with_prepaid(told, paid, order.total)).items()
    )
