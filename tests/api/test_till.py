"""/till: who stands there, what was sold, and what a till that was offline sends later."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.models import Membership, Order, Program
from loyalty.selectors.programs import definition_of
from loyalty.services.manual_tiers import give_tier
from loyalty.services.memberships import enroll_customer
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM
from rewards.models import Reward, Voucher, VoucherUse
from rewards.services.redemptions import take_reward
from tests.api.conftest import ApiClient, assert_problem
from tests.rewards.factories import offer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all", "undone_when_refused")]


@pytest.fixture
def member(api: ApiClient, membership: Membership) -> Membership:
    """Ann, who has 1,000, each worth a cent."""
    body = {"membership": str(membership.public_id), "units": "1000", "reason": "goodwill"}
    assert api.post("/transfers", body, Idempotency_Key="start").status_code == 201
    return membership


@pytest.fixture
def reward(program: Program) -> Reward:
    return offer(program, price=60, per_member=5)


def take(member: Membership, reward: Reward, key: str = "v") -> Voucher:
    taken, _known = take_reward(
        membership=member, reward=reward, key=key, source="api", actor=SYSTEM, now=timezone.now()
    )
    assert taken.voucher is not None
    return taken.voucher


def spendable(api: ApiClient, member: Membership) -> str:
    found = api.get(f"/memberships/{member.public_id}/balances").json()["balances"][0]["spendable"]
    return str(found)


def sale(member: Membership | None = None, number: str = "s-1", **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": number, "placed_at": timezone.now().isoformat(), "currency": "USD", "total": "20",
    }  # fmt: skip
    if member is not None:
        body["member"] = {"scanned": member.card_number}
    return body | changes


PAID = [
    {"kind": "money", "amount": "17.00"},
    {"kind": "units", "amount": "3.00", "wallet_type": "points", "units": "300"},
]


def people(api: ApiClient, **shown: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.post("/till/people", shown).json()["members"]
    return found


def test_a_card_a_number_a_phone_an_address_or_a_voucher_says_who_it_is(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    Customer.objects.filter(pk=member.customer_id).update(phone="+12025550123")
    customer, voucher = Customer.objects.get(), take(member, reward)
    card = member.card_number
    shown = [
        {"scanned": card}, {"scanned": f"{card[:4]} {card[4:]}"},
        {"scanned": str(customer.external_id)}, {"scanned": voucher.written.lower()},
        {"phone": "+1 202 555 0123"}, {"email": customer.email.upper()},
    ]  # fmt: skip
    for by in shown:
        [found] = people(api, **by)
        assert found["membership"] == str(member.public_id), by
    assert found["balances"][0]["spendable"] == "940"
    assert [item["code"] for item in found["vouchers"]] == [voucher.written]
    assert [item["name"] for item in found["rewards"]] == ["5 off"]


@pytest.mark.parametrize("shown", [{"scanned": "1"}, {"phone": "555"}, {"email": "ann"}])
def test_nobody_is_found_by_a_part(
    api: ApiClient, member: Membership, shown: dict[str, str]
) -> None:
    assert people(api, **shown) == []


def test_one_thing_says_who_it_is(api: ApiClient) -> None:
    assert_problem(api.post("/till/people", {}), 422, "invalid_request")
    both = {"phone": "1", "email": "a@b.c"}
    assert_problem(api.post("/till/people", both), 422, "invalid_request")


def test_a_sale_is_recorded_once_with_what_it_used_and_says_what_to_print(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    voucher = take(member, reward)
    body = sale(
        member, till="till-3", tenders=PAID,
        vouchers=[{"code": voucher.written, "amount": "5.00"}],
    )  # fmt: skip
    first = api.post("/till/sales", body)
    again = api.post("/till/sales", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["outcome"], again.json()["outcome"]) == ("created", "unchanged")
    receipt = first.json()["receipt"]
    assert receipt == again.json()["receipt"]
    assert receipt[0] == f"5 off ({voucher.written}): -$5.00"
    assert receipt[1].replace("\xa0", " ") == "Paid with 300 Beans: $3.00"
    assert "Bean Club" in receipt
    assert first.json()["problems"] == []
    assert (Order.objects.count(), VoucherUse.objects.get().discount) == (1, 5)
    assert spendable(api, member) == "657"


def test_a_sale_that_cannot_be_paid_leaves_nothing_behind(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    voucher = take(member, reward)
    tender = {"kind": "units", "amount": "20.00", "wallet_type": "points", "units": "2000"}
    body = sale(member, till="till-3", tenders=[tender], vouchers=[{"code": voucher.written}])
    for headers in ({}, {"Idempotency_Key": "k"}):
        answer = api.post("/till/sales", body, **headers)
        assert_problem(answer, 409, "insufficient_balance")
    assert not Order.objects.exists()
    held = VoucherUse.objects.filter(state="held")
    assert not held.exists()
    assert_problem(
        api.post("/till/sales", sale(till="t") | {"member": {"scanned": "nobody"}}),
        422, "invalid_request", "member",
    )  # fmt: skip


def sync(api: ApiClient, *sales: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    answer = api.post("/till/sync", {"till": "till-3", "sales": list(sales)}, **headers)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "queue-1"}])
def test_what_was_sold_offline_is_recorded_whatever_became_of_its_units(
    api: ApiClient, member: Membership, headers: dict[str, str]
) -> None:
    queue = [
        sale(member, "a", tenders=PAID),
        sale(member, "b", tenders=[
            {"kind": "units", "amount": "20.00", "wallet_type": "points", "units": "2000"}]),
        sale(None, "c") | {"member": {"scanned": "lost card"}},
        sale(member, "d", total="20", lines=[{"total": "19"}]),
    ]  # fmt: skip
    found = sync(api, *queue, **headers)
    assert [item["outcome"] for item in found] == ["created", "created", "created", "refused"]
    codes = [[problem["code"] for problem in item["problems"]] for item in found]
    assert codes[:3] == [[], ["insufficient_balance"], ["member_unknown"]]
    assert Order.objects.count() == 3
    assert spendable(api, member) == "717"


def test_the_queue_may_be_sent_again_and_again(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    voucher = take(member, reward)
    queue = [
        sale(member, "a", tenders=PAID, vouchers=[{"code": voucher.written}]),
        sale(member, "b", vouchers=[{"code": voucher.written}, {"code": "NOPE"}]),
    ]  # fmt: skip
    first = sync(api, *queue)
    held = spendable(api, member)
    again = sync(api, *reversed(queue))
    assert [item["outcome"] for item in again] == ["unchanged", "unchanged"]
    assert spendable(api, member) == held
    codes = [problem["code"] for problem in first[1]["problems"]]
    assert codes == ["voucher_unknown", "voucher_used"]
    assert [problem["code"] for problem in again[0]["problems"]] == [
        "voucher_unknown", "voucher_not_used",
    ]  # fmt: skip
    assert VoucherUse.objects.filter(state="used").count() == 1


def test_units_that_could_not_be_spent_are_not_spent_by_sending_the_queue_again(
    api: ApiClient, member: Membership
) -> None:
    tender = {"kind": "units", "amount": "20.00", "wallet_type": "points", "units": "2000"}
    one = sale(member, "a", tenders=[tender])
    sync(api, one)
    body = {"membership": str(member.public_id), "units": "5000", "reason": "goodwill"}
    api.post("/transfers", body, Idempotency_Key="more")
    [again] = sync(api, one)
    assert again["outcome"] == "unchanged"
    assert [problem["code"] for problem in again["problems"]] == ["units_not_spent"]
    assert spendable(api, member) == "6000"


def test_a_voucher_that_ran_out_meanwhile_was_good_when_it_was_used(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    voucher = take(member, reward)
    now = timezone.now()
    Voucher.objects.filter(pk=voucher.pk).update(expires_at=now - dt.timedelta(hours=1))
    at = (now - dt.timedelta(hours=2)).isoformat()
    [good] = sync(api, sale(member, "a", placed_at=at, vouchers=[{"code": voucher.written}]))
    assert good["problems"] == []
    late = take(member, reward, "late")
    Voucher.objects.filter(pk=late.pk).update(expires_at=now - dt.timedelta(days=4))
    at = (now - dt.timedelta(days=5)).isoformat()
    [refused] = sync(api, sale(member, "b", placed_at=at, vouchers=[{"code": late.written}]))
    assert [problem["code"] for problem in refused["problems"]] == ["voucher_expired"]


def test_a_refused_sale_of_the_queue_uses_no_voucher(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    voucher = take(member, reward)
    wrong = sale(
        member,
        "a",
        vouchers=[{"code": voucher.written}],
        tenders=[{"kind": "money", "amount": "1"}],
    )
    [refused] = sync(api, wrong)
    voucher.refresh_from_db()
    assert (refused["outcome"], voucher.status) == ("refused", "issued")


@pytest.fixture
def twin(member: Membership) -> Membership:
    """Somebody else, whose customer number is the number of Ann's card."""
    other = Customer.objects.create(external_id=member.card_number, email="bo@example.com")
    return enroll_customer(
        customer=other, program=member.program, source="api", actor=SYSTEM, at=timezone.now()
    )[0]


