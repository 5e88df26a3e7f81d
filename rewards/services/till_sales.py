"""Sales of a till: recorded as orders of the till with the vouchers that they use, each once.

A sale of now is recorded whole or refused. One from a queue has happened already: it is recorded in
any case, and what could not be honored of it is said.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Membership, Order, Transfer
from loyalty.services.order_inputs import OrderInput
from loyalty.services.orders import record_orders
from loyalty.services.redemptions import OFFLINE
from loyalty.services.tender_inputs import TenderInput
from members.errors import DomainError
from members.services.audit import Actor
from rewards.models import Voucher, VoucherUse
from rewards.services.vouchers import hold_voucher, release_voucher, use_voucher

HOLD = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class UsedVoucher:
    """A voucher of a sale, and what the till took off for it, where it says so."""

    voucher: Voucher
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TillSale:
    """`order`: of the till as its source, with the till's own number for the sale."""

    order: OrderInput
    vouchers: tuple[UsedVoucher, ...] = ()
    # Whose sale it is, in each of the programs that they are in.
    members: tuple[Membership, ...] = ()

    @property
    def checkout(self) -> str:
        """What its vouchers know it by."""
        return f"{self.order.source}/{self.order.external_id}"

    def member_of(self, voucher: Voucher) -> Membership | None:
        """Who uses a shared voucher."""
        return next((item for item in self.members if item.program_id == voucher.program_id), None)


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be honored of a sale. `code`: stable; `voucher`: which one, as people read it;
    empty: its units."""

    code: str
    message: str
    voucher: str = ""


@dataclass(frozen=True, slots=True)
class RecordedSale:
    order_id: int
    outcome: str
    problems: tuple[Problem, ...] = ()


def record_sale(*, sale: TillSale, actor: Actor, now: dt.datetime) -> RecordedSale:
    """A sale of now, with its units and vouchers or not at all. Telling it again changes nothing.
    Raises what recording orders and holding vouchers raise; nothing is kept then."""
    held: list[Voucher] = []
    try:
        for used in _unused(sale):
            hold_voucher(
                voucher=used.voucher, checkout=sale.checkout, occasion=None, now=now, hold=HOLD,
                member=sale.member_of(used.voucher),
            )  # fmt: skip
            held.append(used.voucher)
        [result] = record_orders([sale.order], now=now, transfer_source=Transfer.Source.API)
    except DomainError:
        # Within the transaction of a request that has a key all of it comes undone.
        for voucher in () if _in_transaction() else held:
            release_voucher(voucher=voucher, checkout=sale.checkout, actor=actor, now=now)
        raise
    for used in _unused(sale):
        _use(sale, used, actor, now)
    return RecordedSale(result.order_id, result.outcome)


def replay_sale(*, sale: TillSale, actor: Actor, now: dt.datetime) -> RecordedSale:
    """A sale that happened while the till was offline. Its units and vouchers count as of its own
    time, up to 72 hours ago; what cannot be honored is left out, and said. Telling it again changes
    nothing and says the same. Raises what recording an order raises that is not for its units."""
    at = sale.order.placed_at
    if not now - OFFLINE <= at <= now:
        at = now
    known = Order.objects.filter(
        source=sale.order.source, external_id=sale.order.external_id
    ).first()
    problems, used_now = [], []
    # They are used before the order is recorded: one that is known has had its try.
    for used in _unused(sale):
        if known is not None:
            problems.append(_not_used(used))
            continue
        try:
            with _tried():
                _use(sale, used, actor, at)
            used_now.append(used.voucher)
        except DomainError as error:
            problems.append(Problem(error.code, str(error.message), used.voucher.written))
    try:
        order_id, outcome, refused = _replay_order(sale.order, known, now)
    except DomainError:
        # It contradicts itself and is not recorded: neither are its vouchers used.
        for voucher in used_now:
            release_voucher(voucher=voucher, checkout=sale.checkout, actor=actor, now=now)
        raise
    return RecordedSale(order_id, outcome, (*problems, *refused))


def _replay_order(
    order: OrderInput, known: Order | None, now: dt.datetime
) -> tuple[int, str, Sequence[Problem]]:
    plain = _without_units(order)
    if known is not None and bytes(known.body_hash) == plain.content().body_hash():
        return known.pk, "unchanged", _left_out(order, plain)
    try:
        with _tried():
            [result] = record_orders([order], now=now, transfer_source=Transfer.Source.API)
    except DomainError as error:
        if plain is order:
            raise
        [result] = record_orders([plain], now=now, transfer_source=Transfer.Source.API)
        return result.order_id, result.outcome, [Problem(error.code, str(error.message))]
    return result.order_id, result.outcome, ()


def _in_transaction() -> bool:
    return bool(transaction.get_connection().in_atomic_block)


def _tried() -> AbstractContextManager[object]:
    """Within a transaction what is refused undoes no more than what was tried."""
    return transaction.atomic() if _in_transaction() else nullcontext()


def _not_used(used: UsedVoucher) -> Problem:
    message = _("It could not be used when the sale was first told.")
    return Problem("voucher_not_used", message, used.voucher.written)


def _left_out(order: OrderInput, plain: OrderInput) -> Sequence[Problem]:
    """It was recorded before, without the units that it names."""
    if plain is order:
        return ()
    return [Problem("units_not_spent", _("Its units could not be spent when it was first told."))]


def _without_units(order: OrderInput) -> OrderInput:
    """Only told that units paid; the very order where none are to be spent."""
    if all(tender.units is None for tender in order.tenders):
        return order
    sums: dict[str, Decimal] = {}
    for tender in order.tenders:
        sums[tender.kind] = sums.get(tender.kind, Decimal(0)) + tender.amount
    told = tuple(TenderInput(kind, amount) for kind, amount in sums.items())
    return replace(order, tenders=told)


def _unused(sale: TillSale) -> list[UsedVoucher]:
    """Its vouchers without those that it has used already."""
    pks = [used.voucher.pk for used in sale.vouchers]
    done = set(
        VoucherUse.objects.filter(
            voucher__in=pks, checkout=sale.checkout, state=VoucherUse.State.USED
        ).values_list("voucher", flat=True)
    )
    return [used for used in sale.vouchers if used.voucher.pk not in done]


def _use(sale: TillSale, used: UsedVoucher, actor: Actor, at: dt.datetime) -> None:
    use_voucher(
        voucher=used.voucher, checkout=sale.checkout, occasion=None, told=used.amount, actor=actor,
        now=at, member=sale.member_of(used.voucher),
    )  # fmt: skip
