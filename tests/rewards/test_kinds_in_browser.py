"""Donations and exceptions in a browser: made, limited, taken. What an agent lets pass without one:
`test_kinds_and_exceptions`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.giving_definitions import CharityDefinition
from loyalty.services.charities import create_charity
from members.models import StaffMember
from members.services.audit import SYSTEM, Actor
from rewards.models import OverrideLimit, Reward, StaffOverride
from rewards.services.second_chances import waive_minimum
from tests.loyalty.backoffice.conftest import Member
from tests.rewards.backoffice.screens import url
from tests.rewards.factories import offer, take

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def page(page: Any) -> Any:
    """The first pages of a run take their time where other work is going on."""
    page.set_default_timeout(40_000)
    return page


def test_a_manager_makes_a_donation_that_others_can_be_combined_with(
    sign_in: Callable[[str], Any], ana: Member, assert_in_order: Callable[[Any], None]
) -> None:
    definition = CharityDefinition(
        code="grove", name="City Grove", thing_singular="tree", thing_plural="trees", thing_price=5
    )
    create_charity(program=ana.program, definition=definition, actor=SYSTEM)
    page = sign_in("marketing_manager")
    page.goto(url("reward_create", "beans"))
    expect(page.get_by_label("Given to")).not_to_be_visible()
    expect(page.get_by_label("Group")).not_to_be_visible()
    page.get_by_label("Its voucher goes together with others").check()
    page.get_by_label("Group").wait_for()
    page.get_by_role("radio", name="Donation to a charity").check()
    expect(page.get_by_label("Group")).not_to_be_visible()
    page.get_by_label("Given to").select_option("City Grove")
    page.get_by_label("Or so many things").fill("2")
    page.get_by_label("What members call it").fill("Two trees")
    page.get_by_label("Price", exact=True).fill("100")
    assert_in_order(page)
    page.get_by_role("button", name="Save as draft").click()
    page.get_by_text("2 trees for City Grove").first.wait_for()
    assert_in_order(page)
    assert Reward.objects.get().charity is not None


def test_an_administrator_limits_exceptions_and_an_agent_reaches_them(
    sign_in: Callable[[str], Any], ana: Member, page_errors: list[str],
    assert_in_order: Callable[[Any], None],
) -> None:  # fmt: skip
    offer(ana.program, name="Five dollars off", price=20, ends_at=timezone.now())
    taken = take(ana.membership, offer(ana.program, "big", name="Big one", price=10, least=50))
    page = sign_in("administrator")
    page.goto(url("override_limit_list"))
    assert_in_order(page)
    page.get_by_role("row", name=re.compile("Support agent")).get_by_role("link").click()
    page.get_by_label("How many in a day").fill("1")
    page.get_by_role("button", name="Save limits").click()
    page.locator("[data-toast]", has_text="hold from now on").wait_for()
    assert OverrideLimit.objects.get().most_in_a_day == 1

    page = sign_in("support_agent")
    agent = Actor.of_user(StaffMember.objects.get(role="support_agent").user)
    waive_minimum(redemption=taken, reason="Two orders by mistake", actor=agent, now=timezone.now())
    page.goto(url("reward_take", ana.membership.public_id))
    page.get_by_text("You may let pass 0 of 1 more today.").wait_for()
    assert_in_order(page)
    page.get_by_role("radio", name=re.compile("Five dollars off")).check()
    page.get_by_label("Why its terms are let pass").fill("Was a minute late")
    page.get_by_role("button", name="Take it").click()
    page.get_by_text("Your role may let pass 1 a day, and that is reached.").first.wait_for()
    page_errors[:] = [text for text in page_errors if "422" not in text]
    assert StaffOverride.objects.count() == 1
