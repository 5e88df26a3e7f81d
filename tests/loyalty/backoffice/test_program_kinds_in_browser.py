"""From the gallery of kinds to a live program, with a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.models import Program
from tests.loyalty.backoffice.conftest import url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("kind", "width", "says"),
    [
        ("Stamp card by visit", 1440, "10 stamps fill a card"),
        ("Progressive discount card", 390, "5% above $500.00, 10% above $1,500.00"),
    ],
)
def test_a_kind_is_picked_named_saved_and_taken_live(
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
    kind: str,
    width: int,
    says: str,
) -> None:
    page = sign_in("marketing_manager")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(url("program_list"))
    page.get_by_role("link", name="New program").first.click()
    page.get_by_role("link", name="Pick from all kinds").click()
    page.wait_for_url("**/program/kinds/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_no_axe_violations(page)
    page.get_by_role("link", name=kind).click()
    page.get_by_text(says).first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_no_axe_violations(page)
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
