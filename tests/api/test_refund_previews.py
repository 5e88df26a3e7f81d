"""/refunds/preview."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.models import Membership, Refund, Transfer
from tests.api.conftest import ApiClient, assert_problem, order_body
from tests.api.test_refunds import refund_body

pytestmark = pytest.mark.usefixtures("ann_for_all")


def preview(api: ApiClient, **changes: Any) -> dict[str, Any]:
    response = api.post("/refunds/preview", refund_body(**changes))
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def test_it_says_what_the_refund_then_takes_back(api: ApiClient, membership: Membership) -> None:
    api.post("/orders", order_body())
    found = preview(api)
    [wallet] = found["wallets"]
    assert (wallet["membership"], wallet["program"]) == (str(membership.public_id), "beans")
    assert wallet["before"] == {"spendable": "12", "pending": "0", "owed": "0"}
    assert wallet["after"] == {"spendable": "9", "pending": "0", "owed": "0"}
    [movement] = wallet["movements"]
    assert (movement["kind"], movement["units"]) == ("clawback", "-3")
    assert movement["explanation"]["title"] == "Refund of order A-1001"
    assert movement["explanation"]["steps"]

    made = api.post("/refunds", refund_body()).json()
    assert [award["explanation"] for award in made["awards"]] == [movement["explanation"]]
    balances = api.get(f"/memberships/{membership.public_id}/balances").json()["balances"]
    assert balances[0]["spendable"] == wallet["after"]["spendable"]


def test_nothing_is_written(api: ApiClient, membership: Membership) -> None:
    api.post("/orders", order_body())
    preview(api)
    preview(api, external_id="R-2", customer={"external_id": "nobody yet"}, order_external_id="")
    assert (Refund.objects.count(), Transfer.objects.count()) == (0, 1)
    assert api.get("/customers?external_id=nobody+yet").json()["results"] == []


def test_what_was_spent_would_be_owed(api: ApiClient, membership: Membership) -> None:
    api.post("/orders", order_body())
    taken = {
        "membership": str(membership.public_id), "units": "-10", "reason": "correction",
    }  # fmt: skip
    api.post("/transfers", taken, Idempotency_Key="t1")
    [wallet] = preview(api)["wallets"]
    assert wallet["after"] == {"spendable": "0", "pending": "0", "owed": "1"}
    assert (wallet["movements"][0]["explanation"]["steps"][-1].split(":")[0]) == (
        "Already spent, so settled by what is earned next"
    )


def test_a_refund_that_is_known_or_early_would_change_nothing(
    api: ApiClient, membership: Membership
) -> None:
    found = preview(api)
    assert (found["known"], found["parked"], found["wallets"]) == (False, True, [])
    api.post("/orders", order_body())
    api.post("/refunds", refund_body())
    found = preview(api)
    assert (found["known"], found["parked"], found["wallets"]) == (True, False, [])


def test_what_cannot_be_recorded_cannot_be_previewed(
    api: ApiClient, membership: Membership
) -> None:
    api.post("/orders", order_body())
    api.post("/refunds", refund_body())
    other = api.post("/refunds/preview", refund_body(total="4.00", lines=[]))
    assert_problem(other, 409, "order_conflict", "external_id")
    wrong = api.post("/refunds/preview", refund_body(external_id="R-2", total="9.99"))
    assert_problem(wrong, 422, "invalid_order", "total")


def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient]) -> None:
    assert_problem(outsider.post("/refunds/preview", refund_body()), 401, "unauthorized")
    writer = key_with("orders:write")
    assert_problem(writer.post("/refunds/preview", refund_body()), 403, "insufficient_scope")
    assert key_with("orders:read").post("/refunds/preview", refund_body()).status_code == 200


def test_wrong_method(api: ApiClient) -> None:
    assert_problem(api.get("/refunds/preview"), 405, "method_not_allowed")
