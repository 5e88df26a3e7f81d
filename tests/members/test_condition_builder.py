"""The condition builder in a real browser: by keyboard, on a phone, and in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from members.models import StaffMember, User
from tests.conftest import PHONE
from tests.factories import CustomerFactory, StaffMemberFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
Check = Callable[[Any], None]


@pytest.fixture
def staffs(page: Any, as_user: Callable[[User], Client]) -> Any:
    """A page in which somebody of the staff is signed in."""
    cookie = as_user(StaffMemberFactory().user).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "domain": "localhost",
          "path": "/"}]
    )  # fmt: skip
    return page


def test_a_condition_is_put_together_by_keyboard_and_reads_itself_out(
    staffs: Any, page_errors: list[str], assert_fits: Check
) -> None:
    CustomerFactory(tags=["vip", "press"])
    staffs.goto("/backoffice/styleguide/")
    staffs.locator("[data-retry]").wait_for()
    page_errors[:] = [text for text in page_errors if "404" not in text]
    builder = staffs.locator("[data-conditions]")
    by_keyboard(staffs, builder)
    values_of_the_shop_s_own_data_are_offered(builder)
    assert_fits(staffs)


def by_keyboard(page: Any, builder: Any) -> None:
    sentence = builder.get_by_role("status")
    expect(sentence).to_contain_text("Weekday is one of Saturday, Sunday and (birthday is this")
    builder.locator("button[value='question:']").focus()
    page.keyboard.press("Enter")
    field = builder.locator("[name='when.3.field']")
    expect(field).to_be_focused()
    expect(sentence).to_contain_text("not complete yet")
    field.select_option("customer.country")
    builder.locator("[name='when.3.op']").select_option("one_of")
    builder.locator("button[value='add:3']").wait_for()
    value = builder.locator("[name='when.3.value']")
    for country in ("GR", "CY"):
        value.fill(country)
        value.press("Enter")
        expect(builder.get_by_role("button", name=f"Remove {country}")).to_be_visible()
        expect(value).to_be_focused()
    expect(sentence).to_contain_text("and country is one of CY, GR.")
    builder.locator("[name='when.1.1.value']").first.fill("150")
    expect(sentence).to_contain_text("spend is between 150.00 and 500.00")
    builder.locator("[name='when.mode']").select_option("any")
    expect(sentence).to_contain_text("or country is one of CY, GR.")
    page.set_viewport_size(PHONE)
    builder.locator("button[value='lines:1']").click()
    expect(builder.locator("[name='when.1.3.mode']")).to_be_focused()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    builder.locator("button[value='remove:1']").click()
    expect(sentence).not_to_contain_text("birthday")
    expect(builder.locator("button[value='question:']")).to_be_focused()
    expect(page.locator("[name=when]")).to_have_count(0)


def values_of_the_shop_s_own_data_are_offered(builder: Any) -> None:
    builder.locator("button[value='question:']").click()
    field = builder.locator("[name='when.3.field']")
    # It has the focus once it is ready.
    expect(field).to_be_focused()
    field.select_option("customer.tags")
    value = builder.locator("[name='when.3.value']")
    value.fill("vi")
    expect(builder.locator("[id='when.3-values'] option")).to_have_count(1)
    expect(builder.locator("[id='when.3-values'] option")).to_have_attribute("value", "vip")


def test_a_segment_counts_itself_while_one_builds(
    staffs: Any, assert_no_axe_violations: Check
) -> None:
    page = staffs
    StaffMember.objects.update(role=StaffMember.Role.MARKETING_MANAGER)
    CustomerFactory(country="GR", given_name="Anna")
    CustomerFactory(country="CY")
    page.goto("/backoffice/customers/segments/new/")
    page.get_by_label("Name", exact=True).fill("Greeks")
    page.locator("button[value='question:']").click()
    field = page.locator("[name='condition.0.field']")
    expect(field).to_be_focused()
    field.select_option("customer.country")
    page.locator("[name='condition.0.value']").fill("GR")
    expect(page.locator("#segment-preview")).to_contain_text("1 of 2 customers")
    expect(page.locator("#segment-preview")).to_contain_text("Anna")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Save segment").click()
    expect(page.get_by_role("heading", name="Greeks", level=1)).to_be_visible()
    expect(page.get_by_text("Country is GR.")).to_be_visible()
    assert_no_axe_violations(page)


@pytest.mark.parametrize(
    "browser_context_options", [{"java_script_enabled": False}], ids=["no JavaScript"]
)
def test_without_scripts_it_is_a_text_area(staffs: Any) -> None:
    staffs.goto("/backoffice/styleguide/")
    area = staffs.get_by_label("Condition as JSON")
    expect(area).to_be_visible()
    expect(area).to_have_value(re.compile('"order.weekday"'))
    expect(staffs.locator(".conditions-tree")).not_to_be_visible()
