"""/checkouts with gift cards, and what the quote says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from loyalty.models import Membership
from rewards.models import Checkout
from tests.api.conftest import BEAN, ApiClient, assert_problem, make_beans, with_ann
from tests.api.test_checkouts import BASKET, reserve
from tests.api.test_gift_cards import issue
from tests.rewards.cards import CREDIT
from tests.sharing import shared

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all", "undone_when_refused")]

# The program has gift cards and store credit.
ann_for_all = shared(lambda: with_ann(make_beans(wallet_types=[BEAN, CREDIT])))


@pytest.fixture
def member(membership: Membership) -> Membership:
    return membership


@pytest.fixture
def card(api: ApiClient, member: Membership) -> dict[str, Any]:
    """With 50 on it."""
    return issue(api, member.program, amount="50")


def on_it(api: ApiClient, card: dict[str, Any]) -> str:
    return str(api.get(f"/gift-cards/{card['id']}").json()["balance"])


def test_a_card_pays_within_a_cart_and_comes_back_with_it(
    api: ApiClient, member: Membership, card: dict[str, Any]
) -> None:
    asked = [{"code": card["code"].lower(), "amount": "12.50"}]
    answer = reserve(api, member, gift_cards=asked)
    assert answer.status_code == 200, answer.content
    found = answer.json()
    totals = found["totals"]
    assert (totals["total"], totals["paid_gift_cards"], totals["to_pay"]) == (
        "20.00", "12.50", "7.50",
    )  # fmt: skip
    [kept] = found["gift_cards"]
    assert kept == {"gift_card": card["id"], "last_four": card["last_four"], "amount": "12.50"}
    assert card["code"] not in answer.text
    assert reserve(api, member, gift_cards=asked).json() == found
    assert on_it(api, card) == "37.50"
    assert api.post(f"/checkouts/{found['id']}/cancel", {}).json()["status"] == "cancelled"
    assert on_it(api, card) == "50.00"


def test_its_order_and_refund_say_what_the_card_paid(
    api: ApiClient, member: Membership, card: dict[str, Any]
) -> None:
    found = reserve(api, member, gift_cards=[{"code": card["code"]}]).json()
    done = api.post(f"/checkouts/{found['id']}/commit", {"order_external_id": "A-9"})
    assert (done.status_code, done.json()["totals"]["to_pay"]) == (200, "0.00")
    order = BASKET | {
        "external_id": "A-9", "customer": {"external_id": "C-1"},
        "placed_at": "2026-01-01T10:00:00Z",
    }  # fmt: skip
    assert api.post("/orders", order).status_code == 201
    [paid] = api.get("/orders/shop/A-9").json()["unit_tenders"]
    assert (paid["wallet_type"], paid["units"], paid["amount"]) == ("credit", "20.00", "20.00")
    refund = {
        "external_id": "R-9", "order_external_id": "A-9", "currency": "USD", "total": "5",
        "refunded_at": "2026-01-02T10:00:00Z",
    }  # fmt: skip
    back = api.post("/refunds", refund).json()["given_back"]
    assert (back["money"], [item["amount"] for item in back["units"]]) == ("0.00", ["5.00"])
    assert on_it(api, card) == "35.00"
    assert_problem(
        api.post(f"/gift-cards/{card['id']}/refund", {"checkout": found["cart"]}), 422,
        "invalid_request", "checkout",
    )  # fmt: skip


def test_the_quote_says_what_is_on_a_card_and_what_fits(
    api: ApiClient, member: Membership, card: dict[str, Any]
) -> None:
    other = issue(api, member.program, "i2", amount="5")
    body = {
        "membership": str(member.public_id), "order": BASKET,
        "gift_cards": [{"code": other["code"]}, {"code": card["code"]}],
    }  # fmt: skip
    shown = api.post("/checkouts/quote", body).json()["gift_cards"]
    assert [(item["balance"], item["amount"], item["fits"]) for item in shown] == [
        ("5.00", "5.00", True), ("50.00", "15.00", True),
    ]  # fmt: skip
    assert api.post(f"/gift-cards/{card['id']}/block", {"reason": "lost"}).status_code == 200
    [_other, blocked] = api.post("/checkouts/quote", body).json()["gift_cards"]
    assert (blocked["fits"], blocked["refusals"][0]["code"]) == (False, "gift_card_blocked")
    assert not Checkout.objects.exists()


def test_what_a_card_cannot_pay_is_refused_with_its_code(
    api: ApiClient, member: Membership, card: dict[str, Any]
) -> None:
    def with_card(**more: Any) -> Any:
        return reserve(api, member, gift_cards=[{"code": card["code"]} | more])

    assert_problem(with_card(amount="20.01"), 409, "above_total")
    assert_problem(
        with_card(amount="0.001"), 422, "invalid_request", "gift_cards[0].amount"
    )  # fmt: skip
    twice = reserve(api, member, gift_cards=[{"code": card["code"]}] * 2)
    assert_problem(twice, 422, "invalid_request", "gift_cards")
    assert on_it(api, card) == "50.00"


def test_wrong_codes_are_counted(api: ApiClient, member: Membership) -> None:
    cache.clear()
    asked = [{"code": "NONE-NONE", "client": "shopper-1"}]
    for _time in range(10):
        assert_problem(
            reserve(api, member, gift_cards=asked), 422, "invalid_request", "gift_cards[0].code"
        )
    quoted = {"membership": str(member.public_id), "order": BASKET, "gift_cards": asked}
    assert_problem(api.post("/checkouts/quote", quoted), 429, "too_many_wrong_codes")


def test_a_key_needs_the_scope_of_cards_for_them(
    key_with: Callable[..., ApiClient], member: Membership, card: dict[str, Any]
) -> None:
    asked = [{"code": card["code"]}]
    shop = key_with("checkouts:write", "quotes:read")
    assert_problem(reserve(shop, member, gift_cards=asked), 403, "insufficient_scope")
    quoted = {"membership": str(member.public_id), "order": BASKET, "gift_cards": asked}
    assert_problem(shop.post("/checkouts/quote", quoted), 403, "insufficient_scope")
    able = key_with("checkouts:write", "gift_cards:write")
    assert reserve(able, member, gift_cards=asked).status_code == 200
