"""One act done through the services, as an interface would do it. What an act refers to is looked
up when it is done: it may have been refused, or be told later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

from config.simulation.plan import Act
from loyalty.models import Account, Lot, Membership, Order, Pool, PoolMember, Transfer, Wallet
from loyalty.services import pool_leaving, pool_moves, pools
from loyalty.services.adjustments import adjust_units
from loyalty.services.expiry import confirm_matured, write_down_expired
from loyalty.services.gift_reversals import undo_movement
from loyalty.services.gifts import donate_units, give_units
from loyalty.services.lots import extend_lot, reinstate_units, settle_debt
from loyalty.services.order_holds import confirm_order, hold_order, release_order
from loyalty.services.order_inputs import CustomerRef, OrderInput, RefundInput
from loyalty.services.orders import record_orders
from loyalty.services.redemptions import redeem_units, reverse_redemption
from loyalty.services.refunds import record_refunds
from members.errors import NotFoundError
from members.models import Customer, CustomerMerge
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge

Row = TypeVar("Row")
SOURCE = "api"
POOLED = "plain"


def do(act: Act, now: dt.datetime) -> int:
    """Do it, at this business instant. Returns how many units were moved, where that can be said.

    Raises DomainError where it is refused.
    """
    return HANDS[act.kind](act, now, **act.about)


# --- what there is


def _customer(number: str) -> Customer:
    customer = Customer.objects.select_related("merged_into").get(external_id=number)
    return customer.merged_into or customer


def _membership(who: str, program: str) -> Membership:
    found = Membership.objects.select_related("program", "customer")
    return found.get(customer=_customer(who), program__code=program)


def _wallet(who: str, program: str) -> Wallet:
    return _first_wallet(_membership(who, program).account_id)


def _first_wallet(account_id: int) -> Wallet:
    wallets = Wallet.objects.select_related("wallet_type__program")
    return wallets.get(account=account_id)


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFoundError("There is no such thing yet.")
    return row


def _transfer(key: str) -> Transfer:
    transfers = Transfer.objects.select_related("wallet", "wallet_type")
    found: Transfer = _found(transfers.filter(key=key).first())
    return found


def _order(number: str) -> Order:
    return _found(Order.objects.filter(external_id=number).first())


def _place(who: str) -> PoolMember:
    places = PoolMember.objects.select_related("pool__program", "membership")
    return _found(places.filter(membership=_membership(who, POOLED), left_at=None).first())


def _buyer(number: str | None) -> CustomerRef | None:
    return CustomerRef(number) if number else None


# --- what shops tell


def _buy(
    _act: Act, now: dt.datetime, *, number: str, placed_at: dt.datetime, total: Any, status: str,
    buyer: str | None, sequence: int,
) -> int:  # fmt: skip
    order = OrderInput(
        number, placed_at, "USD", total, _buyer(buyer), status=status, sequence=sequence
    )
    record_orders([order], now=now, transfer_source=SOURCE)
    return 0


def _refund(
    act: Act, now: dt.datetime, *, of: str, amount: Any, at: dt.datetime, buyer: str | None
) -> int:
    refund = RefundInput(act.key, at, "USD", amount, _buyer(buyer), of)
    record_refunds([refund], now=now, transfer_source=SOURCE)
    return 0


def _order_by_hand(change: Callable[..., Order]) -> Callable[..., int]:
    def do_by_hand(_act: Act, now: dt.datetime, *, order: str) -> int:
        change(order=_order(order), actor=SYSTEM, reason="", now=now)
        return 0

    return do_by_hand


# --- units


def _redeem(
    act: Act, now: dt.datetime, *, who: str, program: str, units: int, at: dt.datetime, order: str
) -> int:
    transfer, _known = redeem_units(
        wallet=_wallet(who, program), units=units, key=act.key, source=SOURCE, actor=SYSTEM,
        now=now, occurred_at=at, order=_order(order) if order else None,
    )  # fmt: skip
    return transfer.amount


def _give_back(act: Act, now: dt.datetime, *, of: str, units: int | None) -> int:
    transfer, _known = reverse_redemption(
        transfer=_transfer(of), units=units, key=act.key, source=SOURCE, actor=SYSTEM, now=now
    )
    return transfer.amount


def _give(act: Act, now: dt.datetime, *, who: str, program: str, to: str, units: int) -> int:
    transfer, _known = give_units(
        wallet=_wallet(who, program), to=_membership(to, program), units=units, message="",
        actor=SYSTEM, key=act.key, source=SOURCE, now=now,
    )  # fmt: skip
    return transfer.amount


def _donate(act: Act, now: dt.datetime, *, who: str, program: str, units: int) -> int:
    charity = Account.objects.get(program__code=program, kind=Account.Kind.CHARITY)
    transfer, _known = donate_units(
        wallet=_wallet(who, program), charity=charity, units=units, actor=SYSTEM, key=act.key,
        source=SOURCE, now=now,
    )  # fmt: skip
    return transfer.amount


def _adjust(act: Act, now: dt.datetime, *, who: str, program: str, units: int) -> int:
    transfer, _known = adjust_units(
        wallet=_wallet(who, program), units=units, reason="goodwill", note="", actor=SYSTEM,
        key=act.key, source=SOURCE, now=now,
    )  # fmt: skip
    return transfer.amount


def _undo(_act: Act, now: dt.datetime, *, of: str) -> int:
    made, _known = undo_movement(transfer=_transfer(of), actor=SYSTEM, source=SOURCE, now=now)
    return made.amount


def _settle(act: Act, now: dt.datetime, *, who: str, program: str, way: str) -> int:
    transfer = settle_debt(
        wallet=_wallet(who, program), way=way, actor=SYSTEM, note="", key=act.key, source=SOURCE,
        now=now,
    )  # fmt: skip
    return transfer.amount


def _extend(_act: Act, now: dt.datetime, *, who: str, program: str, until: dt.datetime) -> int:
    lots = Lot.objects.filter(wallet=_wallet(who, program), due_at__gt=now, remaining__gt=0)
    lot = _found(lots.order_by("due_at", "pk").first())
    extend_lot(lot=lot, until=until, actor=SYSTEM, note="", now=now)
    return 0


def _reinstate(
    act: Act, now: dt.datetime, *, who: str, program: str, until: dt.datetime, units: int
) -> int:
    known = Transfer.objects.filter(key=act.key).first()
    gone = Transfer.objects.filter(wallet=_wallet(who, program), kind=Transfer.Kind.EXPIRY)
    expiry = known.corrects if known else gone.order_by("-pk").first()
    transfer, _known = reinstate_units(
        transfer=_found(expiry), units=units, until=until, actor=SYSTEM, note="", key=act.key,
        source=SOURCE, now=now,
    )  # fmt: skip
    return transfer.amount


# --- pools


def _found_pool(
    _act: Act, now: dt.datetime, *, who: str, name: str, share: int | None, bring: bool,
    leaving: str,
) -> int:  # fmt: skip
    terms = pools.PoolTerms(
        name, contribution="share" if share else "all", share=share, leaving=leaving
    )
    pools.create_pool(
        owner=_membership(who, POOLED), terms=terms, bring=bring, actor=SYSTEM, source=SOURCE,
        now=now,
    )  # fmt: skip
    return 0


def _join_pool(_act: Act, now: dt.datetime, *, who: str, name: str, bring: bool) -> int:
    pools.add_pool_member(
        pool=_found(Pool.objects.filter(name=name).first()), membership=_membership(who, POOLED),
        bring=bring, actor=SYSTEM, source=SOURCE, now=now,
    )  # fmt: skip
    return 0


def _pool_move(move: Callable[..., tuple[Transfer, bool]]) -> Callable[..., int]:
    def do_move(act: Act, now: dt.datetime, *, who: str, units: int) -> int:
        place = _place(who)
        transfer, _known = move(
            member=place, wallet_type=place.pool.program.wallet_types.get(), units=units,
            actor=SYSTEM, key=act.key, source=SOURCE, now=now,
        )  # fmt: skip
        return transfer.amount

    return do_move


def _spend_from_pool(act: Act, now: dt.datetime, *, who: str, units: int, at: dt.datetime) -> int:
    membership = _membership(who, POOLED)
    transfer, _known = pool_moves.spend_from_pool(
        membership=membership, wallet_type=membership.program.wallet_types.get(), units=units,
        key=act.key, source=SOURCE, actor=SYSTEM, now=now, occurred_at=at,
    )  # fmt: skip
    return transfer.amount


def _leave_pool(_act: Act, now: dt.datetime, *, who: str) -> int:
    pool_leaving.leave_pool(member=_place(who), actor=SYSTEM, source=SOURCE, now=now)
    return 0


# --- people and jobs


def _merge(_act: Act, now: dt.datetime, *, kept: str, merged: str) -> int:
    both = {c.external_id: c for c in Customer.objects.filter(external_id__in=[kept, merged])}
    merge_customers(kept=both[kept], merged=both[merged], actor=SYSTEM, source=SOURCE, now=now)
    return 0


def _part(_act: Act, now: dt.datetime, *, who: str) -> int:
    merges = CustomerMerge.objects.filter(kept__external_id=who, undone_at=None)
    undo_merge(merge=_found(merges.order_by("-pk").first()), actor=SYSTEM, source=SOURCE, now=now)
    return 0


def _expire(_act: Act, now: dt.datetime) -> int:
    write_down_expired(now)
    return 0


def _bring_up_to_now(_act: Act, now: dt.datetime) -> int:
    confirm_matured(now)
    return 0


HANDS: dict[str, Callable[..., int]] = {
    "buy": _buy,
    "refund": _refund,
    "hold": _order_by_hand(hold_order),
    "release": _order_by_hand(release_order),
    "confirm": _order_by_hand(confirm_order),
    "redeem": _redeem,
    "give_back": _give_back,
    "give": _give,
    "donate": _donate,
    "adjust": _adjust,
    "undo": _undo,
    "settle": _settle,
    "extend": _extend,
    "reinstate": _reinstate,
    "found_pool": _found_pool,
    "join_pool": _join_pool,
    "put_into_pool": _pool_move(pool_moves.put_into_pool),
    "take_from_pool": _pool_move(pool_moves.take_from_pool),
    "spend_from_pool": _spend_from_pool,
    "leave_pool": _leave_pool,
    "merge": _merge,
    "part": _part,
    "expire": _expire,
    "bring_up_to_now": _bring_up_to_now,
}
