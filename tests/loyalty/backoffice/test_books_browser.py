"""What the books say, with a real browser: looked at, read out, on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.loyalty.backoffice.conftest import Member
from tests.loyalty.backoffice.test_past import bought

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
WIDE = {"viewport": {"width": 1440, "height": 900}}


@pytest.mark.parametrize("browser_context_options", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_past_of_a_customer(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("support_agent")
    page.goto(f"/backoffice/customers/{ana.customer.public_id}/")
    page.locator("#panel-wallets").get_by_role("link", name="As of…").click()
    page.get_by_label("Day").fill(bought(ana).isoformat())
    page.get_by_role("button", name="Show").click()
    page.locator(".stat-value", has_text="200 Beans").first.wait_for()
    assert f"day={bought(ana).isoformat()}" in page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert_no_axe_violations(page)
