"""In what two definitions of a program differ: place by place, as its file names them."""

from __future__ import annotations

from typing import Any

from loyalty.definitions import ProgramDefinition
from loyalty.program_differences import Difference, program_differences
from tests.loyalty.factories import define

TIERS = [
    {"code": "first", "name": "First", "threshold": 0},
    {"code": "second", "name": "Second", "threshold": 100},
]


def found(before: ProgramDefinition | None, after: ProgramDefinition) -> dict[str, Difference]:
    return {item.path: item for item in program_differences(before, after)}


def test_the_same_has_no_differences():
    assert program_differences(define(), define()) == []


def test_a_setting_and_a_value_inside_a_thing_are_named_by_their_path():
    before, after = define(), define(name="Society", unit={"unit_value": "0.02"})
    places = found(before, after)
    assert set(places) == {"name", "wallet_types[points].unit_value"}
    worth = places["wallet_types[points].unit_value"]
    assert (worth.kind, worth.before, worth.after) == ("changed", "0", "0.02")
    assert (worth.section, places["name"].section) == ("wallet_types", "name")


def test_what_is_added_and_removed_is_there_as_a_whole():
    two: dict[str, Any] = {"wallet_types": [{}, {"code": "stars", "plural": "stars"}]}
    [added] = program_differences(define(), define(**two))
    assert (added.path, added.kind, added.after["plural"]) == (
        "wallet_types[stars]", "added", "stars",
    )  # fmt: skip
    [removed] = program_differences(define(**two), define())
    assert (removed.path, removed.kind, removed.before["plural"]) == (
        "wallet_types[stars]", "removed", "stars",
    )  # fmt: skip


def test_a_rule_is_called_by_its_name():
    extra = {"code": "extra", "name": "More on Mondays"}
    [added] = program_differences(define(), define(earning_rules=[{}, extra]))
    assert added.name == "More on Mondays"


def test_another_order_is_a_difference_of_the_list():
    rules = [{}, {"code": "extra", "name": "Extra"}]
    before, after = define(earning_rules=rules), define(earning_rules=rules[::-1])
    [moved] = program_differences(before, after)
    assert (moved.path, moved.kind) == ("earning_rules", "changed")
    assert (moved.before[0], moved.after[0]) == (moved.after[1], "extra")


def test_a_part_that_comes_or_goes_is_one_difference():
    with_tiers = define(tiers={"tiers": TIERS})
    assert [(item.path, item.kind) for item in program_differences(define(), with_tiers)] == [
        ("tiers", "added")
    ]
    assert [(item.path, item.kind) for item in program_differences(with_tiers, define())] == [
        ("tiers", "removed")
    ]


def test_things_without_names_of_their_own_are_one_value():
    def rule(*values: str) -> ProgramDefinition:
        return define(earning_rules=[{"include": {"categories": list(values)}}])

    [place] = program_differences(rule("tea"), rule("tea", "coffee"))
    assert (place.before, place.after) == (["tea"], ["tea", "coffee"])


def test_of_a_new_program_everything_is_added():
    places = found(None, define())
    assert {item.kind for item in places.values()} == {"added"}
    assert places["currency"].after == "USD"
    assert "rewards" not in places
