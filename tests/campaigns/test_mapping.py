"""Reading any JSON or CSV by a mapping."""

import datetime as dt
import json
from copy import deepcopy
from decimal import Decimal

import pytest

from campaigns.connectors.mapping import (
    MOST_ROWS,
    guess,
    guess_lines,
    guess_what,
    look_at,
    read,
    rows_of,
    split_csv,
)
from campaigns.connectors.records import Reading
from members.errors import DomainError

ORDER = {
    "event": "sale", "data": {"orders": [{
        "Order ID": 17, "created_at": "2024-03-15 12:00", "total_price": "12.50",
        "currency": "eur", "customer": {"id": 4, "email": "Ann@Example.com"}, "status": "Shipped",
        "line_items": [{"sku": "CUP", "qty": 2, "price": "10.00"}],
    }]},
}  # fmt: skip
REVIEW = {
    "review_id": "r-9", "rating": 5, "product": {"sku": "CUP", "name": "Blue Cup"},
    "reviewer": {"email": "ann@example.com"}, "created_at": "2024-03-15T12:00:00Z",
    "tags": ["a", "b"],
}  # fmt: skip
ORDER_MAPPING = {
    "what": "order", "rows": "data.orders", "fixed": {}, "lines": "line_items", "keep": [],
    "fields": {
        "number": "Order ID", "placed_at": "created_at", "total": "total_price",
        "currency": "currency", "customer_number": "customer.id",
        "customer_email": "customer.email", "status": "status", "line_sku": "sku",
        "line_quantity": "qty", "line_total": "price",
    },
}  # fmt: skip


def about(mapping: dict) -> Reading:
    zone = dt.timezone(dt.timedelta(hours=2))
    return Reading("tool", "t-", mapping, dt.datetime(2024, 3, 20, tzinfo=dt.UTC), zone)


def test_a_sample_is_seen_through_and_its_fields_guessed():
    sample = look_at(json.dumps(ORDER), "data.orders")
    assert sample.fields["customer.id"] == "4"
    assert sample.lists == {"line_items": {"sku": "CUP", "qty": "2", "price": "10.00"}}
    assert (guess_what(sample), guess_lines(sample)) == ("order", "line_items")
    assert guess("order", sample, "line_items") == ORDER_MAPPING["fields"]


def test_what_an_item_cost_is_guessed_and_read_where_it_says_so():
    order = deepcopy(ORDER)
    lines = order["data"]["orders"][0]["line_items"]
    lines[0]["unit_cost"] = "3.10"
    lines.append({"sku": "LID", "qty": 1, "price": "2.50"})
    found = guess("order", look_at(json.dumps(order), "data.orders"), "line_items")
    assert found["line_unit_cost"] == "unit_cost"
    [part] = read("", json.dumps(order), "", about(ORDER_MAPPING | {"fields": found}))
    [told] = part.records.orders
    assert [line.unit_cost for line in told.lines] == [Decimal("3.10"), None]


def test_a_review_is_something_that_people_did():
    sample = look_at(json.dumps(REVIEW))
    assert guess_what(sample) == "activity"
    assert guess("activity", sample) == {
        "number": "review_id", "occurred_at": "created_at", "customer_email": "reviewer.email",
        "subject": "product.sku", "subject_name": "product.name",
    }  # fmt: skip


def test_an_order_is_read_with_lines_and_local_time():
    [part] = read("", json.dumps(ORDER), "", about(ORDER_MAPPING))
    [order] = part.records.orders
    assert (order.external_id, order.source, order.currency) == ("17", "tool", "EUR")
    assert (order.total, order.status) == (Decimal("12.50"), "fulfilled")
    assert order.placed_at.isoformat() == "2024-03-15T12:00:00+02:00"
    assert (order.customer.external_id, order.customer.email) == ("t-4", "ann@example.com")
    assert [(line.sku, line.quantity, line.total) for line in order.lines] == [("CUP", 2, 10)]
    # What is in no line is no goods.
    assert order.shipping_total == Decimal("2.50")


def test_each_row_of_a_file_stands_for_itself():
    mapping = {
        "what": "order", "rows": "", "lines": "", "keep": [], "fixed": {"currency": "USD"},
        "fields": {"number": "No.", "placed_at": "When", "total": "Sum", "customer_number": "Who"},
    }  # fmt: skip
    content = "\ufeffNo.;When;Sum;Who\n1;2024-03-15;5.00;C1\n2;soon;5.00;C2\n3;2024-03-15;;C3\n"
    parts = read("", content, "", about(mapping))
    assert [part.place for part in parts] == ["row 1", "row 2", "row 3"]
    assert parts[0].records.orders[0].customer.external_id == "t-C1"
    assert [part.error.errors[0].field for part in parts[1:]] == ["placed_at", "total"]


def test_an_activity_keeps_what_was_chosen_and_is_by_address_where_there_is_no_number():
    mapping = {
        "what": "activity", "rows": "", "lines": "", "keep": ["rating"],
        "fixed": {"type": "review"},
        "fields": {"number": "review_id", "customer_email": "reviewer.email",
                   "subject": "product.sku"},
    }  # fmt: skip
    [part] = read("", json.dumps(REVIEW), "", about(mapping))
    [activity] = part.records.activities
    assert (activity.type, activity.subject, activity.data) == ("review", "CUP", {"rating": 5})
    assert (activity.customer.external_id, activity.customer.email) == (None, "ann@example.com")
    assert activity.occurred_at == dt.datetime(2024, 3, 20, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("content", "rows"),
    [("", ""), ("   ", ""), ("{", ""), ("[1", ""), ('{"a": 1}', "a"), ('{"a": 1}', "b")],
)
def test_what_has_no_rows_is_refused(content, rows):
    with pytest.raises(DomainError):
        rows_of(content, rows)


def test_more_rows_than_fit_are_refused_and_files_are_cut():
    many = json.dumps([{"id": number} for number in range(MOST_ROWS + 1)])
    with pytest.raises(DomainError):
        read("", many, "", about(ORDER_MAPPING | {"rows": ""}))
    rows = "".join(f'{number};"a\nb"\n' for number in range(MOST_ROWS + 1))
    parts = list(split_csv(f"id;text\n{rows}"))
    assert [len(rows_of(part)) for part in parts] == [MOST_ROWS, 1]
    assert rows_of(parts[1]) == [{"id": str(MOST_ROWS), "text": "a\nb"}]


def test_a_gender_is_understood_or_left_out():
    mapping = {
        "what": "customer", "rows": "", "lines": "", "keep": [], "fixed": {},
        "fields": {"number": "id", "gender": "sex"},
    }  # fmt: skip
    content = "id,sex\n1,F\n2,Other\n3,rather not\n"
    parts = read("", content, "", about(mapping))
    told = [part.records.customers[0].values.get("gender") for part in parts]
    assert told == ["female", "other", None]
