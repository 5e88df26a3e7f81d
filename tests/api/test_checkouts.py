"""/checkouts and /checkouts/quote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import Membership, Program, WalletType
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.models import Checkout, Reward
from rewards.services.rewards import create_reward
from rewards.services.voucher_pools import create_voucher_pool, import_vouchers
from tests.api.conftest import ApiClient, assert_problem

# All statements of both requests, BEGIN and COMMIT too: of the member, the rules and the reward,
# each row that is written, and what is answered.
RESERVE, COMMIT = 24, 27
pytestmark = pytest.mark.django_db(transaction=True)
BASKET = {
    "currency": "USD", "total": "20", "tax_total": "4",
    "lines": [{"line_no": 1, "sku": "tea", "total": "20"}],
}  # fmt: skip


@pytest.fixture
def reward(program: Program) -> Reward:
    definition = RewardDefinition.model_validate(
        {"code": "five", "kind": "amount_off", "name": "5 off", "price": 60, "amount": 5,
         "status": "live", "per_member": 1, "least": 15}
    )  # fmt: skip
    return create_reward(program=program, definition=definition, actor=SYSTEM)


@pytest.fixture
def member(api: ApiClient, membership: Membership) -> Membership:
    """Ann, who has 100 beans, five cents each."""
    WalletType.objects.filter(program=membership.program).update(unit_value="0.05")
    Program.objects.filter(pk=membership.program_id).update(
        revision=membership.program.revision + 1
    )
    body = {"membership": str(membership.public_id), "units": "100", "reason": "goodwill"}
    assert api.post("/transfers", body, Idempotency_Key="start").status_code == 201
    return membership


def unit_of(member: Membership) -> str:
    kind = WalletType.objects.filter(program=member.program).first()
    assert kind is not None
    return str(kind.code)


def reserve(api: ApiClient, member: Membership, **more: Any) -> Any:
    body = {"cart": "cart-1", "membership": str(member.public_id), "order": BASKET} | more
    return api.post("/checkouts", body)


def units(member: Membership, number: str) -> list[dict[str, str]]:
    return [{"wallet_type": unit_of(member), "units": number}]


def spendable(api: ApiClient, member: Membership) -> str:
    found = api.get(f"/memberships/{member.public_id}/balances").json()["balances"]
    return str(found[0]["spendable"])


def test_a_cart_is_reserved_paid_and_its_order_finds_what_it_paid(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    answer = reserve(api, member, units=units(member, "40"), rewards=[str(reward.public_id)])
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert found["totals"] == {
        "currency": "USD", "goods": "20.00", "shipping": "0.00", "discount": "0.00",
        "voucher_discount": "5.00", "total": "15.00", "tax": "3.00", "paid_units": "2.00",
        "paid_gift_cards": "0.00", "to_pay": "13.00",
        "lines": [{"line_no": 1, "total": "15.00", "discount": "5.00", "tax": "0.00"}],
    }  # fmt: skip
    assert found["status"] == "reserved"
    assert [(item["units"], item["amount"]) for item in found["units"]] == [("40", "2.00")]
    [kept] = found["rewards"]
    assert (kept["status"], kept["amount"], kept["voucher"]) == ("reserved", "5.00", None)
    assert spendable(api, member) == "0"
    assert reserve(
        api, member, units=units(member, "40"), rewards=[str(reward.public_id)]
    ).json() == found  # fmt: skip

    done = api.post(f"/checkouts/{found['id']}/commit", {"order_external_id": "A-9"})
    assert (done.status_code, done.json()["status"]) == (200, "committed")
    assert done.json()["rewards"][0]["status"] == "used"
    again = api.post(f"/checkouts/{found['id']}/commit", {"order_external_id": "A-9"})
    assert again.json() == done.json()

    order = BASKET | {
        "external_id": "A-9", "total": "15", "tax_total": "3", "customer": {"external_id": "C-1"},
        "placed_at": "2026-01-01T10:00:00Z",
        "lines": [{"line_no": 1, "sku": "tea", "total": "15", "discount": "5"}],
    }  # fmt: skip
    assert api.post("/orders", order).status_code == 201
    shown = api.get("/orders/shop/A-9").json()
    assert {item["kind"]: item["amount"] for item in shown["tenders"]} == {
        "money": "13.00", "units": "2.00",
    }  # fmt: skip
    [paid] = shown["unit_tenders"]
    assert (paid["units"], paid["amount"], paid["returned"]) == ("40", "2.00", "0")

    refund = {
        "external_id": "R-9", "order_external_id": "A-9", "currency": "USD", "total": "7.50",
        "refunded_at": "2026-01-02T10:00:00Z",
    }  # fmt: skip
    wanted = {"money": "6.50", "units": [{**paid, "units": "20", "amount": "1.00"}]}
    wanted["units"][0].pop("returned")  # type: ignore[attr-defined]
    assert api.post("/refunds/preview", refund).json()["given_back"] == wanted
    assert api.post("/refunds", refund).json()["given_back"] == wanted
    assert api.get("/orders/shop/A-9").json()["unit_tenders"][0]["returned"] == "20"


def test_a_cart_is_given_up(api: ApiClient, member: Membership) -> None:
    found = reserve(api, member, units=units(member, "40")).json()
    gone = api.post(f"/checkouts/{found['id']}/cancel", {"reason": "Left"})
    assert (gone.json()["status"], gone.json()["reason"]) == ("cancelled", "Left")
    assert spendable(api, member) == "100"
    assert_problem(
        api.post(f"/checkouts/{found['id']}/commit", {"order_external_id": "A-9"}), 409,
        "checkout_cancelled",
    )  # fmt: skip


def test_what_cannot_be_kept_is_refused_with_its_code(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    assert_problem(reserve(api, member, units=units(member, "140")), 409, "insufficient_balance")
    nobody = "00000000-0000-4000-8000-000000000000"
    assert_problem(reserve(api, member, rewards=[nobody]), 422, "invalid_request", "rewards[0]")
    assert_problem(reserve(api, member, vouchers=["NONE"]), 422, "invalid_request", "vouchers[0]")
    assert_problem(
        reserve(api, member, units=[{"wallet_type": "stars", "units": "1"}]), 422,
        "invalid_request", "units[0].wallet_type",
    )  # fmt: skip
    assert_problem(
        reserve(api, member, order=BASKET | {"customer": {"external_id": "C-1"}}), 422,
        "invalid_request", "order.customer",
    )  # fmt: skip
    assert not Checkout.objects.exists()
    assert spendable(api, member) == "100"


def test_carts_are_listed(api: ApiClient, member: Membership) -> None:
    reserve(api, member)
    reserve(api, member, cart="cart-2")
    listed = api.get(f"/checkouts?membership={member.public_id}").json()["results"]
    assert [item["cart"] for item in listed] == ["cart-2", "cart-1"]
    assert len(api.get("/checkouts?cart=cart-1&status=reserved").json()["results"]) == 1
    assert api.get(f"/checkouts/{listed[0]['id']}").json() == listed[0]


def test_who_may_not_read_vouchers_sees_no_code_of_a_cart(
    api: ApiClient, key_with: Callable[..., ApiClient], member: Membership, reward: Reward
) -> None:
    found = reserve(api, member, rewards=[str(reward.public_id)]).json()
    done = api.post(f"/checkouts/{found['id']}/commit", {"order_external_id": "A-9"}).json()
    code = done["rewards"][0]["voucher"]["code"]
    reader = key_with("checkouts:read")
    one = reader.get(f"/checkouts/{found['id']}").json()
    [listed] = reader.get("/checkouts").json()["results"]
    for shown in (one, listed):
        hidden = shown["rewards"][0]["voucher"]["code"]
        assert hidden != code
        assert hidden.startswith("•")


def test_it_takes_the_right_key(key_with: Callable[..., ApiClient], member: Membership) -> None:
    assert_problem(reserve(key_with("checkouts:read"), member), 403, "insufficient_scope")
    assert key_with("checkouts:write").get("/checkouts").status_code == 403


def quote(api: ApiClient, member: Membership, **order: Any) -> dict[str, Any]:
    body = {"membership": str(member.public_id), "order": BASKET | order}
    response = api.post("/checkouts/quote", body)
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def test_before_it_is_paid_it_says_what_fits_and_the_best_use(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    found = quote(api, member)
    [usable] = found["quote"]["usable"]
    assert (usable["spendable"], usable["usable"], usable["worth"]) == ("100", "100", "5.00")
    [fit] = found["rewards"]
    assert (fit["fits"], fit["amount"], fit["missing"], fit["refusals"]) == (
        True, "5.00", "0", [],
    )  # fmt: skip
    [best] = found["best"]
    assert (best["reward"], best["units"], best["amount"]) == (
        str(reward.public_id), "60", "5.00",
    )  # fmt: skip
    assert "5 off" in best["words"]
    assert not Checkout.objects.exists()


def test_why_a_reward_does_not_fit_is_said_and_units_pay_instead(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    small = {"total": "10", "tax_total": "2", "lines": [{"sku": "tea", "total": "10"}]}
    found = quote(api, member, **small)
    [fit] = found["rewards"]
    assert (fit["fits"], [item["code"] for item in fit["refusals"]]) == (
        False, ["reward_not_applicable"],
    )  # fmt: skip
    [best] = found["best"]
    assert (best["reward"], best["units"], best["amount"]) == (None, "100", "5.00")


def test_an_order_is_paid_with_units_by_its_message(api: ApiClient, member: Membership) -> None:
    tender = {"kind": "units", "amount": "2", "wallet_type": unit_of(member), "units": "40"}
    order = BASKET | {
        "external_id": "A-1", "customer": {"external_id": "C-1"},
        "placed_at": "2026-01-01T10:00:00Z",
        "tenders": [{"kind": "money", "amount": "18"}, tender],
    }  # fmt: skip
    assert api.post("/orders", order).status_code == 201
    assert api.post("/orders", order).status_code == 200
    shown = api.get("/orders/shop/A-1").json()
    assert [item["units"] for item in shown["unit_tenders"]] == ["40"]
    wrong = {"kind": "money", "amount": "2", "wallet_type": unit_of(member), "units": "40"}
    assert_problem(
        api.put("/orders/shop/A-2", {k: v for k, v in order.items() if k != "external_id"}
                | {"tenders": [wrong, {"kind": "money", "amount": "18"}]}),
        422, "invalid_request",
    )  # fmt: skip


def test_a_quote_tells_what_is_chosen_in_its_turn(
    api: ApiClient, member: Membership, key_with: Callable[..., ApiClient]
) -> None:
    def make(code: str, **changes: Any) -> Reward:
        values = {"code": code, "name": code, "price": 10, "status": "live", "combines": True}
        definition = RewardDefinition.model_validate(values | changes)
        return create_reward(program=member.program, definition=definition, actor=SYSTEM)

    half = make("half", kind="percent_off", percent=50, applies=200)
    five = make("five", kind="amount_off", amount=5, stacking_group="off")
    four = make("four", kind="amount_off", amount=4, stacking_group="off")
    body = {
        "membership": str(member.public_id), "order": BASKET,
        "rewards": [str(item.public_id) for item in (half, five)],
    }  # fmt: skip
    found = api.post("/checkouts/quote", body).json()
    told = found["together"]
    assert [(step["name"], step["applies"], step["amount"]) for step in told["steps"]] == [
        ("five", 100, "5.00"), ("half", 200, "7.50"),
    ]  # fmt: skip
    assert (told["conflict"], told["total"]) == (None, "7.50")
    [fit] = [item for item in found["rewards"] if item["code"] == "five"]
    assert (fit["combines"], fit["stacking_group"], fit["applies"]) == (True, "off", 100)
    body["rewards"] = [str(item.public_id) for item in (four, five)]
    told = api.post("/checkouts/quote", body).json()["together"]
    assert told["conflict"]["code"] == "voucher_same_group"
    body["vouchers"] = ["NOPE-NOPE"]
    assert_problem(api.post("/checkouts/quote", body), 422, "invalid_request", "vouchers[0]")
    narrow = key_with("quotes:read")
    assert narrow.post("/checkouts/quote", body).status_code == 403
    unchosen = {"membership": str(member.public_id), "order": BASKET}
    assert api.post("/checkouts/quote", unchosen).json()["together"] is None


def test_a_quote_says_why_a_code_that_nobody_was_given_takes_nothing_off(
    api: ApiClient, member: Membership
) -> None:
    pool = create_voucher_pool(program=member.program, code="films", name="Films", actor=SYSTEM)
    import_vouchers(pool=pool, lines=["FILM0001"], actor=SYSTEM)
    body = {"membership": str(member.public_id), "order": BASKET, "vouchers": ["FILM0001"]}
    answer = api.post("/checkouts/quote", body)
    assert answer.status_code == 200
    [step] = answer.json()["together"]["steps"]
    assert (step["name"], step["amount"], step["refusals"][0]["code"]) == (
        "", "0.00", "voucher_not_issued",
    )  # fmt: skip


@pytest.fixture
def cheap(reward: Reward) -> Reward:
    Reward.objects.filter(pk=reward.pk).update(price=1, per_member=None)
    return reward


def statements(act: Any) -> tuple[int, dict[str, Any]]:
    with CaptureQueriesContext(connection) as captured:
        answer = act()
    assert answer.status_code == 200, answer.content
    found = [item for item in captured if "members_apikey" not in item["sql"]]
    return len(found), answer.json()


def test_a_cart_with_units_and_a_reward_asks_each_thing_once(
    api: ApiClient, member: Membership, cheap: Reward
) -> None:
    asked = {"units": units(member, "1"), "rewards": [str(cheap.public_id)]}
    for number in range(3):
        took, kept = statements(lambda n=number: reserve(api, member, cart=f"cart-{n}", **asked))
        told = {"order_external_id": f"A-{number}"}
        paid, done = statements(
            lambda pk=kept["id"], body=told: api.post(f"/checkouts/{pk}/commit", body)
        )
    assert done["rewards"][0]["status"] == "used"
    assert (took <= RESERVE, paid <= COMMIT) == (True, True), (took, paid)


def test_a_cart_without_rewards_asks_for_none(api: ApiClient, member: Membership) -> None:
    asked = {"units": units(member, "1")}
    reserve(api, member, cart="first", **asked)
    took, kept = statements(lambda: reserve(api, member, cart="second", **asked))
    assert took <= RESERVE - 7
    assert (kept["rewards"], kept["vouchers"], kept["gift_cards"]) == ([], [], [])
    assert Checkout.objects.count() == 2
