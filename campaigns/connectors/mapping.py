"""Any JSON or CSV, by a mapping that somebody made on a screen: what each row is, and where its
fields are.

A mapping is {"what": …, "rows": path, "fields": {field: path}, "fixed": {field: value},
"lines": path, "keep": [paths]}. Paths are names joined by dots, or columns of a CSV file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from django.utils.translation import gettext as _

from campaigns.connectors.reading import (
    at_path,
    currency,
    decimal,
    instant,
    items,
    needed_instant,
    number,
    text,
    unreadable,
    within,
)
from campaigns.connectors.records import (
    ConsentFacts,
    CustomerFacts,
    Part,
    Reading,
    Records,
    version_of,
)
from campaigns.connectors.said_consents import said_by_customer, said_by_row
from campaigns.connectors.targets import ACTIVITY, CONSENT, CUSTOMER, ORDER, TARGETS
from loyalty.models import Order
from loyalty.rules.facts import ZERO
from loyalty.services.activities import ActivityInput
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput
from loyalty.shop_exports import matching
from loyalty.shop_exports.matching import folded
from members.errors import DomainError
from members.genders import understood

Row = Mapping[str, Any]
MOST_ROWS = 500
MOST_FIELDS, DEEPEST = 200, 6
STATUSES = {
    "placed": Order.Status.PLACED, "pending": Order.Status.PLACED, "open": Order.Status.PLACED,
    "new": Order.Status.PLACED, "paid": Order.Status.PAID, "processing": Order.Status.PAID,
    "shipped": Order.Status.FULFILLED, "fulfilled": Order.Status.FULFILLED,
    "delivered": Order.Status.COMPLETED, "completed": Order.Status.COMPLETED,
    "complete": Order.Status.COMPLETED, "closed": Order.Status.COMPLETED,
    "cancelled": Order.Status.CANCELED, "canceled": Order.Status.CANCELED,
    "failed": Order.Status.CANCELED, "refunded": Order.Status.REFUNDED,
}  # fmt: skip
RANKS = {status: rank for rank, status in enumerate(
    (Order.Status.PLACED, Order.Status.PAID, Order.Status.FULFILLED, Order.Status.COMPLETED,
     Order.Status.REFUNDED, Order.Status.CANCELED)
)}  # fmt: skip


# --- Looking at a sample ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sample has: its fields with an example of each, and the lists in it."""

    fields: dict[str, str]
    lists: dict[str, dict[str, str]]
    count: int


def look_at(content: str, rows: str = "") -> Sample:
    """The fields of the first row. Raises DomainError where it is neither JSON nor CSV."""
    found = rows_of(content, rows)
    fields: dict[str, str] = {}
    lists: dict[str, dict[str, str]] = {}
    if found:
        _collect(found[0], "", fields, lists, 0)
    return Sample(fields, lists, len(found))


def guess(what: str, sample: Sample, lines: str = "") -> dict[str, str]:
    """Which field is which, as far as its name and the example tell."""
    found: dict[str, str] = {}
    for of_line, fields in ((False, sample.fields), (True, sample.lists.get(lines, {}))):
        wanted = {item.name: item.meaning for item in TARGETS[what] if item.of_line is of_line}
        columns = [matching.Column(path, [said] if said else []) for path, said in fields.items()]
        places = matching.match(wanted, columns, examples=True)
        found |= {name: columns[place].name for name, place in places.items()}
    return found


def guess_lines(sample: Sample) -> str:
    """The list that is most likely that of an order's lines."""
    by_name = {folded(path.rpartition(".")[2]): path for path in sample.lists}
    return next((by_name[name] for name in matching.LINES.names if name in by_name), "")


def guess_what(sample: Sample) -> str:
    """Whether rows are orders, customers or something that people did."""
    names = {folded(path.rpartition(".")[2]) for path in sample.fields}
    if names & {*matching.ORDER_TOTAL.names, "ordernumber"}:
        return ORDER
    if names & {"consent", "optin", "unsubscribedat", "consentat"}:
        return CONSENT
    if names & {"rating", "stars", "reviewid", "review", "score", "subscribedat", "event"}:
        return ACTIVITY
    return CUSTOMER if names & {"firstname", "givenname", "birthday", "lastname"} else ACTIVITY


def rows_of(content: str, rows: str = "") -> list[Row]:
    """The rows of a JSON document or a CSV file, told apart by how it begins."""
    begins = content.lstrip("\ufeff \t\r\n")[:1]
    if not begins:
        raise unreadable("", _("There is nothing in it."))
    return _json_rows(content, rows) if begins in "{[" else csv_rows(content)


