"""/customers/{id}/addresses and /me/addresses."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from campaigns.models import ContactAddress
from members.models import AuditEntry
from tests.api.conftest import ApiClient, assert_problem
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
DEVICE = {"channel": "push", "address": "token-1", "label": "Pixel 8"}


def test_a_device_is_named_once_and_removed(api: ApiClient) -> None:
    ana = CustomerFactory()
    path = f"/customers/{ana.public_id}/addresses"
    made = api.post(path, DEVICE).json()
    assert made["label"] == "Pixel 8"
    assert api.post(path, DEVICE).json()["id"] == made["id"]
    assert [row["id"] for row in api.get(path).json()["results"]] == [made["id"]]
    assert AuditEntry.objects.filter(action="address.named").count() == 1
    other = f"/customers/{CustomerFactory().public_id}/addresses/{made['id']}"
    assert_problem(api.request("DELETE", other), 404, "not_found")
    assert api.request("DELETE", f"{path}/{made['id']}").status_code == 204
    assert_problem(api.request("DELETE", f"{path}/{uuid.uuid4()}"), 404, "not_found")
    assert not ContactAddress.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [({"channel": "sms", "address": "+60123456789"}, "channel"),
     ({"channel": "push", "address": ""}, "address"),
     ({"channel": "whatsapp", "address": "12"}, "address")],
)  # fmt: skip
def test_what_is_no_address_is_refused(api: ApiClient, body: dict[str, str], field: str) -> None:
    path = f"/customers/{CustomerFactory().public_id}/addresses"
    assert_problem(api.post(path, body), 422, "invalid_request", field)


def test_a_number_of_another_customer_is_refused(api: ApiClient) -> None:
    number = {"channel": "whatsapp", "address": "+60123456789"}
    api.post(f"/customers/{CustomerFactory().public_id}/addresses", number)
    again = api.post(f"/customers/{CustomerFactory().public_id}/addresses", number)
    assert_problem(again, 409, "taken", "address")


def test_a_key_needs_its_scope(key_with: Callable[..., ApiClient]) -> None:
    path = f"/customers/{CustomerFactory().public_id}/addresses"
    key = key_with("consents:read")
    assert key.get(path).status_code == 200
    assert_problem(key.post(path, DEVICE), 403, "insufficient_scope")
