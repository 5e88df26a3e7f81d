"""Short ways to what members look at. All go through the services."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import count

from campaigns.channels import SHOP
from campaigns.services.browsing import Outcome, Told, record_browsing
from campaigns.services.browsing_policies import set_browsing_policy
from campaigns.services.consents import set_consents
from campaigns.topics import BROWSING
from members.models import Customer
from members.services.audit import SYSTEM

_numbers: Iterator[int] = count(1)


def keep(days: int = 90) -> None:
    set_browsing_policy(is_on=True, kept_days=days, actor=SYSTEM)


def agree(*customers: Customer, yes: bool = True, now: dt.datetime) -> None:
    for customer in customers:
        set_consents(
            customer=customer, wanted={(SHOP.key, BROWSING.code): yes}, source="account",
            actor=SYSTEM, now=now,
        )  # fmt: skip


def looked(
    customer: Customer, subject: str, at: dt.datetime, *, kind: str = "product_viewed",
    number: str = "", now: dt.datetime | None = None, category: str = "", name: str = "",
) -> str:  # fmt: skip
    """What became of it."""
    told = Told(
        customer.pk, number or f"e{next(_numbers)}", kind, subject, at, category=category, name=name
    )
    return record_browsing([told], now=now or at)[0].outcome


def put(customer: Customer, sku: str, quantity: int, at: dt.datetime, *, name: str = "") -> Outcome:
    """So many are in the cart now."""
    told = Told(
        customer.pk, f"e{next(_numbers)}", "cart_updated", sku, at, quantity=quantity, name=name
    )
    return record_browsing([told], now=at)[0]