def csv_rows(content: str) -> list[Row]:
    reader = csv.DictReader(io.StringIO(content.lstrip("\ufeff")), delimiter=_delimiter(content))
    try:
        return [{name.strip(): value for name, value in row.items() if name} for row in reader]
    except csv.Error as error:
        raise unreadable("", _("This is no CSV: %(reason)s.") % {"reason": error}) from error


def split_csv(content: str) -> list[str]:
    """A large file in parts that are worked on one by one, each with the header. One that cannot be
    read stays whole, and is refused with the reason when it is worked on."""
    reader = csv.reader(io.StringIO(content.lstrip("\ufeff")), delimiter=_delimiter(content))
    try:
        header, *rows = list(reader)
    except (csv.Error, ValueError):
        return [content]
    parts = [rows[start : start + MOST_ROWS] for start in range(0, len(rows), MOST_ROWS)]
    return [_written(header, part) for part in parts] or [content]


def split_json(content: str, rows: str) -> list[str]:
    """The same for a document with many rows at this place: each part has some of them there, and
    nothing else, because nothing beside the rows is read."""
    try:
        found = orjson.loads(content.lstrip("\ufeff"))
    except orjson.JSONDecodeError:
        return [content]
    inner = at_path(found, rows) if rows else found
    if not isinstance(inner, list) or len(inner) <= MOST_ROWS:
        return [content]
    return [
        orjson.dumps(_at(rows, inner[start : start + MOST_ROWS])).decode()
        for start in range(0, len(inner), MOST_ROWS)
    ]


def _at(path: str, value: Any) -> Any:
    for name in reversed(path.split(".") if path else ()):
        value = {name: value}
    return value


def _delimiter(content: str) -> str:
    first = content.lstrip("\ufeff").splitlines()[0] if content.strip() else ""
    return max(",;\t", key=first.count)


