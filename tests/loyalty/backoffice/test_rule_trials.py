"""Trying a rule out while it is written: on activities and days of the year too, and under the
limits that are left."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import CapCounter, Program
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.rules import form_of, tried
from tests.loyalty.factories import (
    make_program,
    make_type,
    make_wallet,
    order,
    record,
    tell,
    told,
)

STARS = {"all": [{"field": "activity.number.stars", "op": "at_least", "value": "4"}]}
LIMIT = {"cap_month": "100"}


def sums(trial: Any) -> list[tuple[int, int]]:
    return [(now, then) for _unit, now, then in trial.totals]


def limits(trial: Any) -> list[str]:
    return [text.replace("\N{NO-BREAK SPACE}", " ") for row in trial.rows for text in row.limits]


def spent(program: Program, buyer: str, total: str, number: str) -> None:
    at = timezone.now() - dt.timedelta(minutes=5)
    record(order(number, total, at=at, buyer=buyer), now=at)


@pytest.fixture
def capped(db: None) -> Program:
    """A point for each dollar, 100 of them for a member and month, 150 in all."""
    rule = {"caps": {"per_member": 100, "period": "month", "budget": 150}}
    return make_program(earning_rules=[rule])


def test_a_made_up_activity_brings_what_its_number_comes_to(
    manager: Client, program: Program
) -> None:
    make_type("review")
    run = {"units": "0.5", "times": "run.kilometers", "fractions": "up"}
    trial = tried(manager, program, "review-bonus", **run, **{"try-told": "run.kilometers = 9"})
    assert sums(trial) == [(0, 5)]
    nothing = tried(manager, program, "review-bonus", **run, **{"try-told": "stars = 9"})
    assert sums(nothing) == [(0, 0)]


def test_its_condition_is_asked_of_what_is_told(manager: Client, program: Program) -> None:
    make_type("review")
    asked = {"when": json.dumps(STARS)}
    assert sums(tried(manager, program, "review-bonus", **asked, **{"try-told": "stars = 5"})) == [
        (0, 50)
    ]
    trial = tried(manager, program, "review-bonus", **asked, **{"try-told": "stars = 3"})
    assert (sums(trial), trial.rows[0].why[0].text) == ([(0, 0)], "Its condition is not met")


def test_details_that_cannot_be_read_are_said(manager: Client, program: Program) -> None:
    make_type("review")
    address = url("rule_create", program.code, "review-bonus")
    values = form_of(manager, address) | {"name": "New", "try-told": "stars 5"}
    page = manager.post(url("rule_preview", program.code, "activity"), values).content.decode()
    assert "Write details like this: stars = 5" in page


def test_a_real_activity_is_tried_beside_what_its_type_brings_already(manager: Client) -> None:
    make_type("review")
    rule = {"kind": "activity", "activity": "review", "units": 20, "caps": {"per_member": 30}}
    program = make_program(earning_rules=[{"code": "old", "name": "Old", **rule}])
    make_wallet(program)
    tell(told("review-1", at=timezone.now() - dt.timedelta(minutes=5)))
    trial = tried(manager, program, "review-bonus", **{"try-number": "review-1"})
    assert [(row.row.name, row.row.then.units) for row in trial.rows] == [
        ("Old", 20),
        ("New one", 50),
    ]
    # What it was given already is not counted against it.
    assert limits(trial) == [
        "Left to c1 that month: 30 points of 30 points.",
        "Left to c1 that month: 200 points of 200 points.",
    ]


def test_a_day_of_the_year_is_tried_on_a_member(manager: Client, program: Program) -> None:
    make_wallet(program)
    ask = {"all": [{"field": "behavior.orders", "op": "at_least", "value": "1"}]}
    asked = {"when": json.dumps(ask), "try-member": "c1"}
    assert sums(tried(manager, program, "birthday-gift", **asked)) == [(0, 0)]
    spent(program, "c1", "10", "A1")
    tomorrow = (timezone.now() + dt.timedelta(days=1)).date().isoformat()
    assert sums(tried(manager, program, "birthday-gift", **asked, **{"try-day": tomorrow})) == [
        (0, 200)
    ]


def test_the_limits_of_a_chosen_member_cut_what_is_made_up(
    manager: Client, capped: Program
) -> None:
    spent(capped, "c1", "70", "A1")
    address = url("rule_edit", capped.code, "base")
    values = form_of(manager, address) | {"rule": "base", "units": "2", "try-goods": "40"}
    preview = url("rule_preview", capped.code, "rate")
    trial = manager.post(preview, values | {"try-member": "c1"}).context["trial"]
    assert sums(trial) == [(30, 30)]
    assert limits(trial) == [
        "Left to c1 that month: 30 points of 100 points.",
        "Left of its budget: 80 points of 150 points.",
    ]
    assert any("can still earn this month" in step.text for step in trial.rows[0].why)
    page = manager.post(preview, values | {"try-member": "c1"}).content.decode()
    assert "Limits are what is left today" in page


def test_without_a_member_it_says_that_limits_are_untouched(
    manager: Client, capped: Program
) -> None:
    spent(capped, "c1", "70", "A1")
    values = form_of(manager, url("rule_edit", capped.code, "base")) | {
        "rule": "base", "try-goods": "90",
    }  # fmt: skip
    response = manager.post(url("rule_preview", capped.code, "rate"), values)
    trial = response.context["trial"]
    # The budget is everybody's: 80 are left of it.
    assert sums(trial) == [(80, 80)]
    assert limits(trial) == [
        "At most 100 points for one member a month; all of it is taken to be left.",
        "Left of its budget: 80 points of 150 points.",
    ]
    assert "limits for a member are untouched" in response.content.decode()


def test_a_real_order_has_back_what_it_was_given_itself(manager: Client, capped: Program) -> None:
    spent(capped, "c1", "70", "A1")
    spent(capped, "c1", "50", "A2")
    values = form_of(manager, url("rule_edit", capped.code, "base")) | {
        "rule": "base", "try-number": "A2",
    }  # fmt: skip
    trial = manager.post(url("rule_preview", capped.code, "rate"), values).context["trial"]
    assert sums(trial) == [(30, 30)]
    assert limits(trial)[0] == "Left to c1 that month: 30 points of 100 points."


def test_trying_writes_nothing(manager: Client, capped: Program) -> None:
    spent(capped, "c1", "70", "A1")
    before = list(CapCounter.objects.order_by("pk").values("pk", "used"))
    tried(manager, capped, "blank-fixed", **LIMIT, **{"try-member": "c1"})
    assert list(CapCounter.objects.order_by("pk").values("pk", "used")) == before


def test_a_member_whom_nobody_knows_is_said(manager: Client, program: Program) -> None:
    values = form_of(manager, url("rule_edit", program.code, "base")) | {"try-member": "nobody"}
    page = manager.post(url("rule_preview", program.code, "rate"), values).content.decode()
    assert "Nobody in this program is known by this." in page


def test_a_program_that_is_not_live_tries_its_rules_for_orders_without_the_others(
    manager: Client,
) -> None:
    make_type("review")
    program = make_program(
        status="draft",
        earning_rules=[{}, {"code": "r", "kind": "activity", "activity": "review", "units": 5}],
    )
    assert sums(tried(manager, program, "blank-fixed", units="5", **{"try-goods": "10"})) == [
        (10, 15)
    ]


BASKET = {
    "currency": "USD", "total": "45.00", "coupons": ["SPRING"], "payment_method": "card",
    "placed_at": "2026-06-06T12:00:00Z",
    "lines": [
        {"total": "30.00", "category": "Tea", "brand": "Leaf", "quantity": "2"},
        {"total": "15.00", "sku": "CUP"},
    ],
}  # fmt: skip


def pasted(manager: Client, program: Program, said: Any, **changes: str) -> Any:
    text = said if isinstance(said, str) else json.dumps(said)
    return tried(manager, program, "double-weekend", **{"try-pasted": text}, **changes)


def test_an_order_is_pasted_as_the_shop_sends_it(manager: Client, program: Program) -> None:
    """With its lines, coupons and time: 6 June is a Saturday."""
    assert sums(pasted(manager, program, BASKET)) == [(45, 90)]
    assert sums(pasted(manager, program, BASKET | {"placed_at": "2026-06-08T12:00:00Z"})) == [
        (45, 45)
    ]
    asked = {"all": [
        {"field": "order.coupons", "op": "has_any", "value": ["SPRING"]},
        {"lines": "total", "where": {"field": "line.brand", "op": "is", "value": "Leaf"},
         "op": "at_least", "value": "30"},
    ]}  # fmt: skip
    addressed = BASKET | {"source": "shop", "external_id": "4711"}
    trial = pasted(manager, program, addressed, when=json.dumps(asked))
    assert sums(trial) == [(45, 90)]
    assert trial.order is None


def test_a_pasted_order_is_tried_for_its_buyer(manager: Client, capped: Program) -> None:
    spent(capped, "c1", "70", "A")
    make_wallet(capped, "bo")
    of_c1 = {**BASKET, "customer": {"external_id": "c1"}}
    trial = pasted(manager, capped, of_c1 | {"placed_at": timezone.now().isoformat()})
    assert "30 points of 100 points" in limits(trial)[0]
    assert trial.who.external_id == "c1"
    # Whoever is named beside it goes before.
    member = {"try-member": "bo"}
    assert pasted(manager, capped, of_c1, **member).who.external_id == "bo"
    stranger = {**BASKET, "customer": {"external_id": "nobody-yet"}}
    assert pasted(manager, capped, stranger).who is None


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("order 4711", "This is not JSON"),
        ({**BASKET, "total": "44.00"}, "total: The order"),
        ({**BASKET, "lines": [{"total": "much"}]}, "lines[0].total: "),
        ({**BASKET, "shade": "red"}, "shade: There is no such field."),
        ({**BASKET, "currency": "EUR"}, "This program counts in USD."),
        ({**BASKET, "customer": {"id": "00000000-0000-4000-8000-000000000000"}},
         "customer.id: There is no such customer."),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_pasted_order_is_said(
    manager: Client, program: Program, said: Any, words: str
) -> None:
    address = url("rule_create", program.code, "double-weekend")
    text = said if isinstance(said, str) else json.dumps(said)
    response = manager.post(
        url("rule_preview", program.code, "multiplier"),
        form_of(manager, address) | {"name": "New one", "try-pasted": text},
    )
    assert response.context["trial"] is None
    shown = [str(item) for item in response.context["trial_form"].errors["pasted"]]
    assert any(item.startswith(words) for item in shown), shown


def test_a_discount_is_tried_on_a_pasted_order_too(manager: Client, program: Program) -> None:
    address = url("rule_create", program.code, "discount-card")
    response = manager.post(
        url("rule_preview", program.code, "discount"),
        form_of(manager, address) | {"name": "Card", "try-pasted": json.dumps(BASKET)},
    )
    trial = response.context["discount_trial"].trial
    assert (trial.price, trial.left_then) == (45, 45 - trial.then)
    assert trial.then > 0


def test_an_order_that_is_made_up_for_nobody_is_the_first_of_who_joins_with_it(
    manager: Client, program: Program
) -> None:
    """For a member it is what it would be for them."""
    [(now, then)] = sums(tried(manager, program, "double-first-purchase"))
    assert then == 2 * now > 0
    spent(program, "c1", "10", "A")
    tomorrow = (timezone.now() + dt.timedelta(days=1)).date().isoformat()
    known = {"try-member": "c1", "try-day": tomorrow, "try-goods": "40", "try-number": ""}
    [(now, then)] = sums(tried(manager, program, "double-first-purchase", **known))
    assert then == now > 0


def test_an_order_in_another_currency_is_tried_as_it_counted(
    manager: Client, capped: Program
) -> None:
    at = timezone.now() - dt.timedelta(minutes=5)
    rates = (("USD", Decimal("1.2")),)
    record(order("E1", "50", at=at, buyer="c1", currency="EUR", rates=rates), now=at)
    values = form_of(manager, url("rule_edit", capped.code, "base")) | {
        "rule": "base", "try-number": "E1",
    }  # fmt: skip
    trial = manager.post(url("rule_preview", capped.code, "rate"), values).context["trial"]
    assert sums(trial) == [(60, 60)]
    # Money is taken off prices in the program's own currency alone.
    sent = form_of(manager, url("rule_create", capped.code, "blank-discount"))
    page = manager.post(
        url("rule_preview", capped.code, "discount"), sent | {"name": "New", "try-number": "E1"}
    )
    assert page.context.get("discount_trial") is None
    assert "There is no order E1 in this currency." in page.content.decode()
