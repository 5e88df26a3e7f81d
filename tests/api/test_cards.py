"""/memberships/{id}/cards."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.utils import timezone

from loyalty.models import Membership
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")

BRACKETS = [{"above": 0, "percent": 3}, {"above": 500, "percent": 5}]


def with_cards(membership: Membership) -> None:
    now = timezone.now()
    said = definition_of(membership.program, now).model_dump()
    said["earning_rules"] += (
        {"code": "coffee", "name": "Coffee card", "kind": "stamps", "units": 20, "full_at": 3},
    )
    said["discount_rules"] = (
        {"code": "card", "name": "Club card", "brackets_by": "spent_lifetime",
         "brackets": BRACKETS},
        {"code": "cups", "name": "Cups", "off": "items", "amount": 1,
         "include": {"categories": ["Cups"]}},
    )  # fmt: skip
    definition = type(definition_of(membership.program, now)).model_validate(said)
    apply_definition(definition, actor=SYSTEM, now=now)


def test_cards_say_how_full_they_are_what_they_give_and_what_is_missing(
    api: ApiClient, membership: Membership
) -> None:
    with_cards(membership)
    body = order_body(placed_at=timezone.now().isoformat())
    assert api.post("/orders", body).status_code == 201
    path = f"/memberships/{membership.public_id}/cards"
    shown = api.get(path).json()
    assert shown["stamp_cards"] == [
        {
            "rule": "coffee", "name": "Coffee card", "wallet_type": "points", "stamps": "1",
            "full_at": 3, "missing": "2",
            "in_words": ["1 of 3 stamps", "2 more bring 20\N{NO-BREAK SPACE}Beans.",
                         "A stamp for each order."],
        }
    ]  # fmt: skip
    club, cups = shown["discount_cards"]
    assert (club["percent"], club["spent"], club["missing"]) == ("3", "12.50", "487.50")
    assert club["in_words"] == [
        "You get 3% off", "Spend more than $487.50 more to get 5% off.",
    ]  # fmt: skip
    assert (cups["percent"], cups["spent"], cups["missing"]) == (None, None, None)
    assert cups["in_words"] == ["$1.00 off each piece.", "Only for these: category Cups."]


def test_exactly_what_is_missing_is_not_enough_and_a_cent_more_is(
    api: ApiClient, membership: Membership
) -> None:
    with_cards(membership)
    path = f"/memberships/{membership.public_id}/cards"
    for number, total, percent in (("1", "500.00", "3"), ("2", "0.01", "5")):
        lines = [{"sku": "X", "total": total}]
        body = order_body(
            external_id=number, total=total, lines=lines, placed_at=timezone.now().isoformat()
        )
        assert api.post("/orders", body).status_code == 201
        card = api.get(path).json()["discount_cards"][0]
        assert card["percent"] == percent
        basket = {"currency": "USD", "total": "100.00", "customer": {"external_id": "C-1"},
                  "lines": [{"sku": "X", "total": "100.00"}]}  # fmt: skip
        [quote] = api.post("/quotes", basket).json()["programs"]
        assert quote["discount"] == f"{percent}.00"


def test_a_card_for_others_is_not_shown(api: ApiClient, membership: Membership) -> None:
    now = timezone.now()
    said = definition_of(membership.program, now).model_dump()
    asks = {"field": "customer.country", "op": "is", "value": "GR"}
    said["discount_rules"] = (
        {"code": "greece", "name": "Greece", "percent": 5, "when": asks},
        {"code": "weekday", "name": "Weekday", "percent": 5,
         "when": {"field": "order.weekday", "op": "one_of", "value": ["monday"]}},
    )  # fmt: skip
    definition = type(definition_of(membership.program, now)).model_validate(said)
    apply_definition(definition, actor=SYSTEM, now=now)
    path = f"/memberships/{membership.public_id}/cards"
    [weekday] = api.get(path).json()["discount_cards"]
    assert weekday["rule"] == "weekday"
    assert weekday["in_words"][1].startswith("Only when:")
    membership.customer.country = "GR"
    membership.customer.save()
    assert [card["rule"] for card in api.get(path).json()["discount_cards"]] == [
        "greece", "weekday",
    ]  # fmt: skip


def test_who_may_not(
    api: ApiClient,
    outsider: ApiClient,
    key_with: Callable[..., ApiClient],
    membership: Membership,
) -> None:
    path = f"/memberships/{membership.public_id}/cards"
    assert_problem(outsider.get(path), 401, "unauthorized")
    assert_problem(key_with("orders:read").get(path), 403, "insufficient_scope")
    assert_problem(api.get(f"/memberships/{uuid.uuid4()}/cards"), 404, "not_found")
