"""Holding an order back, releasing it, and confirming it early: by hand, with a reason.

What an order's units wait for is worked out anew each time (`loyalty.rules.lots`), so none of these
moves units: they change from when on these can be spent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from loyalty.errors import OrderConflictError
from loyalty.models import Lot, LotChange, Order, Transfer
from loyalty.selectors.lots import earned_with, lots_of_order
from loyalty.services.maturities import ByHand
from loyalty.services.order_batches import Enrolling, Wanted, open_batch
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.reconciliation import reconcile_orders
from loyalty.services.rehearsals import Rehearsal, rehearse
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.transactions import run_atomically


@dataclass(frozen=True, slots=True)
class HoldPreview:
    """What each wallet would hold, and what would be left of the order's units with their times."""

    wallets: list[Rehearsal]
    lots: list[Lot]


def preview_hold(change: Callable[..., Order], *, order: Order, now: dt.datetime) -> HoldPreview:
    """The effect of `hold_order`, `release_order` or `confirm_order`. Raises what that raises."""
    wallets = Lot.objects.filter(earned_with(order), due_at__isnull=False)
    wallet_ids = set(wallets.values_list("wallet_id", flat=True))

    def write() -> list[Lot]:
        change(order=order, actor=SYSTEM, reason="", now=now)
        return lots_of_order(order, now)

    lots, effects = rehearse(write, wallets=wallet_ids, now=now)
    return HoldPreview(effects, lots)


def hold_order(*, order: Order, actor: Actor, reason: str, now: dt.datetime) -> Order:
    """Nothing that the order earned can be spent until it is released; holding again changes
    nothing."""
    return _change(order, actor, reason, now, LotChange.Reason.HELD, {"held_at": now})


def release_order(*, order: Order, actor: Actor, reason: str, now: dt.datetime) -> Order:
    """What was held back goes on waiting for what the program says, or has waited long enough."""
    return _change(order, actor, reason, now, LotChange.Reason.RELEASED, {"held_at": None})


def confirm_order(*, order: Order, actor: Actor, reason: str, now: dt.datetime) -> Order:
    """What the order earned can be spent from now on. Raises OrderConflictError while it is held
    back, or where it came to nothing."""
    return _change(order, actor, reason, now, LotChange.Reason.CONFIRMED, {"confirmed_at": now})


def _change(
    order: Order, actor: Actor, reason: str, now: dt.datetime, why: str, values: dict[str, Any]
) -> Order:
    return run_atomically(lambda: _write(order.pk, actor, reason, now, why, values))


def _write(
    pk: int, actor: Actor, reason: str, now: dt.datetime, why: str, values: dict[str, Any]
) -> Order:
    known = Order.objects.select_related("customer").get(pk=pk)
    buyers = [known.customer_id] if known.customer_id else []
    terms, _opened = open_batch(
        [Wanted(known.external_id, CustomerRef(key=buyer), known.placed_at) for buyer in buyers],
        source=known.source,
        program_ids=None,
        enrolling=Enrolling(never=True),
    )
    order = Order.objects.select_for_update().get(pk=pk)
    name, value = next(iter(values.items()))
    if (getattr(order, name) is None) == (value is None):
        return order
    if why == LotChange.Reason.CONFIRMED and (order.held_at or order.status in Order.VOID):
        raise OrderConflictError(
            _("Release the order before you confirm it.")
            if order.held_at
            else _("There is nothing to confirm: the order came to nothing.")
        )
    setattr(order, name, value)
    order.save(update_fields=[name])
    reconcile_orders(
        [pk], terms=terms, now=now, transfer_source=Transfer.Source.BACKOFFICE, causes={},
        by_hand=ByHand(why, actor.user.pk if actor.user else None, reason),
    )  # fmt: skip
    record_audit(
        actor=actor,
        action=f"order.{why}",
        target=order,
        reason=reason,
        after={"order": order.external_id},
    )
    return order
