"""The demonstration's company: four buyers with one wallet, an account manager, and a request that
waits beside two that were decided."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from loyalty.ledger.balances import holdings
from loyalty.models import Company, Membership, Pool, PoolMember, Program, Transfer, Wallet
from loyalty.selectors.balances import balances_of_accounts
from loyalty.selectors.pools import pool_wallets
from loyalty.services.companies import create_company
from loyalty.services.pool_moves import put_into_pool, spend_from_pool
from loyalty.services.pools import PoolTerms, add_pool_member
from loyalty.services.spend_requests import approve_spending, ask_to_spend, reject_spending
from members.models import StaffMember
from members.services.audit import SYSTEM

NUMBER = "B-2041"
SINCE = dt.timedelta(days=200)
ROLES = ("owner", "approver", "buyer", "buyer")
PUT_IN = 1_500
MANAGER_PHONE = "+12125550142"
HOW: dict[str, Any] = {"actor": SYSTEM, "source": Transfer.Source.ACCOUNT.value}


def people_buy_for_a_company(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Company.objects.filter(program=program, external_id=NUMBER).exists():
        return
    members = _members(program)
    manager = StaffMember.objects.filter(role=StaffMember.Role.MARKETING_MANAGER).first()
    if len(members) < len(ROLES) or manager is None:
        return
    if not manager.phone:
        manager.phone = MANAGER_PHONE
        manager.save(update_fields=["phone"])
    now = timezone.now()
    pool = _found(members, manager, now - SINCE)
    for member, units in zip(_places(pool), (PUT_IN, PUT_IN, PUT_IN // 2, 0), strict=True):
        _put_in(member, units, now)
    _spend_and_ask(pool, now)


def _members(program: Program) -> list[Membership]:
    """Those without a pool who have most to spend and were there before the company was."""
    free = Membership.objects.filter(
        program=program, status=Membership.Status.ACTIVE, enrolled_at__lt=timezone.now() - SINCE
    ).exclude(pool_members__left_at=None, pool_members__isnull=False)
    richest = (
        Wallet.objects.filter(account__membership__in=free, owed=0, wallet_type__stored_value=False)
        .order_by("-balance", "pk")
        .values_list("account__membership", flat=True)[: len(ROLES)]
    )
    found = free.select_related("customer").in_bulk(list(richest))
    return [found[pk] for pk in richest]


def _found(members: list[Membership], manager: StaffMember, at: dt.datetime) -> Pool:
    owner, *others = members
    company = create_company(
        owner=owner,
        terms=PoolTerms(
            name="Orchard Street Office", kind=Pool.Kind.COMPANY, leaving=Pool.Leaving.STAYS
        ),
        details={
            "external_id": NUMBER, "legal_name": "Orchard Street Office Services LLC",
            "registration_number": "NY 4471902", "billing_email": "accounts@orchard.example",
            "address": "118 Orchard Street\nNew York, NY 10002", "employees": 64,
            "tags": ("catering", "office"), "manager": manager, "most_at_once": 250,
            "most_in_period": 600,
        },
        now=at, **HOW,
    )  # fmt: skip
    for member, role in zip(others, ROLES[1:], strict=True):
        add_pool_member(pool=company.pool, membership=member, role=role, now=at, **HOW)
    return company.pool


def _places(pool: Pool) -> list[PoolMember]:
    places = PoolMember.objects.filter(pool=pool).select_related(
        "pool__program", "membership__customer"
    )
    return list(places.order_by("pk"))


def _put_in(member: PoolMember, units: int, now: dt.datetime) -> None:
    wallet = Wallet.objects.filter(account=member.membership.account_id).earliest("pk")
    there = holdings([wallet], now)[wallet.pk].spendable
    if min(units, there):
        put_into_pool(
            member=member, wallet_type=wallet.wallet_type, units=min(units, there),
            key=f"demo:company:{member.pk}", now=now, **HOW,
        )  # fmt: skip


def _spend_and_ask(pool: Pool, now: dt.datetime) -> None:
    """What a buyer spent by themselves; then three requests, as far as the units reach."""
    owner, approver, buyer, other = _places(pool)
    wallet = pool_wallets(pool)[0]
    (balance,) = balances_of_accounts([pool.account_id], now)[pool.account_id][:1]
    if balance.spendable < 1_700:
        return
    spend_from_pool(
        membership=buyer.membership, wallet_type=wallet.wallet_type, units=200,
        key=f"demo:company:spend:{pool.pk}", now=now, **HOW,
    )  # fmt: skip
    asked = [
        ask_to_spend(
            member=member, wallet_type=wallet.wallet_type, units=units, note=note,
            key=f"demo:company:ask:{pool.pk}:{units}", now=now, **HOW,
        )[0]
        for member, units, note in (
            (buyer, 400, "Coffee for the open day"),
            (other, 900, "Gift baskets for the whole floor"),
            (other, 300, "Fruit for the next two weeks"),
        )
    ]  # fmt: skip
    approve_spending(
        request=asked[0], approver=approver, actor=SYSTEM, now=now, note="Have a good day!"
    )
    reject_spending(
        request=asked[1], approver=owner, actor=SYSTEM, now=now,
        note="Let us wait for the new budget.",
    )  # fmt: skip
