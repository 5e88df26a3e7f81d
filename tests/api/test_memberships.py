"""/memberships, /memberships/{id}, …/balances, …/transfers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from loyalty.models import Membership, Program, Wallet
from loyalty.selectors.balances import get_balances
from loyalty.selectors.member_balances import read_member_balances
from loyalty.services.adjustments import adjust_units
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, count_queries, order_body

pytestmark = pytest.mark.usefixtures("beans_for_all")


@pytest.mark.parametrize("by", ["id", "external_id"])
def test_a_customer_is_enrolled_once(
    api: ApiClient, program: Program, customer: Customer, by: str
) -> None:
    address = {"id": str(customer.public_id)} if by == "id" else {"external_id": "C-1"}
    response = api.post("/memberships", {"program": "beans", "customer": address})
    assert response.status_code == 201
    created = response.json()
    assert created["status"] == "active"
    assert created["source"] == "api"
    assert len(created["card_number"]) == 16
    again = api.post("/memberships", {"program": "beans", "customer": address})
    assert again.status_code == 200
    assert again.json() == created
    assert api.get(f"/memberships/{created['id']}").json() == created


def test_enrolling_may_be_repeated_with_its_key(
    api: ApiClient, program: Program, customer: Customer
) -> None:
    body = {"program": "beans", "customer": {"external_id": "C-1"}}
    api.post("/memberships", body, Idempotency_Key="m1")
    again = api.post("/memberships", body, Idempotency_Key="m1")
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    other = {"program": "beans", "customer": {"external_id": "C-2"}}
    answer = api.post("/memberships", other, Idempotency_Key="m1")
    assert_problem(answer, 422, "idempotency_key_reused")


def test_what_is_wrong_is_named(api: ApiClient, program: Program, customer: Customer) -> None:
    def enroll(program_code: str, **address: str) -> object:
        return api.post("/memberships", {"program": program_code, "customer": address})

    assert_problem(enroll("tea", external_id="C-1"), 422, "invalid_request", "program")
    assert_problem(enroll("beans", external_id="C-2"), 422, "invalid_request", "customer")
    assert_problem(enroll("beans"), 422, "invalid_request", "customer")
    assert_problem(enroll("beans", id="7"), 422, "invalid_request", "customer.id")


def test_memberships_are_found_by_customer_program_and_card(
    api: ApiClient, membership: Membership
) -> None:
    for query in (
        f"customer={membership.customer.public_id}",
        "program=beans",
        f"card_number={membership.card_number}",
    ):
        [found] = api.get(f"/memberships?{query}").json()["results"]
        assert found["id"] == str(membership.public_id)
    for query in (f"customer={uuid.uuid4()}", "program=tea", "card_number=%00"):
        assert api.get(f"/memberships?{query}").json()["results"] == []
    assert_problem(api.get("/memberships?customer=7"), 400, "invalid_parameter", "customer")


def test_a_balance_says_what_it_is_worth_and_what_lapses(
    api: ApiClient, membership: Membership
) -> None:
    api.post("/orders", order_body())
    [balance] = api.get(f"/memberships/{membership.public_id}/balances").json()["balances"]
    assert balance["wallet_type"] == "points"
    assert balance["spendable"] == "12"
    assert balance["worth"] == {"amount": "0.12", "currency": "USD"}
    assert balance["next_expiry"] == {"units": "12", "at": "2076-03-02T00:00:00Z"}


def test_a_balance_is_one_statement(api: ApiClient, membership: Membership) -> None:
    address = f"/memberships/{membership.public_id}/balances"
    api.get(address)
    run = prepared_runs()
    assert count_queries(lambda: api.get(address)) == 1
    # It was planned before.
    assert prepared_runs() == run + 1


def prepared_runs() -> int:
    """How often prepared statements about wallets were run on this connection."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(generic_plans + custom_plans) FROM pg_prepared_statements"
            r" WHERE statement ~ '\mloyalty_wallet\M'"
        )
        return int(cursor.fetchone()[0])


