"""The programs of the simulated shop. Every order counts in each of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from loyalty.definitions import ProgramDefinition
from loyalty.models import Membership, Program
from loyalty.services.memberships import enroll_customer
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM

# What the program of rules with limits gives a member in a month at most, all members together, and
# for which money in a month.
MOST, BUDGET = 60, 4_000
REACHED, BONUS = 100, 25

GIFTS = {"to_members": True, "to_charities": True}
CHARITY = {"code": "trees", "name": "Trees"}


def apply_programs(now: dt.datetime) -> None:
    """One whose units stay, one whose units wait and expire, one with limits and a bonus."""
    set_rate(1, now)
    _apply(
        "fading",
        now,
        wallet_types=[
            {
                "pending_from": "paid", "pending_days": 1, "gifts": GIFTS,
                "expiry": {"kind": "months", "length": 1, "restored_days": 5},
            }
        ],
        earning_rules=[{}],
        unlinked_returns="ignore",
    )  # fmt: skip
    _apply(
        "capped",
        now,
        wallet_types=[{"expiry": {"kind": "inactivity", "length": 1}}],
        earning_rules=[
            {"caps": {"per_member": {"month": MOST}, "budget": BUDGET}},
            {
                "code": "bonus", "name": "Bonus", "kind": "threshold_bonus", "reach": REACHED,
                "window": "month", "units": BONUS,
            },
        ],
        unlinked_returns="ignore",
        debt_policy="write_off",
        clawback_order="oldest_first",
    )  # fmt: skip


def set_rate(rate: int, now: dt.datetime) -> None:
    """So many units for a dollar from now on, in the program whose units stay."""
    _apply("plain", now, wallet_types=[{"gifts": GIFTS}], earning_rules=[{"units": rate}])


def enroll(customers: list[str], now: dt.datetime) -> None:
    for number in customers:
        customer = Customer.objects.create(external_id=number)
        for program in Program.objects.order_by("pk"):
            enroll_customer(
                customer=customer, program=program, source=Membership.Source.STAFF, at=now,
                actor=SYSTEM,
            )  # fmt: skip


def _apply(code: str, now: dt.datetime, **values: Any) -> None:
    definition = ProgramDefinition.model_validate(
        {
            "code": code, "name": code.capitalize(), "currency": "USD", "status": "live",
            "charities": [CHARITY], **values,
        }
    )  # fmt: skip
    apply_definition(definition, actor=SYSTEM, now=now)
