"""/segments, who is in them, and /customers/{id}/segments."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from members.models import AuditEntry, Customer, Segment
from members.services.segment_refresh import refresh_segment
from tests.api.conftest import ApiClient, assert_problem
from tests.factories import CustomerFactory

GREEKS = {
    "name": "Greeks",
    "condition": {"all": [{"field": "customer.country", "op": "is", "value": "GR"}]},
}


def test_a_segment_is_made_read_changed_and_put_away(api: ApiClient) -> None:
    made = api.post("/segments", GREEKS)
    assert made.status_code == 201
    segment = made.json()
    assert (segment["code"], segment["size"], segment["refreshed_at"]) == ("greeks", 0, None)
    assert api.get("/segments/greeks").json() == segment
    assert [each["code"] for each in api.get("/segments").json()["results"]] == ["greeks"]
    changed = api.patch("/segments/greeks", {"name": "From Greece"}).json()
    assert (changed["name"], changed["condition"]) == ("From Greece", GREEKS["condition"])
    away = api.patch("/segments/greeks", {"archived": True}).json()
    assert away["archived_at"]
    assert api.get("/segments").json()["results"] == []
    assert len(api.get("/segments?archived=true").json()["results"]) == 1
    assert api.patch("/segments/greeks", {"archived": False}).json()["archived_at"] is None
    labels = AuditEntry.objects.filter(action__startswith="segment.")
    assert all(
        label.startswith("API key") for label in labels.values_list("actor_label", flat=True)
    )


def test_making_one_may_be_repeated_with_its_key(api: ApiClient) -> None:
    for _time in range(2):
        assert api.post("/segments", GREEKS, Idempotency_Key="s1").status_code == 201
    assert Segment.objects.count() == 1
    again = api.post("/segments", {**GREEKS, "code": "greeks"})
    assert_problem(again, 409, "segment_exists", "code")


def test_what_is_wrong_in_a_condition_is_named_by_its_place(api: ApiClient) -> None:
    condition = {"all": [{"field": "customer.country", "op": "more_than", "value": 3}]}
    answer = api.post("/segments", {**GREEKS, "condition": condition})
    assert_problem(answer, 422, "invalid_condition", "condition.all[0].op")
    assert_problem(api.post("/segments", {"name": "x"}), 422, "invalid_request", "condition")
    assert_problem(api.get("/segments/none"), 404, "not_found")


def test_members_come_in_pages(api: ApiClient) -> None:
    for number in range(5):
        CustomerFactory(external_id=f"g{number}", country="GR")
    api.post("/segments", GREEKS)
    refresh_segment(Segment.objects.get(), now=timezone.now())
    names: list[str] = []
    address = "/segments/greeks/members?limit=2"
    while address:
        page = api.get(address).json()
        names += [each["external_id"] for each in page["results"]]
        address = page["next"]
    assert sorted(names) == ["g0", "g1", "g2", "g3", "g4"]
    assert api.get("/segments/greeks").json()["size"] == 5


def test_a_list_is_kept_one_by_one_and_the_customer_says_so(
    api: ApiClient, customer: Customer
) -> None:
    api.post("/segments", {"name": "Guests", "kind": "static"})
    address = f"/segments/guests/members/{customer.public_id}"
    for _time in range(2):
        assert api.put(address).json()["customer"] == str(customer.public_id)
    places = api.get(f"/customers/{customer.public_id}/segments").json()["results"]
    assert [place["code"] for place in places] == ["guests"]
    for _time in range(2):
        assert api.request("DELETE", address).status_code == 204
    assert api.get(f"/customers/{customer.public_id}/segments").json()["results"] == []
    api.post("/segments", GREEKS)
    answer = api.put(f"/segments/greeks/members/{customer.public_id}")
    assert_problem(answer, 409, "segment_by_condition")


def test_a_condition_is_tried_without_saving_it(api: ApiClient) -> None:
    CustomerFactory(external_id="g", country="GR")
    found = api.post("/segment-previews", {"condition": GREEKS["condition"]}).json()
    assert (found["count"], [each["external_id"] for each in found["sample"]]) == (1, ["g"])
    assert not Segment.objects.exists()


@pytest.mark.parametrize("scope", ["segments:read", "customers:write"])
def test_a_key_needs_the_scope(key_with: Callable[..., ApiClient], scope: str) -> None:
    api = key_with(scope)
    assert_problem(api.post("/segments", GREEKS), 403, "insufficient_scope")
    assert api.get("/segments").status_code == (200 if scope == "segments:read" else 403)