def _written(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text_of = io.StringIO()
    csv.writer(text_of, lineterminator="\n").writerows([header, *rows])
    return text_of.getvalue()


def _json_rows(content: str, rows: str) -> list[Row]:
    try:
        found = orjson.loads(content.lstrip("\ufeff"))
    except orjson.JSONDecodeError as error:
        raise unreadable("", _("This is not JSON: %(reason)s.") % {"reason": error}) from error
    inner = at_path(found, rows) if rows else found
    if isinstance(inner, list):
        return [row for row in inner if isinstance(row, dict)]
    if not isinstance(inner, dict):
        raise unreadable(rows, _("There are no rows there."))
    return [inner]


def _collect(
    data: Any, path: str, fields: dict[str, str], lists: dict[str, dict[str, str]], depth: int
) -> None:
    if len(fields) >= MOST_FIELDS or depth > DEEPEST:
        return
    if isinstance(data, Mapping):
        for name, value in data.items():
            _collect(value, f"{path}.{name}" if path else str(name), fields, lists, depth + 1)
    elif isinstance(data, list):
        if data and isinstance(data[0], Mapping):
            inner: dict[str, str] = {}
            _collect(data[0], "", inner, {}, depth + 1)
            lists[path] = inner
    else:
        fields[path] = "" if data is None else str(data)[:60]


# --- Reading by a mapping -----------------------------------------------------------------------


def read(_topic: str, content: str, _type: str, about: Reading) -> list[Part]:
    """Each row on its own: one that is wrong keeps no other from being taken in."""
    mapping = about.mapping
    if not mapping:
        raise unreadable("", _("Nobody has said yet what its fields are."))
    rows = rows_of(content, mapping.get("rows", ""))
    if len(rows) > MOST_ROWS:
        raise unreadable("", _("At most %s rows at once.") % MOST_ROWS)
    reader = _READERS[mapping["what"]]
    return [_part(reader, row, place, about) for place, row in enumerate(rows, start=1)]


def _part(reader: Callable[[Row, Reading], Records], row: Row, place: int, about: Reading) -> Part:
    name = _("row %s") % place
    try:
        return Part(name, reader(_named(row, about.mapping), about))
    except DomainError as error:
        return Part(name, error=error)


def _named(row: Row, mapping: Row) -> dict[str, Any]:
    """The row by the names of what it fills."""
    found: dict[str, Any] = dict(mapping.get("fixed", {}))
    fields = mapping["fields"]
    lines = mapping.get("lines", "")
    inner = {name: path for name, path in fields.items() if name.startswith("line_")}
    for name, path in fields.items():
        if name not in inner and (value := at_path(row, path)) not in (None, ""):
            found[name] = value
    if lines:
        found["lines"] = [
            {name: at_path(line, path) for name, path in inner.items()}
            for _place, line in items(row, lines)
        ]
    keep = {path.rpartition(".")[2]: at_path(row, path) for path in mapping.get("keep", ())}
    found["data"] = {name: value for name, value in keep.items() if value is not None}
    return found


def _read_order(row: Row, about: Reading) -> Records:
    status = _status(row)
    lines = tuple(_lines(row))
    total = decimal(row, "total")
    rest = total - sum((line.total for line in lines), ZERO) if lines else ZERO
    placed = needed_instant(row, "placed_at", zone=about.zone)
    changed = instant(row, "changed_at", zone=about.zone)
    code = text(row, "coupon", longest=64)
    order = OrderInput(
        external_id=number(row, "number"), source=about.source, placed_at=placed,
        currency=currency(row, "currency"), total=total, customer=_buyer(row, about),
        status=status, lines=lines, shipping_total=max(rest, ZERO),
        discount_total=max(-rest, ZERO), coupons=(code,) if code else (),
        payment_method=text(row, "payment_method", longest=32), changed_at=changed,
        sequence=version_of(changed, RANKS[status], row) if changed else None,
    )  # fmt: skip
    return Records(orders=(order,))


def _status(row: Row) -> Order.Status:
    said = text(row, "status").lower()
    if said and said not in STATUSES:
        known = ", ".join(sorted(STATUSES))
        raise unreadable("status", _("It says “%(said)s”. Known: %(known)s.")
                         % {"said": said, "known": known})  # fmt: skip
    return STATUSES.get(said, Order.Status.COMPLETED)


def _lines(row: Row) -> Iterator[LineInput]:
    for line_no, (place, item) in enumerate(items(row, "lines"), start=1):
        with within(place):
            total = decimal(item, "line_total")
            quantity = decimal(item, "line_quantity", default=decimal({"one": 1}, "one"))
            yield LineInput(
                line_no=line_no, total=total, quantity=quantity,
                unit_price=(total / quantity).quantize(total) if quantity else ZERO,
                sku=text(item, "line_sku", longest=128), name=text(item, "line_name"),
                category=text(item, "line_category", longest=128), unit_cost=_cost(item),
            )  # fmt: skip


def _cost(item: Row) -> Decimal | None:
    """What one of it cost the shop; None: it does not say."""
    if at_path(item, "line_unit_cost") in (None, ""):
        return None
    return decimal(item, "line_unit_cost")


def _read_customer(row: Row, about: Reading) -> Records:
    changed = instant(row, "changed_at", zone=about.zone)
    names = ("email", "given_name", "family_name", "phone", "country", "birthday")
    values = {name: text(row, name, longest=254) for name in names if text(row, name)}
    if said := understood(text(row, "gender", longest=254)):
        values["gender"] = said
    if "birthday" in values:
        values["birthday"] = values["birthday"][:10]
    facts = CustomerFacts(
        about.customer_number(number(row, "number")),
        values,
        version=version_of(changed, 0, row) if changed else None,
        consents=said_by_customer(row, about, changed),
    )
    return Records(customers=(facts,))


def _read_consent(row: Row, about: Reading) -> Records:
    buyer = _buyer(row, about)
    if buyer is None:
        raise unreadable("customer_number", _("It says neither a number nor an e-mail address."))
    return Records(consents=(ConsentFacts(buyer, (said_by_row(row, about),)),))


def _read_activity(row: Row, about: Reading) -> Records:
    buyer = _buyer(row, about)
    if buyer is None:
        raise unreadable("customer_number", _("It says neither a number nor an e-mail address."))
    activity = ActivityInput(
        external_id=number(row, "number"), source=about.source, customer=buyer,
        type=text(row, "type", longest=64),
        occurred_at=instant(row, "occurred_at", zone=about.zone) or about.received_at,
        subject=text(row, "subject", longest=128), subject_name=text(row, "subject_name"),
        proof=text(row, "proof", longest=2000), data=row["data"],
    )  # fmt: skip
    return Records(activities=(activity,))


def _buyer(row: Row, about: Reading) -> CustomerRef | None:
    """By the number; else by the address, which has to be known."""
    email = text(row, "customer_email", longest=254).lower()
    named = text(row, "customer_number", longest=128)
    if named and named != "0":
        return CustomerRef(external_id=about.customer_number(named), email=email)
    return CustomerRef(email=email) if email else None


_READERS: dict[str, Callable[[Row, Reading], Records]] = {
    ORDER: _read_order,
    CUSTOMER: _read_customer,
    ACTIVITY: _read_activity,
    CONSENT: _read_consent,
}
