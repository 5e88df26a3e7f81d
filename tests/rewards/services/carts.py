"""Short ways to a cart. All go through the services."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from loyalty.models import Membership, Program, WalletType
from loyalty.services.order_inputs import OrderInput
from members.services.audit import SYSTEM
from rewards.models import Checkout, Reward, Voucher
from rewards.services.checkouts import (
    Cart,
    cancel_checkout,
    commit_checkout,
    reserve_checkout,
)
from tests.loyalty.factories import NOW, line, make_program, order
from tests.rewards.factories import make_member

HOW: dict[str, Any] = {"source": "api", "actor": SYSTEM}
# Points worth a cent each.
CENTS = {"unit_value": "0.01"}


def shopper(units: int = 1000, number: str = "c1", **program: Any) -> Membership:
    """A member of a program with points that are worth a cent each."""
    unit = CENTS | program.pop("unit", {})
    return make_member(units, number, make_program(unit=unit, **program))


def points(program: Program) -> WalletType:
    return program.wallet_types.order_by("pk").first()


def basket(total: str = "20", *, at: dt.datetime = NOW, **details: Any) -> OrderInput:
    return order("cart", total, at=at, buyer=None, lines=(line(1, total),), **details)


def cart(
    member: Membership, name: str = "C1", total: str = "20", *, units: int = 0,
    rewards: Sequence[Reward] = (), vouchers: Sequence[Voucher] = (), at: dt.datetime = NOW,
    **details: Any,
) -> Cart:  # fmt: skip
    pays = {points(member.program): units} if units else {}
    goods = details.pop("order", None) or basket(total, at=at, **details)
    return Cart(member, "shop", name, goods, pays, rewards, vouchers)


def reserve(asked: Cart, *, at: dt.datetime = NOW, minutes: int = 30) -> Checkout:
    return reserve_checkout(cart=asked, now=at, hold=dt.timedelta(minutes=minutes), **HOW)


def commit(found: Checkout, number: str = "A1", *, at: dt.datetime = NOW) -> Checkout:
    return commit_checkout(checkout=found, order_external_id=number, now=at, **HOW)[0]


def cancel(found: Checkout, *, at: dt.datetime = NOW, reason: str = "") -> Checkout:
    return cancel_checkout(checkout=found, reason=reason, now=at, **HOW)


def money(found: Checkout) -> dict[str, Decimal]:
    names = ("goods", "discount", "voucher_discount", "total", "paid_units", "to_pay")
    return {name: getattr(found, name) for name in names}
