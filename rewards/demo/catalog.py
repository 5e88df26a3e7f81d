"""The demonstration's catalog, and what some of its people took."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.utils import timezone

from loyalty.demo.parts import register_demo_part
from loyalty.errors import InsufficientBalanceError
from loyalty.models import Membership, Program, Transfer
from loyalty.selectors.charities import charities_in
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.errors import RewardRefusedError
from rewards.models import Reward, VoucherPool
from rewards.services.gift_days import start_gift_day
from rewards.services.redemptions import take_reward
from rewards.services.rewards import create_reward
from rewards.services.voucher_pools import create_voucher_pool, import_vouchers
from rewards.services.vouchers import use_voucher
from rewards.services.wishes import choose_goal

POOL = "cinema"
CATALOG: tuple[dict[str, Any], ...] = (
    {"code": "three-off", "kind": "amount_off", "name": "$3 off", "price": 300, "amount": 3,
     "worth": 3, "cost": 3, "summary": "Off your next basket of $15 and more.", "least": 15,
     "valid_days": 60, "prefix": "OAK"},
    {"code": "coffee", "kind": "free_product", "name": "A free coffee", "price": 150,
     "texts": {"ms": {"name": "Kopi percuma", "summary": "Di kaunter, sekali seminggu."},
               "el": {"name": "Δωρεάν καφές"}},
     "skus": ["COFFEE"], "worth": "2.50", "cost": "0.60", "valid_days": 30, "per_member": 4,
     "per_period": "month", "summary": "At the counter, one a week if you like."},
    {"code": "delivery", "kind": "free_shipping", "name": "Free delivery", "price": 400,
     "worth": "4.90", "cost": "4.20", "valid_days": 60, "summary": "For one order, to your door."},
    {"code": "ten-percent", "kind": "percent_off", "name": "10% off, up to $20", "price": 900,
     "percent": 10, "most": 20, "worth": 12, "cost": 12, "valid_days": 60},
    {"code": "orchard-tour", "kind": "access", "name": "Orchard tour for two", "price": 1500,
     "worth": 30, "cost": 12, "stock": 40, "per_member": 1,
     "summary": "A Saturday morning among the apple trees, with breakfast."},
    {"code": "birthday", "kind": "free_product", "name": "Birthday cake and coffee", "price": 400,
     "skus": ["CAKE-COFFEE"], "worth": 6, "cost": "1.80", "valid_days": 30, "on_shelf": False,
     "summary": "For your birthday, at any of our counters."},
    {"code": "cinema", "kind": "partner_voucher", "name": "A cinema ticket", "price": 1200,
     "voucher_pool": POOL, "worth": 12, "cost": 8, "valid_days": 180,
     "summary": "At the Riverside, any film, any day."},
    {"code": "five-meals", "kind": "charity", "name": "Five warm meals", "price": 800,
     "charity": "food-bank", "things": 5, "worth": 10, "cost": 10,
     "summary": "We bring them to the Riverside Food Bank for you."},
    {"code": "surprise", "kind": "mystery", "name": "A surprise", "price": 250, "worth": 3,
     "cost": "1.90", "per_member": 1, "per_period": "week",
     "prizes": {"coffee": 12, "three-off": 6, "delivery": 3, "cinema": 1},
     "summary": "A coffee, money off, free delivery or a cinema ticket: whatever comes."},
)  # fmt: skip
# What the person that the demonstration guides through saves for.
GOAL = "orchard-tour"
# Who took what lately: every so many members, the reward, and how many days ago.
TAKEN = (
    ("coffee", 3, 21), ("three-off", 4, 12), ("coffee", 5, 4), ("five-meals", 8, 3),
    ("delivery", 9, 2),
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part("rewards", show_rewards)


def show_rewards(program: Program) -> None:
    """A catalog on the shelf, and what members took from it when it was new."""
    known = set(program.rewards.values_list("code", flat=True))
    if not VoucherPool.objects.filter(program=program, code=POOL).exists():
        pool = create_voucher_pool(
            program=program, code=POOL, name="Riverside Cinema", actor=SYSTEM
        )
        codes = (f"RIVER-{number:04}" for number in range(4101, 4161))
        import_vouchers(pool=pool, lines=codes, actor=SYSTEM)
    unit = program.wallet_types.order_by("pk").first()
    charities = {item.code for item in charities_in(program)}
    for values in CATALOG:
        if values.get("charity", "") not in {"", *charities}:
            continue
        if unit is not None and values["code"] not in known:
            definition = RewardDefinition.model_validate(
                values | {"status": "live", "wallet_type": unit.code}
            )
            create_reward(program=program, definition=definition, actor=SYSTEM)
    if not known:
        _people_take(program)
        _birthday(program)
        _guide_saves(program)


def _birthday(program: Program) -> None:
    """Coffee and cake, a week ahead."""
    start_gift_day(
        reward=Reward.objects.get(program=program, code="birthday"), day="birthday",
        days_before=7, tiers=(), message="Happy birthday! Cake and coffee are on us.",
        actor=SYSTEM, now=timezone.now() - dt.timedelta(days=7),
    )  # fmt: skip


def _guide_saves(program: Program) -> None:
    guide = Membership.objects.select_related("program", "customer").filter(
        program=program, customer__email=settings.SETIA_DEMO_CUSTOMER
    )
    reward = Reward.objects.get(program=program, code=GOAL)
    for member in guide:
        choose_goal(membership=member, reward=reward, actor=SYSTEM, now=timezone.now())


def _people_take(program: Program) -> None:
    members = list(
        Membership.objects.filter(program=program, status="active")
        .select_related("program", "customer")
        .order_by("pk")[:120]
    )
    now = timezone.now()
    for code, every, days in TAKEN:
        # A program without the charity has no reward that gives to it.
        reward = Reward.objects.filter(program=program, code=code).first()
        if reward is None:
            continue
        for member in members[::every]:
            _take(member, reward, now - dt.timedelta(days=days), days)


def _take(member: Membership, reward: Reward, at: dt.datetime, days: int) -> None:
    """What somebody cannot afford they leave; most codes are used a day later."""
    try:
        taken, _replayed = take_reward(
            membership=member, reward=reward, key=f"demo:{reward.code}:{member.pk}:{days}",
            source=Transfer.Source.ACCOUNT.value, actor=SYSTEM, now=at,
        )  # fmt: skip
    except (InsufficientBalanceError, RewardRefusedError):
        return
    if taken.voucher is not None and member.pk % 3 and days > 2:
        use_voucher(
            voucher=taken.voucher, checkout=f"demo-{taken.pk}", occasion=None, actor=SYSTEM,
            now=at + dt.timedelta(days=1),
        )  # fmt: skip
