"""How far an order has come, and what its units wait for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext as _

from loyalty.models import Order
from loyalty.rules.lots import LADDER


@dataclass(frozen=True, slots=True)
class StateStep:
    """A state that the order reached, or has not reached yet (`at` is None)."""

    icon: str
    look: str
    title: str
    at: dt.datetime | None = None
    text: str = ""


def state_steps(order: Order) -> list[StateStep]:
    """The states in the order in which an order goes through them, then what else happened."""
    steps = [_step(at, states) for at, states in _ladder(order)]
    steps += [
        StateStep("receipt-refund", "warning", _("Given back"), refund.refunded_at)
        for refund in sorted(order.refunds.all(), key=lambda refund: refund.refunded_at)
    ]
    if order.status in Order.VOID:
        canceled = order.status == Order.Status.CANCELED
        title = _("Canceled") if canceled else str(Order.Status(order.status).label)
        steps.append(StateStep("ban", "danger", title, order.changed_at))
    if order.confirmed_at is not None:
        steps.append(StateStep("bolt", "success", _("Confirmed early"), order.confirmed_at))
    if order.held_at is not None:
        steps.append(StateStep("hand-stop", "danger", _("Held back"), order.held_at))
    return steps


def _ladder(order: Order) -> Iterator[tuple[dt.datetime | None, list[str]]]:
    """States with the instant at which they were reached, those of one instant together; what an
    order that came to nothing never reached is left out."""
    words = {state: str(Order.Status(state).label) for state in LADDER}
    for at, states in groupby(LADDER, key=lambda state: getattr(order, f"{state}_at")):
        if at is not None or order.status not in Order.VOID:
            yield at, [words[state] for state in states]


def _step(at: dt.datetime | None, states: list[str]) -> StateStep:
    title = ", ".join([states[0], *(state.lower() for state in states[1:])])
    if at is None:
        return StateStep("circle-dashed", "neutral", title, text=_("not yet"))
    return StateStep("check", "success", title, at)
