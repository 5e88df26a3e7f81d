"""Orders rounded up for a charity: money that the shop collected, and owes the charity."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _

from loyalty.errors import InvalidOrderError
from loyalty.models import Charity, Order
from loyalty.rules.facts import ZERO
from loyalty.selectors.charities import charities
from loyalty.services.charity_entries import set_round_up
from loyalty.services.order_batches import Written
from loyalty.services.order_inputs import OrderInput, RoundUpInput
from members.errors import FieldError, placed
from members.prepared import run_prepared

_KNOWN = "SELECT order_id FROM loyalty_charityentry WHERE order_id = ANY(%s::bigint[])"


def keep_round_ups(written: Sequence[Written], *, now: dt.datetime) -> None:
    """A canceled order's comes back; a refund leaves it with the charity. Raises InvalidOrderError,
    naming a charity that there is not."""
    if not written:
        return
    known = {pk for (pk,) in run_prepared(_KNOWN, [[item.order_id for item in written]])}
    asked = [item for item in written if item.order.round_up or item.order_id in known]
    if not asked:
        return
    stored = Order.objects.in_bulk([item.order_id for item in asked])
    found = _named([item.order.round_up for item in asked if item.order.round_up])
    for item in asked:
        with placed(item.place):
            charity = _charity(item.order, found, again=item.order_id in known)
        amount = item.order.round_up.amount if item.order.round_up else ZERO
        set_round_up(order=stored[item.order_id], charity=charity, amount=amount, now=now)


def _named(wanted: Sequence[RoundUpInput]) -> dict[tuple[str, str], Charity]:
    named = charities().filter(
        account__program__code__in={item.program for item in wanted},
        account__code__in={item.charity for item in wanted},
    )
    return {(item.account.program.code, item.account.code): item for item in named}


def _charity(
    order: OrderInput, found: dict[tuple[str, str], Charity], *, again: bool
) -> Charity | None:
    if order.round_up is None:
        return None
    charity = found.get((order.round_up.program, order.round_up.charity))
    # An order that was rounded up before goes on being so, even where nothing new is taken.
    if charity is None or (not charity.live and not again):
        words = {"charity": order.round_up.charity, "program": order.round_up.program}
        raise _refused("charity", _("The program %(program)s has no charity %(charity)s.") % words)
    if charity.account.program.currency != order.currency:
        raise _refused("amount", _("The charity is given %s.") % charity.account.program.currency)
    return charity if order.status != Order.Status.CANCELED else None


def _refused(field: str, message: str) -> InvalidOrderError:
    return InvalidOrderError(message, errors=[FieldError(f"round_up.{field}", message)])
