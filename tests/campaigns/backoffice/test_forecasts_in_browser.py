"""What a discount and a challenge will likely cost, asked by a manager in the browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign
from loyalty.models import Program
from tests.campaigns import campaigns, challenges
from tests.loyalty.factories import enroll_all, line, make_program, order, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
DAY = dt.timedelta(days=1)


@pytest.fixture
def club() -> Program:
    """Six members buy in seventy days, the same in each week."""
    now = timezone.now()
    program = make_program(at=now - 90 * DAY, unit={"unit_value": "0.01"})
    enroll_all(program, (f"b{number}" for number in range(6)), now - 80 * DAY)
    record(
        *(
            order(f"{day}-{number}", str(20 + 9 * number), buyer=f"b{number}", at=now - day * DAY,
                  lines=(line(1, str(20 + 9 * number), quantity=Decimal(1), category="Tea"),))
            for day in range(1, 70)
            for number in range(6)
            if day % (number + 2) == 0
        ),
        now=now,
    )  # fmt: skip
    return program


def test_a_manager_asks_what_a_discount_and_a_challenge_will_likely_cost(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    client_of: Callable[[str], Client],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    now = timezone.now()
    span = {"starts_at": now + DAY, "ends_at": now + 8 * DAY}
    off = campaigns.draft(
        club, "percent-off", name="Spring prices", offer={"percent": "15"}, budget_money="60",
        codes={"kind": "shared", "word": "SPRING15", "per_member": 2}, **span,
    )  # fmt: skip
    done = challenges.draft(club, {"kind": "count", "number": 2}, budget_units=150, **span)
    page = sign_in("marketing_manager")

    def look(campaign: Campaign, kind: str) -> None:
        address = reverse(f"{kind}s_backoffice:{kind}", args=[campaign.public_id])
        page.goto(f"{live_server.url}{address}")
        page.get_by_role("button", name="What would it have cost?").click()

    look(off, "campaign")
    expect(page.get_by_text("What each promotion would have taken off")).to_be_attached()
    expect(page.get_by_text("it takes off that much at most")).to_be_visible()
    fits(page, assert_no_axe_violations)
    page.goto(f"{live_server.url}{reverse('campaigns_backoffice:campaign', args=[off.public_id])}")
    expect(page.locator("#outlook")).to_contain_text("As if everybody for whom it is used its code")
    fits(page, assert_no_axe_violations)
    told = client_of("support_agent").get(page.url).content.decode()
    assert "As if everybody for whom it is used its code" in told
    assert "/backoffice/backtests/" not in told
    look(done.campaign, "challenge")
    expect(page.locator("#outlook")).to_contain_text("in each of 8 stretches as long")
    expect(page.locator("#outlook")).to_contain_text("Its budget is likely used up on")
    fits(page, assert_no_axe_violations)


def fits(page: Any, assert_no_axe_violations: Callable[[Any], None]) -> None:
    assert_no_axe_violations(page)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1440, "height": 900})
