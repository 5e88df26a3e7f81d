"""Backtests in a real browser: the pages fit, everybody can use them, two are laid side by side."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.backtest_rules import with_changes
from loyalty.models import Backtest
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.selectors.programs import definition_of
from loyalty.services.backtest_runs import run_backtest
from loyalty.services.backtests import create_backtest
from loyalty.tier_definitions import TiersDefinition
from members.services.audit import SYSTEM
from tests.conftest import AT_REST
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


STEPS = [{"code": "base", "name": "Member"}, {"code": "gold", "name": "Gold", "threshold": 10}]


@pytest.fixture
def two(ana: Member) -> list[Backtest]:
    """Both are done: four Beans, and half a Bean for each dollar."""
    return [try_rate(ana, name, units) for name, units in (("Four", "4"), ("Half", "0.5"))]


def try_rate(ana: Member, name: str, units: str) -> Backtest:
    now = timezone.now()
    today = now.astimezone(ana.program.zone).date()
    rule = EarningRuleDefinition.model_validate({"name": "Base rate", "units": units})
    backtest = create_backtest(
        program=ana.program, since=today - dt.timedelta(days=80), until=today, name=name,
        draft=with_changes(definition_of(ana.program, now), put=[rule]), actor=SYSTEM, now=now,
        tiers=TiersDefinition.model_validate({"tiers": STEPS}),
    )  # fmt: skip
    assert backtest.job_id is not None
    run_backtest(backtest.job_id)
    backtest.refresh_from_db()
    return backtest


def test_two_are_chosen_in_the_list_and_compared_on_pages_that_fit(
    two: list[Backtest],
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
) -> None:
    page = sign_in("marketing_manager")

    def look() -> None:
        page.wait_for_function(AT_REST)
        assert_in_order(page)

    page.goto(url("backtest_create"))
    look()
    page.goto(url("backtest_list"))
    page.get_by_label("Compare Four").check()
    page.get_by_role("button", name="Compare the two chosen").click()
    page.get_by_text("Choose two backtests that are done.").wait_for()
    look()
    page.get_by_label("Compare Four").check()
    page.get_by_label("Compare Half").check()
    page.get_by_role("button", name="Compare the two chosen").click()
    page.get_by_role("heading", name="Two backtests").wait_for()
    row = page.get_by_role("row", name=re.compile("Beans · draft"))
    expect(row.get_by_role("cell", name="75", exact=True)).to_be_visible()
    assert sorted(row.get_by_role("cell").all_inner_texts())[:2] == ["600", "75"]
    look()
    page.get_by_role("main").get_by_role("link", name="Half").click()
    page.get_by_role("heading", name="Half").wait_for()
    look()
