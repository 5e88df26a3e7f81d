"""/rewards, /reward-redemptions and /vouchers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.models import Reward
from rewards.services.access_windows import WindowTerms, save_window
from rewards.services.rewards import create_reward
from rewards.services.shared_codes import create_shared_code
from tests.api.conftest import ApiClient, assert_problem
from tests.rewards.factories import offer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all", "undone_when_refused")]
BASKET = {
    "currency": "USD", "total": "20",
    "lines": [{"line_no": 1, "sku": "tea", "total": "20"}],
}  # fmt: skip


@pytest.fixture
def reward(program: Program) -> Reward:
    definition = RewardDefinition.model_validate(
        {"code": "five", "kind": "amount_off", "name": "5 off", "price": 60, "amount": 5,
         "status": "live", "per_member": 1}
    )  # fmt: skip
    return create_reward(program=program, definition=definition, actor=SYSTEM)


@pytest.fixture
def member(api: ApiClient, membership: Membership) -> Membership:
    """Ann, who has 100."""
    body = {"membership": str(membership.public_id), "units": "100", "reason": "goodwill"}
    assert api.post("/transfers", body, Idempotency_Key="start").status_code == 201
    return membership


def take(api: ApiClient, member: Membership, reward: Reward, key: str = "t1", **more: Any) -> Any:
    body = {"membership": str(member.public_id), "reward": str(reward.public_id)} | more
    return api.post("/reward-redemptions", body, Idempotency_Key=key)


def test_a_member_finds_what_they_may_take_and_what_they_lack(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    [found] = api.get(f"/rewards?membership={member.public_id}").json()["results"]
    assert (found["name"], found["price"], found["amount"], found["left"]) == (
        "5 off", "60", "5.00", None,
    )  # fmt: skip
    assert found["offer"] == {"price": "60", "can_take": True, "missing": "0", "refusals": []}
    assert take(api, member, reward).status_code == 201
    again = api.get(f"/rewards/{reward.public_id}?membership={member.public_id}").json()["offer"]
    assert (again["can_take"], again["missing"]) == (False, "20")
    assert again["refusals"] == [{"code": "limit_reached", "message": "1 for each member."}]
    assert api.get("/rewards").json()["results"][0]["offer"] is None


def test_what_comes_with_a_sale_says_so_and_is_refused_before_it(
    api: ApiClient, member: Membership
) -> None:
    now, day = timezone.now(), dt.timedelta(days=1)
    sale = WindowTerms(name="Sale", opens_at=now + day, closes_at=now + 2 * day)
    save_window(program=member.program, code="sale", terms=sale, actor=SYSTEM)
    early = offer(member.program, price=60, window="sale")
    [found] = api.get(f"/rewards?membership={member.public_id}").json()["results"]
    assert (found["window"], found["starts_at"]) == ("sale", None)
    assert [item["code"] for item in found["offer"]["refusals"]] == ["not_yet"]
    assert_problem(take(api, member, early), 409, "not_yet")
    body = {"membership": str(member.public_id), "order": BASKET}
    [quoted] = api.post("/checkouts/quote", body).json()["rewards"]
    assert (quoted["fits"], [item["code"] for item in quoted["refusals"]]) == (False, ["not_yet"])


def test_a_reward_is_taken_used_at_a_checkout_and_let_go(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    answer = take(api, member, reward)
    taken = answer.json()
    assert (answer.status_code, taken["status"], taken["units"]) == (201, "issued", "60")
    at = {"code": taken["voucher"]["code"].lower(), "checkout": "cart-1"}
    told = api.post("/vouchers/check", at | {"order": BASKET}).json()
    assert (told["discount"], told["lines"]) == ("5.00", [{"line_no": 1, "amount": "5.00"}])
    assert api.post("/vouchers/hold", at | {"order": BASKET}).json()["state"] == "held"
    other = at | {"checkout": "cart-2"}
    assert_problem(api.post("/vouchers/use", other), 409, "voucher_held")
    assert api.post("/vouchers/use", at).json()["discount"] == "5.00"
    assert api.get(f"/reward-redemptions/{taken['id']}").json()["status"] == "used"
    assert_problem(
        api.post(f"/reward-redemptions/{taken['id']}/cancel", {}), 409, "redemption_state"
    )
    assert api.post("/vouchers/release", at).json()["state"] == "released"
    gone = api.post(f"/reward-redemptions/{taken['id']}/cancel", {"reason": "Order canceled"})
    assert gone.json()["status"] == "cancelled"
    assert_problem(api.post("/vouchers/use", at), 409, "voucher_void")
    balances = api.get(f"/memberships/{member.public_id}/balances").json()["balances"]
    assert balances[0]["spendable"] == "100"


def test_a_repeat_takes_it_once(api: ApiClient, member: Membership, reward: Reward) -> None:
    first, again = take(api, member, reward), take(api, member, reward)
    assert first.json() == again.json()
    assert_problem(take(api, member, reward, "t2"), 409, "limit_reached")


def test_what_is_reserved_is_issued_later(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    held = take(api, member, reward, hold_minutes=10).json()
    assert (held["status"], held["voucher"]) == ("reserved", None)
    issued = api.post(f"/reward-redemptions/{held['id']}/issue").json()
    assert (issued["status"], issued["reserved_until"]) == ("issued", None)
    used = api.post(f"/reward-redemptions/{held['id']}/use").json()
    assert used["status"] == "used"
    listed = api.get(f"/reward-redemptions?membership={member.public_id}&status=used").json()
    assert [item["id"] for item in listed["results"]] == [held["id"]]


def test_only_keys_that_may_look_at_vouchers_read_codes(
    api: ApiClient, member: Membership, reward: Reward, key_with: Any
) -> None:
    taken = take(api, member, reward).json()
    code = taken["voucher"]["code"]
    reader = key_with("rewards:read")
    listed = reader.get("/reward-redemptions").json()["results"][0]
    one = reader.get(f"/reward-redemptions/{taken['id']}").json()
    hidden = f"••••{code.replace('-', '')[-2:]}"
    assert [listed["voucher"]["code"], one["voucher"]["code"]] == [hidden, hidden]
    both = key_with("rewards:read", "vouchers:read")
    assert both.get(f"/reward-redemptions/{taken['id']}").json()["voucher"]["code"] == code


def test_a_shared_code_is_used_once_by_each_member(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    create_shared_code(
        reward=reward, written="SUMMER-26", most_uses=5, expires_at=None, actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    at = {"code": "summer26", "checkout": "cart-1", "order": BASKET}
    own = {"membership": str(member.public_id)}
    assert api.post("/vouchers/check", at | own).json()["discount"] == "5.00"
    assert_problem(api.post("/vouchers/use", at), 409, "voucher_needs_member")
    assert api.post("/vouchers/use", at | own).json()["state"] == "used"
    again = at | own | {"checkout": "cart-2"}
    assert_problem(api.post("/vouchers/use", again), 409, "voucher_used_by_member")
    nobody = at | {"membership": "00000000-0000-4000-8000-000000000000"}
    assert_problem(api.post("/vouchers/use", nobody), 422, "invalid_request", "membership")


def test_a_mystery_gift_says_its_odds_and_then_what_was_drawn(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    definition = RewardDefinition.model_validate(
        {"code": "gift", "kind": "mystery", "name": "Surprise", "price": 10, "status": "live",
         "prizes": {"five": 3}, "texts": {"ms": {"name": "Kejutan"}}}
    )  # fmt: skip
    gift = create_reward(program=reward.program, definition=definition, actor=SYSTEM)
    told = api.get(f"/rewards/{gift.public_id}").json()
    assert told["odds"] == [{"reward": str(reward.public_id), "name": "5 off", "chance": 1.0}]
    assert told["texts"] == {"ms": {"name": "Kejutan", "summary": "", "details": ""}}
    assert told["picture"] is None
    taken = take(api, member, gift).json()
    assert taken["drawn"] == str(reward.public_id)


def test_what_is_not_there_is_named(api: ApiClient, member: Membership, reward: Reward) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    body = {"membership": str(member.public_id), "reward": nobody}
    answer = api.post("/reward-redemptions", body, Idempotency_Key="x")
    assert_problem(answer, 422, "invalid_request", "reward")
    assert_problem(api.get(f"/rewards/{nobody}"), 404, "not_found")
    unknown = api.post("/vouchers/check", {"code": "NOPE", "checkout": "c"})
    assert_problem(unknown, 422, "invalid_request", "code")


def test_a_price_beyond_the_balance_is_refused(
    api: ApiClient, membership: Membership, reward: Reward
) -> None:
    assert_problem(take(api, membership, reward), 409, "insufficient_balance")


def test_a_member_is_given_a_reward_once(
    api: ApiClient, membership: Membership, reward: Reward
) -> None:
    body = {"membership": str(membership.public_id), "reward": str(reward.public_id),
            "message": "Thank you"}  # fmt: skip
    first, again = (
        api.post("/reward-gifts", body, Idempotency_Key="gift-1").json() for _ in range(2)
    )
    assert first == again
    assert (first["gift"], first["units"], first["message"]) == ("staff", "0", "Thank you")
    assert first["voucher"]["code"]
    Reward.objects.update(stock=0)
    assert_problem(api.post("/reward-gifts", body, Idempotency_Key="gift-2"), 409, "sold_out")
