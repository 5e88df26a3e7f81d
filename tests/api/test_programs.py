"""/programs, /programs/{code}."""

from __future__ import annotations

from collections.abc import Callable

from loyalty.models import Program
from tests.api.conftest import ApiClient, assert_problem


def test_programs_are_listed(api: ApiClient, program: Program) -> None:
    [found] = api.get("/programs").json()["results"]
    assert (found["code"], found["status"], found["currency"]) == ("beans", "live", "USD")


def test_a_program_says_its_rules_in_words_and_as_data(api: ApiClient, program: Program) -> None:
    shown = api.get("/programs/beans").json()
    [wallet_type], [rule] = shown["wallet_types"], shown["earning_rules"]
    assert (wallet_type["code"], wallet_type["decimals"], wallet_type["unit_value"]) == (
        "points", 0, "0.01",
    )  # fmt: skip
    assert wallet_type["expiry"]["length"] == 12
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