def test_the_fast_read_agrees_with_the_ledger_at_any_instant(membership: Membership) -> None:
    wallet = Wallet.objects.get(account=membership.account_id)
    begin = timezone.now() - dt.timedelta(days=700)
    for number, (days, units) in enumerate([(0, 50), (200, 30), (210, 7), (250, -20)]):
        adjust_units(
            wallet=wallet, units=units, reason="goodwill", note="", actor=SYSTEM,
            key=f"k{number}", source="api", now=begin + dt.timedelta(days=days),
        )  # fmt: skip
        wallet.refresh_from_db()
    for days in (250, 364, 366, 370, 500, 565, 580, 700):
        now = begin + dt.timedelta(days=days)
        [slow], [fast] = (
            get_balances(membership, now),
            read_member_balances(membership.public_id, now),
        )
        assert (fast.balance, fast.pending, fast.owed) == (slow.balance, slow.pending, slow.owed)
        assert fast.spendable == slow.spendable
        assert fast.worth == slow.worth
        assert fast.exact_until == slow.exact_until
        lapse = slow.next_lapse
        assert (fast.lapsing, fast.lapses_at) == ((lapse.units, lapse.at) if lapse else (0, None))


def test_a_history_is_read_in_pages_with_its_reasons(
    api: ApiClient, membership: Membership
) -> None:
    for day in (1, 2, 3):
        body = order_body(external_id=f"A-{day}", placed_at=f"2026-03-0{day}T00:00:00Z")
        api.post("/orders", body)
    address = f"/memberships/{membership.public_id}/transfers"
    first = api.get(f"{address}?limit=2").json()
    assert [item["order"]["external_id"] for item in first["results"]] == ["A-3", "A-2"]
    assert first["results"][0]["units"] == "12"
    assert first["results"][0]["explanation"]["steps"]
    last = api.get(first["next"]).json()
    assert [item["order"]["external_id"] for item in last["results"]] == ["A-1"]
    assert api.get(f"{address}?wallet_type=miles").json()["results"] == []


def test_a_history_takes_the_same_queries_however_long(
    api: ApiClient, membership: Membership
) -> None:
    def queries() -> int:
        return count_queries(lambda: api.get(f"/memberships/{membership.public_id}/transfers"))

    api.post("/orders", order_body())
    few = queries()
    for number in range(5):
        api.post("/orders", order_body(external_id=f"B-{number}"))
    assert queries() == few


def test_a_membership_that_is_not_there_is_not_found(api: ApiClient) -> None:
    for rest in ("", "/balances", "/balances?as_of=2026-01-01", "/lots", "/transfers"):
        assert_problem(api.get(f"/memberships/{uuid.uuid4()}{rest}"), 404, "not_found")


def test_who_may_not(
    outsider: ApiClient, key_with: Callable[..., ApiClient], membership: Membership
) -> None:
    address = f"/memberships/{membership.public_id}"
    wrong = key_with("programs:read")
    for path in (
        "/memberships", address, f"{address}/balances", f"{address}/lots", f"{address}/transfers",
    ):  # fmt: skip
        assert_problem(outsider.get(path), 401, "unauthorized")
        assert_problem(wrong.get(path), 403, "insufficient_scope")
    reader = key_with("memberships:read")
    assert_problem(reader.post("/memberships", {}), 403, "insufficient_scope")
    assert_problem(reader.get(f"{address}/balances"), 403, "insufficient_scope")


def test_wrong_methods(api: ApiClient, membership: Membership) -> None:
    address = f"/memberships/{membership.public_id}"
    for path in (address, f"{address}/balances", f"{address}/lots", f"{address}/transfers"):
        assert_problem(api.post(path, {}), 405, "method_not_allowed")
    assert_problem(api.request("DELETE", "/memberships"), 405, "method_not_allowed")


def test_a_member_leaves_who_has_said_so(api: ApiClient, membership: Membership) -> None:
    path = f"/memberships/{membership.public_id}/leave"
    refused = api.post(path, {}, **{"Idempotency-Key": "x"})
    assert_problem(refused, 422, "invalid_request", "reason")
    body = {"reason": "Wrote to us"}
    left = [api.post(path, body, **{"Idempotency-Key": key}).json() for key in ("a", "a", "b")]
    assert [found["status"] for found in left] == ["left"] * 3
    entry = AuditEntry.objects.get(action="membership.left")
    assert entry.reason == "Wrote to us"


def test_a_member_is_suspended_and_takes_part_again(api: ApiClient, membership: Membership) -> None:
    path = f"/memberships/{membership.public_id}"
    once = {"Idempotency-Key": "s"}
    refused = api.post(f"{path}/suspend", {}, **{"Idempotency-Key": "x"})
    assert_problem(refused, 422, "invalid_request", "reason")
    body = {"reason": "Sells on what they buy"}
    first = api.post(f"{path}/suspend", body, **once)
    again = api.post(f"{path}/suspend", body, **once)
    assert (first.json()["status"], again.json()) == ("suspended", first.json())
    resumed = api.post(f"{path}/resume", {"reason": "Settled"}, **{"Idempotency-Key": "r"})
    assert resumed.json()["status"] == "active"
