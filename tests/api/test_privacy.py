"""/customers/{id}/data-packages and /erasure, and what members ask for themselves."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings

from loyalty.models import Membership
from members.models import AuditEntry, Customer, OutboxEvent, PersonalPackage
from members.services.audit import SYSTEM
from members.services.customers import add_note
from members.services.personal_packages import MOST_A_DAY, MOST_FETCHES
from tests.api.conftest import ApiClient, assert_problem, order_body
from tests.factories import CustomerFactory
from tests.members.packages import made_package, make_open_packages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all")]


@pytest.fixture
def ann(api: ApiClient, membership: Membership) -> Customer:
    api.post("/orders", order_body())
    add_note(customer=membership.customer, actor=SYSTEM, text="Prefers green tea")
    return membership.customer


def packages(customer: Customer) -> str:
    return f"/customers/{customer.public_id}/data-packages"


def erasure(customer: Customer) -> str:
    return f"/customers/{customer.public_id}/erasure"


def as_member(api: ApiClient, customer: Customer) -> ApiClient:
    asked = api.post("/member-tokens", {"customer": {"id": str(customer.public_id)}})
    return ApiClient(asked.json()["token"])


def fetched(url: str) -> zipfile.ZipFile:
    response = Client().get(url.removeprefix("http://testserver"))
    assert response["Content-Disposition"] == 'attachment; filename="personal-data.zip"'
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))  # type: ignore[attr-defined]


def test_a_file_is_asked_for_watched_and_fetched(api: ApiClient, ann: Customer) -> None:
    asked = api.post(packages(ann), {}, Idempotency_Key="privacy-1")
    assert asked.status_code == 202
    told = asked.json()
    assert (told["state"], told["url"], told["customer"]) == ("making", None, str(ann.public_id))
    assert told["total"] > 20
    again = api.post(packages(ann), {}, Idempotency_Key="privacy-1")
    assert again["Idempotent-Replayed"] == "true"
    assert api.post(packages(ann), {}).json()["id"] == told["id"]
    make_open_packages()
    ready = api.get(f"{packages(ann)}/{told['id']}").json()
    assert (ready["state"], ready["fetches_left"]) == ("ready", MOST_FETCHES)
    archive = fetched(ready["url"])
    data = json.loads(archive.read("data.json"))["data"]
    assert data["orders"]["order"][0]["external_id"] == "A-1001"
    assert "green tea" not in json.dumps(data)
    left = api.get(f"{packages(ann)}/{told['id']}").json()
    assert left["fetches_left"] == MOST_FETCHES - 1
    assert left["bytes"] > 0
    entry = AuditEntry.objects.get(action="customer.exported")
    assert entry.actor_label.startswith("API key")
    assert entry.after == {"own": True}


def test_what_is_not_theirs_or_for_staff_is_not_there(api: ApiClient, ann: Customer) -> None:
    for_staff = made_package(ann, for_staff=True)
    other = made_package(CustomerFactory())
    for package in (for_staff.public_id, other.public_id, uuid.uuid4()):
        assert_problem(api.get(f"{packages(ann)}/{package}"), 404, "not_found")


def test_so_often_a_day_for_a_person_and_so_often_a_minute_for_a_key(
    api: ApiClient, ann: Customer
) -> None:
    for _again in range(MOST_A_DAY):
        made_package(ann)
    refused = api.post(packages(ann), {})
    assert_problem(refused, 429, "asked_too_often")
    assert 0 < int(refused["Retry-After"]) <= 86_401
    with override_settings(PRIVACY_REQUESTS_PER_MINUTE=2):
        answers = [api.post(erasure(ann), {"reason": "x", "dry_run": True}) for _try in range(6)]
    # Also where a minute ends between two of them.
    assert sum(answer.status_code == 429 for answer in answers) >= 2
    assert api.get(f"/customers/{ann.public_id}").status_code == 200


def test_erasing_is_tried_then_done_and_again_changes_nothing(
    api: ApiClient, ann: Customer
) -> None:
    tried = api.post(erasure(ann), {"reason": "Asked by mail", "dry_run": True})
    assert tried.status_code == 200
    told = tried.json()
    assert (told["dry_run"], told["erased_at"]) == (True, None)
    parts = {part["key"]: part for part in told["parts"]}
    assert parts["details"]["becomes"].startswith("Emptied.")
    assert parts["notes"]["rows"] == 1
    assert told["warnings"][0].startswith("They hold 12")
    ann.refresh_from_db()
    assert ann.email
    done = api.post(erasure(ann), {"reason": "Asked by mail"}, Idempotency_Key="erase-1")
    assert done.json()["parts"] == told["parts"]
    assert done.json()["erased_at"]
    ann.refresh_from_db()
    assert (ann.email, ann.given_name, ann.external_id) == ("", "", "C-1")
    entry = AuditEntry.objects.get(action="customer.erased")
    assert entry.reason == "Asked by mail"
    assert entry.actor_label.startswith("API key")
    assert OutboxEvent.objects.filter(kind="customer.erased").count() == 1
    again = api.post(erasure(ann), {"reason": "Asked by mail"})
    assert again.status_code == 200
    assert "notes" not in {part["key"] for part in again.json()["parts"]}
    assert AuditEntry.objects.filter(action="customer.erased").count() == 1
    assert OutboxEvent.objects.filter(kind="customer.erased").count() == 1


def test_what_is_refused(api: ApiClient, key_with: Callable[..., ApiClient], ann: Customer) -> None:
    assert_problem(api.post(erasure(ann), {}), 422, "invalid_request", "reason")
    assert_problem(
        api.post(erasure(ann), {"reason": "x", "sure": True}), 422, "invalid_request", "sure"
    )
    duplicate = CustomerFactory(merged_into=ann)
    for dry in (True, False):
        sent = {"reason": "x", "dry_run": dry}
        assert_problem(api.post(erasure(duplicate), sent), 409, "customer_merged")
    assert_problem(api.post(packages(duplicate), {}), 409, "customer_merged")
    reader = key_with("privacy:read", "customers:write")
    for address, body in ((packages(ann), {}), (erasure(ann), {"reason": "x"})):
        refused = reader.post(address, body)
        assert refused.status_code == 403
        assert "privacy:write" in refused.json()["detail"]
    assert not PersonalPackage.objects.exists()


def test_a_member_has_a_file_of_their_own(api: ApiClient, ann: Customer) -> None:
    own = as_member(api, ann)
    told: dict[str, Any] = own.post("/me/data-packages", {}).json()
    assert told["state"] == "making"
    make_open_packages()
    ready = own.get(f"/me/data-packages/{told['id']}").json()
    assert "data.json" in fetched(ready["url"]).namelist()
    somebody = as_member(api, CustomerFactory())
    assert_problem(somebody.get(f"/me/data-packages/{told['id']}"), 404, "not_found")
