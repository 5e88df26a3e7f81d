"""What vouchers cost, in the books: what they took off while they are used."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from loyalty.models import DiscountEntry
from loyalty.services.discount_costs import book_discount
from rewards.models import VoucherUse

NOTHING = Decimal(0)


def book_use(use: VoucherUse, now: dt.datetime) -> None:
    """As it is now; the caller holds its voucher. One that was let go costs nothing. What belongs
    to somebody came as a reward, others are for anybody."""
    if use.discount is None:
        return
    voucher = use.voucher
    used = use.state == VoucherUse.State.USED
    kind = (
        DiscountEntry.Kind.VOUCHER if voucher.membership_id is None else DiscountEntry.Kind.REWARD
    )
    book_discount(
        program=voucher.program, kind=kind, subject=f"use:{use.pk}",
        cost=use.discount if used else NOTHING, at=now, now=now,
    )  # fmt: skip
