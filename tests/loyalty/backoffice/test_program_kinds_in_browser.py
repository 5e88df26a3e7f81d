"""From the gallery of kinds to a live program, with a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.models import Program
from tests.conftest import PHONE, WIDE
from tests.loyalty.backoffice.conftest import url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_kind_is_picked_named_saved_and_taken_live(
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
    assert_fits: Callable[[Any], None],
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("template_page", "progressive-card"))
    page.get_by_text("5% above $500.00, 10% above $1,500.00").first.wait_for()
    page.set_viewport_size(PHONE)
    assert_fits(page)
    page.set_viewport_size(WIDE)
    page.goto(url("template_gallery"))
    assert_in_order(page)
    page.get_by_role("link", name="Stamp card by visit").click()
    page.get_by_text("10 stamps fill a card").first.wait_for()
    assert_fits(page)
    page.get_by_label("What is it called?").fill("Corner Card")
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url("**/programs/corner-card/")
    page.get_by_text("Nothing counts before it is live.").wait_for()
    page.goto(url("program_publish", "corner-card"))
    page.get_by_role("button", name="Take live").or_(
        page.get_by_role("button", name="Take it live")
    ).click()
    page.wait_for_url("**/programs/corner-card/")
    assert Program.objects.get(code="corner-card").status == "live"
