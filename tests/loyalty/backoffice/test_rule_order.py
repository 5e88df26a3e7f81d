"""The rules of a program are put in another order: with buttons, by dragging, and not twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Program
from loyalty.selectors.rules import rule_rows
from members.models import AuditEntry
from tests.loyalty.backoffice.conftest import htmx, url
from tests.loyalty.factories import (
    day,
    give_back,
    line,
    make_program,
    order,
    record,
    refund,
    spendable,
)

FOUR = [
    {"code": "stamps", "name": "Stamps", "kind": "stamps", "full_at": 10},
    {"code": "one", "name": "One"},
    {"code": "double", "name": "Double", "kind": "multiplier", "factor": 2},
    {"code": "two", "name": "Two"},
    {"code": "three", "name": "Three"},
]


@pytest.fixture
def four(db: None) -> Program:
    return make_program(earning_rules=FOUR)


def codes(program: Program) -> list[str]:
    return [row.rule.code for row in rule_rows(program, timezone.now())]


def move(client: Client, program: Program, rule: str, **how: Any) -> Any:
    address = url("rule_order", program.code)
    return client.post(address, {"rule": rule, **how}, headers=htmx("rule-groups"))


def test_a_button_moves_a_rule_and_keeps_the_focus(manager: Client, four: Program) -> None:
    response = move(manager, four, "three", way="up", seen="one two three")
    assert codes(four) == ["stamps", "one", "double", "three", "two"]
    page = response.content.decode()
    assert 'data-announce="“Three” is number 2 of 3 now."' in page
    assert page.count("data-focus") == 1
    # At the top there is nowhere further up: the other button has the focus.
    page = move(manager, four, "three", way="up").content.decode()
    assert codes(four) == ["stamps", "three", "double", "one", "two"]
    assert page.count("data-focus") == 1


def test_a_dragged_rule_goes_where_it_was_dropped(manager: Client, four: Program) -> None:
    move(manager, four, "one", place="2", seen="one two three")
    assert codes(four) == ["stamps", "two", "double", "three", "one"]
    entry = AuditEntry.objects.filter(action="rule.ordered").latest("pk")
    assert entry.before == {"rules": ["Stamps", "One", "Double", "Two", "Three"]}
    assert entry.after == {"rules": ["Stamps", "Two", "Double", "Three", "One"]}


@pytest.mark.parametrize(
    "how", [{"place": "3"}, {"place": "0"}, {"place": "-1"}, {"place": "x"}, {"way": "up"}, {}]
)
def test_where_there_is_no_place_nothing_moves(
    manager: Client, four: Program, how: dict[str, str]
) -> None:
    before = codes(four)
    assert move(manager, four, "one", **how).status_code == 200
    assert move(manager, four, "nobody", **how).status_code == 200
    assert codes(four) == before
    assert not AuditEntry.objects.filter(action="rule.ordered").exists()


def test_what_somebody_else_has_moved_meanwhile_is_shown_first(
    manager: Client, four: Program
) -> None:
    move(manager, four, "one", way="down", seen="one two three")
    before = codes(four)
    response = move(manager, four, "three", place="0", seen="one two three")
    assert codes(four) == before
    told = json.loads(response["HX-Trigger"])
    assert "changed meanwhile" in told["setia:toast"]["items"][0]["text"]


def test_without_scripts_the_buttons_lead_back_to_the_list(manager: Client, four: Program) -> None:
    response = manager.post(url("rule_order", four.code), {"rule": "two", "way": "up"})
    assert response.url == url("rule_list", four.code)
    assert codes(four)[1:4] == ["two", "double", "one"]


def test_orders_of_before_are_corrected_in_the_order_of_before(manager: Client) -> None:
    program = make_program(
        earning_rules=[
            {"code": "first", "name": "First", "units": 2, "stops": True},
            {"code": "second", "name": "Second", "units": 5},
        ]
    )
    lines = (line(1, "10"), line(2, "10"))
    record(order("A1", "20", at=day(0), lines=lines))
    assert spendable(at=day(0)) == 40
    move(manager, program, "second", way="up")
    give_back(refund("R1", "10", of="A1", at=day(1)))
    # Half of it came back: half of what it earned by the first rule, which still stops the second.
    assert spendable(at=day(1)) == 20
    record(order("A2", "10", at=day(2)))
    assert spendable(at=day(2)) == 20 + 50 + 20
