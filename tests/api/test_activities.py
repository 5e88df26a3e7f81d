"""/activities: sent once, limited, decided on."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Activity, Program, Wallet
from members.models import Customer
from tests.api.conftest import ApiClient, assert_problem
from tests.loyalty.factories import make_program, make_type, reward

# Refusals within a batch end a transaction: that of the test goes on.
refused = pytest.mark.usefixtures("undone_when_refused")


@pytest.fixture
def rewarded(db: None) -> Program:
    make_type(
        told="Review of {subject}", once_per_subject=True,
        data_schema={"type": "object", "properties": {"stars": {"type": "integer"}}},
    )  # fmt: skip
    make_type("photo", approval=True, proof="required")
    return make_program(earning_rules=[{}, reward(), reward("photo", units=20)])


def review(number: str = "V-1", **changes: Any) -> dict[str, Any]:
    body = {
        "external_id": number, "customer": {"external_id": "C-1"}, "type": "review",
        "occurred_at": timezone.now().isoformat(), "subject": "MUG", "subject_name": "Blue Mug",
        "data": {"stars": 5},
    }  # fmt: skip
    return body | changes


def photo(number: str = "P-1", **changes: Any) -> dict[str, Any]:
    link = "https://photos.example/1"
    return review(number, type="photo", proof=link, data={}) | changes


def balance() -> int:
    return Wallet.objects.get().balance


def test_a_review_brings_units(api: ApiClient, rewarded: Program) -> None:
    body = review()
    response = api.post("/activities", body)
    assert response.status_code == 201
    out = response.json()
    assert out["outcome"] == "created"
    assert (out["activity"]["state"], out["activity"]["title"]) == (
        "approved",
        "Review of Blue Mug",
    )
    [award] = out["activity"]["awards"]
    assert (award["program"], award["units"]) == ("club", "50")
    assert award["explanation"]["steps"] == ["For the activity: 50\N{NO-BREAK SPACE}points."]
    again = api.post("/activities", body)
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert again.json()["activity"] == out["activity"]
    assert balance() == 50


@refused
def test_other_content_and_a_limit_are_conflicts(api: ApiClient, rewarded: Program) -> None:
    api.post("/activities", review())
    changed = api.post("/activities", review(subject="CUP"))
    assert_problem(changed, 409, "activity_conflict", "external_id")
    second = assert_problem(api.post("/activities", review("V-2")), 409, "over_limit")
    assert "once for the same subject" in second["detail"]
    assert Activity.objects.count() == 1


@refused
@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"type": "dance"}, ["type"]),
        ({"data": {"stars": "five"}}, ["data.stars"]),
        ({"subject": ""}, ["subject"]),
        ({"customer": {}}, ["customer"]),
        ({"occurred_at": "2090-01-01T00:00:00Z"}, ["occurred_at"]),
    ],
)
def test_what_is_wrong_is_named(
    api: ApiClient, rewarded: Program, changes: dict[str, Any], fields: list[str]
) -> None:
    response = api.post("/activities", review(**changes))
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == fields


@refused
def test_a_batch_is_all_or_nothing_but_for_limits(api: ApiClient, rewarded: Program) -> None:
    good, bad = review("V-1"), review("V-2", subject="CUP", data={"stars": "five"})
    response = api.post("/activities/batch", {"activities": [good, bad]})
    assert [error["field"] for error in response.json()["errors"]] == ["activities[1].data.stars"]
    assert not Activity.objects.exists()
    response = api.post("/activities/batch", {"activities": [good, review("V-3"), photo()]})
    results = response.json()["results"]
    assert [result["outcome"] for result in results] == ["created", "over_limit", "created"]
    assert [result["state"] for result in results] == ["approved", None, "pending"]
    assert results[1]["reason"]


def test_what_waits_is_approved_or_rejected(api: ApiClient, rewarded: Program) -> None:
    first, second = (
        api.post("/activities", photo(number)).json()["activity"] for number in ("P-1", "P-2")
    )
    assert (first["state"], first["awards"]) == ("pending", [])
    approved = api.post(f"/activities/{first['id']}/approve").json()
    assert (approved["state"], approved["awards"][0]["units"]) == ("approved", "20")
    rejected = api.post(f"/activities/{second['id']}/reject", {"note": "Blurred"}).json()
    assert (rejected["state"], rejected["decision_note"]) == ("rejected", "Blurred")
    reversed_ = api.post(f"/activities/{first['id']}/reverse", {"note": "Stolen"}).json()
    assert (reversed_["state"], balance()) == ("reversed", 0)


@refused
def test_a_decision_is_made_once(api: ApiClient, rewarded: Program) -> None:
    made = api.post("/activities", photo()).json()["activity"]
    api.post(f"/activities/{made['id']}/reject", {})
    assert_problem(api.post(f"/activities/{made['id']}/approve"), 409, "already_decided")


def test_activities_are_listed_by_customer_state_and_type(
    api: ApiClient, rewarded: Program
) -> None:
    api.post("/activities", review())
    api.post("/activities", photo())
    api.post("/activities", review("V-9", customer={"external_id": "C-2"}))
    ann = Customer.objects.get(external_id="C-1").public_id

    def listed(query: str) -> list[str]:
        results = api.get(f"/activities?{query}").json()["results"]
        return [found["external_id"] for found in results]

    assert listed("") == ["V-9", "P-1", "V-1"]
    assert listed(f"customer={ann}") == ["P-1", "V-1"]
    assert listed("state=pending") == ["P-1"]
    assert listed("type=review") == ["V-9", "V-1"]


def test_one_is_read_and_types_are_listed(api: ApiClient, rewarded: Program) -> None:
    made = api.post("/activities", review()).json()["activity"]
    assert api.get(f"/activities/{made['id']}").json() == made
    types = api.get("/activity-types").json()["results"]
    assert [(kind["code"], kind["approval"]) for kind in types] == [
        ("photo", True), ("review", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("activities:write", "GET", "/activities"),
        ("activities:read", "POST", "/activities"),
        ("activities:write", "POST", "/activities/{id}/approve"),
    ],
)
def test_other_scopes_are_not_enough(
    key_with: Any, api: ApiClient, rewarded: Program, scope: str, method: str, path: str
) -> None:
    made = api.post("/activities", photo()).json()["activity"]
    response = key_with(scope).request(method, path.format(id=made["id"]), {})
    assert_problem(response, 403, "insufficient_scope")
