"""Short ways to a company, its buyers and what they ask for."""

import datetime as dt
from typing import Any

from loyalty.models import Company, Membership, PoolMember, SpendRequest, Transfer
from loyalty.services.companies import create_company
from loyalty.services.pools import PoolTerms, add_pool_member
from loyalty.services.spend_requests import approve_spending, ask_to_spend
from tests.loyalty.factories import NOW, adjust, wallet_of
from tests.loyalty.services.pooling import HOW, put_in


def found_company(
    owner: Membership, *, now: dt.datetime = NOW, bring: bool = False,
    terms: dict[str, Any] | None = None, **details: Any,
) -> Company:  # fmt: skip
    said = {"name": "Hart Supplies", "kind": "company", "leaving": "stays"} | (terms or {})
    return create_company(
        owner=owner, terms=PoolTerms(**said), details=details, bring=bring, now=now, **HOW
    )


def add_buyer(
    company: Company, member: Membership, role: str = "buyer", *, now: dt.datetime = NOW
) -> PoolMember:
    return add_pool_member(pool=company.pool, membership=member, role=role, now=now, **HOW)


def fund(company: Company, units: int = 1000, *, now: dt.datetime = NOW) -> None:
    """The owner puts in what they are given for it."""
    owner = company.pool.members.select_related("membership__customer").get(role="owner")
    adjust(wallet_of(owner.membership.account_id), units, f"fund:{company.pk}", now=now)
    number = owner.membership.customer.external_id
    put_in(number, units, f"fund-in:{company.pk}", now=now)


def ask(
    member: PoolMember, units: int, key: str = "q1", *, note: str = "Toner", now: dt.datetime = NOW
) -> SpendRequest:
    wallet_type = member.pool.program.wallet_types.first()
    return ask_to_spend(
        member=member, wallet_type=wallet_type, units=units, note=note, key=key, now=now, **HOW
    )[0]


def approve(
    request: SpendRequest, approver: PoolMember, *, now: dt.datetime = NOW, note: str = ""
) -> Transfer:
    return approve_spending(
        request=request, approver=approver, actor=HOW["actor"], now=now, note=note
    )
