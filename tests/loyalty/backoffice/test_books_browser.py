"""What the books say, with a real browser: looked at, read out, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from members.services.job_runs import run_scheduled
from members.services.outbox import deliver_waiting
from tests.loyalty.backoffice.conftest import Member, url
from tests.loyalty.backoffice.test_past import bought

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_each_page_is_read_and_fits_and_books_are_closed_in_a_dialog(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
    assert_all_in_order: Callable[..., None],
) -> None:
    while deliver_waiting(1000):
        pass
    run_scheduled(kind="self_check", now=timezone.now())
    page = sign_in("administrator")
    day = bought(ana).isoformat()
    page.goto(url("customer_past", ana.customer.public_id))
    page.get_by_label("Day").fill(day)
    page.get_by_role("button", name="Show").click()
    page.locator(".stat-value", has_text="200 Beans").first.wait_for()
    expect(page).to_have_url(re.compile(f"day={day}"))
    assert_in_order(page)
    said = {
        url("liability"): "Liability at the ends of months",
        url("liability_members"): "The largest holders first",
        url("breakage"): "Breakage by the month of earning",
        url("self_check_list"): "The books agree with themselves",
        f"{url('journal')}?since={day}&until={day}": "Entries, the earliest first",
    }
    assert_all_in_order(page, said)
    page.get_by_text("These books are open").wait_for()
    page.get_by_role("link", name="Close the books").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("To the end of").fill(day)
    dialog.get_by_role("button", name="Close the books").click()
    page.get_by_text("These books are closed: what is here stays.").wait_for()
    page.get_by_role("link", name="Open the last closed books").click()
    dialog.get_by_label("Why").fill("A file was wrong")
    dialog.get_by_role("button", name="Open the last closed books").click()
    page.get_by_text("These books are open").wait_for()
