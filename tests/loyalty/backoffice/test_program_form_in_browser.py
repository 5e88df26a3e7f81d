"""The program form asks only what its other answers leave open, with a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.conftest import AT_REST, PHONE, WIDE
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What stands beside "They expire" for each of its answers.
ALWAYS = {"last_day", "restored_days"}
ASKED = {
    "never": set[str](),
    "days": ALWAYS | {"length", "counted_from", "warned_days"},
    "months": ALWAYS | {"length", "counted_from", "warned_days"},
    "years": ALWAYS | {"length", "counted_from", "warned_days"},
    "end_of_period": ALWAYS | {"period", "length", "counted_from", "warned_days"},
    "fixed_date": ALWAYS | {"month_day", "counted_from", "warned_days"},
    "inactivity": ALWAYS | {"length", "renewed_by"},
}
DETAILS = set.union(*ASKED.values())


def asks_only(page: Any, details: set[str]) -> None:
    """These details of the expiry can be seen, and no others."""
    for name in DETAILS:
        field = page.locator(f"[name=expiry_{name}]").first
        expect(field).to_be_visible(visible=name in details)


def test_each_kind_of_expiry_asks_its_own_details(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("program_edit", "beans"))
    for kind, details in ASKED.items():
        page.get_by_label("They expire").select_option(kind)
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            asks_only(page, details)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), kind
    page.wait_for_function(AT_REST)
    assert_in_order(page)


def test_gifts_and_what_counts_are_asked_when_they_matter(
    ana: Member, sign_in: Callable[[str], Any]
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("program_edit", "beans"))
    to_members = page.get_by_label("Members may give to each other")
    to_charities = page.get_by_label("Members may give to charities")
    least, most = page.get_by_label("The smallest gift"), page.get_by_label("in a day at most")
    tax = page.get_by_label("Tax earns")
    for members, charities in [(False, False), (False, True), (True, False), (True, True)]:
        to_members.set_checked(members)
        to_charities.set_checked(charities)
        expect(least).to_be_visible(visible=members or charities)
        expect(most.first).to_be_visible(visible=members)
    expect(tax).to_be_visible()
    page.get_by_label("Quantity: items, liters, nights").check()
    expect(tax).not_to_be_visible()


def test_what_was_typed_and_then_hidden_does_not_come_along(
    ana: Member, sign_in: Callable[[str], Any]
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("program_edit", "beans"))
    page.get_by_label("They expire").select_option("end_of_period")
    page.get_by_label("End of the").select_option("year")
    page.get_by_label("How many", exact=True).fill("1")
    page.get_by_label("They expire").select_option("fixed_date")
    page.get_by_label("Day of the year").fill("06-30")
    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("button", name="Save changes").click()
    page.get_by_role("button", name="Save changes").wait_for(state="hidden")
    policy = ana.program.wallet_types.get().lot_policies.latest("pk")
    assert (policy.kind, policy.month_day) == ("fixed_date", "06-30")
    assert (policy.length, policy.period) == (None, "")
