"""Rows of files of balances that are of no member alone: of pools, gift cards and debts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from loyalty.models import (
    Membership,
    Program,
    Wallet,
)
from loyalty.services.balance_undoing import (
    run_balance_undo,
    start_balance_undo,
)
from loyalty.services.memberships import enroll_customer
from loyalty.services.redemptions import redeem_units
from members.models import Customer, Job
from members.services.audit import SYSTEM
from tests.loyalty.services.balances.moving import (
    NOW,
    row,
)

CREDIT = {"code": "credit", "singular": "Dollar", "plural": "Dollars", "decimals": 2,
          "unit_value": "1", "stored_value": True}  # fmt: skip


def owner(pool: str = "P-1", **said: Any) -> dict[str, Any]:
    return {"reference": f"{pool}-owner", "customer_id": "C-1", "holder": "pool", "pool": pool,
            "pool_name": "The Lees", "role": "owner"} | said  # fmt: skip


def share(reference: str = "S1", units: str = "40", **said: Any) -> dict[str, Any]:
    """A lot of a pool."""
    return {"reference": reference, "holder": "pool", "pool": "P-1", "units": units,
            "wallet_type": "points"} | said  # fmt: skip


def card(reference: str = "G1", units: str = "25", **said: Any) -> dict[str, Any]:
    return {"reference": reference, "holder": "gift_card", "code": "OLD-GIFT-0815",
            "units": units} | said  # fmt: skip


def debt(reference: str = "D1", units: str = "-30", **said: Any) -> dict[str, Any]:
    return row(reference, units, **said)


def undo(job: Job) -> Job:
    started = start_balance_undo(job=job, reason="The wrong file", actor=SYSTEM)
    done = run_balance_undo(started.pk)
    assert done is not None
    return done


def owed(program: Program, number: str = "C-1") -> int:
    return wallet_of(program, number).owed


def sums(program: Program) -> dict[tuple[str, str], tuple[int, int, int]]:
    """By kind of units and of holder: what can be spent, what waits, what is owed."""
    found = Wallet.objects.filter(wallet_type__program=program).values_list(
        "wallet_type__code", "account__kind"
    )
    totals = found.annotate(Sum("balance"), Sum("pending"), Sum("owed")).order_by()
    return {(code, kind): tuple(rest) for code, kind, *rest in totals if any(rest)}


def enrolled(program: Program, number: str) -> Membership:
    customer, _made = Customer.objects.get_or_create(external_id=number)
    return enroll_customer(
        customer=customer, program=program, source="api", at=NOW, actor=SYSTEM
    )[0]  # fmt: skip


def spend(wallet: Wallet, units: int, now: dt.datetime | None = None) -> None:
    redeem_units(
        wallet=wallet, units=units, key=f"spent-{wallet.pk}", source="api", actor=SYSTEM,
        now=now or timezone.now(),
    )  # fmt: skip


def wallet_of(program: Program, number: str) -> Wallet:
    return Wallet.objects.select_related("wallet_type__program").get(
        account__membership__customer__external_id=number, wallet_type__program=program,
        wallet_type__code="points",
    )  # fmt: skip
