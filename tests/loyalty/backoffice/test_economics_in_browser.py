"""Insights → Economics in a real browser: it works out while one types, wide and on a phone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from loyalty.economics import Inputs
from loyalty.models import EconomicScenario, Program
from loyalty.services.economics import save_scenario
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.conftest import AT_REST
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import make_program, order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EXAMPLE = Inputs(
    members=10_000, spend_without=Decimal(300), spend_with=Decimal(450), margin=Decimal(60),
    reward_rate=Decimal(3), administration=Decimal(5),
)  # fmt: skip
QUERY = (
    "?members=10000&spend_with=450&spend_without=300&margin=60&reward_rate=3&administration=5"
    "&platform_fee=12000&support=3&messaging=20&redemption=70&breakage=10&bonuses=2"
)


@pytest.fixture
def club(transactional_db: None) -> Program:
    ago = timezone.now() - dt.timedelta(days=50)
    club = make_program(at=ago, unit={"unit_value": "0.01"})
    record(*(order(f"A{n}", "40", at=ago, buyer=f"c{n}") for n in range(3)), now=timezone.now())
    while deliver_waiting(1000):
        pass
    for name, rate in (("As it is", "3"), ("Half a percent more", "3.5"), ("Generous", "6")):
        inputs = replace(EXAMPLE, reward_rate=Decimal(rate))
        save_scenario(program=club, name=name, inputs=inputs, actor=SYSTEM, now=timezone.now())
    return club


def test_what_follows_is_worked_out_while_one_types_and_is_in_the_address(
    club: Program,
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
    assert_all_in_order: Callable[..., None],
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("economics", "club"))
    page.get_by_text("Say the margin").first.wait_for()
    page.wait_for_function(AT_REST)
    assert_in_order(page)
    for label, value in (
        ("Members", "10000"), ("Spend with the program", "450"),
        ("Spend without the program", "300"), ("Reward rate", "3"), ("Margin", "60"),
        ("Administration per member", "5"),
    ):  # fmt: skip
        page.get_by_label(label, exact=False).first.fill(value)
    page.get_by_text("$715,000.00").first.wait_for()
    page.locator("[data-chart-canvas] canvas").first.wait_for()
    said = parse_qs(urlsplit(page.url).query)
    assert (said["spend_with"], said["margin"]) == (["450"], ["60"])
    page.get_by_label("Reward rate").first.fill("5")
    page.get_by_text("$62.50").first.wait_for()
    page.get_by_text("An assumption, not a measurement").first.wait_for()
    page.wait_for_function(AT_REST)
    assert_in_order(page)
    page.get_by_role("link", name="Save as a scenario").click()
    page.get_by_label("Name").fill("Five percent")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("The scenario Five percent is saved.").first.wait_for()
    assert EconomicScenario.objects.get(name="Five percent").reward_rate == 5
    what_is_done_with_it_fits(page, assert_all_in_order)


def what_is_done_with_it_fits(page: Any, assert_all_in_order: Callable[..., None]) -> None:
    keys = EconomicScenario.objects.order_by("name").values_list("public_id", flat=True)[:3]
    compared = "?" + "&".join(f"with={key}" for key in keys)
    said = {
        url("economics_compare", "club") + compared: "What follows",
        url("scenario_save", "club") + QUERY: "Save as a scenario",
        url("assumptions_keep", "club") + QUERY: "From now on",
        url("scenario_remove", keys[0]): "Nothing else changes",
    }
    assert_all_in_order(page, said)
