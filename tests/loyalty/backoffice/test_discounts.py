"""Discount rules in the browser: written, tried, published, put in order, and what they cost."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.backoffice.discount_forms import DiscountForm
from loyalty.backoffice.rule_kind_forms import rule_initial
from loyalty.models import Program, WalletType
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.selectors.programs import definition_of, rule_definition
from loyalty.services.order_inputs import DiscountInput
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.rules import edit, form_of, tried, write
from tests.loyalty.backoffice.test_program_form import form_of as program_form_of
from tests.loyalty.factories import line, make_program, order, record

pytestmark = pytest.mark.django_db

CARD = {"code": "card", "name": "Card", "percent": "10"}
BRACKETS = [{"above": "0", "percent": "5"}, {"above": "100", "amount": "12.5"}]
# What each field may say besides what it says without.
SAID: dict[str, list[Any]] = {
    "kind": ["discount"],
    "code": ["own-code"],
    "name": ["Another name"],
    "when": [{"all": [{"field": "order.total", "op": "at_least", "value": "50"}]}],
    "off": ["items", "cheapest", "bundle"],
    "bundle": [
        [{"pieces": 3}],
        [{"include": {"skus": ["A"]}}, {"pieces": 2, "include": {"categories": ["Tea", "Jam"]}}],
        [{"pieces": 2, "include": {"tags": ['a "new"; one', "old, too"], "skus": ["B"]}}],
    ],
    "price": ["19.9"],
    "times": [2],
    "percent": ["0.5", "100"],
    "amount": ["3.25"],
    "brackets": [BRACKETS],
    "brackets_by": ["quantity", "spent_year", "spent_lifetime"],
    "pieces": [2],
    "every": [3],
    "least": ["20.5"],
    "most": ["15"],
    "budget": ["5000"],
    "with_tax": [False],
    "reduced_too": [False],
    "include": [{"categories": ["Tea"]}, {"skus": ["A", "B"]}, {"tags": ["new"]}],
    "exclude": [{"categories": ["Tea"]}],
    "rounding": [{"per": "order", "mode": "down"}, {"per": "line", "mode": "up"}],
    "step": ["0.05"],
    "group": ["best"],
    "stops": [True],
}


def definition(name: str, value: Any) -> DiscountRuleDefinition:
    said: dict[str, Any] = CARD | {name: value}
    if name in ("amount", "brackets"):
        del said["percent"]
    if name in ("pieces", "every"):
        said["off"] = "cheapest"
    if value == "bundle" or name in ("bundle", "price", "times"):
        del said["percent"]
        said = {"off": "bundle", "price": "20", "bundle": [{"pieces": 2}]} | said
    return DiscountRuleDefinition.model_validate(said)


def typed(wanted: DiscountRuleDefinition) -> DiscountForm:
    """The form with the rule in its fields, sent as a browser sends it."""
    units = {"wallet_types": [WalletType(code="points")]}
    initial = rule_initial(wanted.name, "points", wanted.body()) | {"code": wanted.code}
    form = DiscountForm(initial=initial, **units)
    sent = {name: form[name].value() for name in form.fields}
    sent["when"] = json.dumps(sent["when"] or {})
    sent = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in sent.items()
        if value is not None and value is not False
    }
    return DiscountForm(sent, **units)


def test_no_field_of_a_discount_is_forgotten_here() -> None:
    assert set(SAID) == set(DiscountRuleDefinition.model_fields)


@pytest.mark.parametrize("name", SAID)
def test_whatever_a_file_can_say_of_a_discount_can_be_typed(name: str) -> None:
    for value in SAID[name]:
        wanted = definition(name, value)
        form = typed(wanted)
        assert form.is_valid(), form.errors
        assert form.definition(wanted.code) == wanted


def test_every_field_of_the_form_is_on_the_page(manager: Client, program: Program) -> None:
    page = manager.get(url("rule_create", program.code, "blank-discount"))
    html = page.content.decode()
    for name in page.context["form"].fields:
        assert f'name="{name}' in html, name


def test_a_discount_is_written_and_changed_in_the_browser(
    manager: Client, program: Program
) -> None:
    rule = write(manager, program, "progressive-card", name="Tea card")
    said = rule_definition(rule, rule.versions.get())
    assert isinstance(said, DiscountRuleDefinition)
    assert [item.percent for item in said.brackets] == [3, 5, 10]
    values = {"percent": "7", **{f"bracket_{number}": "" for number in range(3)},
              **{f"bracket_percent_{number}": "" for number in range(3)}}  # fmt: skip
    assert edit(manager, rule, **values).status_code == 302
    changed = rule_definition(rule, rule.versions.get())
    assert isinstance(changed, DiscountRuleDefinition)
    assert (changed.percent, changed.brackets) == (7, ())


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"percent": ""}, "percent"),
        ({"amount": "5"}, "percent"),
        ({"off": "cheapest", "pieces": "3", "every": "3"}, "pieces"),
        ({"percent": "", "bracket_0": "5"}, "bracket_percent_0"),
        ({"bracket_percent_0": "5"}, "bracket_0"),
        ({"percent": "101"}, "percent"),
        ({"percent": "", "off": "bundle", "price": "20"}, "bundle"),
        ({"percent": "", "off": "bundle", "price": "20", "bundle": "two of tea"}, "bundle"),
        ({"percent": "", "off": "bundle", "price": "20", "bundle": "0 anything"}, "bundle"),
        ({"percent": "", "off": "bundle", "bundle": "2 category: Tea"}, "price"),
    ],
)
def test_a_form_that_is_wrong_says_where(
    manager: Client, program: Program, values: dict[str, str], field: str
) -> None:
    address = url("rule_create", program.code, "blank-discount")
    sent = form_of(manager, address) | {"name": "New"} | values
    response = manager.post(address, sent)
    assert response.status_code == 422
    assert field in response.context["form"].errors


def test_a_trial_tells_the_price_now_and_with_the_draft(manager: Client) -> None:
    program = make_program(discount_rules=[CARD])
    address = url("rule_preview", program.code, "discount")
    sent = form_of(manager, url("rule_create", program.code, "three-for-two"))
    page = manager.post(address, sent | {"name": "New", "try-goods": "90", "try-quantity": "3"})
    trial = page.context["discount_trial"].trial
    assert (trial.price, trial.now, trial.then) == (90, 9, 30)
    assert [(row.name, row.then.amount, row.is_draft) for row in trial.rows] == [
        ("Card", 0, False), ("New", 30, True),
    ]  # fmt: skip
    assert "takes more off" in page.content.decode()


def test_a_trial_takes_a_real_order_and_what_is_known_of_its_buyer(
    manager: Client, program: Program
) -> None:
    record(order("A", "100"), now=timezone.now())
    record(order("B", "50", at=timezone.now()), now=timezone.now())
    regular = {"when": json.dumps({"field": "behavior.orders", "op": "at_least", "value": 1})}
    for number, amount in (("A", 0), ("B", 5)):
        address = url("rule_preview", program.code, "discount")
        sent = form_of(manager, url("rule_create", program.code, "blank-discount")) | regular
        page = manager.post(address, sent | {"name": "New", "try-number": number})
        assert page.context["discount_trial"].trial.then == amount


def test_discounts_stand_before_what_orders_earn_and_have_an_order_of_their_own(
    manager: Client,
) -> None:
    second = CARD | {"code": "second", "name": "Second"}
    program = make_program(discount_rules=[CARD, second])
    page = manager.get(url("rule_list", program.code))
    assert [[rule.code for rule in group.rules] for group in page.context["groups"]] == [
        ["card", "second"], ["base"],
    ]  # fmt: skip
    manager.post(url("rule_order", program.code), {"rule": "second", "way": "up"})
    found = definition_of(program, timezone.now())
    assert [rule.code for rule in found.discount_rules] == ["second", "card"]


def test_its_page_tells_what_it_has_cost_and_cannot_be_backtested(manager: Client) -> None:
    program = make_program(discount_rules=[CARD])
    given = (DiscountInput("club", "card", Decimal(10)),)
    record(order("A", "90", lines=(line(1, "90", discount=Decimal(10)),), discounts=given))
    page = manager.get(url("rule_page", program.code, "card"))
    assert [cost.orders for cost in page.context["costs"]] == [0, 1]
    assert "10%" in page.content.decode()
    draft = write(manager, program, "discount-card")
    html = manager.get(url("rule_page", program.code, draft.code)).content.decode()
    assert "Try on real orders" not in html
    assert "What it has cost" in html


def test_how_discounts_get_on_is_chosen_on_the_programs_form(
    manager: Client, program: Program
) -> None:
    values = program_form_of(manager, program.code) | {"discounting": "in_turn"}
    manager.post(url("program_edit", program.code), values | {"confirmed": "1"})
    program.refresh_from_db()
    assert program.discounting == "in_turn"


def test_the_public_terms_tell_what_members_pay_less(client: Client) -> None:
    program = make_program(discount_rules=[CARD, CARD | {"code": "more", "name": "More"}])
    html = client.get(f"/programs/{program.code}/terms/").content.decode()
    assert "What you pay less" in html
    assert "the largest alone counts" in html


def test_a_body_that_is_read_again_is_the_same() -> None:
    body = definition("brackets", BRACKETS).body()
    assert DiscountBody.model_validate(body.model_dump(mode="json")) == body


def test_the_trial_of_a_rule_that_awards_is_as_before(manager: Client) -> None:
    program = make_program(discount_rules=[CARD])
    trial = tried(manager, program, "points-per-money")
    assert [row.row.name for row in trial.rows] == ["Base rate", "New one"]
