"""/pools, their members, balances and movements, and spending from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Membership, Pool, Program, Transfer, Wallet
from loyalty.services.memberships import enroll_customer
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from tests.api.conftest import ApiClient, assert_problem

pytestmark = pytest.mark.usefixtures("ann_for_all")

# The ledger's refusals end a transaction: that of the test goes on.
refused = pytest.mark.usefixtures("undone_when_refused")


@pytest.fixture
def ann(membership: Membership) -> Membership:
    return membership


@pytest.fixture
def bea(program: Program) -> Membership:
    customer = Customer.objects.create(external_id="C-2", given_name="Bea")
    return enroll_customer(
        customer=customer, program=program, source="api", at=timezone.now(), actor=SYSTEM
    )[0]


def found(api: ApiClient, owner: Membership, **changes: Any) -> dict[str, Any]:
    body = {"owner": str(owner.public_id), "name": "The Lees"} | changes
    answer = api.post("/pools", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def pool(api: ApiClient, ann: Membership, bea: Membership) -> dict[str, Any]:
    """Ann's pool with Bea in it, and 100 that Ann has earned."""
    made = found(api, ann)
    answer = api.post(f"/pools/{made['id']}/members", {"membership": str(bea.public_id)})
    assert answer.status_code == 201
    api.post("/orders", order())
    return api.get(f"/pools/{made['id']}").json()


def order() -> dict[str, Any]:
    """Ann's, for a hundred dollars, now."""
    return {
        "external_id": "A-1", "placed_at": timezone.now().isoformat(), "currency": "USD",
        "total": "100.00", "customer": {"external_id": "C-1"},
    }  # fmt: skip


def balance(member: Membership) -> int:
    return Wallet.objects.get(account=member.account_id).balance


def in_pool(api: ApiClient, pool: dict[str, Any]) -> str:
    (held,) = api.get(f"/pools/{pool['id']}/balances").json()["balances"]
    return str(held["spendable"])


def move(member: Membership, units: str) -> dict[str, Any]:
    return {"membership": str(member.public_id), "units": units}


def test_a_pool_is_founded_read_and_listed(
    api: ApiClient, ann: Membership, bea: Membership
) -> None:
    made = found(api, ann, kind="company", contribution="share", share=40, spending="named",
                 leaving="equal_share")  # fmt: skip
    assert (made["kind"], made["share"], made["program"], made["status"]) == (
        "company", 40, "beans", "open",
    )  # fmt: skip
    assert [(item["role"], item["may_spend"]) for item in made["members"]] == [("owner", True)]
    assert api.get(f"/pools/{made['id']}").json() == made
    address = f"/pools/{made['id']}/members"
    added = api.post(address, {"membership": str(bea.public_id), "may_spend": True}).json()
    assert (added["role"], added["may_spend"], added["contributes"]) == ("member", True, True)
    for query in ("", "?program=beans", f"?membership={bea.public_id}"):
        listed = api.get(f"/pools{query}").json()["results"]
        assert [item["name"] for item in listed] == ["The Lees"]
    assert api.get("/pools?program=tea").json()["results"] == []


def test_what_is_earned_is_shared_and_both_histories_say_so(
    api: ApiClient, pool: dict[str, Any], ann: Membership
) -> None:
    balances = api.get(f"/pools/{pool['id']}/balances").json()["balances"]
    assert balances[0] | {"next_expiry": None} == {
        "wallet_type": "points", "decimals": 0, "spendable": "100", "pending": "0",
        "worth": {"amount": "1.00", "currency": "USD"}, "next_expiry": None,
    }  # fmt: skip
    assert balances[0]["next_expiry"]["units"] == "100"
    came = api.get(f"/pools/{pool['id']}/transfers").json()["results"][0]
    assert (came["membership"], came["pool"], came["units"]) == (None, pool["id"], "100")
    assert came["explanation"]["title"] == "Shared by Ann"
    assert api.get(f"/transfers/{came['id']}").json() == came
    mine = api.get(f"/memberships/{ann.public_id}/transfers").json()["results"]
    assert [item["explanation"]["title"] for item in mine] == [
        "Shared with The Lees", "Earned with order A-1",
    ]  # fmt: skip
    assert mine[0]["pool"] is None


