"""Lines of NDJSON, each as a request for one object says it: POST /orders, /refunds, /customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import orjson
from django.utils.translation import gettext as _
from pydantic import Field

from loyalty.api.v1.order_bodies import (
    OrderIn,
    RefundIn,
    known_people,
    order_input,
    refund_input,
)
from loyalty.import_readers import register_readers
from loyalty.services.order_inputs import OrderInput, RefundInput
from members.api.bodies import read_text, refuse_field
from members.api.consent_bodies import said_in
from members.api.customer_bodies import NewCustomerIn
from members.errors import DomainError

Read = TypeVar("Read", OrderIn, RefundIn)


class PersonLine(NewCustomerIn):
    """A customer in a file; and since when they are a member, where they become one."""

    since: str = Field("", max_length=40)


def register() -> None:
    register_readers(read_orders, read_person)


def read_orders(lines: Sequence[str], source: str) -> list[OrderInput | RefundInput | DomainError]:
    """What each line says, or why it says nothing."""
    return [_order(line, source) for line in lines]


def read_person(line: str) -> dict[str, Any]:
    """What a line says of a customer, and nothing that it does not say."""
    body = read_text(PersonLine, line)
    said = {name: getattr(body, name) for name in body.model_fields_set}
    return said | {"consents": said_in(body.consents)}


def _order(line: str, source: str) -> OrderInput | RefundInput | DomainError:
    try:
        if "refunded_at" in orjson.loads(line):
            refund = _of_source(read_text(RefundIn, line), source)
            return refund_input(refund, known_people([("customer", refund.customer)]))
        order = _of_source(read_text(OrderIn, line), source)
        people = known_people([("customer", order.customer)])
        return order_input(order, order.source, order.external_id, people)
    except DomainError as error:
        return error


def _of_source(body: Read, source: str) -> Read:
    """A file is of one system; a line need not say which."""
    if "source" not in body.model_fields_set:
        return body.model_copy(update={"source": source})
    if body.source != source:
        words = _("This import is of “%s”. Leave it out, or import the others on their own.")
        raise refuse_field("source", words % source)
    return body
