"""A ladder over the merchant's own members: the picture, its numbers, suggestions, dragging."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Program
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.tier_forms import values_of
from tests.loyalty.factories import make_program, order, record

LADDER = [
    {"code": "base", "name": "Member"},
    {"code": "silver", "name": "Silver", "threshold": 100, "color": "azure",
     "benefits": [{"kind": "multiplier", "factor": "1.5"}, {"kind": "concierge"}]},
    {"code": "gold", "name": "Gold", "threshold": 1000, "color": "yellow",
     "benefits": [{"kind": "multiplier", "factor": 2}, {"kind": "birthday_bonus", "units": 50}]},
]  # fmt: skip


def with_members(*totals: int) -> Program:
    at = timezone.now() - dt.timedelta(days=20)
    program = make_program(at=at, tiers={"tiers": LADDER}, unit={"unit_value": Decimal("0.01")})
    record(
        *(order(f"O{number}", str(total), at=at, buyer=f"m{number}")
          for number, total in enumerate(totals))
    )  # fmt: skip
    return program


@pytest.fixture
def program(db: None) -> Program:
    return with_members(10, 50, 99, 100, 400, 999, 1000, 3000)


def ladder(client: Client, **changes: str) -> Any:
    values = values_of(client.get(url("tier_set_edit", "club")).content.decode())
    return client.post(url("tier_ladder", "club"), values | changes)


def test_members_stand_in_the_tiers_that_the_form_says(manager: Client, program: Program) -> None:
    shown = ladder(manager).context["ladder"]
    assert [step.members for step in shown.steps] == [3, 3, 2]
    assert sum(shown.counts) == shown.members == 8
    moved = ladder(manager, **{"tier-1-threshold": "50"}).context["ladder"]
    assert [step.members for step in moved.steps] == [1, 5, 2]


def test_benefits_that_are_counted_cost_what_they_add(manager: Client, program: Program) -> None:
    shown = ladder(manager).context["ladder"]
    # Half of 1 499 points more; twice 4 000, and 50 for each of two birthdays; a point is a cent.
    assert [step.cost for step in shown.steps] == [
        None, Decimal("7.495"), Decimal("41.00"),
    ]  # fmt: skip
    assert "$48.50" in ladder(manager).content.decode()


def test_bars_have_the_color_of_their_tier_and_lines_stand_at_thresholds(
    manager: Client, program: Program
) -> None:
    shown = ladder(manager).context["ladder"]
    assert [bar.color for bar in shown.bars] == sorted(
        (bar.color for bar in shown.bars), key=["secondary", "azure", "yellow"].index
    )
    places = [step.x for step in shown.steps]
    assert places == sorted(places)
    assert places[0] == 0


def test_an_incomplete_form_shows_no_ladder(manager: Client, program: Program) -> None:
    page = ladder(manager, **{"tier-1-threshold": ""})
    assert page.status_code == 200
    assert "Complete the tiers" in page.content.decode()


def test_thresholds_are_suggested_from_the_members(manager: Client, db: None) -> None:
    with_members(*range(50, 1050, 50))
    values = values_of(manager.get(url("tier_set_edit", "club")).content.decode())
    page = manager.post(url("tier_set_edit", "club"), values | {"suggest": "1"})
    said = values_of(page.content.decode())
    assert [said[f"tier-{number}-threshold"] for number in range(3)] == ["0", "600", "900"]
    # Nothing was saved by it.
    assert page.status_code == 200


def test_a_program_without_members_shows_an_empty_ladder(manager: Client, db: None) -> None:
    with_members()
    shown = ladder(manager).context["ladder"]
    assert (shown.members, [step.members for step in shown.steps]) == (0, [0, 0, 0])


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_threshold_is_dragged_and_its_field_and_numbers_follow(
    sign_in: Callable[[str], Any], page_errors: list[str]
) -> None:
    with_members(10, 50, 99, 100, 400, 999, 1000, 3000)
    page = sign_in("marketing_manager")
    page.goto(url("tier_set_edit", "club"))
    slider = page.locator("#ladder-2")
    slider.focus()
    before = page.locator('[name="tier-2-threshold"]').input_value()
    for _press in range(60):
        page.keyboard.press("ArrowLeft")
    after = page.locator('[name="tier-2-threshold"]').input_value()
    assert Decimal(after) < Decimal(before)
    page.locator('[data-ladder-members="2"]', has_text="3").wait_for()
    # By mouse, on the line itself.
    line, height, at = places_on(page)
    page.mouse.move(line, height)
    page.mouse.down()
    page.mouse.move(at(0.2), height, steps=4)
    page.mouse.up()
    page.locator('[data-ladder-members="1"]', has_text="4").wait_for()
    expect(page.locator('[name="tier-1-threshold"]')).to_have_value(FEW)
    page.wait_for_load_state("networkidle")
    a_late_answer_takes_no_line_out_of_the_hand(page)
    assert not page_errors


FEW = re.compile(r"^\d{1,2}(\.\d+)?$")


def places_on(page: Any) -> tuple[float, float, Callable[[float], float]]:
    """Where the first line is, how high it is taken, and where a share of the picture ends."""
    line = page.locator('[data-ladder-line="1"]').bounding_box()
    picture = page.locator(".ladder-picture").bounding_box()
    return (
        line["x"] + line["width"] / 2,
        picture["y"] + 40,
        lambda share: picture["x"] + picture["width"] * share,
    )


def a_late_answer_takes_no_line_out_of_the_hand(page: Any) -> None:
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route(f"**{url('tier_ladder', 'club')}", hold, times=1)
    page.locator("#ladder-2").focus()
    with page.expect_request(f"**{url('tier_ladder', 'club')}"):
        page.keyboard.press("ArrowRight")
    line, height, at = places_on(page)
    page.mouse.move(line, height)
    page.mouse.down()
    page.mouse.move(at(0.4), height)
    with page.expect_response(f"**{url('tier_ladder', 'club')}") as answered:
        held[0].continue_()
    answered.value.finished()
    page.wait_for_load_state("networkidle")
    page.mouse.move(at(0.1), height)
    page.mouse.up()
    expect(page.locator('[name="tier-1-threshold"]')).to_have_value(FEW)
    expect(page.locator('[data-ladder-members="1"]')).to_have_text("5")
