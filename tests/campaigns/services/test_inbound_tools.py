"""What other tools tell: what became again what it was, in order, and documents of any size."""

import json
from typing import Any

import pytest

from campaigns.connectors import mapping
from campaigns.models import Connection, InboundMessage
from members.models import Customer
from tests.campaigns.shops import (
    FIELDS,
    SECRET,
    post,
    tool_with,
    work,
)
from tests.loyalty.factories import day, make_program
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger):
    """Whatever a test here did, it left coherent books."""


_made_once, program = of_each_test(lambda: make_program(at=day(-30)))


def tell_tool(tool: Connection, content: Any) -> None:
    body = json.dumps(content).encode()
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    assert post(tool, body, headers) == 202
    work()


def test_what_becomes_again_what_it_was_is_taken_in_again(program):
    tool = tool_with(FIELDS)
    ann, anna = {"id": "7", "name": "Ann"}, {"id": "7", "name": "Anna"}
    for said in (ann, anna, ann):
        tell_tool(tool, said)
        assert Customer.objects.get(external_id="7").given_name == said["name"]
    # Once more what was told last is a repeat, and so is that of a repeat.
    for _again in range(2):
        tell_tool(tool, ann)
    assert [row.times for row in InboundMessage.objects.order_by("pk")] == [1, 1, 3]
    tell_tool(tool, anna)
    assert Customer.objects.get(external_id="7").given_name == "Anna"
    assert InboundMessage.objects.count() == 4


def test_what_says_when_it_changed_is_ordered_by_that(program):
    tool = tool_with(FIELDS | {"changed_at": "at"})
    old = {"id": "7", "name": "Ann", "at": "2024-03-15T12:00:00Z"}
    new = {"id": "7", "name": "Anna", "at": "2024-03-15T13:00:00Z"}
    for said in (old, new, old):
        tell_tool(tool, said)
    assert Customer.objects.get(external_id="7").given_name == "Anna"
    again = InboundMessage.objects.order_by("-pk")[0]
    assert [item["outcome"] for item in again.result] == ["outdated"]


def test_a_large_document_is_taken_in_part_by_part(program, monkeypatch):
    monkeypatch.setattr(mapping, "MOST_ROWS", 2)
    tool = tool_with(FIELDS, rows="data.people")
    people = [{"id": str(number), "name": f"N{number}"} for number in range(1, 6)]
    for _again in range(2):
        tell_tool(tool, {"page": 1, "data": {"people": people}})
    rows = InboundMessage.objects.order_by("pk")
    assert [(row.state, row.times) for row in rows] == [("done", 2)] * 3
    assert sorted(Customer.objects.values_list("external_id", flat=True)) == list("12345")


@pytest.mark.parametrize("rows", ["", "data.people"])
def test_a_document_of_thousands_of_rows_loses_none(rows):
    people = [{"id": number} for number in range(1_201)]
    content = json.dumps({"data": {"people": people}} if rows else people)
    parts = [mapping.rows_of(part, rows) for part in mapping.split_json(content, rows)]
    assert [len(part) for part in parts] == [500, 500, 201]
    assert [row for part in parts for row in part] == people
