"""What somebody asks back by hand, or a caller for them: nothing comes back to who was erased.
Jobs, orders, parcels and a shop that lets its carts go give theirs back all the same: they hold
stock, codes and gift cards that others wait for."""

from __future__ import annotations

import datetime as dt

from loyalty.selectors.erased_holders import refuse_erased_member
from members.services.audit import Actor
from members.services.transactions import run_atomically
from rewards.models import Checkout, Redemption
from rewards.selectors.checkouts import locked_checkout
from rewards.services.checkouts import cancel_checkout
from rewards.services.redemption_locks import lock_redemption
from rewards.services.redemptions import cancel_redemption


def cancel_when_asked(
    *, redemption: Redemption, reason: str, source: str, actor: Actor, now: dt.datetime,
    used: bool = False,
) -> Redemption:  # fmt: skip
    """`cancel_redemption`, and ConflictError for who was erased; what was canceled before is
    answered as ever."""

    def cancel() -> Redemption:
        found = lock_redemption(redemption)
        if found.status != Redemption.Status.CANCELED:
            refuse_erased_member(found.membership)
        return cancel_redemption(
            redemption=found, reason=reason, source=source, actor=actor, now=now, used=used
        )

    return run_atomically(cancel)


def let_go_as_staff(
    *, checkout: Checkout, reason: str, source: str, actor: Actor, now: dt.datetime
) -> Checkout:
    """`cancel_checkout` by staff, and ConflictError for who was erased."""

    def let_go() -> Checkout:
        found = locked_checkout(checkout.pk)
        if found.status in (Checkout.Status.RESERVED, Checkout.Status.COMMITTED):
            refuse_erased_member(found.membership)
        return cancel_checkout(checkout=found, reason=reason, source=source, actor=actor, now=now)

    return run_atomically(let_go)
