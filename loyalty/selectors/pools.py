"""Pools: who is in them, what they hold, and whose it was."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import BigIntegerField, Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, JSONObject
from django.utils.translation import gettext as _

from loyalty.models import Lot, Membership, Pool, PoolMember, Transfer, Wallet
from loyalty.pool_roles import RIGHTS, Right
from loyalty.selectors.balances import Balance, balances_of_accounts
from loyalty.selectors.transfers import transfers
from members.errors import NotFoundError
from members.models import Customer


def pools() -> QuerySet[Pool]:
    """With their program and how many members each has (`member_count`)."""
    present = Count("members", filter=Q(members__left_at=None))
    found: QuerySet[Pool] = Pool.objects.select_related("program").annotate(member_count=present)
    return found


def get_pool(public_id: uuid.UUID | str) -> Pool:
    """Raises NotFoundError."""
    found = pools().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError(_("There is no such pool."))
    return found


def current_members(pool: Pool) -> list[PoolMember]:
    """Whoever is in the pool, the longest first."""
    members = pool.members.filter(left_at=None)
    return list(
        members.select_related("pool__program", "membership__customer").order_by("joined_at", "pk")
    )


def place_of(membership: Membership) -> PoolMember | None:
    """The member's place in the pool that they are in."""
    return _places().filter(membership=membership).first()


def places_of(customer: Customer) -> list[PoolMember]:
    """The customer's places in pools, one for each program at most."""
    return list(_places().filter(membership__customer=customer).order_by("joined_at", "pk"))


def told_of_pools(accounts: Collection[int]) -> dict[int, list[Membership]]:
    """By the pool's account, who is told what becomes of its units: whoever may spend them; of a
    company, whose buyers ask, owners and approvers. Who is not active is not among them."""
    free = [role for role, rights in RIGHTS.items() if Right.SPEND_FREELY in rights]
    everyone = Q(pool__spending=Pool.Spending.EVERYONE)
    named = Q(pool__spending=Pool.Spending.NAMED, may_spend=True)
    rows = PoolMember.objects.filter(
        Q(role__in=free) | (Q(pool__kind=Pool.Kind.HOUSEHOLD) & (everyone | named)),
        left_at=None, pool__status=Pool.Status.OPEN, pool__account__in=accounts,
        membership__status=Membership.Status.ACTIVE,
    )  # fmt: skip
    found: defaultdict[int, list[Membership]] = defaultdict(list)
    chosen = rows.select_related(
        "pool", "membership__customer__merged_into", "membership__program"
    ).order_by("joined_at", "pk")
    for row in chosen:
        found[row.pool.account_id].append(row.membership)
    return found


def pool_wallets(pool: Pool) -> list[Wallet]:
    """The pool's wallets in the program's order."""
    wallets = Wallet.objects.filter(account=pool.account_id)
    return list(wallets.select_related("wallet_type__program").order_by("wallet_type_id"))


def pool_balances(pool: Pool, now: dt.datetime) -> list[Balance]:
    """What the pool holds, by wallet type."""
    return balances_of_accounts([pool.account_id], now).get(pool.account_id, [])


def balances_by_pool(found: Iterable[Pool], now: dt.datetime) -> dict[int, list[Balance]]:
    """By pool key; at most three queries, however many pools."""
    by_account = {pool.account_id: pool.pk for pool in found}
    balances = balances_of_accounts(by_account, now)
    return {pk: balances.get(account_id, []) for account_id, pk in by_account.items()}


def lots_put_in_by(
    members: Iterable[Membership], wallets: Iterable[Wallet], at: dt.datetime
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """What is left in a pool's wallets of what each of these members has put in, pending or not: by
    the keys of member and wallet, keys of lots with what they hold, first what is due first. One
    query, however many there are."""
    by_account = {member.account_id: member.pk for member in members}
    by_key = {wallet.pk: wallet for wallet in wallets}
    # Lots that expired with the inactivity of their wallet, which is not written on them yet.
    gone = Q(renewable=True, expires_at=None, wallet__active_until__lte=at)
    lots = Lot.objects.filter(
        ~gone, wallet__in=by_key, due_at__gt=at, parent__wallet__account__in=by_account
    ).order_by("due_at", "pk")
    found: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for pk, account, wallet, remaining in lots.values_list(
        "pk", "parent__wallet__account", "wallet", "remaining"
    ):
        found[by_account[account], wallet].append((pk, remaining))
    return found


def pool_transfers(pool: Pool) -> QuerySet[Transfer]:
    """The pool's movements with all that showing them needs; `spender`: who redeemed."""
    member = Membership.objects.filter(
        pk=Cast(OuterRef("explanation__member"), BigIntegerField())
    ).values(names=JSONObject(given="customer__given_name", family="customer__family_name"))
    found: QuerySet[Transfer] = (
        transfers().filter(wallet__account=pool.account_id).annotate(spender=Subquery(member[:1]))
    )
    return found


def _places() -> QuerySet[PoolMember]:
    return PoolMember.objects.filter(left_at=None).select_related(
        "pool__program", "membership__customer", "membership__program"
    )
