"""/customers, /customers/{id}."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from campaigns.models import ConsentChange
from members.models import AuditEntry, Customer
from tests.api.conftest import ApiClient, assert_problem

NEW = {
    "external_id": "C-7",
    "email": "Mei@Example.com",
    "phone": "+60 12-345 6789",
    "given_name": "Mei",
    "birthday": "1990-12-31",
    "gender": "female",
    "tags": ["vip"],
    "attributes": {"shoe_size": 38},
}


def test_a_customer_is_created_read_and_changed(api: ApiClient) -> None:
    response = api.post("/customers", NEW)
    assert response.status_code == 201
    created = response.json()
    assert created["email"] == "mei@example.com"
    assert created["phone"] == "+60123456789"
    address = f"/customers/{created['id']}"
    assert api.get(address).json() == created
    changed = api.patch(address, {"family_name": "Tan", "birthday": None}).json()
    assert (changed["family_name"], changed["birthday"]) == ("Tan", None)
    assert (changed["given_name"], changed["gender"]) == ("Mei", "female")
    assert_problem(api.patch(address, {"gender": "no"}), 422, "invalid_request", "gender")
    labels = set(AuditEntry.objects.values_list("actor_label", flat=True))
    assert any(label.startswith("API key") for label in labels)


def test_a_new_customer_brings_what_they_want_to_be_told(api: ApiClient) -> None:
    consent = {
        "channel": "email", "topic": "offers", "wanted": True, "said_at": "2025-05-04T09:00:00Z",
        "evidence": "Fair in May", "wording": "Yes, write to me.",
    }  # fmt: skip
    assert api.post("/customers", NEW | {"consents": [consent]}).status_code == 201
    change = ConsentChange.objects.get()
    assert (change.became, change.source, change.evidence) == ("granted", "api", "Fair in May")
    wrong = {"external_id": "C-8", "consents": [consent | {"topic": "orders"}]}
    answer = api.post("/customers", wrong)
    problem = assert_problem(answer, 422, "invalid_request", "consents.topic")
    assert problem["errors"][0]["code"] == "always_told"
    assert not Customer.objects.filter(external_id="C-8").exists()


def test_customers_are_found_by_number_and_address(api: ApiClient, customer: Customer) -> None:
    api.post("/customers", NEW)
    assert len(api.get("/customers").json()["results"]) == 2
    for query in ("external_id=C-1", "email=ANN@example.com"):
        [found] = api.get(f"/customers?{query}").json()["results"]
        assert found["id"] == str(customer.public_id)
    assert api.get("/customers?external_id=%00").json()["results"] == []


def test_a_clash_names_the_fields(api: ApiClient, customer: Customer) -> None:
    answer = api.post("/customers", {"external_id": "C-1", "email": "ann@example.com"})
    assert_problem(answer, 409, "customer_exists", "external_id", "email")


def test_what_is_wrong_is_named(api: ApiClient, customer: Customer) -> None:
    bad = {"email": "no", "phone": "12", "country": "XX", "birthday": "1990-13-01", "tags": "x"}
    answer = api.post("/customers", bad)
    assert_problem(answer, 422, "invalid_request", "tags")
    del bad["tags"]
    answer = api.post("/customers", bad)
    assert_problem(answer, 422, "invalid_request", "email", "phone", "country", "birthday")
    assert_problem(api.post("/customers", {}), 422, "customer_not_identified")
    assert_problem(api.post("/customers", {"nam": "x"}), 422, "invalid_request", "nam")
    answer = api.post("/customers", {"given_name": "a\x00"})
    assert_problem(answer, 422, "invalid_request", "given_name")
    answer = api.patch(f"/customers/{customer.public_id}", {"email": "no"})
    assert_problem(answer, 422, "invalid_request", "email")


def test_a_customer_who_is_not_there_is_not_found(api: ApiClient) -> None:
    assert_problem(api.get(f"/customers/{uuid.uuid4()}"), 404, "not_found")
    assert_problem(api.get("/customers/none"), 404, "not_found")


def test_creating_may_be_repeated_with_its_key(api: ApiClient) -> None:
    first = api.post("/customers", {"given_name": "Ann"}, Idempotency_Key="c1")
    again = api.post("/customers", {"given_name": "Ann"}, Idempotency_Key="c1")
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.json() == first.json()
    assert Customer.objects.count() == 1
    other = api.post("/customers", {"given_name": "Bea"}, Idempotency_Key="c1")
    assert_problem(other, 422, "idempotency_key_reused")


def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient]) -> None:
    assert_problem(outsider.get("/customers"), 401, "unauthorized")
    reader, writer = key_with("customers:read"), key_with("customers:write")
    assert_problem(reader.post("/customers", NEW), 403, "insufficient_scope")
    assert_problem(writer.get("/customers"), 403, "insufficient_scope")
    address = f"/customers/{uuid.uuid4()}"
    assert_problem(writer.get(address), 403, "insufficient_scope")
    assert_problem(reader.patch(address, {}), 403, "insufficient_scope")


def test_wrong_methods(api: ApiClient, customer: Customer) -> None:
    assert_problem(api.put("/customers", {}), 405, "method_not_allowed")
    address = f"/customers/{customer.public_id}"
    assert_problem(api.request("DELETE", address), 405, "method_not_allowed")