def test_where_two_people_are_meant_it_is_asked_and_nobody_is_taken_for_the_other(
    api: ApiClient, member: Membership, twin: Membership
) -> None:
    assert len(people(api, scanned=member.card_number)) == 2
    answer = api.post("/till/sales", sale(member, till="till-3"), Idempotency_Key="k1")
    assert answer.status_code == 422
    assert [item["code"] for item in answer.json()["errors"]] == ["ambiguous"]
    assert not Order.objects.exists()
    told = sale(till="till-3") | {"member": {"email": "bo@example.com"}}
    assert api.post("/till/sales", told, Idempotency_Key="k2").status_code == 201
    assert Order.objects.get().customer_id == twin.customer_id


def test_an_offline_sale_that_means_two_people_is_recorded_for_nobody_and_said(
    api: ApiClient, member: Membership, twin: Membership
) -> None:
    body = {"till": "till-3", "sales": [sale(member)]}
    [result] = api.post("/till/sync", body, Idempotency_Key="k1").json()["results"]
    assert (result["outcome"], result["problems"][0]["code"]) == ("created", "member_ambiguous")
    assert Order.objects.get().customer_id is None
    assert spendable(api, member) == "1000"


def test_a_till_shows_a_reward_takes_it_and_uses_it_in_one_go(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    [found] = people(api, scanned=member.card_number)
    [shown] = found["rewards"]
    assert (shown["id"], shown["takes_off"], shown["gives"]) == (
        str(reward.public_id), True, "$5.00 off",
    )  # fmt: skip
    body = sale(member, till="till-3", rewards=[{"id": shown["id"], "amount": "5.00"}])
    first, again = (api.post("/till/sales", body) for _time in range(2))
    assert (first.status_code, again.json()["outcome"]) == (201, "unchanged")
    [voucher] = Voucher.objects.all()
    receipt = [words.replace("\xa0", " ") for words in first.json()["receipt"]]
    assert receipt[:2] == [f"5 off ({voucher.written}): -$5.00", "5 off: 60 Beans taken"]
    assert receipt == [words.replace("\xa0", " ") for words in again.json()["receipt"]]
    assert spendable(api, member) == "960"
    [row] = api.get("/reward-redemptions").json()["results"]
    assert row["status"] == "used"


def test_a_till_is_told_why_a_reward_cannot_be_taken(
    api: ApiClient, member: Membership, reward: Reward
) -> None:
    Reward.objects.update(stock=0)
    body = sale(member, till="till-3", rewards=[{"id": str(reward.public_id)}])
    for headers in ({}, {"Idempotency_Key": "k"}):
        assert_problem(api.post("/till/sales", body, **headers), 409, "sold_out")
    assert not Order.objects.exists()
    unknown = body | {"rewards": [{"id": str(member.public_id)}]}
    assert_problem(api.post("/till/sales", unknown), 422, "invalid_request", "rewards[0].id")


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "queue-1"}])
def test_rewards_of_a_queue_are_taken_once_however_often_it_is_sent(
    api: ApiClient, member: Membership, reward: Reward, headers: dict[str, str]
) -> None:
    Reward.objects.update(stock=1)
    asked = [{"id": str(reward.public_id), "amount": "5"}]
    queue = [
        sale(member, "a", rewards=asked),
        sale(member, "b", rewards=[*asked, {"id": str(member.public_id)}]),
    ]
    first = sync(api, *queue, **headers)
    codes = [[problem["code"] for problem in item["problems"]] for item in first]
    assert codes == [[], ["reward_unknown", "sold_out"]]
    assert first[1]["problems"][1]["reward"] == str(reward.public_id)
    held = spendable(api, member)
    again = sync(api, *queue)
    assert [[problem["code"] for problem in item["problems"]] for item in again] == [
        [], ["reward_unknown", "reward_not_taken"],
    ]  # fmt: skip
    assert spendable(api, member) == held
    assert VoucherUse.objects.filter(state="used").count() == 1


