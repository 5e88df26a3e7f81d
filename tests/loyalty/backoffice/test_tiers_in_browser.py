"""Tiers with a real browser: read, given, edited, on a phone too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import ManualTier, Membership, TierSet
from loyalty.services.tier_drafts import ask_to_publish_tiers, save_tier_draft
from loyalty.tier_definitions import TiersDefinition
from members.services.audit import Actor
from tests.factories import UserFactory
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import make_program, order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LADDER = [
    {"code": "base", "name": "Member"},
    {"code": "silver", "name": "Silver", "threshold": 500, "color": "azure", "icon": "star",
     "benefits": [{"kind": "free_returns"}, {"kind": "multiplier", "factor": "1.25"}]},
    {"code": "gold", "name": "Gold", "threshold": 1500, "color": "yellow", "icon": "crown"},
]  # fmt: skip


@pytest.fixture
def silver(transactional_db: None) -> Membership:
    ago = timezone.now() - dt.timedelta(days=340)
    make_program(at=ago, tiers={"tiers": LADDER, "window": "rolling_12_months"})
    record(order("A", "673", at=ago), now=timezone.now())
    return Membership.objects.select_related("customer", "program").get()


def test_each_page_is_read_and_fits(
    silver: Membership,
    sign_in: Callable[[str], Any],
    assert_all_in_order: Callable[..., None],
) -> None:
    wanted = TiersDefinition.model_validate({"tiers": LADDER[:2]})
    writer = Actor.of_user(UserFactory())
    program = silver.program
    save_tier_draft(program=program, tiers=wanted, actor=writer, now=timezone.now())
    ask_to_publish_tiers(program=program, actor=writer, now=timezone.now())
    page = sign_in("marketing_manager")
    said = {
        url("approval_list"): "Tiers",
        url("tier_set_page", "club"): "Draft of the tiers",
        url("tier_draft_publish", "club"): "Publish the tiers",
        url("tier_draft_send_back", "club"): "Why not",
        url("tier_set_edit", "club"): "Look at the effect",
        url("tier_falls", "club"): "Silver",
    }
    assert_all_in_order(page, said)


def test_an_agent_gives_a_tier_from_the_customer_s_page(
    silver: Membership,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("support_agent")
    page.goto(f"/backoffice/customers/{silver.customer.public_id}/")
    panel = page.locator("#panel-tier")
    panel.get_by_text("to reach Gold.").wait_for()
    panel.get_by_role("link", name="Give a tier").click()
    page.get_by_label("Gold").check()
    page.get_by_label("Reason").fill("Speaks at our fair")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Give tier").click()
    panel.get_by_text("Gold was given by hand.").wait_for()
    assert ManualTier.objects.get().reason == "Speaks at our fair"


def test_a_manager_adds_a_tier_and_sees_what_it_makes_of_the_members(
    silver: Membership, sign_in: Callable[[str], Any]
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("tier_set_edit", "club"))
    page.get_by_role("button", name="Another tier").click()
    page.locator("#id_tier-3-name").fill("Platinum")
    page.locator("#id_tier-3-threshold").fill("600")
    page.get_by_role("button", name="Look at the effect").click()
    page.get_by_text("Each tier asks for more than the one before.").wait_for()
    page.locator("#id_tier-3-threshold").fill("5000")
    page.locator("#id_tier-2-threshold").fill("650")
    page.get_by_role("button", name="Look at the effect").click()
    page.get_by_text("1 member goes up at once").wait_for()
    page.get_by_role("button", name="Save the tiers").click()
    page.get_by_text("The tiers were saved.").wait_for()
    assert TierSet.objects.count() == 2
