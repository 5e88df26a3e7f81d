"""/customers/{id}/merge and its undo, and how a merged customer is answered."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.utils import timezone

from loyalty.models import Membership, Program
from loyalty.services.memberships import enroll_customer
from members.models import AuditEntry, Customer, CustomerMerge
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, order_body
from tests.loyalty.conftest import assert_ledger_coherent

pytestmark = pytest.mark.usefixtures("ann_for_all")


@pytest.fixture
def duplicate(program: Program, membership: Membership) -> Membership:
    """Ann under another number, with 12 points beside the 12 that she has."""
    customer = Customer.objects.create(external_id="C-2", email="ann@work.example.com")
    return enroll_customer(
        customer=customer, program=program, source="api", at=timezone.now(), actor=SYSTEM
    )[0]


@pytest.fixture
def merged(api: ApiClient, membership: Membership, duplicate: Membership) -> Membership:
    api.post("/orders", order_body())
    api.post("/orders", order_body(external_id="B-1", customer={"external_id": "C-2"}))
    answer = api.post(address(membership), {"duplicate": {"external_id": "C-2"}})
    assert answer.status_code == 201, answer.content
    return duplicate


def address(membership: Membership) -> str:
    return f"/customers/{membership.customer.public_id}/merge"


def spendable(api: ApiClient, membership: Membership) -> str:
    [balance] = api.get(f"/memberships/{membership.public_id}/balances").json()["balances"]
    return str(balance["spendable"])


def test_two_customers_become_one_and_part_again(
    api: ApiClient, membership: Membership, merged: Membership
) -> None:
    assert spendable(api, membership) == "24"
    answer = api.post(f"{address(merged)}/undo", {})
    assert answer.status_code == 200
    assert answer.json()["undone_at"]
    assert (spendable(api, membership), spendable(api, merged)) == ("12", "12")
    assert_ledger_coherent()


def test_repeats_change_nothing(api: ApiClient, membership: Membership, merged: Membership) -> None:
    body = {"duplicate": {"id": str(merged.customer.public_id)}}
    again = api.post(address(membership), body)
    assert (again.status_code, again.json()["kept"]) == (200, str(membership.customer.public_id))
    first, second = (api.post(f"{address(merged)}/undo", {}).json() for _ in range(2))
    assert first == second
    assert CustomerMerge.objects.count() == 1
    labels = AuditEntry.objects.filter(action="customer.merged").values_list("actor_label")
    assert [label.startswith("API key") for (label,) in labels] == [True]


def test_a_merge_may_be_repeated_with_its_key(
    api: ApiClient, membership: Membership, duplicate: Membership
) -> None:
    body = {"duplicate": {"external_id": "C-2"}, "reason": "Same person"}
    answers = [api.post(address(membership), body, Idempotency_Key="m") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["reason"] == "Same person"


def test_what_the_duplicate_was_known_by_leads_to_who_is_kept(
    api: ApiClient, membership: Membership, merged: Membership
) -> None:
    kept = str(membership.customer.public_id)
    for query in ("external_id=C-2", "email=ann@work.example.com", "external_id=C-1"):
        assert [item["id"] for item in api.get(f"/customers?{query}").json()["results"]] == [kept]
    assert len(api.get("/customers").json()["results"]) == 1
    own = api.get(f"/customers/{merged.customer.public_id}").json()
    assert (own["external_id"], own["merged_into"]) == ("C-2", kept)
    assert api.get(f"/customers/{kept}").json()["merged_into"] is None


def test_the_old_card_and_the_old_membership_lead_to_the_one_that_counts(
    api: ApiClient, membership: Membership, merged: Membership
) -> None:
    counts = str(membership.public_id)
    for query in (
        f"card_number={merged.card_number}",
        f"customer={merged.customer.public_id}",
        f"customer={membership.customer.public_id}",
        f"card_number={membership.card_number}",
    ):
        assert [m["id"] for m in api.get(f"/memberships?{query}").json()["results"]] == [counts]
    old = api.get(f"/memberships/{merged.public_id}").json()
    assert (old["status"], old["merged_into"]) == ("merged", counts)
    assert spendable(api, merged) == "24"
    history = api.get(f"/memberships/{merged.public_id}/transfers").json()["results"]
    assert [(item["kind"], item["units"]) for item in history] == [
        ("merge", "-12"), ("accrual", "12"),
    ]  # fmt: skip
    adjusted = api.post(
        "/transfers",
        {"membership": str(merged.public_id), "units": "6", "reason": "goodwill"},
        Idempotency_Key="a",
    )
    assert adjusted.json()["membership"] == counts
    assert spendable(api, membership) == "30"


def test_orders_and_enrollments_of_the_duplicate_are_of_who_is_kept(
    api: ApiClient, membership: Membership, merged: Membership
) -> None:
    later = order_body(external_id="B-2", customer={"id": str(merged.customer.public_id)})
    assert api.post("/orders", later).status_code == 201
    bought = api.get("/orders/shop/B-2").json()["customer"]
    assert bought["id"] == str(membership.customer.public_id)
    found = api.get(f"/orders?customer={merged.customer.public_id}").json()["results"]
    assert {item["external_id"] for item in found} == {"A-1001", "B-1", "B-2"}
    enrolled = api.post("/memberships", {"program": "beans", "customer": {"external_id": "C-2"}})
    assert enrolled.json()["id"] == str(membership.public_id)


def test_what_cannot_be_is_refused(
    api: ApiClient, membership: Membership, merged: Membership
) -> None:
    own = {"duplicate": {"external_id": "C-1"}}
    assert_problem(api.post(address(membership), own), 422, "same_customer", "duplicate")
    assert_problem(api.post(address(merged), own), 409, "customer_merged")
    nobody = {"duplicate": {"external_id": "C-9"}}
    assert_problem(api.post(address(membership), nobody), 422, "invalid_request", "duplicate")
    assert_problem(api.post(address(membership), {}), 422, "invalid_request", "duplicate")
    assert_problem(api.post(f"{address(membership)}/undo", {}), 404, "not_found")
    unknown = f"/customers/{uuid.uuid4()}/merge"
    assert_problem(api.post(unknown, own), 404, "not_found")
    changed = api.patch(f"/customers/{merged.customer.public_id}", {"given_name": "X"})
    assert_problem(changed, 409, "customer_merged")


def test_who_may_not(
    outsider: ApiClient, key_with: Callable[..., ApiClient], membership: Membership
) -> None:
    assert_problem(outsider.post(address(membership), {}), 401, "unauthorized")
    reader = key_with("customers:read")
    for path in (address(membership), f"{address(membership)}/undo"):
        assert_problem(reader.post(path, {}), 403, "insufficient_scope")


def test_wrong_methods(api: ApiClient, membership: Membership) -> None:
    for path in (address(membership), f"{address(membership)}/undo"):
        assert_problem(api.get(path), 405, "method_not_allowed")
