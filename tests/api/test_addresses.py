"""/customers/{id}/addresses and /me/addresses."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from campaigns.models import ContactAddress
from campaigns.services.number_codes import code_of
from members.models import AuditEntry
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.ways import use
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


def test_a_number_that_a_member_names_is_used_once_they_have_typed_its_code(
    key_with: Callable[..., ApiClient],
) -> None:
    use("whatsapp", "jsons://gateway.example/send?:to={to}")
    ana = CustomerFactory(external_id="C-1")
    shop = key_with("member_tokens:write")
    token = shop.post("/member-tokens", {"customer": {"external_id": "C-1"}}).json()["token"]
    me = ApiClient(token)
    made = me.post("/me/addresses", {"channel": "whatsapp", "address": "+60123456789"}).json()
    assert made["confirmed_at"] is None
    path = f"/me/addresses/{made['id']}"
    code = code_of(ana.contact_addresses.get())
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for number in range(2):
        refused = me.post(f"{path}/confirm", {"code": wrong}, Idempotency_Key=f"k{number}")
        assert_problem(refused, 422, "invalid_request", "code")
    # What was tried counts, also in a request with a key.
    assert ana.contact_addresses.get().code_tries == 2
    done = me.post(f"{path}/confirm", {"code": code}, Idempotency_Key="k3").json()
    assert done["confirmed_at"] is not None
    assert me.post(f"{path}/confirm", {"code": wrong}).json() == done
    assert me.post(f"{path}/code").json() == done
    assert_problem(me.post(f"/me/addresses/{uuid.uuid4()}/code"), 404, "not_found")


def test_a_key_needs_its_scope(key_with: Callable[..., ApiClient]) -> None:
    path = f"/customers/{CustomerFactory().public_id}/addresses"
    key = key_with("consents:read")
    assert key.get(path).status_code == 200
    assert_problem(key.post(path, DEVICE), 403, "insufficient_scope")
