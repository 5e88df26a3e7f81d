"""Short ways to rewards and what members took. All go through the services."""

import datetime as dt
from typing import Any

from django.utils import timezone

from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.models import Redemption, Reward, Voucher
from rewards.services.redemptions import take_reward
from rewards.services.rewards import create_reward
from tests.loyalty.factories import NOW, adjust, make_program, make_wallet


def offer(program: Program, code: str = "five-off", **changes: Any) -> Reward:
    """A live reward: 5 off for 100 units."""
    values = {"code": code, "kind": "amount_off", "name": "5 off", "price": 100, "status": "live"}
    if changes.get("kind", "amount_off") == "amount_off":
        values["amount"] = 5
    definition = RewardDefinition.model_validate(values | changes)
    return create_reward(program=program, definition=definition, actor=SYSTEM)


def make_member(
    units: int = 1000, number: str = "c1", program: Program | None = None, at: dt.datetime = NOW
) -> Membership:
    """A member of the program with so many units."""
    program = program or make_program()
    wallet = make_wallet(program, number, at)
    if units:
        adjust(wallet, units, key=f"start-{program.code}-{number}", now=at)
    found = Membership.objects.select_related("program", "customer")
    return found.get(account=wallet.account_id)


def take(
    member: Membership,
    reward: Reward,
    key: str = "k1",
    *,
    at: dt.datetime | None = None,
    **how: Any,
) -> Redemption:
    return take_reward(
        membership=member, reward=reward, key=key, source="api", actor=SYSTEM,
        now=at or timezone.now(), **how,
    )[0]  # fmt: skip


def voucher_of(redemption: Redemption) -> Voucher:
    return Voucher.objects.get(redemption=redemption)
