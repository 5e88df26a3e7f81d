"""Values out of JSON that somebody else wrote, each refused by its place if it cannot be read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from loyalty.rules.facts import ZERO
from loyalty.services.order_inputs import CustomerRef
from members.errors import DomainError, FieldError

LONGEST_NUMBER = 128
# Beyond them nobody means it, and versions made of times would not fit.
EARLIEST, LATEST = 1900, 2199
_CENT = Decimal("0.0001")
_LARGEST = Decimal(10) ** 12


def unreadable(field: str, message: str) -> DomainError:
    """The refusal of one field."""
    return DomainError(
        _("The message cannot be read."), code="unreadable", errors=[FieldError(field, message)]
    )


def at_path(data: Any, path: str) -> Any:
    """What is at "customer.id" or "lines.0.sku"; None where there is nothing. A column of a file
    may have a dot in its name."""
    if isinstance(data, Mapping) and path in data:
        return data[path]
    for part in path.split(".") if path else ():
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and part.isdigit() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data


def text(data: Any, path: str, *, longest: int = 200) -> str:
    """Printable text on one line; empty where there is none."""
    found = at_path(data, path)
    if found is None or isinstance(found, bool | dict | list):
        return ""
    printable = "".join(char if char.isprintable() else " " for char in str(found))
    return printable.strip()[:longest].rstrip()


def number(data: Any, path: str) -> str:
    """What identifies something; it has to be there."""
    found = text(data, path, longest=LONGEST_NUMBER + 1)
    if not found or found == "0":
        raise unreadable(path, _("This is required."))
    if len(found) > LONGEST_NUMBER:
        raise unreadable(path, _("At most %s characters.") % LONGEST_NUMBER)
    return found


def decimal(data: Any, path: str, *, default: Decimal | None = None) -> Decimal:
    """A number as text or JSON number. Empty counts as the default, if there is one."""
    found = at_path(data, path)
    if found is None or found == "":
        if default is None:
            raise unreadable(path, _("This is required."))
        return default
    try:
        amount = Decimal(str(found).strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(found, bool) or not amount.is_finite() or abs(amount) >= _LARGEST:
        raise unreadable(path, _("Write a number such as 12.50."))
    return amount.quantize(_CENT)


def money(data: Any, path: str) -> Decimal:
    """An amount that is nothing where it is left out."""
    return decimal(data, path, default=ZERO)


def currency(data: Any, path: str) -> str:
    found = text(data, path, longest=4).upper()
    if len(found) != 3 or not (found.isascii() and found.isalpha()):
        raise unreadable(path, _("Three capital letters, like EUR."))
    return found


def instant(data: Any, path: str, *, zone: dt.tzinfo = dt.UTC) -> dt.datetime | None:
    """A time, in the zone where it does not name one; None where there is none."""
    found = text(data, path, longest=40)
    if not found:
        return None
    try:
        at = dt.datetime.fromisoformat(found)
    except ValueError as error:
        message = _("Write a time such as 2026-03-31T18:05:00+02:00.")
        raise unreadable(path, message) from error
    if not EARLIEST <= at.year <= LATEST:
        raise unreadable(path, _("Give a time between the years 1900 and 2200."))
    return at if at.tzinfo else at.replace(tzinfo=zone)


def needed_instant(data: Any, *paths: str, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """The first of these times that is there."""
    for path in paths:
        found = instant(data, path, zone=zone)
        if found is not None:
            return found
    raise unreadable(paths[0], _("This is required."))


def items(data: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a list, each with the place by which it is named."""
    found = at_path(data, path)
    for place, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, Mapping):
            yield f"{path}[{place}]", item


@contextmanager
def within(place: str) -> Iterator[None]:
    """What cannot be read here is named from the message's beginning."""
    try:
        yield
    except DomainError as error:
        error.place_fields(place)
        raise


def buyer(payload: Mapping[str, Any], number_of_customer: str, details: str) -> CustomerRef:
    """Who bought; `details`: where their address and name are. The phone is left to messages about
    the customer: a family may share one."""
    return CustomerRef(
        external_id=number_of_customer,
        email=text(payload, f"{details}.email", longest=254).lower(),
        given_name=text(payload, f"{details}.first_name", longest=100),
        family_name=text(payload, f"{details}.last_name", longest=100),
    )
