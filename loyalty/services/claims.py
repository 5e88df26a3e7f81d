"""Guest orders: given to who turns out to have bought them, and taken back if that was a mistake.

Nobody is given an order for having the right e-mail address: somebody decides, or the shop says so.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.errors import OrderConflictError
from loyalty.models import Order, Refund, Transfer
from loyalty.selectors.rulebooks import Terms
from loyalty.selectors.transfers import transfers
from loyalty.services.member_tiers import refresh_customers
from loyalty.services.order_batches import Enrolling, Opened, Wanted, hold_people, open_batch
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.reconciliation import reconcile_orders
from loyalty.services.refunds import take_back_linked
from members.errors import FieldError
from members.models import Customer
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.transactions import run_atomically


def claim_order(
    *, order: Order, customer: Customer, actor: Actor, source: str, now: dt.datetime
) -> tuple[Order, bool]:
    """Give a guest order to a customer. Returns it, and whether it was theirs before.

    What was kept of it earns by the rules that were in force when it was placed; where a program
    takes in everybody, the customer joins with it. Raises OrderConflictError where it is somebody
    else's.
    """
    return run_atomically(lambda: _claim(order.pk, customer, actor, source, now))


def unclaim_order(*, order: Order, actor: Actor, source: str, now: dt.datetime) -> Order:
    """Make an order that was given to a customer by hand a guest's again, and take back what it
    earned. Doing so again changes nothing."""
    return run_atomically(lambda: _unclaim(order.pk, actor, source, now))


def preview_claim(*, order: Order, customer: Customer, now: dt.datetime) -> list[Transfer]:
    """What the order would earn: it is claimed, looked at, and left as it was."""
    source = Transfer.Source.BACKOFFICE
    with transaction.atomic():
        claim_order(order=order, customer=customer, actor=SYSTEM, source=source, now=now)
        moved = list(transfers().filter(order=order).order_by("pk"))
        transaction.set_rollback(True)
    return moved


def _claim(
    pk: int, customer: Customer, actor: Actor, source: str, now: dt.datetime
) -> tuple[Order, bool]:
    terms, opened, order = _open(pk, customer.pk, Enrolling())
    if order.customer_id is not None:
        if order.customer_id == opened.customer_id:
            return order, True
        raise OrderConflictError(
            _("Order %(number)s belongs to another customer.") % {"number": order.external_id},
            errors=[FieldError("customer", _("An order does not change hands."), "immutable")],
        )
    order.customer_id, order.claimed_at = opened.customer_id, now
    order.save(update_fields=["customer", "claimed_at"])
    refunds = Refund.objects.filter(order=order)
    refunds.filter(customer=None).update(customer=opened.customer_id)
    reconcile_orders([pk], terms=terms, now=now, transfer_source=source, causes={})
    returned = list(refunds.prefetch_related("lines").order_by("refunded_at", "pk"))
    if returned:
        take_back_linked({pk: returned}, terms=terms, now=now, transfer_source=source)
    _audit("order.claimed", order, actor)
    return order, False


def _unclaim(pk: int, actor: Actor, source: str, now: dt.datetime) -> Order:
    known = Order.objects.get(pk=pk)
    if known.customer_id is None:
        return known
    terms, _opened, order = _open(pk, known.customer_id, Enrolling(never=True))
    if order.claimed_at is None:
        raise OrderConflictError(
            _("Order %(number)s came with its customer.") % {"number": order.external_id}
        )
    if Transfer.objects.filter(order=None, refund__order=order).exists():
        raise OrderConflictError(
            _("Order %(number)s has taken back units for what was returned; it stays where it is.")
            % {"number": order.external_id}
        )
    reconcile_orders([pk], terms=terms, now=now, transfer_source=source, causes={}, void={pk})
    _audit("order.unclaimed", order, actor)
    Refund.objects.filter(order=order, customer=order.customer_id).update(customer=None)
    # Whoever claims it next is judged anew, at the rate of then, towards windows of their own.
    order.evaluations.all().delete()
    order.conversions.all().delete()
    order.missing_rates.all().delete()
    order.window_parts.all().delete()
    order.customer, order.claimed_at = None, None
    order.save(update_fields=["customer", "claimed_at"])
    refresh_customers([known.customer_id], terms=terms, now=now, locked=True)
    return order


def _open(pk: int, customer_id: int, enrolling: Enrolling) -> tuple[Terms, Opened, Order]:
    """The order with its lock, once its customer's wallets are locked."""
    known = Order.objects.get(pk=pk)
    wanted = Wanted(known.external_id, CustomerRef(key=customer_id), known.placed_at)
    terms, [opened] = open_batch(
        [wanted], source=known.source, program_ids=None, enrolling=enrolling
    )
    hold_people([opened.customer_id])
    return terms, opened, Order.objects.select_for_update().get(pk=pk)


def _audit(action: str, order: Order, actor: Actor) -> None:
    assert order.customer_id is not None
    customer = Customer.objects.get(pk=order.customer_id)
    record_audit(actor=actor, action=action, target=customer, after={"order": order.external_id})
