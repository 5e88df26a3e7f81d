"""The program form asks only what its other answers leave open, with a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.conftest import PHONE, WIDE
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


# Which of these can be seen, and whether all of the page can.
SEEN = """(names) => [
    names.filter((name) => document.querySelector(`[name=expiry_${name}]`).checkVisibility()),
    document.documentElement.scrollWidth <= innerWidth,
]"""


def test_it_asks_only_what_matters_and_sends_only_what_it_asks(
    ana: Member, sign_in: Callable[[str], Any]
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("program_edit", "beans"))
    gifts_and_what_counts_are_asked_when_they_matter(page)
    each_kind_of_expiry_asks_its_own_details(page)
    # What was typed and then hidden does not come along.
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


def gifts_and_what_counts_are_asked_when_they_matter(page: Any) -> None:
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
    page.get_by_label("What is spent", exact=True).check()
    expect(tax).to_be_visible()


def each_kind_of_expiry_asks_its_own_details(page: Any) -> None:
    # Found by its name: to look for its label among all that the form asks takes longer.
    chosen = page.locator("select[name=expiry_kind]")
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        for kind, details in ASKED.items():
            chosen.select_option(kind)
            seen, fits = page.evaluate(SEEN, sorted(DETAILS))
            assert (set(seen), fits) == (details, True), kind
