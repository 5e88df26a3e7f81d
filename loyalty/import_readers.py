"""What reads a line of NDJSON: the API's own models, so that a line says what a request would.

Services run the imports and know no interface; it registers its readers here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from members.errors import DomainError

if TYPE_CHECKING:
    from loyalty.services.order_inputs import OrderInput, RefundInput

# Of each line what it is, or why it is nothing; with the system that the numbers come from.
OrderReader = Callable[[Sequence[str], str], "list[OrderInput | RefundInput | DomainError]"]
# The details of a customer, by our names. Raises DomainError.
PersonReader = Callable[[str], dict[str, Any]]

_order_readers: list[OrderReader] = []
_person_readers: list[PersonReader] = []


def register_readers(orders: OrderReader, people: PersonReader) -> None:
    """Called once, when the application is ready."""
    _order_readers[:] = [orders]
    _person_readers[:] = [people]


def order_reader() -> OrderReader:
    return _order_readers[0]


def person_reader() -> PersonReader:
    return _person_readers[0]