def test_units_pay_more_of_who_has_a_tier_at_the_till_and_in_a_cart(
    api: ApiClient, member: Membership
) -> None:
    told = definition_of(member.program, timezone.now()).model_dump(mode="json")
    told["tiers"] = {
        "tiers": [{"code": "base", "name": "Member"},
                  {"code": "gold", "name": "Gold", "threshold": 500}]
    }  # fmt: skip
    told["wallet_types"][0]["tier_values"] = {"gold": "0.015"}
    apply_definition(
        ProgramDefinition.model_validate(told), actor=SYSTEM, now=timezone.now()
    )  # fmt: skip
    who = {"scanned": member.card_number}
    give_tier(membership=member, tier="gold", reason="VIP", actor=SYSTEM, now=timezone.now())
    [found] = api.post("/till/people", who).json()["members"]
    [points] = found["balances"]
    assert (points["worth"], points["spending"]["unit_value"]) == ("15.00", "0.015")
    [balance] = api.get(f"/memberships/{member.public_id}/balances").json()["balances"]
    assert (balance["worth"]["amount"], balance["spending"]["unit_value"]) == ("15.00", "0.015")
    wallet_types = api.get(f"/programs/{member.program.code}").json()["wallet_types"]
    assert wallet_types[0]["tier_values"] == {"gold": "0.015"}

    wrong = api.post("/till/sales", {"till": "till-3"} | sale(member, tenders=PAID))
    assert_problem(wrong, 422, "invalid_order")
    pays = [
        {"kind": "money", "amount": "15.50"},
        {"kind": "units", "amount": "4.50", "wallet_type": "points", "units": "300"},
    ]
    done = api.post("/till/sales", {"till": "till-3"} | sale(member, tenders=pays))
    assert done.status_code == 201, done.content
    cart = {
        "cart": "c-1", "membership": str(member.public_id),
        "order": {"currency": "USD", "total": "20.00"},
        "units": [{"wallet_type": "points", "units": "200"}],
    }  # fmt: skip
    asked = {name: cart[name] for name in ("membership", "order")}
    quote = api.post("/checkouts/quote", asked).json()
    assert quote["quote"]["usable"][0]["spending"]["unit_value"] == "0.015"
    # What is left, and what the sale earned: 715 of them.
    assert quote["best"][0]["amount"] == "10.72"
    kept = api.post("/checkouts", cart)
    assert kept.json()["totals"]["to_pay"] == "17.00", kept.content
