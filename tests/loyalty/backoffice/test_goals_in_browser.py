"""Goals, pauses and ends in a real browser, wide and on a phone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Goal, Program, ProgramPause
from loyalty.services.goals import Wanted, set_goal
from members.services.audit import SYSTEM
from tests.conftest import AT_REST
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import make_program, order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def club(transactional_db: None) -> Program:
    ago = timezone.now() - dt.timedelta(days=50)
    club = make_program(at=ago, unit={"unit_value": "0.01"})
    record(*(order(f"A{n}", "40", at=ago, buyer=f"c{n}") for n in range(3)), now=timezone.now())
    today = timezone.now().date()
    wanted = Wanted("members", Decimal(30), today + dt.timedelta(days=60), today)
    set_goal(program=club, wanted=wanted, actor=SYSTEM, now=timezone.now())
    return club


def test_a_goal_is_set_with_its_effect_and_a_program_is_paused_on_pages_that_fit(
    club: Program,
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
    assert_all_in_order: Callable[..., None],
) -> None:
    page = sign_in("marketing_manager")

    def look(said: str) -> None:
        page.get_by_text(said).first.wait_for()
        page.wait_for_function(AT_REST)
        assert_in_order(page)

    page.goto(url("goal_create", "club"))
    page.get_by_label("What", exact=True).select_option("member_revenue")
    page.get_by_label("How much").fill("500")
    due = timezone.now().date() + dt.timedelta(days=70)
    page.get_by_label("By when").fill(due.isoformat())
    look("70 days are left: it takes $50.00 more each week.")
    page.get_by_role("button", name="Set the goal").click()
    page.get_by_text("Revenue of members: $500.00").first.wait_for()
    look("would be")
    assert Goal.objects.filter(metric="member_revenue").exists()
    page.goto(url("program_page", "club"))
    page.get_by_label("More about this program").click()
    page.get_by_role("link", name="Pause", exact=True).click()
    page.get_by_label("Reason").fill("Inventory")
    page.get_by_role("button", name="Pause program").click()
    look("Club is paused")
    assert ProgramPause.objects.get().spending
    said = {"program_end": "Would expire with the program", "program_resume": "earns again"}
    assert_all_in_order(page, {url(name, "club"): text for name, text in said.items()})
