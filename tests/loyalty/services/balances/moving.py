"""Short ways to files of balances. All go through the services."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils import timezone

from loyalty.models import Lot, Program, Wallet
from loyalty.services.balance_imports import (
    book_balances,
    run_balance_import,
)
from loyalty.services.lot_exports import fetch_export, run_lot_export, start_lot_export
from members.models import Job
from members.services.audit import SYSTEM

NOW = timezone.now().replace(microsecond=0)
COINS = {"code": "coins", "singular": "Coin", "plural": "Coins", "decimals": 2, "unit_value": "1"}
POINTS = {"code": "points", "singular": "Point", "plural": "Points", "unit_value": "0.01"}
Bring = Callable[..., Job]


def booked(tried: Job) -> Job:
    done = run_balance_import(book_balances(job=tried, actor=SYSTEM).pk)
    assert done is not None
    return done


def row(reference: str = "L1", units: str = "100", **said: Any) -> dict[str, Any]:
    return {"reference": reference, "customer_id": "C-1", "units": units,
            "wallet_type": "points"} | said  # fmt: skip


def export(program: Program, form: str = "csv", **said: Any) -> Path:
    job = start_lot_export(
        program=program, form=form, actor=SYSTEM, now=timezone.now(), **said
    )  # fmt: skip
    done = run_lot_export(job.pk)
    assert done is not None
    return fetch_export(job=done, actor=SYSTEM)


def lots(program: Program) -> list[tuple[Any, ...]]:
    """What is held in a program, whoever's numbers it has."""
    found = Lot.objects.filter(wallet__wallet_type__program=program, remaining__gt=0)
    return sorted(
        found.values_list(
            "wallet__account__membership__customer__external_id", "wallet__wallet_type__code",
            "remaining", "earned_at", "spendable_at", "expires_at", "renewable",
            "planned_expires_at",
        ),
        key=str,
    )  # fmt: skip


def balance(program: Program, code: str = "points", number: str = "C-1") -> tuple[int, int]:
    wallet = Wallet.objects.get(
        account__membership__customer__external_id=number, wallet_type__program=program,
        wallet_type__code=code,
    )  # fmt: skip
    return wallet.balance, wallet.pending
