"""/programs/{code}/rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils import timezone

from loyalty.models import Program
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.services.rules import publish_draft, save_draft
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem


def test_rules_are_listed_with_all_their_wordings(api: ApiClient, program: Program) -> None:
    rule, now = program.earning_rules.get(), timezone.now()
    live = rule.versions.get()
    for units in (2, 3):
        definition = EarningRuleDefinition.model_validate({"name": rule.name, "units": units})
        save_draft(rule=rule, definition=definition, actor=SYSTEM, now=now)
        if units == 2:
            starts_at = now + dt.timedelta(days=3)
            publish_draft(rule=rule, actor=SYSTEM, now=now, starts_at=starts_at)
    [found] = api.get("/programs/beans/rules").json()["results"]
    assert (found["code"], found["state"], found["wallet_type"]) == (rule.code, "live", "points")
    assert [
        (item["number"], item["state"], item["body"]["units"]) for item in found["versions"]
    ] == [
        (3, "draft", "3"), (2, "scheduled", "2"), (1, "live", live.body["units"]),
    ]  # fmt: skip
    assert found["versions"][1]["starts_at"] == found["versions"][2]["ends_at"]
    assert "2\N{NO-BREAK SPACE}Beans" in found["versions"][1]["in_words"][0]


def test_rules_of_a_program_that_is_not_there_are_not_found(api: ApiClient) -> None:
    assert_problem(api.get("/programs/tea/rules"), 404, "not_found")


def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient]) -> None:
    assert_problem(outsider.get("/programs/beans/rules"), 401, "unauthorized")
    wrong = key_with("orders:read")
    assert_problem(wrong.get("/programs/beans/rules"), 403, "insufficient_scope")


def test_wrong_methods(api: ApiClient, program: Program) -> None:
    assert_problem(api.post("/programs/beans/rules", {}), 405, "method_not_allowed")
