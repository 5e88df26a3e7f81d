"""/memberships/{id}/settlements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Membership, Program, Transfer
from members.models import AuditEntry, IdempotencyRecord
from tests.api.conftest import ApiClient, assert_problem, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")


@pytest.fixture
def owing(api: ApiClient, membership: Membership) -> Membership:
    """Ann spent 10 of the 12 Beans of an order that came back: she owes 10, and nothing can be
    redeemed until that is settled. Meanwhile she has earned 12 more."""
    Program.objects.update(debt_policy="refuse_redemption_only", revision=99)
    api.post("/orders", order_body())
    spent = {"membership": str(membership.public_id), "units": "10"}
    assert api.post("/redemptions", spent, Idempotency_Key="r1").status_code == 201
    api.post("/orders", order_body(status="cancelled"))
    api.post("/orders", order_body(external_id="A-2", placed_at=timezone.now().isoformat()))
    return membership


def settle(api: ApiClient, owing: Membership, way: str, key: str = "s1", **changes: Any) -> Any:
    address = f"/memberships/{owing.public_id}/settlements"
    return api.post(address, {"way": way, "note": "Agreed"} | changes, Idempotency_Key=key)


def balance(api: ApiClient, owing: Membership) -> dict[str, Any]:
    [found] = api.get(f"/memberships/{owing.public_id}/balances").json()["balances"]
    return {name: found[name] for name in ("spendable", "owed", "blocked")}


@pytest.mark.parametrize(
    ("way", "kind", "units", "spendable"),
    [("write_off", "write_off", "10", "12"), ("repay", "settlement", "-10", "2")],
)
def test_all_that_is_owed_is_settled_once(
    api: ApiClient, owing: Membership, way: str, kind: str, units: str, spendable: str
) -> None:
    assert balance(api, owing) == {"spendable": "0", "owed": "10", "blocked": True}
    made = settle(api, owing, way)
    assert made.status_code == 201
    assert (made.json()["kind"], made.json()["units"]) == (kind, units)
    assert balance(api, owing) == {"spendable": spendable, "owed": "0", "blocked": False}
    IdempotencyRecord.objects.all().delete()
    assert settle(api, owing, way).json()["id"] == made.json()["id"]
    IdempotencyRecord.objects.all().delete()
    other = "repay" if way == "write_off" else "write_off"
    assert_problem(settle(api, owing, other), 422, "idempotency_key_reused")
    entry = AuditEntry.objects.get(action=f"debt.{way}")
    assert (entry.reason, entry.after["amount"]) == ("Agreed", 10)


def test_what_cannot_be_settled_is_refused(api: ApiClient, owing: Membership) -> None:
    order = order_body(external_id="A-2", status="cancelled", placed_at=timezone.now().isoformat())
    api.post("/orders", order)
    assert_problem(settle(api, owing, "repay"), 409, "insufficient_balance")
    settle(api, owing, "write_off", "s2")
    assert_problem(settle(api, owing, "write_off", "s3"), 409, "nothing_owed")
    assert Transfer.objects.filter(kind__in=["write_off", "settlement"]).count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"way": "forget"}, "way"),
        ({"wallet_type": "miles"}, "wallet_type"),
        ({"units": "1"}, "units"),
    ],
)
def test_what_is_wrong_is_named(
    api: ApiClient, membership: Membership, changes: dict[str, str], field: str
) -> None:
    answer = settle(api, membership, **{"way": "repay", **changes})
    assert_problem(answer, 422, "invalid_request", field)


def test_a_key_is_required_and_a_member(api: ApiClient, membership: Membership) -> None:
    address = f"/memberships/{membership.public_id}/settlements"
    assert_problem(api.post(address, {"way": "repay"}), 400, "idempotency_key_required")
    nobody = "/memberships/8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11/settlements"
    answer = api.post(nobody, {"way": "repay"}, Idempotency_Key="s1")
    assert_problem(answer, 404, "not_found")


def test_who_may_not(
    outsider: ApiClient, key_with: Callable[..., ApiClient], membership: Membership
) -> None:
    address = f"/memberships/{membership.public_id}/settlements"
    assert_problem(outsider.post(address, {"way": "repay"}), 401, "unauthorized")
    till = key_with("redemptions:write", "transfers:read")
    assert_problem(settle(till, membership, "repay"), 403, "insufficient_scope")


def test_wrong_method(api: ApiClient, membership: Membership) -> None:
    answer = api.get(f"/memberships/{membership.public_id}/settlements")
    assert_problem(answer, 405, "method_not_allowed")
