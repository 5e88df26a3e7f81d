"""An order as text, the way shops send it. The API knows how to read it and says so here; who tries
rules on an order that somebody pastes asks here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from loyalty.services.order_inputs import OrderInput

# Given the text and the moment at which it is bought if it says nothing else. Raises DomainError
# that names each wrong field.
OrderReader = Callable[[str, dt.datetime], OrderInput]

_readers: list[OrderReader] = []


def register_order_reader(reader: OrderReader) -> None:
    """The last one that is registered reads."""
    _readers[:] = [reader]


def read_order_text(text: str, now: dt.datetime) -> OrderInput:
    (reader,) = _readers
    return reader(text, now)
