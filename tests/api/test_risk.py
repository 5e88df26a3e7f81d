"""/risk-cases and /memberships/{id}/risk."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from loyalty.models import Membership, RiskCase, RiskScore, Transfer
from tests.api.conftest import ApiClient, assert_problem, count_queries
from tests.loyalty.risks import FARMED, bonus_club, join, look, open_case

NOTE = {"note": "Two accounts of one person"}


@pytest.fixture
def case(db: None) -> RiskCase:
    return open_case(bonus_club())


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def test_a_case_is_listed_and_read_with_its_reasons(api: ApiClient, case: RiskCase) -> None:
    [listed] = api.get("/risk-cases?state=waiting&program=club&signal=duplicates").json()["results"]
    assert api.get(f"/risk-cases/{case.public_id}").json() == listed
    assert (listed["state"], listed["points"], listed["level"]) == ("open", FARMED, "high")
    reason = listed["reasons"][0]
    assert (reason["signal"], reason["weight"], len(reason["facts"])) == ("bonus_farming", 45, 2)
    assert reason["in_words"] == (
        "2 accounts that look like one person each took the bonus for joining."
    )
    customer = case.membership.customer.public_id
    assert api.get(f"/risk-cases?customer={customer}").json()["results"] == [listed]
    for none in ("state=held", "program=else", "signal=bots", f"customer={uuid.uuid4()}"):
        assert api.get(f"/risk-cases?{none}").json()["results"] == []
    assert_problem(api.get(f"/risk-cases/{uuid.uuid4()}"), 404, "not_found")


def test_it_is_held_and_released_once(api: ApiClient, case: RiskCase) -> None:
    address, once = f"/risk-cases/{case.public_id}", key()
    held = api.post(f"{address}/hold", NOTE, **once)
    assert (held.status_code, held.json()["state"]) == (200, "held")
    assert api.post(f"{address}/hold", NOTE, **once).json() == held.json()
    assert Membership.objects.get(pk=case.membership_id).status == "suspended"
    released = api.post(f"{address}/release", NOTE, **key()).json()
    assert (released["state"], released["note"]) == ("released", NOTE["note"])
    assert Membership.objects.get(pk=case.membership_id).status == "active"
    assert_problem(api.post(f"{address}/hold", NOTE, **key()), 409, "already_decided")


def test_what_was_taken_unduly_is_looked_at_and_taken_back_once(
    api: ApiClient, case: RiskCase
) -> None:
    address = f"/risk-cases/{case.public_id}/claw-back"
    seen = api.get(address).json()
    assert seen["takings"] == [
        {
            "wallet_type": "points",
            "by_activities": "100",
            "by_undoing": "0",
            "by_adjustment": "0",
            "waiting": "0",
            "pooled": "0",
            "missing": "0",
        }
    ]
    once = key()
    done = api.post(address, {**NOTE, "facts": seen["facts"]}, **once)
    assert (done.status_code, done.json()["state"]) == (200, "clawed_back")
    moved = Transfer.objects.count()
    assert api.post(address, {**NOTE, "facts": seen["facts"]}, **once).json() == done.json()
    assert Transfer.objects.count() == moved
    assert api.get(address).json()["takings"] == []


def test_a_decision_needs_a_reason_a_key_and_the_scope(
    api: ApiClient, key_with: Callable[..., ApiClient], case: RiskCase
) -> None:
    for act in ("hold", "release", "claw-back"):
        address = f"/risk-cases/{case.public_id}/{act}"
        assert_problem(api.post(address, {}, **key()), 422, "invalid_request", "note")
        assert api.post(address, NOTE).status_code == 400
        reader = key_with("risk:read", "memberships:write")
        assert reader.post(address, NOTE, **key()).status_code == 403
    assert key_with("memberships:read").get("/risk-cases").status_code == 403


def test_the_risk_of_a_member_is_read_by_the_merchant_alone(
    api: ApiClient, key_with: Callable[..., ApiClient], case: RiskCase
) -> None:
    address = f"/memberships/{case.membership.public_id}/risk"
    found = api.get(address).json()
    assert (found["points"], found["level"], found["case"]) == (
        FARMED, "high", str(case.public_id),
    )  # fmt: skip
    assert key_with("memberships:read").get(address).status_code == 403
    made = api.post("/member-tokens", {"customer": {"id": str(case.membership.customer.public_id)}})
    member = ApiClient(made.json()["token"])
    assert member.get(address).status_code in (401, 403)
    assert member.get("/risk-cases").status_code in (401, 403)


def test_reading_the_risk_of_whom_nobody_has_looked_at_works_nothing_out(api: ApiClient) -> None:
    member = join(bonus_club(), "new")
    found = api.get(f"/memberships/{member.public_id}/risk").json()
    assert (found["points"], found["level"], found["scored_at"]) == (None, None, None)
    score = RiskScore.objects.get(membership=member)
    assert score.scored_at is None
    assert score.due_at is not None


def test_a_decision_about_what_was_not_seen_is_refused(api: ApiClient, case: RiskCase) -> None:
    address = f"/risk-cases/{case.public_id}/release"
    old = {**NOTE, "grown_at": "2024-03-01T12:00:00Z"}
    assert_problem(api.post(address, old, **key()), 409, "changed")
    seen = api.get(f"/risk-cases/{case.public_id}").json()["grown_at"]
    assert api.post(address, {**NOTE, "grown_at": seen}, **key()).status_code == 200


def test_many_cases_are_listed_with_as_many_queries_as_few(api: ApiClient) -> None:
    club = bonus_club()
    open_case(club, "a")
    api.get("/risk-cases")
    few = count_queries(lambda: api.get("/risk-cases"))
    for name in "bcd":
        look(open_case(club, name).membership)
    assert count_queries(lambda: api.get("/risk-cases")) == few
