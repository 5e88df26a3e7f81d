"""/programs, /programs/{code}."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from loyalty.models import Membership, Program
from loyalty.services.program_endings import EndingDays, plan_ending
from loyalty.services.program_pauses import pause_program
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, order_body
from tests.factories import CustomerFactory

pytestmark = pytest.mark.usefixtures("beans_for_all")


def test_programs_are_listed(api: ApiClient, program: Program) -> None:
    [found] = api.get("/programs").json()["results"]
    assert (found["code"], found["status"], found["currency"]) == ("beans", "live", "USD")


def test_a_program_says_its_rules_in_words_and_as_data(api: ApiClient, program: Program) -> None:
    shown = api.get("/programs/beans").json()
    [wallet_type], [rule] = shown["wallet_types"], shown["earning_rules"]
    assert (wallet_type["code"], wallet_type["decimals"], wallet_type["unit_value"]) == (
        "points", 0, "0.01",
    )  # fmt: skip
    assert wallet_type["expiry"]["length"] == 50
    assert wallet_type["in_words"]
    assert rule["body"]["measure"] == "money"
    assert "1\N{NO-BREAK SPACE}Bean" in rule["in_words"][0]


def test_a_program_that_is_not_there_is_not_found(api: ApiClient) -> None:
    assert_problem(api.get("/programs/tea"), 404, "not_found")


def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient]) -> None:
    wrong = key_with("orders:read")
    for path in ("/programs", "/programs/beans"):
        assert_problem(outsider.get(path), 401, "unauthorized")
        assert_problem(wrong.get(path), 403, "insufficient_scope")


def test_bad_parameters_are_named(api: ApiClient, program: Program) -> None:
    assert_problem(api.get("/programs?limit=0"), 400, "invalid_parameter", "limit")
    assert_problem(api.get("/programs?page=2"), 400, "invalid_parameter", "page")


def test_wrong_methods(api: ApiClient, program: Program) -> None:
    for path in ("/programs", "/programs/beans"):
        assert_problem(api.post(path, {}), 405, "method_not_allowed")


def test_a_pause_and_an_end_are_said(api: ApiClient, program: Program) -> None:
    assert api.get("/programs/beans").json()["state"] == "live"
    pause_program(program=program, actor=SYSTEM, now=timezone.now(), spending=False)
    today = timezone.now().date()
    days = EndingDays(*(today + dt.timedelta(days=ahead) for ahead in (1, 30, 60)))
    plan_ending(program=program, days=days, actor=SYSTEM, now=timezone.now())
    [shown] = api.get("/programs").json()["results"]
    assert (shown["status"], shown["state"]) == ("live", "paused")
    assert (shown["pause"]["spending"], shown["pause"]["ends_at"]) == (False, None)
    assert shown["ending"]["last_spending_day"] == days.last_spending_day.isoformat()
    assert api.get("/programs/beans").json()["ending"] == shown["ending"]


def test_what_is_paused_or_over_says_so_with_every_request(
    api: ApiClient, key_with: Callable[..., ApiClient], membership: Membership
) -> None:
    program = membership.program
    api.post("/orders", order_body())
    pause_program(program=program, actor=SYSTEM, now=timezone.now(), spending=False)
    body = {name: value for name, value in order_body().items()
            if name not in {"external_id", "source", "placed_at"}}  # fmt: skip
    [quoted] = key_with("quotes:read").post("/quotes", body).json()["programs"]
    assert (quoted["state"], quoted["awards"], quoted["totals"]) == ("paused", [], [])
    wanted = {"membership": str(membership.public_id), "wallet_type": "points", "units": "1"}
    spent = api.post("/redemptions", wanted, Idempotency_Key="s-1")
    assert_problem(spent, 409, "spending_stopped")


def test_nobody_joins_a_program_that_ends(api: ApiClient, membership: Membership) -> None:
    then, today = timezone.now() - dt.timedelta(days=9), timezone.now().date()
    days = EndingDays(*(today + dt.timedelta(days=ahead) for ahead in (-8, -3, 30)))
    plan_ending(program=membership.program, days=days, actor=SYSTEM, now=then)
    CustomerFactory(external_id="new-one")
    body = {"program": "beans", "customer": {"external_id": "new-one"}}
    assert_problem(api.post("/memberships", body), 422, "invalid_request", "program")
