"""The wizard in a real browser: the long way, on a phone. The short one is a part of the first day
(`test_first_day_in_browser.py`)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Program, ProgramDraft
from tests.conftest import PHONE
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def history(transactional_db: None) -> None:
    now = timezone.now()
    record(
        *(
            order(
                f"{buyer}-{n}", str(20 + 3 * buyer), at=now - dt.timedelta(days=300 - 40 * n),
                buyer=f"b{buyer}",
            )
            for n in range(6)
            for buyer in range(8)
            if buyer >= n
        )
    )  # fmt: skip


def go_on(page: Any) -> None:
    page.get_by_role("button", name="Continue").click()


def test_step_by_step_on_a_phone_with_a_break(
    history: None,
    sign_in: Callable[[str], Any],
    assert_fits: Callable[[Any], None],
    page_errors: list[str],
) -> None:
    page = sign_in("marketing_manager")
    page.set_viewport_size(PHONE)
    page.goto(url("wizard_start"))
    page.get_by_role("button", name="Go step by step").click()
    page.get_by_role("heading", name="Your customers").wait_for()
    assert_fits(page)
    go_on(page)
    page.get_by_text("Fits best").wait_for()
    page.get_by_text("Compare the kinds").click()
    assert_fits(page)
    page.get_by_role("radio", name=re.compile("^Points with tiers")).check()
    go_on(page)
    page.get_by_label("What is the program called?").fill("")
    go_on(page)
    page.get_by_text("This field is required").first.wait_for()
    # The browser calls the answer 422 an error of the page.
    page_errors.clear()
    page.goto(page.url)
    page.get_by_label("What is the program called?").fill("Tea Club")
    go_on(page)
    page.locator("[data-chart-canvas] canvas").wait_for()
    assert_fits(page)
    # What was answered is there again after the browser's own button.
    page.go_back()
    expect(page.get_by_label("What is the program called?")).to_have_value("Tea Club")
    page.go_forward()
    page.get_by_role("button", name="Save and leave").click()
    page.get_by_role("link", name="Go on Tea Club").click()
    page.get_by_role("radio", name="Never").check()
    expect(page.get_by_label("After how many months?")).to_be_hidden()
    go_on(page)
    slider = page.get_by_role("slider").first
    slider.wait_for()
    # On a phone each row is broken in two, and each cell says what it is.
    expect(page.locator(".wizard-row").nth(1).get_by_text("From", exact=True)).to_be_visible()
    before = page.locator('[name="tiers-1-threshold"]').input_value()
    slider.press("PageUp")
    page.wait_for_function(
        "before => document.querySelector('[name=\"tiers-1-threshold\"]').value !== before",
        arg=before,
    )
    assert_fits(page)
    for heading in ("These parts of an order earn", "How you earn", "Worked out with"):
        go_on(page)
        page.get_by_role("heading", name=heading).wait_for()
        assert_fits(page)
    go_on(page)
    page.get_by_role("radio", name=re.compile("Leave it a draft")).check()
    assert_fits(page)
    go_on(page)
    page.get_by_role("button", name="Create the draft").dblclick()
    page.get_by_text("Tea Club was saved as a draft").wait_for()
    assert Program.objects.get().status == "draft"
    assert ProgramDraft.objects.get().program == Program.objects.get()
