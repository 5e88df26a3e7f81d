"""/redemptions, and their reversal at /transfers/{id}/reversal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from loyalty.models import Membership, Program, Transfer
from members.models import AuditEntry, IdempotencyRecord
from tests.api.conftest import ApiClient, assert_problem, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")

# The ledger's refusals end a transaction: that of the test goes on.
refused = pytest.mark.usefixtures("undone_when_refused")


@pytest.fixture
def earned(api: ApiClient, membership: Membership) -> Membership:
    """Ann has 12 Beans."""
    assert api.post("/orders", order_body()).status_code == 201
    return membership


def redemption(membership: Membership, /, **changes: Any) -> dict[str, Any]:
    return {"membership": str(membership.public_id), "units": "8", **changes}


def redeem(api: ApiClient, membership: Membership, /, key: str = "r1", **changes: Any) -> Any:
    return api.post("/redemptions", redemption(membership, **changes), Idempotency_Key=key)


def balance(api: ApiClient, membership: Membership) -> str:
    [found] = api.get(f"/memberships/{membership.public_id}/balances").json()["balances"]
    spendable: str = found["spendable"]
    return spendable


def test_units_are_spent(api: ApiClient, earned: Membership) -> None:
    response = redeem(api, earned, note="Counter 3")
    assert response.status_code == 201
    made = response.json()
    assert (made["kind"], made["units"], made["note"]) == ("redemption", "-8", "Counter 3")
    assert made["explanation"]["title"] == "Redeemed"
    assert balance(api, earned) == "4"
    assert api.get(f"/transfers/{made['id']}").json() == made


def test_what_an_order_is_paid_with_is_tied_to_it(api: ApiClient, earned: Membership) -> None:
    address = {"source": "shop", "external_id": "A-1001"}
    made = redeem(api, earned, order=address).json()
    assert made["order"] == address
    assert made["explanation"]["title"] == "Paid for order A-1001"
    [paid] = api.get("/orders/shop/A-1001").json()["unit_tenders"]
    assert (paid["wallet_type"], paid["units"], paid["returned"]) == ("points", "8", "0")
    api.post("/orders", order_body(status="cancelled"))
    [paid] = api.get("/orders/shop/A-1001").json()["unit_tenders"]
    assert (paid["units"], paid["returned"]) == ("8", "8")
    history = api.get(f"/memberships/{earned.public_id}/transfers").json()["results"]
    assert sorted((item["kind"], item["units"]) for item in history) == [
        ("accrual", "12"), ("clawback", "-12"), ("redemption", "-8"), ("reversal", "8"),
    ]  # fmt: skip
    assert api.get(f"/transfers/{made['id']}").json()["reversed"] is True


def test_an_order_of_somebody_else_or_of_nobody_known_is_refused(
    api: ApiClient, earned: Membership
) -> None:
    api.post("/orders", order_body(external_id="B-1", customer={"external_id": "C-2"}))
    for number in ("B-1", "none"):
        answer = redeem(api, earned, order={"source": "shop", "external_id": number})
        assert_problem(answer, 422, "invalid_request", "order")
    assert balance(api, earned) == "12"


def test_a_key_is_required(api: ApiClient, earned: Membership) -> None:
    answer = api.post("/redemptions", redemption(earned))
    assert_problem(answer, 400, "idempotency_key_required", "Idempotency-Key")


@refused
def test_a_repeat_spends_once_also_when_the_answer_is_forgotten(
    api: ApiClient, earned: Membership
) -> None:
    first = redeem(api, earned)
    again = redeem(api, earned)
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    IdempotencyRecord.objects.all().delete()
    assert redeem(api, earned).json()["id"] == first.json()["id"]
    IdempotencyRecord.objects.all().delete()
    assert_problem(redeem(api, earned, units="9"), 422, "idempotency_key_reused")
    assert Transfer.objects.filter(kind="redemption").count() == 1


@refused
def test_more_than_there_is_cannot_be_spent(api: ApiClient, earned: Membership) -> None:
    problem = assert_problem(redeem(api, earned, units="13"), 409, "insufficient_balance")
    assert problem["detail"].replace("\N{NO-BREAK SPACE}", " ") == "Only 12 Beans can be spent."


def test_a_till_that_was_offline_says_when_it_was(api: ApiClient, earned: Membership) -> None:
    at = timezone.now() - dt.timedelta(hours=71)
    made = redeem(api, earned, occurred_at=at.isoformat()).json()
    assert dt.datetime.fromisoformat(made["occurred_at"]) == at
    for hours in (73, -1):
        late = (timezone.now() - dt.timedelta(hours=hours)).isoformat()
        answer = redeem(api, earned, "r2", units="1", occurred_at=late)
        assert_problem(answer, 422, "invalid_request", "occurred_at")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"units": "0"}, "units"),
        ({"units": "-1"}, "units"),
        ({"units": 1}, "units"),
        ({"units": "0.5"}, "units"),
        ({"membership": "8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11"}, "membership"),
        ({"wallet_type": "miles"}, "wallet_type"),
        ({"order": {"source": "shop"}}, "order.external_id"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"reason": "goodwill"}, "reason"),
    ],
)
def test_what_is_wrong_is_named(
    api: ApiClient, earned: Membership, changes: dict[str, Any], field: str
) -> None:
    assert_problem(redeem(api, earned, **changes), 422, "invalid_request", field)


def test_a_redemption_is_undone_once(api: ApiClient, earned: Membership) -> None:
    made = redeem(api, earned).json()
    address = f"/transfers/{made['id']}/reversal"
    response = api.post(address, {"note": "Changed their mind"})
    assert response.status_code == 201
    undone = response.json()
    assert (undone["kind"], undone["units"], undone["reverses"]) == ("reversal", "8", made["id"])
    assert undone["explanation"]["title"] == "A redemption was undone"
    again = api.post(address)
    assert (again.status_code, again.json()["id"]) == (200, undone["id"])
    assert balance(api, earned) == "12"
    entry = AuditEntry.objects.get(action="points.redemption_undone")
    assert (entry.reason, entry.after["amount"]) == ("Changed their mind", 8)


def test_a_redemption_is_undone_in_parts(api: ApiClient, earned: Membership) -> None:
    made = redeem(api, earned).json()
    address = f"/transfers/{made['id']}/reversal"
    part = api.post(address, {"units": "3"}, Idempotency_Key="p1")
    assert (part.status_code, part.json()["units"], part.json()["reverses"]) == (
        201, "3", made["id"],
    )  # fmt: skip
    IdempotencyRecord.objects.all().delete()
    assert api.post(address, {"units": "3"}, Idempotency_Key="p1").status_code == 200
    assert api.get(f"/transfers/{made['id']}").json()["reversed"] is False
    too_much = api.post(address, {"units": "6"}, Idempotency_Key="p2")
    assert_problem(too_much, 409, "already_reversed")
    rest = api.post(address)
    assert (rest.status_code, rest.json()["units"]) == (201, "5")
    assert api.get(f"/transfers/{made['id']}").json()["reversed"] is True
    assert balance(api, earned) == "12"


def test_a_part_needs_a_key_and_only_redemptions_have_parts(
    api: ApiClient, earned: Membership
) -> None:
    made = redeem(api, earned).json()
    answer = api.post(f"/transfers/{made['id']}/reversal", {"units": "3"})
    assert_problem(answer, 400, "idempotency_key_required")
    given = {"membership": str(earned.public_id), "units": "20", "reason": "goodwill"}
    adjusted = api.post("/transfers", given, Idempotency_Key="t1").json()
    address = f"/transfers/{adjusted['id']}/reversal"
    answer = api.post(address, {"units": "3"}, Idempotency_Key="t2")
    assert_problem(answer, 422, "invalid_request", "units")


def test_who_may_not(
    outsider: ApiClient, key_with: Callable[..., ApiClient], api: ApiClient, earned: Membership
) -> None:
    assert_problem(outsider.post("/redemptions", redemption(earned)), 401, "unauthorized")
    assert_problem(redeem(key_with("transfers:write"), earned), 403, "insufficient_scope")


def test_a_till_redeems_and_undoes_but_adjusts_nothing(
    key_with: Callable[..., ApiClient], api: ApiClient, earned: Membership
) -> None:
    till = key_with("redemptions:write")
    made = redeem(till, earned).json()
    assert till.post(f"/transfers/{made['id']}/reversal").status_code == 201
    given = {"membership": str(earned.public_id), "units": "20", "reason": "goodwill"}
    adjusted = api.post("/transfers", given, Idempotency_Key="t1").json()
    answer = till.post(f"/transfers/{adjusted['id']}/reversal")
    problem = assert_problem(answer, 403, "insufficient_scope")
    assert "transfers:write" in problem["detail"]
    nobody = key_with("orders:write").post(f"/transfers/{made['id']}/reversal")
    assert_problem(nobody, 403, "insufficient_scope")


def test_wrong_method(api: ApiClient) -> None:
    assert_problem(api.get("/redemptions"), 405, "method_not_allowed")


@refused
def test_terms_of_use_are_told_with_the_balance_and_refused_by_field(
    api: ApiClient, earned: Membership
) -> None:
    earned.program.wallet_types.update(spend_least=6, spend_step=3, spend_share=50)
    Program.objects.update(revision=F("revision") + 1)
    [found] = api.get(f"/memberships/{earned.public_id}/balances").json()["balances"]
    assert (found["spendable"], found["usable"]) == ("12", "12")
    assert found["spending"] == {
        "least": "6", "step": "3", "share": "50", "unit_value": "0.01",
    }  # fmt: skip
    for units, code in (("3", "below_least"), ("8", "not_in_steps")):
        problem = redeem(api, earned, f"no {units}", units=units)
        [error] = assert_problem(problem, 409, "spending_refused", "units")["errors"]
        assert error["code"] == code
    address = {"source": "shop", "external_id": "A-1001"}
    assert redeem(api, earned, "paid", units="9", order=address).status_code == 201
    [rest] = api.get(f"/memberships/{earned.public_id}/balances").json()["balances"]
    assert (rest["spendable"], rest["usable"]) == ("3", "0")


def test_a_quote_says_what_a_member_could_pay_with_units(
    api: ApiClient, earned: Membership
) -> None:
    earned.program.wallet_types.update(unit_value=1, spend_step=2, spend_share=40)
    Program.objects.update(revision=F("revision") + 1)
    basket = {"currency": "USD", "total": "20.00", "customer": {"external_id": "C-1"},
              "lines": [{"sku": "X", "total": "20.00"}]}  # fmt: skip
    [quote] = api.post("/quotes", basket).json()["programs"]
    assert quote["usable"] == [
        {
            "wallet_type": "points", "decimals": 0, "spendable": "12", "usable": "8",
            "worth": "8.00",
            "spending": {"least": "1", "step": "2", "share": "40", "unit_value": "1"},
        }
    ]  # fmt: skip
