"""Units that members put into their pool and take from it by hand, and who may spend of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from loyalty.errors import InsufficientBalanceError, PoolRefusedError
from loyalty.ledger.balances import holdings
from loyalty.ledger.posting import Movement, WalletRef, lock_wallets, movement, post
from loyalty.models import (
    Account,
    Membership,
    Order,
    Pool,
    PoolMember,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.selectors.companies import room_to_spend
from loyalty.selectors.erased_holders import refuse_erased_member
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.services.adjustments import MOST_UNITS, Preview, whole_number
from loyalty.services.pool_audit import record_pool_audit
from loyalty.services.redemptions import redeem_units, terms_of
from members.errors import FieldError
from members.formatting import format_units
from members.services.audit import Actor
from members.services.transactions import run_atomically


def put_into_pool(
    *, member: PoolMember, wallet_type: WalletType, units: int, actor: Actor, key: str,
    source: str, now: dt.datetime,
) -> tuple[Transfer, bool]:  # fmt: skip
    """A member puts in some of what they can spend. Returns the movement out of their wallet, and
    whether it had been made before. Raises PoolRefusedError, InsufficientBalanceError."""
    own, common = _wallets(member, wallet_type)
    return _move(member, own, common, units, "put_in", actor, key, source, now)


def take_from_pool(
    *, member: PoolMember, wallet_type: WalletType, units: int, actor: Actor, key: str,
    source: str, now: dt.datetime,
) -> tuple[Transfer, bool]:  # fmt: skip
    """A member who may spend takes units into their own wallet. Returns and raises as
    `put_into_pool` does; the movement is that out of the pool."""
    own, common = _wallets(member, wallet_type)
    return _move(member, common, own, units, "taken", actor, key, source, now)


def preview_pool_move(
    *, member: PoolMember, wallet_type: WalletType, units: int, into: bool, now: dt.datetime
) -> tuple[Preview, Preview]:
    """What the member and the pool can spend before and after. Raises what moving would raise."""
    own, common = _wallets(member, wallet_type)
    giver = own if into else common
    _check(member, units, giver, now)
    held = holdings([own, common], now)
    spendable = held[giver.pk].spendable
    if units > spendable:
        raise InsufficientBalanceError(spendable, format_units(spendable, wallet_type))
    signed = -units if into else units
    mine, theirs = held[own.pk], held[common.pk]
    # What comes in repays a debt first.
    after = mine.spendable - units if into else max(mine.balance + units - mine.owed, 0)
    return Preview(mine.spendable, after), Preview(theirs.spendable, theirs.spendable - signed)


def spend_from_pool(
    *, membership: Membership, wallet_type: WalletType, units: int, key: str, source: str,
    actor: Actor, now: dt.datetime, occurred_at: dt.datetime | None = None,
    order: Order | None = None, note: str = "",
) -> tuple[Transfer, bool]:  # fmt: skip
    """A redemption that a member makes from their pool's wallet: `redeem_units` for who may. Raises
    PoolRefusedError too: in no pool, or not one of those who may spend."""
    places = PoolMember.objects.filter(membership=membership, left_at=None)
    member = places.select_related("pool", "membership").first()
    if member is None:
        raise refused("membership", _("This member is in no pool."))
    _own, common = _wallets(member, wallet_type)

    def spend() -> tuple[Transfer, bool]:
        lock_wallets([common.pk])
        if not Transfer.objects.filter(key=key).exists():
            row = _as_it_is_now(member)
            _check_spender(row)
            _check_limits(row, units, common, occurred_at or now)
        return redeem_units(
            wallet=common, units=units, key=key, source=source, actor=actor, now=now,
            occurred_at=occurred_at, order=order, note=note, spender=membership,
        )  # fmt: skip

    return run_atomically(spend)


def pool_movement(
    giver: Wallet, taker: Wallet, units: int, *, program: ProgramTerms, why: str, key: str,
    source: str, actor: Actor, now: dt.datetime, is_activity: bool = True, **rest: Any,
) -> Movement:  # fmt: skip
    """A movement between a member's wallet and the pool's, either way."""
    renewal = program.renewal(giver.wallet_type_id, Transfer.Kind.POOL.value, now)
    if renewal:
        renewal["act"] = renewal["act2"] = renewal["act"] and is_activity
    return movement(
        direction="move",
        kind=Transfer.Kind.POOL.value,
        ref=WalletRef(giver.pk, giver.account_id, giver.wallet_type_id, program.zone),
        counter_account_id=program.accounts[Account.Kind.TRANSIT],
        amount=units,
        occurred_at=now,
        key=key,
        source=source,
        explanation={"pool": why},
        actor=actor.user.pk if actor.user else None,
        w2=taker.pk,
        a2=taker.account_id,
        **renewal,
        **rest,
    )


def refused(field: str, message: str, *, code: str = "pool_refused", status: int = 409
            ) -> PoolRefusedError:  # fmt: skip
    return PoolRefusedError(
        message, code=code, status=status, errors=[FieldError(field, message, code)]
    )


def _move(
    member: PoolMember, giver: Wallet, taker: Wallet, units: int, why: str, actor: Actor, key: str,
    source: str, now: dt.datetime,
) -> tuple[Transfer, bool]:  # fmt: skip
    def move() -> tuple[Transfer, bool]:
        lock_wallets([giver.pk, taker.pk])
        if not Transfer.objects.filter(key=key).exists():
            _check(member, units, giver, now)
        entry = pool_movement(
            giver, taker, units, program=terms_of(giver), why=why, key=key, source=source,
            actor=actor, now=now,
        )  # fmt: skip
        try:
            posted = next(found for found in post([entry], now=now) if found.key == key)
        except InsufficientBalanceError as error:
            words = format_units(error.spendable, giver.wallet_type)
            raise InsufficientBalanceError(error.spendable, words) from error
        transfers = Transfer.objects.select_related("wallet", "wallet_type")
        transfer = transfers.get(pk=posted.transfer_id)
        if not posted.replayed:
            record_pool_audit(
                actor=actor,
                action=f"pool.{why}",
                member=member,
                after={
                    "units": whole_number(units, giver.wallet_type),
                    "wallet_type": giver.wallet_type.plural,
                    "transfer": transfer.pk,
                },
            )
        return transfer, posted.replayed

    return run_atomically(move)


def _check(member: PoolMember, units: int, giver: Wallet, now: dt.datetime) -> None:
    if not 0 < units <= MOST_UNITS:
        raise refused("units", _("Give a number above zero."), code="invalid_request", status=422)
    row = _as_it_is_now(member)
    refuse_erased_member(row.membership)
    if giver.account_id == row.pool.account_id:
        _check_spender(row)
        _check_limits(row, units, giver, now)
    elif row.membership.status != Membership.Status.ACTIVE:
        raise refused("membership", _("Only active members can share."))


def _as_it_is_now(member: PoolMember) -> PoolMember:
    row = PoolMember.objects.select_related("pool", "membership").get(pk=member.pk)
    if row.left_at is not None or row.pool.status != Pool.Status.OPEN:
        raise refused("membership", _("This member has left the pool."))
    return row


def _check_spender(member: PoolMember) -> None:
    if member.membership.status != Membership.Status.ACTIVE:
        raise refused("membership", _("Only active members can spend from a pool."))
    if not member.can_spend:
        raise refused("membership", _("This member may not spend from the pool."))


def _check_limits(member: PoolMember, units: int, wallet: Wallet, at: dt.datetime) -> None:
    """A company's, for buyers; under the lock of its wallet, so that two spends at once do not
    exceed them."""
    room = room_to_spend(member, wallet, at).now
    if room is not None and units > room:
        raise refused(
            "units",
            _("Without approval %s can be spent.") % format_units(room, wallet.wallet_type)
            if room
            else _("Nothing more can be spent without approval."),
            code="approval_needed",
        )


def _wallets(member: PoolMember, wallet_type: WalletType) -> tuple[Wallet, Wallet]:
    """The member's wallet and the pool's."""
    accounts = [member.membership.account_id, member.pool.account_id]
    found = {
        wallet.account_id: wallet
        for wallet in Wallet.objects.filter(
            account__in=accounts, wallet_type=wallet_type
        ).select_related("wallet_type__program")
    }
    if len(found) < len(accounts):
        raise refused("wallet_type", _("There is no such wallet in this pool."))
    return found[accounts[0]], found[accounts[1]]
