"""/lots/{id}/extension, /transfers/{id}/reinstatement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Membership, Transfer
from loyalty.services.expiry import write_down_expired
from members.models import AuditEntry, IdempotencyRecord
from tests.api.conftest import ApiClient, assert_problem, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")

FAR = "2090-12-31"


@pytest.fixture
def lot(api: ApiClient, membership: Membership) -> str:
    """Ann's 12 Beans, which expire fifty years after today."""
    api.post("/orders", order_body(placed_at=timezone.now().isoformat()))
    return lots(api, membership)[0]["id"]


@pytest.fixture
def expired(api: ApiClient, membership: Membership) -> str:
    """Ann's 12 Beans have expired, and that is written down."""
    api.post("/orders", order_body(placed_at="1971-03-01T12:30:00+08:00"))
    write_down_expired(timezone.now())
    return str(Transfer.objects.get(kind="expiry").pk)


def lots(api: ApiClient, membership: Membership) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/memberships/{membership.public_id}/lots").json()[
        "results"
    ]
    return found


def bring_back(api: ApiClient, expired: str, key: str = "b1", **changes: Any) -> Any:
    body = {"units": "8", "until": FAR, "note": "Was ill"} | changes
    return api.post(f"/transfers/{expired}/reinstatement", body, Idempotency_Key=key)


def test_a_lot_gets_more_time(api: ApiClient, membership: Membership, lot: str) -> None:
    address = f"/lots/{lot}/extension"
    answer = api.post(address, {"until": FAR, "note": "Was ill"})
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["expires_at"]) == (lot, "2091-01-01T00:00:00Z")
    assert lots(api, membership) == [answer.json()]
    assert api.post(address, {"until": FAR}).json() == answer.json()
    entry = AuditEntry.objects.get(action="lot.extended")
    assert (entry.reason, entry.after["until"]) == ("Was ill", FAR)


def test_an_instant_is_the_first_at_which_it_is_gone(api: ApiClient, lot: str) -> None:
    at = "2090-06-30T12:00:00Z"
    shown = api.post(f"/lots/{lot}/extension", {"until": at}).json()
    assert shown["expires_at"] == at


def test_a_lot_is_not_given_less_time(api: ApiClient, lot: str) -> None:
    soon = (timezone.now() + dt.timedelta(days=3)).date().isoformat()
    for until in (soon, "2020-01-01"):
        answer = api.post(f"/lots/{lot}/extension", {"until": until})
        assert_problem(answer, 422, "invalid_request", "until")


def test_what_expired_comes_back(api: ApiClient, membership: Membership, expired: str) -> None:
    answer = bring_back(api, expired)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["kind"], made["units"], made["note"]) == ("reinstatement", "8", "Was ill")
    assert made["explanation"]["steps"] == ["Usable until: Dec 31, 2090."]
    [lot] = lots(api, membership)
    assert (lot["remaining"], lot["expires_at"]) == ("8", "2091-01-01T00:00:00Z")
    again = bring_back(api, expired)
    assert (again.json(), again["Idempotent-Replayed"]) == (made, "true")
    IdempotencyRecord.objects.all().delete()
    assert bring_back(api, expired).json()["id"] == made["id"]


def test_no_more_comes_back_than_expired(api: ApiClient, expired: str) -> None:
    assert_problem(bring_back(api, expired, units="13"), 409, "already_reversed")
    assert bring_back(api, expired, units="12").status_code == 201
    assert_problem(bring_back(api, expired, "b2", units="1"), 409, "already_reversed")
    assert api.get(f"/transfers/{expired}").json()["reversed"] is True


def test_only_what_expired_is_brought_back(api: ApiClient, lot: str) -> None:
    accrual = Transfer.objects.get(kind="accrual")
    assert_problem(bring_back(api, str(accrual.pk)), 422, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"units": "0"}, "units"),
        ({"units": "1.5"}, "units"),
        ({"until": "soon"}, "until"),
        ({"until": "2020-01-01"}, "until"),
        ({"reason": "x"}, "reason"),
    ],
)
def test_what_is_wrong_is_named(
    api: ApiClient, expired: str, changes: dict[str, str], field: str
) -> None:
    assert_problem(bring_back(api, expired, **changes), 422, "invalid_request", field)


def test_bringing_back_needs_a_key(api: ApiClient, expired: str) -> None:
    body = {"units": "8", "until": FAR}
    answer = api.post(f"/transfers/{expired}/reinstatement", body)
    assert_problem(answer, 400, "idempotency_key_required")


def test_an_extension_may_be_repeated_with_its_key(api: ApiClient, lot: str) -> None:
    first = api.post(f"/lots/{lot}/extension", {"until": FAR}, Idempotency_Key="e1")
    again = api.post(f"/lots/{lot}/extension", {"until": FAR}, Idempotency_Key="e1")
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")


def test_what_is_not_there_is_not_found(api: ApiClient) -> None:
    for number in (1, 10**30):
        assert_problem(api.post(f"/lots/{number}/extension", {"until": FAR}), 404, "not_found")
        assert_problem(bring_back(api, str(number), f"k{number}"), 404, "not_found")


def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient], expired: str) -> None:
    assert_problem(outsider.post("/lots/1/extension", {}), 401, "unauthorized")
    reader = key_with("transfers:read", "balances:read", "redemptions:write")
    assert_problem(reader.post("/lots/1/extension", {}), 403, "insufficient_scope")
    assert_problem(bring_back(reader, expired), 403, "insufficient_scope")


def test_wrong_methods(api: ApiClient) -> None:
    assert_problem(api.get("/lots/1/extension"), 405, "method_not_allowed")
    assert_problem(api.get("/transfers/1/reinstatement"), 405, "method_not_allowed")
