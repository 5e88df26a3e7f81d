"""A member's stamp card and discount card on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from loyalty.models import Program
from members.models import Customer
from tests.loyalty.account.conftest import Shop, define_program
from tests.loyalty.account.test_browser import browser_context_options  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_the_cards_are_read_on_a_phone(
    page: Any,
    shop: Shop,
    maya: Customer,
    sign_in: Callable[[Customer], Client],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    brackets = [{"above": 0, "percent": 3}, {"above": 500, "percent": 5}]
    stamps = {"code": "coffee", "name": "Coffee card", "kind": "stamps", "full_at": 10}
    card = {"code": "card", "name": "Club card", "brackets_by": "spent_lifetime",
            "brackets": brackets}  # fmt: skip
    define_program(earning_rules=[{}, stamps], discount_rules=[card])
    assert Program.objects.count() == 1
    shop.sell(maya, "5001", "8.00", days_ago=-0.0)
    cookie = sign_in(maya).cookies[settings.SESSION_COOKIE_NAME]
    host = {"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "domain": "localhost"}
    page.context.add_cookies([{**host, "path": "/"}])
    page.goto("/me/")
    page.get_by_role("heading", name="1 of 10 stamps").wait_for()
    page.get_by_role("heading", name="You get 3% off").wait_for()
    expect(page.locator(".stamp.is-stamped")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_no_axe_violations(page)
