"""The list of orders in a browser: narrowed and sorted in place, and taken as a file twice."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import order, record

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("transactional_db")]


def test_orders_are_sorted_narrowed_and_taken_in_a_browser(
    sign_in: Callable[[str], Any], live_server: Any, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    at = timezone.now() - dt.timedelta(days=2)
    record(
        order("B-1", "30", at=at, buyer="c2", channel="web"),
        order("B-2", "20", at=at, buyer="c2", channel="till"),
        order("G-1", "10", at=at + dt.timedelta(days=1), buyer=None, channel="till"),
    )
    page = sign_in("marketing_manager")
    page.goto(live_server.url + url("order_list"))
    page.get_by_label("Channel").select_option("till")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Placed").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Placed")
    expect(page.locator("tbody tr").first).to_contain_text("B-2")
    for _again in range(2):
        # The same again is ready by itself, some moments after the one before.
        expect(page.locator(".list-file button[aria-disabled=true]")).to_have_count(0)
        page.get_by_role("button", name="Take as a file").click()
        with page.expect_download() as taken:
            page.get_by_role("button", name="Download").click()
        lines = Path(taken.value.path()).read_text().splitlines()
        assert [line.split(",")[1] for line in lines] == ["order", "B-2", "G-1"]
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert_no_axe_violations(page)
