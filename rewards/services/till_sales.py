"""Sales of a till: recorded as orders of the till with the vouchers that they use and the rewards
that are taken with them, each once.

A sale of now is recorded whole or refused. One from a queue has happened already: it is recorded in
any case, and what could not be honored of it is said.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.ledger.posting import lock_wallets
from loyalty.models import Membership, Order, Transfer
from loyalty.selectors.memberships import wallets_of_orders
from loyalty.services.order_inputs import OrderInput
from loyalty.services.orders import record_orders
from loyalty.services.redemptions import OFFLINE
from loyalty.services.tender_inputs import TenderInput
from members.errors import DomainError
from members.services import transactions
from members.services.audit import Actor
from members.services.transactions import run_atomically
from rewards.errors import VoucherRefusedError
from rewards.models import Redemption, Reward, Voucher, VoucherUse
from rewards.services.stacking import refuse_together
from rewards.services.till_rewards import TakenAtTill, keyed, take_at_till, taken_at_till
from rewards.services.vouchers import hold_voucher, release_voucher, use_voucher
from rewards.voucher_terms import terms_of

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
    # What is taken with it, and used at once.
    rewards: tuple[TakenAtTill, ...] = ()
    # Whose sale it is, in each of the programs that they are in.
    members: tuple[Membership, ...] = ()

    @property
    def checkout(self) -> str:
        """What its vouchers know it by."""
        return f"{self.order.source}/{self.order.external_id}"

    def member_of(self, of: Voucher | Reward) -> Membership | None:
        """Who uses a shared voucher, or takes a reward."""
        return next((item for item in self.members if item.program_id == of.program_id), None)


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be honored of a sale. `code`: stable; `voucher`: which one, as people read it;
    `reward`: which one; neither: its units."""

    code: str
    message: str
    voucher: str = ""
    reward: Reward | None = None


@dataclass(frozen=True, slots=True)
class RecordedSale:
    order_id: int
    outcome: str
    problems: tuple[Problem, ...] = ()


def record_sale(*, sale: TillSale, actor: Actor, now: dt.datetime) -> RecordedSale:
    """A sale of now, with its units, vouchers and rewards or not at all. Telling it again changes
    nothing. Raises what recording orders, holding vouchers and taking rewards raise; nothing is
    kept then."""
    if not sale.rewards:
        lock_sales([sale])
        return _record(sale, actor, now)
    return run_atomically(lambda: _record_with_rewards(sale, actor, now))


def _record_with_rewards(sale: TillSale, actor: Actor, now: dt.datetime) -> RecordedSale:
    """In one transaction. A sale pays with what was there before it, so they are taken first."""
    lock_sales([sale])
    _refuse_together(sale)
    for key, item in keyed(sale.checkout, sale.rewards):
        take_at_till(
            item, key=key, member=sale.member_of(item.reward), checkout=sale.checkout,
            actor=actor, now=now, at=now,
        )  # fmt: skip
    return _record(sale, actor, now)


def _record(sale: TillSale, actor: Actor, now: dt.datetime) -> RecordedSale:
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
        for voucher in () if transactions.within_another() else held:
            release_voucher(voucher=voucher, checkout=sale.checkout, actor=actor, now=now)
        raise
    for used in _unused(sale):
        _use(sale, used, actor, now)
    return RecordedSale(result.order_id, result.outcome)


def replay_sale(*, sale: TillSale, actor: Actor, now: dt.datetime) -> RecordedSale:
    """A sale that happened while the till was offline. Its units, vouchers and rewards count as of
    its own time, up to 72 hours ago; what cannot be honored is left out, and said. Telling it again
    changes nothing and says the same. Raises what recording an order raises that is not for its
    units."""
    if not sale.rewards:
        return _replay(sale, actor, now)
    # Two that are sent at once wait in turn.
    return run_atomically(lambda: _replay_or_nothing(sale, actor, now))


def _replay_or_nothing(sale: TillSale, actor: Actor, now: dt.datetime) -> RecordedSale:
    """What contradicts itself leaves nothing behind, also within the transaction of its queue."""
    with transaction.atomic():
        return _replay(sale, actor, now)


def _replay(sale: TillSale, actor: Actor, now: dt.datetime) -> RecordedSale:
    lock_sales([sale])
    at = sale.order.placed_at
    if not now - OFFLINE <= at <= now:
        at = now
    known = Order.objects.filter(
        source=sale.order.source, external_id=sale.order.external_id
    ).first()
    problems, used_now = list(_replay_rewards(sale, known, actor, now, at)), []
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


def _replay_rewards(
    sale: TillSale, known: Order | None, actor: Actor, now: dt.datetime, at: dt.datetime
) -> Iterator[Problem]:
    """Each by itself. What was not taken when the sale was first told is not taken later."""
    had = {taken.key for taken in taken_at_till(sale.checkout)}
    for key, item in keyed(sale.checkout, sale.rewards):
        if key in had:
            continue
        if known is not None:
            message = _("It could not be taken when the sale was first told.")
            yield Problem("reward_not_taken", message, reward=item.reward)
            continue
        try:
            with _tried():
                take_at_till(
                    item, key=key, member=sale.member_of(item.reward), checkout=sale.checkout,
                    actor=actor, now=now, at=at,
                )  # fmt: skip
        except DomainError as error:
            yield Problem(error.code, str(error.message), reward=item.reward)


def lock_sales(sales: Sequence[TillSale]) -> None:
    """In a transaction all that sales of it will change: the wallets of their members and of these
    members' pools, as their orders lock them, then vouchers, each after what it was taken as.
    Whoever waits for a reward has locked theirs before."""
    if not transactions.within_another():
        return
    lock_wallets(wallets_of_orders({item.customer_id for sale in sales for item in sale.members}))
    pks = [used.voucher.pk for sale in sales for used in sale.vouchers]
    if pks:
        taken = Redemption.objects.select_for_update().filter(voucher__in=pks).order_by("pk")
        list(taken.values_list("pk"))
        list(
            Voucher.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk")
        )


def _refuse_together(sale: TillSale) -> None:
    """One that was told before has had them together, whatever their rewards say by now."""
    parts = [used.voucher.terms for used in sale.vouchers]
    try:
        refuse_together([*parts, *(terms_of(item.reward) for item in sale.rewards)])
    except VoucherRefusedError:
        had = {taken.key for taken in taken_at_till(sale.checkout)}
        if any(key not in had for key, _item in keyed(sale.checkout, sale.rewards)):
            raise


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


def _tried() -> AbstractContextManager[object]:
    """Within a transaction what is refused undoes no more than what was tried."""
    return transaction.atomic() if transactions.within_another() else nullcontext()


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
