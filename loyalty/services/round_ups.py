"""Orders rounded up for a charity: money that the shop collected, and owes the charity."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from loyalty.errors import InvalidOrderError
from loyalty.models import Charity, CharityEntry, Order
from loyalty.rules.facts import ZERO
from loyalty.selectors.charities import charities
from loyalty.services.charity_entries import set_round_up
from loyalty.services.order_inputs import OrderInput, RoundUpInput
from members.errors import FieldError


def keep_round_ups(orders: Iterable[tuple[int, OrderInput]], *, now: dt.datetime) -> None:
    """Of orders by their keys, whose content is new. A canceled order's comes back; a refund
    leaves it with the charity. Raises InvalidOrderError, naming a charity that there is not."""
    orders = list(orders)
    known = set(
        CharityEntry.objects.filter(order__in=[key for key, _order in orders]).values_list(
            "order_id", flat=True
        )
    )
    asked = [(key, order) for key, order in orders if order.round_up or key in known]
    if not asked:
        return
    stored = Order.objects.in_bulk([key for key, _order in asked])
    found = _named([order.round_up for _key, order in asked if order.round_up])
    for key, order in asked:
        charity = _charity(order, found, again=key in known) if order.round_up else None
        if order.status == Order.Status.CANCELLED:
            charity = None
        amount = order.round_up.amount if order.round_up else ZERO
        set_round_up(order=stored[key], charity=charity, amount=amount, now=now)


def _named(wanted: Sequence[RoundUpInput]) -> dict[tuple[str, str], Charity]:
    named = charities().filter(
        account__program__code__in={item.program for item in wanted},
        account__code__in={item.charity for item in wanted},
    )
    return {(item.account.program.code, item.account.code): item for item in named}


def _charity(order: OrderInput, found: dict[tuple[str, str], Charity], *, again: bool) -> Charity:
    assert order.round_up is not None
    charity = found.get((order.round_up.program, order.round_up.charity))
    # An order that was rounded up before goes on being so, even where nothing new is taken.
    if charity is None or (not charity.live and not again):
        words = {"charity": order.round_up.charity, "program": order.round_up.program}
        raise _refused("charity", _("The program %(program)s has no charity %(charity)s.") % words)
    if charity.account.program.currency != order.currency:
        raise _refused("amount", _("The charity is given %s.") % charity.account.program.currency)
    return charity


def _refused(field: str, message: str) -> InvalidOrderError:
    return InvalidOrderError(message, errors=[FieldError(f"round_up.{field}", message)])
