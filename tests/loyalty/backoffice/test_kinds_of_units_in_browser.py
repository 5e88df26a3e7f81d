"""From no gift cards to a kind of units for them, and a program changed by its file, in a real
browser, wide and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.conftest import AT_REST
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page_of(
    sign_in: Callable[[str], Any], page: Any, assert_in_order: Callable[[Any], None]
) -> tuple[Any, Callable[[], None]]:
    """The page of an administrator, and what looks whether it is in order as it stands."""
    page = sign_in("administrator")

    def look() -> None:
        page.wait_for_load_state()
        page.wait_for_function(AT_REST)
        assert_in_order(page)

    return page, look


def test_a_kind_for_gift_cards_is_added_and_taken_away(
    ana: Member, page_of: tuple[Any, Callable[[], None]]
) -> None:
    page, look = page_of
    page.goto("/backoffice/gift-cards/")
    look()
    page.get_by_role("link", name="Add it to").click()
    expect(page.get_by_label("One is worth")).not_to_be_visible()
    expect(page.get_by_label("Members may give to each other")).not_to_be_visible()
    page.get_by_label("Earned:").check()
    expect(page.get_by_label("One is worth")).to_be_visible()
    # All that there is to ask.
    look()
    page.get_by_label("Paid in:").check()
    page.get_by_label("Short name").fill("credit")
    page.get_by_label("One is called").fill("euro of credit")
    page.get_by_label("Several are called").fill("euros of credit")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_text("New kind: euros of credit")).to_be_visible()
    look()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("heading", name="Euros of credit")).to_be_visible()
    look()
    page.get_by_role("link", name="Remove euros of credit").click()
    expect(page.get_by_text("None were ever given, so nobody loses anything")).to_be_visible()
    look()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Euros of credit are not collected any more.")).to_be_visible()
    expect(page.get_by_role("heading", name="Euros of credit")).not_to_be_visible()


def test_a_program_is_changed_by_its_file(
    ana: Member, page_of: tuple[Any, Callable[[], None]], page_errors: list[str]
) -> None:
    page, look = page_of
    page.goto(url("program_file", ana.program.code))
    text = page.get_by_label("What it says").input_value()
    wrong = text.replace("currency: ", "currency: x", 1)
    page.get_by_label("What it says").fill(wrong)
    page.get_by_role("button", name="Look at the changes").click()
    expect(page.get_by_text("nothing was changed")).to_be_visible()
    look()
    stars = "  - code: stars\n    singular: star\n    plural: stars\nactivity_types:"
    better = text.replace("activity_types:", stars, 1).replace(
        "unit_value: '0", "unit_value: '1", 1
    )
    page.get_by_label("What it says").fill(better)
    page.get_by_role("button", name="Look at the changes").click()
    expect(page.get_by_text("Stars can be collected")).to_be_visible()
    page.get_by_text("What it says").first.click()
    look()
    page.get_by_role("button", name="Back to the file").click()
    assert "code: stars" in page.get_by_label("What it says").input_value()
    page.get_by_role("button", name="Look at the changes").click()
    page.get_by_role("button", name="Apply the file").click()
    expect(page.get_by_text("was saved")).to_be_visible()
    # What was wrong in the file.
    page_errors[:] = [text for text in page_errors if "422" not in text]