def test_units_are_put_in_and_taken_out(
    api: ApiClient, pool: dict[str, Any], ann: Membership, bea: Membership
) -> None:
    address = f"/pools/{pool['id']}"
    taken = api.post(f"{address}/withdrawals", move(bea, "30"), Idempotency_Key="w1")
    assert (taken.status_code, taken.json()["units"]) == (201, "-30")
    assert taken.json()["explanation"]["title"] == "Taken by Bea"
    put = api.post(f"{address}/contributions", move(bea, "10"), Idempotency_Key="c1")
    assert put.json()["membership"] == str(bea.public_id)
    assert (balance(bea), in_pool(api, pool)) == (20, "80")
    again = api.post(f"{address}/withdrawals", move(bea, "30"), Idempotency_Key="w1")
    assert again["Idempotent-Replayed"] == "true"
    for name in ("withdrawals", "contributions"):
        assert_problem(api.post(f"{address}/{name}", move(bea, "1")), 400,
                       "idempotency_key_required")  # fmt: skip


def test_a_redemption_may_be_made_from_the_pool(
    api: ApiClient, pool: dict[str, Any], bea: Membership
) -> None:
    body = move(bea, "25") | {"from_pool": True}
    spent = api.post("/redemptions", body, Idempotency_Key="r1")
    assert (spent.status_code, spent.json()["units"], spent.json()["pool"]) == (
        201, "-25", pool["id"],
    )  # fmt: skip
    assert in_pool(api, pool) == "75"
    told = api.get(f"/pools/{pool['id']}/transfers").json()["results"][0]
    assert told["explanation"]["title"] == "Redeemed by Bea"
    back = api.post(f"/transfers/{spent.json()['id']}/reversal", {})
    assert (back.status_code, in_pool(api, pool)) == (201, "100")


def test_the_id_of_a_member_who_was_merged_leads_to_the_one_who_counts(
    api: ApiClient, pool: dict[str, Any], bea: Membership, program: Program
) -> None:
    twice = Customer.objects.create(external_id="C-3")
    old = enroll_customer(
        customer=twice, program=program, source="api", at=timezone.now(), actor=SYSTEM
    )[0]
    merge_customers(kept=bea.customer, merged=twice, actor=SYSTEM, source="api", now=timezone.now())
    [listed] = api.get(f"/pools?membership={old.public_id}").json()["results"]
    assert listed["id"] == pool["id"]
    taken = api.post(f"/pools/{pool['id']}/withdrawals", move(old, "30"), Idempotency_Key="w")
    assert (taken.status_code, balance(bea), in_pool(api, pool)) == (201, 30, "70")
    spent = api.post("/redemptions", move(old, "25") | {"from_pool": True}, Idempotency_Key="r")
    assert (spent.status_code, in_pool(api, pool)) == (201, "45")
    member = f"/pools/{pool['id']}/members/{old.public_id}"
    assert api.request("DELETE", member).status_code == 200
    body = {"membership": str(old.public_id)}
    assert api.post(f"/pools/{pool['id']}/members", body).json()["membership"] == str(bea.public_id)


@refused
def test_who_may_not_spend_is_refused(
    api: ApiClient, pool: dict[str, Any], ann: Membership, bea: Membership
) -> None:
    api.patch(f"/pools/{pool['id']}", {"spending": "owners"})
    body = move(bea, "5") | {"from_pool": True}
    assert_problem(api.post("/redemptions", body, Idempotency_Key="r1"), 409, "pool_refused")
    address = f"/pools/{pool['id']}/withdrawals"
    assert_problem(api.post(address, move(bea, "5"), Idempotency_Key="w1"), 409, "pool_refused")
    answer = api.post(address, move(ann, "101"), Idempotency_Key="w2")
    assert_problem(answer, 409, "insufficient_balance")


