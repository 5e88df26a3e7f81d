"""Whose the balances of an export are, as its file says it: members, pools with who is in them,
gift cards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.db.models import Q

from loyalty.models import Account, Membership, Pool, PoolMember, Wallet
from loyalty.services.balance_rows import CARD, MEMBER, NO, POOL, POOL_TERMS, YES
from loyalty.services.bearers import bearers


def describe_holders(accounts: Sequence[Account]) -> dict[int, dict[str, str]]:
    """By account who holds it: members by number and id, pools and gift cards by their id."""
    keys = [account.pk for account in accounts]
    members = Membership.objects.filter(account__in=keys).select_related("customer")
    found = {item.account_id: {**_person(item), "holder": MEMBER} for item in members}
    pools = Pool.objects.filter(account__in=keys)
    for account_id, public_id in pools.values_list("account", "public_id"):
        found[account_id] = {"holder": POOL, "pool": str(public_id)}
    cards = [account.pk for account in accounts if account.kind == Account.Kind.BEARER]
    for account_id, said in bearers().describe(cards).items() if cards else ():
        found[account_id] = {"holder": CARD, **said}
    for account in accounts:
        found.setdefault(account.pk, {"holder": account.kind})
    return found


def people_of_pools(
    wallets: Sequence[Wallet], at: dt.datetime, kinds: Sequence[int]
) -> Iterator[dict[str, str]]:
    """Who was in the pools of these wallets then, owners first; once, beside a pool's first one of
    these kinds."""
    accounts = {wallet.account_id for wallet in wallets if wallet.account.kind == POOL}
    firsts = Wallet.objects.filter(account__in=accounts, wallet_type__in=kinds)
    firsts = firsts.order_by("account", "pk").distinct("account")
    first = {wallet.account_id for wallet in firsts if wallet.pk in {item.pk for item in wallets}}
    there = PoolMember.objects.filter(
        Q(left_at=None) | Q(left_at__gt=at), pool__account__in=first, joined_at__lte=at
    ).exclude(pool__closed_at__lte=at)
    found = there.select_related("pool__program", "pool__company", "membership__customer")
    for place in sorted(found, key=lambda item: (item.pool_id, not item.is_owner, item.pk)):
        yield {
            "reference": f"{place.pool.program.code}-pool-{place.pk}",
            **_person(place.membership),
            "holder": POOL,
            **_pool(place.pool),
            "role": place.role,
            "may_spend": YES if place.may_spend else NO,
            "contributes": YES if place.contributes else NO,
        }


def _pool(pool: Pool) -> dict[str, str]:
    terms = {name: str(getattr(pool, name) or "") for name in POOL_TERMS}
    company = getattr(pool, "company", None)
    number = (company.external_id or str(pool.public_id)) if company else ""
    return {"pool": str(pool.public_id), "pool_name": pool.name, "company_id": number, **terms}


def _person(member: Membership) -> dict[str, str]:
    customer = member.customer
    return {
        "customer_id": customer.external_id or "", "customer": str(customer.public_id)
    }  # fmt: skip
