"""/transfers, /transfers/{id}, /transfers/{id}/reversal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.models import AdjustmentReason, Membership, Transfer, Wallet, WalletType
from loyalty.services.adjustment_reasons import create_reason
from loyalty.services.occasions import give_occasions
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, order_body
from tests.loyalty.factories import NOW, make_program, make_wallet

pytestmark = pytest.mark.usefixtures("ann_for_all")

# The ledger's refusals end a transaction: that of the test goes on.
refused = pytest.mark.usefixtures("undone_when_refused")


def adjustment(membership: Membership, /, **changes: Any) -> dict[str, Any]:
    return {
        "membership": str(membership.public_id),
        "wallet_type": "points",
        "units": "20",
        "reason": "goodwill",
        "note": "Late parcel",
    } | changes


def test_units_are_added_and_taken(api: ApiClient, membership: Membership) -> None:
    response = api.post("/transfers", adjustment(membership), Idempotency_Key="t1")
    assert response.status_code == 201
    made = response.json()
    assert (made["kind"], made["units"], made["source"]) == ("adjustment", "20", "api")
    assert made["membership"] == str(membership.public_id)
    assert api.get(f"/transfers/{made['id']}").json() == made
    taken = api.post("/transfers", adjustment(membership, units="-5"), Idempotency_Key="t2")
    assert taken.json()["units"] == "-5"
    assert Wallet.objects.get(account=membership.account_id).balance == 15
    entry = AuditEntry.objects.filter(action="points.adjusted").first()
    assert entry is not None
    assert entry.actor_label.startswith("API key")


def test_a_key_is_required(api: ApiClient, membership: Membership) -> None:
    answer = api.post("/transfers", adjustment(membership))
    assert_problem(answer, 400, "idempotency_key_required", "Idempotency-Key")
    for bad in ("", "a" * 256, "caf\xe9"):
        answer = api.post("/transfers", adjustment(membership), Idempotency_Key=bad)
        assert_problem(answer, 400, "idempotency_key_invalid", "Idempotency-Key")


def test_a_repeat_moves_nothing_and_other_content_is_refused(
    api: ApiClient, membership: Membership
) -> None:
    first = api.post("/transfers", adjustment(membership), Idempotency_Key="t1")
    again = api.post("/transfers", adjustment(membership), Idempotency_Key="t1")
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    other = api.post("/transfers", adjustment(membership, units="21"), Idempotency_Key="t1")
    assert_problem(other, 422, "idempotency_key_reused")
    assert Transfer.objects.count() == 1


@refused
def test_the_ledger_knows_the_key_when_the_answer_is_forgotten(
    api: ApiClient, membership: Membership
) -> None:
    from members.models import IdempotencyRecord

    first = api.post("/transfers", adjustment(membership), Idempotency_Key="t1").json()
    IdempotencyRecord.objects.all().delete()
    again = api.post("/transfers", adjustment(membership), Idempotency_Key="t1").json()
    assert again["id"] == first["id"]
    IdempotencyRecord.objects.all().delete()
    other = api.post("/transfers", adjustment(membership, units="21"), Idempotency_Key="t1")
    assert_problem(other, 422, "idempotency_key_reused")


@refused
def test_more_than_there_is_cannot_be_taken(api: ApiClient, membership: Membership) -> None:
    answer = api.post("/transfers", adjustment(membership, units="-1"), Idempotency_Key="t1")
    problem = assert_problem(answer, 409, "insufficient_balance")
    assert problem["detail"].replace("\N{NO-BREAK SPACE}", " ") == "Only 0 Beans can be spent."


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"units": "0"}, "units"),
        ({"units": 20}, "units"),
        ({"units": "1.5"}, "units"),
        ({"units": "1e3"}, "units"),
        ({"units": "9" * 30}, "units"),
        ({"reason": "because"}, "reason"),
        ({"wallet_type": "miles"}, "wallet_type"),
        ({"membership": "8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11"}, "membership"),
        ({"note": "a\x00"}, "note"),
        ({"unit": "1"}, "unit"),
    ],
)
def test_what_is_wrong_is_named(
    api: ApiClient, membership: Membership, changes: dict[str, Any], field: str
) -> None:
    answer = api.post("/transfers", adjustment(membership, **changes), Idempotency_Key="t1")
    assert_problem(answer, 422, "invalid_request", field)


def test_units_have_the_decimals_of_their_wallet_type(
    api: ApiClient, membership: Membership
) -> None:
    WalletType.objects.update(scale=2)
    made = api.post("/transfers", adjustment(membership, units="1.5"), Idempotency_Key="t1").json()
    assert (made["units"], made["decimals"]) == ("1.50", 2)
    answer = api.post("/transfers", adjustment(membership, units="1.005"), Idempotency_Key="t2")
    assert_problem(answer, 422, "invalid_request", "units")


@refused
def test_sums_beyond_what_a_wallet_holds_are_refused(
    api: ApiClient, membership: Membership
) -> None:
    Wallet.objects.update(balance=2**63 - 10)
    answer = api.post("/transfers", adjustment(membership), Idempotency_Key="t1")
    assert_problem(answer, 422, "out_of_range")


def test_an_adjustment_is_undone_once(api: ApiClient, membership: Membership) -> None:
    made = api.post("/transfers", adjustment(membership), Idempotency_Key="t1").json()
    address = f"/transfers/{made['id']}/reversal"
    response = api.post(address, {"note": "Wrong member"})
    assert response.status_code == 201
    undone = response.json()
    assert (undone["kind"], undone["units"], undone["reverses"]) == (
        "reversal", "-20", made["id"],
    )  # fmt: skip
    assert api.get(f"/transfers/{made['id']}").json()["reversed"] is True
    again = api.post(address, {"note": "Wrong member"})
    assert (again.status_code, again.json()["id"]) == (200, undone["id"])


def test_undoing_may_be_repeated_with_its_key(api: ApiClient, membership: Membership) -> None:
    made = api.post("/transfers", adjustment(membership), Idempotency_Key="t1").json()
    address = f"/transfers/{made['id']}/reversal"
    api.post(address, Idempotency_Key="u1")
    again = api.post(address, Idempotency_Key="u1")
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    other = api.post(address, {"note": "x"}, Idempotency_Key="u1")
    assert_problem(other, 422, "idempotency_key_reused")


def test_only_adjustments_are_undone(api: ApiClient, membership: Membership) -> None:
    api.post("/orders", order_body())
    earned = Transfer.objects.get()
    assert_problem(api.post(f"/transfers/{earned.pk}/reversal"), 409, "not_reversible")


def test_a_transfer_that_is_not_there_is_not_found(api: ApiClient) -> None:
    assert_problem(api.get("/transfers/1"), 404, "not_found")
    assert_problem(api.get(f"/transfers/{10**30}"), 404, "not_found")
    assert_problem(api.post(f"/transfers/{10**30}/reversal"), 404, "not_found")


def test_a_reason_that_is_not_offered_is_refused_with_those_that_are(
    api: ApiClient, membership: Membership
) -> None:
    AdjustmentReason.objects.exclude(code__in=["goodwill", "fraud"]).update(is_active=False)
    answer = api.post("/transfers", adjustment(membership, reason="other"), Idempotency_Key="t1")
    problem = assert_problem(answer, 422, "invalid_request", "reason")
    assert problem["errors"][0]["message"] == "One of: goodwill, fraud."


def test_a_reason_of_ones_own_is_taken_and_may_want_a_note(
    api: ApiClient, membership: Membership
) -> None:
    create_reason(
        actor=SYSTEM, code="till_error", label="The till was wrong", roles=[], is_active=True,
        note_required=True, told_to_members=True,
    )  # fmt: skip
    given = adjustment(membership, reason="till_error")
    answer = api.post("/transfers", given | {"note": ""}, Idempotency_Key="t1")
    assert_problem(answer, 422, "invalid_request", "note")
    made = api.post("/transfers", given, Idempotency_Key="t2").json()
    assert made["reason"] == "till_error"
    assert made["explanation"]["steps"] == ["Reason: The till was wrong."]


def test_who_may_not(
    outsider: ApiClient, key_with: Callable[..., ApiClient], membership: Membership
) -> None:
    assert_problem(outsider.post("/transfers", {}), 401, "unauthorized")
    reader, writer = key_with("transfers:read"), key_with("transfers:write")
    answer = reader.post("/transfers", adjustment(membership), Idempotency_Key="t1")
    assert_problem(answer, 403, "insufficient_scope")
    assert_problem(writer.get("/transfers/1"), 403, "insufficient_scope")
    assert_problem(reader.post("/transfers/1/reversal"), 403, "insufficient_scope")


def test_wrong_methods(api: ApiClient) -> None:
    assert_problem(api.get("/transfers"), 405, "method_not_allowed")
    assert_problem(api.request("DELETE", "/transfers/1"), 405, "method_not_allowed")
    assert_problem(api.get("/transfers/1/reversal"), 405, "method_not_allowed")


def test_what_was_given_for_a_day_of_the_year_is_taken_back(api: ApiClient) -> None:
    program = make_program(
        "days", earning_rules=[{"code": "day", "name": "Day", "kind": "occasion", "units": 100}]
    )
    make_wallet(program)
    Customer.objects.filter(external_id="c1").update(birthday="1990-03-15")
    assert give_occasions(NOW) == 1
    given = Transfer.objects.get(rule_version__rule__program=program)
    address = f"/transfers/{given.pk}/reversal"
    made = api.post(address, {"note": "Wrong date"}, Idempotency_Key="d1")
    assert made.status_code == 201
    body = made.json()
    assert (body["kind"], body["units"]) == ("clawback", "-100")
    again = api.post(address, {"note": "Wrong date"}, Idempotency_Key="d2")
    assert (again.status_code, again.json()["id"]) == (200, body["id"])
    other = api.post(address, {"note": "Another"}, Idempotency_Key="d3")
    assert_problem(other, 409, "already_reversed")
