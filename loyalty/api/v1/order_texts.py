"""An order that somebody pastes: the body that POST /orders or POST /quotes takes."""

from __future__ import annotations

import datetime as dt

from loyalty.api.v1.order_bodies import OrderFacts, known_people, order_input
from loyalty.order_texts import register_order_reader
from loyalty.services.order_checks import check_order
from loyalty.services.order_inputs import OrderInput
from members.api.bodies import Instant, read_text


class OrderText(OrderFacts):
    """An order, or a basket. What only addresses it is not looked at."""

    placed_at: Instant | None = None  # type: ignore[assignment]
    source: str = ""
    external_id: str = ""
    program: str | None = None
    with_discounts: bool = True


def read_order(text: str, now: dt.datetime) -> OrderInput:
    """Raises DomainError naming each wrong field."""
    said = read_text(OrderText, text)
    people = known_people([("customer", said.customer)])
    facts = said if said.placed_at else said.model_copy(update={"placed_at": now})
    order = order_input(facts, said.source, said.external_id, people)
    check_order(order)
    return order


def register() -> None:
    register_order_reader(read_order)
