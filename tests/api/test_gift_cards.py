"""/gift-cards and /store-credit."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty.models import Membership, Program
from members.models import IdempotencyRecord
from rewards.models import GiftCard
from tests.api.conftest import BEAN, ApiClient, assert_problem, make_beans, with_beans
from tests.rewards.cards import CREDIT
from tests.sharing import shared

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("beans_for_all", "undone_when_refused"),
]


# The program, with gift cards and store credit.
beans_for_all = shared(lambda: with_beans(make_beans(wallet_types=[BEAN, CREDIT])))


@pytest.fixture
def club(program: Program) -> Program:
    return program


@pytest.fixture
def member(club: Program, membership: Membership) -> Membership:
    return membership


def issue(api: ApiClient, club: Program, key: str = "i1", **more: Any) -> dict[str, Any]:
    answer = api.post("/gift-cards", {"program": club.code, "amount": "100"} | more,
                      Idempotency_Key=key)  # fmt: skip
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def pay(api: ApiClient, card: dict[str, Any], amount: str, checkout: str = "cart-1") -> Any:
    return api.post(
        "/gift-cards/redeem", {"code": card["code"], "amount": amount, "checkout": checkout}
    )


def test_its_code_is_told_with_the_answer_and_kept_nowhere(api: ApiClient, club: Program) -> None:
    card, again = issue(api, club), issue(api, club)
    assert card == again
    assert (card["balance"], card["state"], len(card["code"].replace("-", ""))) == (
        "100.00", "active", 13,
    )  # fmt: skip
    assert IdempotencyRecord.objects.get(key="i1").body["code"] == ""
    read = api.get(f"/gift-cards/{card['id']}").json()
    assert "code" not in read
    assert read["last_four"] == card["code"].replace("-", "")[-4:]


def test_a_card_is_looked_at_paid_with_and_refunded(api: ApiClient, club: Program) -> None:
    card = issue(api, club)
    told = api.post("/gift-cards/check", {"code": card["code"].lower()}).json()
    assert (told["balance"], told["id"]) == ("100.00", card["id"])
    paid = pay(api, card, "30")
    assert (paid.status_code, paid.json()["balance"]) == (201, "70.00")
    assert pay(api, card, "30").json() == paid.json()
    assert_problem(pay(api, card, "70.01", "cart-2"), 409, "insufficient_balance")
    assert_problem(pay(api, card, "31"), 422, "idempotency_key_reused")
    path = f"/gift-cards/{card['id']}/refund"
    part = api.post(path, {"checkout": "cart-1", "amount": "10"}, Idempotency_Key="r1")
    assert (part.status_code, part.json()["balance"]) == (201, "80.00")
    assert_problem(api.post(path, {"checkout": "cart-1", "amount": "5"}), 400,
                   "idempotency_key_required")  # fmt: skip
    assert api.post(path, {"checkout": "cart-1"}).json()["balance"] == "100.00"
    assert_problem(api.post(path, {"checkout": "cart-9"}), 422, "invalid_request", "checkout")
    amounts = [
        row["amount"] for row in api.get(f"/gift-cards/{card['id']}/movements").json()["results"]
    ]
    assert amounts == ["20.00", "10.00", "-30.00", "100.00"]


def test_a_used_card_s_code_is_told_no_more(api: ApiClient, club: Program) -> None:
    card = issue(api, club)
    pay(api, card, "1")
    assert issue(api, club)["code"] == ""


def test_a_till_sells_a_card_that_was_made_before(api: ApiClient, club: Program) -> None:
    card = issue(api, club, active=False)
    assert (card["state"], card["balance"]) == ("inactive", "0.00")
    assert_problem(pay(api, card, "1"), 409, "gift_card_inactive")
    for _time in range(2):
        sold = api.post("/gift-cards/activate", {"code": card["code"]})
        assert (sold.status_code, sold.json()["balance"]) == (200, "100.00")


def test_a_card_is_blocked_replaced_and_topped_up(api: ApiClient, club: Program) -> None:
    card = issue(api, club)
    path = f"/gift-cards/{card['id']}"
    why = {"reason": "reported lost"}
    assert api.post(f"{path}/block", why).json()["state"] == "blocked"
    assert_problem(pay(api, card, "1"), 409, "gift_card_blocked")
    assert api.post(f"{path}/unblock", why).json()["state"] == "active"
    other = api.post(f"{path}/replace", why, Idempotency_Key="x1").json()
    assert (other["replaces"], other["balance"]) == (card["id"], "100.00")
    assert other["code"] != card["code"]
    assert_problem(pay(api, card, "1"), 409, "gift_card_replaced")
    top = api.post(f"/gift-cards/{other['id']}/top-up", {"amount": "25"}, Idempotency_Key="u1")
    assert top.json()["balance"] == "125.00"
    assert api.post(f"/gift-cards/{other['id']}/cancel", why).json()["state"] == "cancelled"


def test_a_spent_card_is_not_canceled(api: ApiClient, club: Program) -> None:
    card = issue(api, club)
    pay(api, card, "1")
    answer = api.post(f"/gift-cards/{card['id']}/cancel", {"reason": "returned"})
    assert_problem(answer, 409, "gift_card_spent")


def test_a_card_is_moved_to_credit_and_credit_is_spent(
    api: ApiClient, club: Program, member: Membership
) -> None:
    card = issue(api, club)
    body = {"code": card["code"], "membership": str(member.public_id)}
    moved = api.post("/gift-cards/move", body, Idempotency_Key="m1")
    assert (moved.status_code, moved.json()["balance"]) == (201, "0.00")
    spent = api.post(
        "/redemptions",
        {"membership": str(member.public_id), "wallet_type": "credit", "units": "40"},
        Idempotency_Key="s1",
    )
    assert (spent.status_code, spent.json()["units"]) == (201, "-40.00")
    again = api.post("/gift-cards/move", body, Idempotency_Key="m2")
    assert_problem(again, 409, "gift_card_empty")
    assert api.get(f"/gift-cards/{card['id']}").json()["state"] == "used_up"


def test_an_order_is_refunded_as_credit(api: ApiClient, club: Program, member: Membership) -> None:
    order = {
        "source": "shop", "external_id": "A1", "currency": club.currency, "total": "50",
        "placed_at": "2026-01-10T12:00:00Z", "customer": {"id": str(member.customer.public_id)},
    }  # fmt: skip
    assert api.post("/orders", order).status_code in (200, 201)
    body = {
        "membership": str(member.public_id), "amount": "20",
        "order": {"source": "shop", "external_id": "A1"},
    }  # fmt: skip
    paid = api.post("/store-credit/refunds", body, Idempotency_Key="c1")
    assert (paid.status_code, paid.json()["units"], paid.json()["kind"]) == (
        201, "20.00", "deposit",
    )  # fmt: skip
    more = api.post("/store-credit/refunds", body | {"amount": "30.01"}, Idempotency_Key="c2")
    assert_problem(more, 409, "credit_refused", "amount")
    wrong = body | {"order": {"source": "shop", "external_id": "B9"}}
    answer = api.post("/store-credit/refunds", wrong, Idempotency_Key="c3")
    assert_problem(answer, 422, "invalid_request", "order")


def test_cards_are_listed_by_state_ending_and_buyer(
    api: ApiClient, club: Program, member: Membership
) -> None:
    buyer = str(member.customer.public_id)
    one = issue(api, club, buyer=buyer)
    two = issue(api, club, "i2")
    pay(api, two, "100")

    def listed(query: str) -> list[str]:
        return [row["id"] for row in api.get(f"/gift-cards?{query}").json()["results"]]

    assert listed("") == [two["id"], one["id"]]
    assert listed("state=used_up") == [two["id"]]
    assert listed("state=active") == [one["id"]]
    assert listed(f"last_four={two['last_four'].lower()}") == [two["id"]]
    assert listed(f"buyer={buyer}") == [one["id"]]
    assert listed(f"program={club.code}") == [two["id"], one["id"]]
    assert_problem(api.get("/gift-cards?last_four=12"), 400, "invalid_parameter", "last_four")


@pytest.mark.parametrize("path", ["check", "redeem", "activate"])
def test_wrong_codes_are_refused_and_too_many_of_one_person(
    api: ApiClient, club: Program, path: str
) -> None:
    card = issue(api, club)
    rest = {"amount": "1", "checkout": "c"} if path == "redeem" else {}
    wrong = {"code": "2222-2222-2222-2", "client": "203.0.113.7"} | rest
    for _time in range(10):
        assert_problem(api.post(f"/gift-cards/{path}", wrong), 422, "invalid_request", "code")
    right = wrong | {"code": card["code"]}
    assert_problem(api.post(f"/gift-cards/{path}", right), 429, "too_many_wrong_codes")
    other = right | {"client": "203.0.113.8"}
    assert api.post(f"/gift-cards/{path}", other).status_code < 300


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"program": "nowhere"}, "program"),
        ({"amount": "0"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"buyer": "00000000-0000-0000-0000-000000000000"}, "buyer"),
        ({"recipient_email": "nobody"}, "recipient_email"),
        ({"color": "red"}, "color"),
    ],
)
def test_what_is_wrong_with_a_card_is_named(
    api: ApiClient, club: Program, body: dict[str, Any], field: str
) -> None:
    answer = api.post(
        "/gift-cards", {"program": club.code, "amount": "10"} | body, Idempotency_Key="i1"
    )
    assert_problem(answer, 422, "invalid_request", field)
    assert not GiftCard.objects.exists()


def test_a_program_without_stored_value_issues_none(api: ApiClient) -> None:
    plain = make_beans(code="plain")
    asked = {"program": plain.code, "amount": "10"}
    answer = api.post("/gift-cards", asked, Idempotency_Key="i1")
    assert_problem(answer, 409, "no_stored_value")


def test_reading_needs_its_scope_and_writing_another(
    key_with: Any, api: ApiClient, club: Program
) -> None:
    card = issue(api, club)
    reader = key_with("gift_cards:read")
    assert reader.get(f"/gift-cards/{card['id']}").status_code == 200
    assert_problem(pay(reader, card, "1"), 403, "insufficient_scope")
    assert key_with("orders:read").get("/gift-cards").status_code == 403