def test_a_pool_and_its_members_are_changed(
    api: ApiClient, pool: dict[str, Any], bea: Membership
) -> None:
    changed = api.patch(f"/pools/{pool['id']}", {"name": "Us", "contribution": "by_hand"}).json()
    assert (changed["name"], changed["contribution"], changed["leaving"]) == (
        "Us", "by_hand", "own",
    )  # fmt: skip
    address = f"/pools/{pool['id']}/members/{bea.public_id}"
    member = api.patch(address, {"contributes": False, "role": "owner"}).json()
    assert (member["contributes"], member["role"]) == (False, "owner")


def test_a_member_leaves_and_is_told_what_went_back(
    api: ApiClient, pool: dict[str, Any], ann: Membership, bea: Membership
) -> None:
    address = f"/pools/{pool['id']}/members"
    left = api.request("DELETE", f"{address}/{bea.public_id}").json()
    assert left["returned"] == []
    assert len(left["pool"]["members"]) == 1
    last = api.request("DELETE", f"{address}/{ann.public_id}").json()
    assert last["returned"] == [{"wallet_type": "points", "decimals": 0, "units": "100"}]
    assert (last["pool"]["status"], balance(ann)) == ("closed", 100)
    assert_problem(api.request("DELETE", f"{address}/{ann.public_id}"), 404, "not_found")


def test_closing_gives_everything_back_once(
    api: ApiClient, pool: dict[str, Any], ann: Membership
) -> None:
    for _repeat in range(2):
        closed = api.request("DELETE", f"/pools/{pool['id']}")
        assert (closed.status_code, closed.json()["status"]) == (200, "closed")
    assert (balance(ann), in_pool(api, pool)) == (100, "0")
    assert_problem(api.patch(f"/pools/{pool['id']}", {"name": "New"}), 409, "pool_refused")


def test_a_member_is_in_one_pool(api: ApiClient, pool: dict[str, Any], bea: Membership) -> None:
    body = {"owner": str(bea.public_id), "name": "Other"}
    assert_problem(api.post("/pools", body), 409, "already_in_pool", "membership")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"kind": "village"}, "kind"),
        ({"contribution": "share"}, "share"),
        ({"contribution": "share", "share": 0}, "share"),
        ({"spending": "nobody"}, "spending"),
        ({"leaving": "half"}, "leaving"),
        ({"owner": "8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11"}, "owner"),
        ({"size": 3}, "size"),
    ],
)
def test_what_is_wrong_is_named(
    api: ApiClient, ann: Membership, changes: dict[str, Any], field: str
) -> None:
    body = {"owner": str(ann.public_id), "name": "The Lees"} | changes
    assert_problem(api.post("/pools", body), 422, "invalid_request", field)
    assert not Pool.objects.exists()


def test_what_is_not_there_is_not_found(
    api: ApiClient, pool: dict[str, Any], program: Program
) -> None:
    nowhere = "8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11"
    for address in (f"/pools/{nowhere}", f"/pools/{nowhere}/balances"):
        assert_problem(api.get(address), 404, "not_found")
    answer = api.patch(f"/pools/{pool['id']}/members/{nowhere}", {"may_spend": True})
    assert_problem(answer, 404, "not_found")
    customer = Customer.objects.create(external_id="C-3")
    stranger, _new = enroll_customer(
        customer=customer, program=program, source="api", at=timezone.now(), actor=SYSTEM
    )
    answer = api.post(
        f"/pools/{pool['id']}/contributions", move(stranger, "5"), Idempotency_Key="c1"
    )
    assert_problem(answer, 422, "invalid_request", "membership")


def test_who_may_not(
    outsider: ApiClient, key_with: Callable[..., ApiClient], pool: dict[str, Any]
) -> None:
    assert_problem(outsider.get("/pools"), 401, "unauthorized")
    reader, writer = key_with("pools:read"), key_with("pools:write")
    assert_problem(reader.post("/pools", {}), 403, "insufficient_scope")
    assert_problem(writer.get("/pools"), 403, "insufficient_scope")
    address = f"/pools/{pool['id']}"
    assert_problem(reader.patch(address, {"name": "Mine"}), 403, "insufficient_scope")
    assert_problem(reader.request("DELETE", address), 403, "insufficient_scope")
    assert Transfer.objects.filter(kind="pool").count() == 2
