"""Leaving a pool and closing it: who gets back what, said beforehand and done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from loyalty.ledger.balances import holdings
from loyalty.ledger.posting import Movement, post
from loyalty.models import Pool, PoolMember, Wallet
from loyalty.selectors.pools import current_members, lots_put_in_by, pool_wallets
from loyalty.services.pool_audit import record_pool_audit
from loyalty.services.pool_moves import pool_movement
from loyalty.services.pools import current_member, lock_pool_wallets, open_pool
from loyalty.services.redemptions import terms_of
from loyalty.services.spend_requests import withdraw_all
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

# Wallets of a pool and what each holds.
Held = Sequence[tuple[Wallet, int]]


@dataclass(frozen=True, slots=True)
class Returned:
    """Units of a pool's wallet that go back to a member. `lots`: just these; none named: those that
    expire first."""

    member: PoolMember
    wallet: Wallet
    units: int
    lots: tuple[int, ...] = ()


def leave_pool(
    *, member: PoolMember, actor: Actor, source: str, now: dt.datetime
) -> list[Returned]:
    """A member leaves and gets back what the pool's rule says. Whoever leaves last gets all that is
    there, and the pool is closed. Returns what went back. Raises PoolRefusedError."""

    def leave() -> list[Returned]:
        pool = open_pool(member.pool)
        row = current_member(pool, member)
        withdraw_all(pool, member=row, now=now)
        lock_pool_wallets(pool, [row.membership])
        returned = returns_of_leaving(row, now)
        post(_movements(returned, "left", source, actor, now), now=now)
        row.left_at = now
        row.save(update_fields=["left_at"])
        record_pool_audit(actor=actor, action="pool.left", member=row)
        _settle_ownership(pool, actor, now)
        return returned

    return run_atomically(leave)


def close_pool(*, pool: Pool, actor: Actor, source: str, now: dt.datetime) -> list[Returned]:
    """Give everything back and close the pool. Returns what went to whom. Raises
    PoolRefusedError."""

    def close() -> list[Returned]:
        row = open_pool(pool)
        withdraw_all(row, now=now)
        lock_pool_wallets(row, [member.membership for member in current_members(row)])
        returned = returns_of_closing(row, now)
        post(_movements(returned, "closed", source, actor, now), now=now)
        row.members.filter(left_at=None).update(left_at=now)
        _close(row, actor, now)
        return returned

    return run_atomically(close)


def returns_of_leaving(member: PoolMember, now: dt.datetime) -> list[Returned]:
    """What a member would get back if they left now, by wallet type."""
    pool = member.pool
    others = pool.members.filter(left_at=None).exclude(pk=member.pk).count()
    held = _held(pool, now)
    own = _put_in(pool, [member], held, now) if others else {}
    found = []
    for wallet, there in held:
        if not others:
            found.append(Returned(member, wallet, there))
        elif pool.leaving == Pool.Leaving.OWN:
            found += own[wallet.pk]
        elif pool.leaving == Pool.Leaving.EQUAL_SHARE:
            found.append(Returned(member, wallet, there // (others + 1)))
    return [item for item in found if item.units]


def returns_of_closing(pool: Pool, now: dt.datetime) -> list[Returned]:
    """What would go to whom if the pool were closed now: to each what they put in, where that is
    the rule of leaving; the rest in equal shares, with what cannot be shared to the first."""
    members = current_members(pool)
    held = _held(pool, now)
    own = _put_in(pool, members, held, now)
    found: list[Returned] = []
    for wallet, there in held:
        each, rest = divmod(there - sum(item.units for item in own[wallet.pk]), len(members))
        found += own[wallet.pk]
        found += [
            Returned(member, wallet, each + (rest if number == 0 else 0))
            for number, member in enumerate(members)
        ]
    return [item for item in found if item.units]


def summed(returned: Sequence[Returned]) -> list[Returned]:
    """One for each member and wallet, for people to read."""
    sums: dict[tuple[int, int], Returned] = {}
    for item in returned:
        address = (item.member.pk, item.wallet.pk)
        known = sums.get(address)
        units = item.units + (known.units if known else 0)
        sums[address] = replace(item, units=units, lots=())
    return list(sums.values())


def _held(pool: Pool, now: dt.datetime) -> Held:
    """The pool's wallets and what each holds, pending units too."""
    wallets = pool_wallets(pool)
    held = holdings(wallets, now)
    return [(wallet, held[wallet.pk].balance + held[wallet.pk].pending) for wallet in wallets]


def _put_in(
    pool: Pool, members: Sequence[PoolMember], held: Held, now: dt.datetime
) -> dict[int, list[Returned]]:
    """What is left of what each of them put in, by wallet; nothing where no rule asks for it."""
    wallets = [wallet for wallet, _there in held]
    if pool.leaving != Pool.Leaving.OWN:
        return {wallet.pk: [] for wallet in wallets}
    lots = lots_put_in_by([member.membership for member in members], wallets, now)
    return {
        wallet.pk: [_returned(member, wallet, lots.get((member.membership_id, wallet.pk), ()))
                    for member in members]
        for wallet in wallets
    }  # fmt: skip


def _returned(member: PoolMember, wallet: Wallet, lots: Sequence[tuple[int, int]]) -> Returned:
    units = sum(remaining for _pk, remaining in lots)
    return Returned(member, wallet, units, tuple(pk for pk, _remaining in lots))


def _movements(
    returned: Sequence[Returned], why: str, source: str, actor: Actor, now: dt.datetime
) -> list[Movement]:
    movements = []
    for number, item in enumerate(returned):
        wallet_type = item.wallet.wallet_type_id
        taker = Wallet.objects.get(
            account=item.member.membership.account_id, wallet_type=wallet_type
        )
        movements.append(
            pool_movement(
                item.wallet, taker, item.units, program=terms_of(item.wallet), why=why,
                key=f"pool:{item.member.pk}:{why}:{number}", source=source, actor=actor, now=now,
                is_activity=False, pend=True, lots=list(item.lots) or None,
            )
        )  # fmt: skip
    return movements


def _settle_ownership(pool: Pool, actor: Actor, now: dt.datetime) -> None:
    """An empty pool is closed; one without an owner belongs to whoever was there longest, of a
    company's members to an approver first."""
    members = current_members(pool)
    if not members:
        _close(pool, actor, now)
    elif not any(member.is_owner for member in members):
        heir = min(members, key=lambda member: not member.spends_freely)
        was, heir.role = heir.role, PoolMember.Role.OWNER
        heir.save(update_fields=["role"])
        record_pool_audit(
            actor=actor,
            action="pool.member_changed",
            member=heir,
            before={"role": was},
            after={"role": heir.role},
        )


def _close(pool: Pool, actor: Actor, now: dt.datetime) -> None:
    pool.status, pool.closed_at = Pool.Status.CLOSED, now
    pool.save(update_fields=["status", "closed_at"])
    record_audit(actor=actor, action="pool.closed", target=pool)
