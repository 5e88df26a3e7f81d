"""Recording the rows of an import, and keeping which they were, so that it can be undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.contrib.postgres.functions import TransactionNow
from django.utils import timezone

from loyalty.models import ImportBatch, Membership, Order, Program, Transfer, UndoneOrder
from loyalty.services.import_buyers import with_known_buyers
from loyalty.services.kept_orders import judge_kept_orders
from loyalty.services.order_batches import Enrolling
from loyalty.services.order_inputs import OrderInput, RefundInput
from loyalty.services.orders import OrderResult, record_orders
from loyalty.services.refunds import RefundResult, record_refunds
from members.models import Customer, Job
from members.services.audit import Actor

# Of an order that an undo has canceled: no content has it, so that the batch has lost the order.
NO_MARK = 0


def mark_of(body_hash: bytes | memoryview) -> int:
    """The beginning of a content's digest as a number: what an order said when it was imported."""
    return int.from_bytes(bytes(body_hash)[:8], "big", signed=True)


@dataclass(slots=True)
class Brought:
    """What became of rows (`outcomes`), and what they brought: keys, with marks of orders that are
    new (`orders`) or had been kept as history until now (`judged`)."""

    outcomes: list[str] = field(default_factory=list)
    orders: dict[int, int] = field(default_factory=dict)
    judged: dict[int, int] = field(default_factory=dict)
    changed: list[int] = field(default_factory=list)
    returns: list[int] = field(default_factory=list)
    customers: set[int] = field(default_factory=set)

    def add(self, other: Brought) -> None:
        self.outcomes += other.outcomes
        self.orders |= other.orders
        self.judged |= other.judged
        self.changed += other.changed
        self.returns += other.returns
        self.customers |= other.customers

    def keep(self, job: Job) -> None:
        """In the transaction that recorded it."""
        if not (self.orders or self.judged or self.changed or self.returns):
            return
        ImportBatch.objects.create(
            job=job, orders=list(self.orders), judged=list(self.judged),
            marks=[*self.orders.values(), *self.judged.values()], changed=self.changed,
            returns=self.returns, customers=sorted(self.customers),
        )  # fmt: skip


def record_rows(
    values: Sequence[OrderInput | RefundInput], *, program: Program | None, actor: Actor
) -> Brought:
    """Record what was read, all or nothing. Without a program it is kept as history."""
    now = timezone.now()
    values = with_known_buyers(values, actor=actor)
    orders = [value for value in values if isinstance(value, OrderInput)]
    refunds = [value for value in values if isinstance(value, RefundInput)]
    undone = _undone(orders)
    # Every customer whom the files name becomes a member, also one who only brought things back.
    enrolling = Enrolling(Membership.Source.IMPORT, always=True, never=program is None)
    into = [program.pk] if program else []
    recorded = record_orders(
        orders, now=now, transfer_source=Transfer.Source.IMPORT, program_ids=into,
        enrolling=enrolling, checked=True,
    )  # fmt: skip
    returned = record_refunds(
        refunds, now=now, transfer_source=Transfer.Source.IMPORT, program_ids=into,
        enrolling=enrolling,
    )  # fmt: skip
    judged = _judge_kept(recorded, program, now)
    return _brought(orders, recorded, returned, judged, undone)


def _judge_kept(
    recorded: Sequence[OrderResult], program: Program | None, now: dt.datetime
) -> set[int]:
    """Those that were kept as history until now."""
    if program is None:
        return set()
    return judge_kept_orders(
        [item.order_id for item in recorded if item.outcome == "unchanged"],
        program=program, now=now, transfer_source=Transfer.Source.IMPORT,
    )  # fmt: skip


def _undone(orders: Sequence[OrderInput]) -> set[int]:
    """Those that an undo canceled: written anew they come back, and are this import's own."""
    if not orders or not UndoneOrder.objects.exists():
        return set()
    found = UndoneOrder.objects.filter(
        order__source=orders[0].source,
        order__external_id__in=[order.external_id for order in orders],
        order__status=Order.Status.CANCELED,
    )
    return set(found.values_list("order_id", flat=True))


def _brought(
    orders: Sequence[OrderInput],
    recorded: Sequence[OrderResult],
    returned: Sequence[RefundResult],
    judged: set[int],
    undone: set[int],
) -> Brought:
    found = Brought()
    for value, item in zip(orders, recorded, strict=True):
        back = item.outcome == "updated" and item.order_id in undone
        if item.outcome == "created" or back:
            found.orders[item.order_id] = mark_of(value.content().body_hash())
        elif item.order_id in judged:
            found.judged[item.order_id] = mark_of(value.content().body_hash())
        elif item.outcome == "updated":
            found.changed.append(item.order_id)
        found.outcomes.append("updated" if item.order_id in judged else item.outcome)
    found.outcomes += [item.outcome for item in returned]
    found.returns = [item.refund_id for item in returned if item.outcome == "created"]
    UndoneOrder.objects.filter(order__in=undone & set(found.orders)).delete()
    found.customers = _new_customers([item.customer_id for item in recorded], found.returns)
    return found


def _new_customers(buyers: Iterable[int | None], returns: Sequence[int]) -> set[int]:
    """Who came into being with these rows: in this very transaction."""
    people = {pk for pk in buyers if pk is not None}
    if returns:
        people |= set(Customer.objects.filter(refunds__in=returns).values_list("pk", flat=True))
    made = Customer.objects.filter(pk__in=people, created_at=TransactionNow())
    return set(made.values_list("pk", flat=True))
