"""Promotions by code: a word for everybody, and codes that are used once each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Program
from tests.campaigns.backoffice.campaigns import (
    begin,
    filled,
    make_club,
    page,
    url,
)
from tests.campaigns.campaigns import draft
from tests.loyalty.factories import order, record, spendable
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


made_once = shared(make_club)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_a_promotion_by_a_word_is_written_and_its_uses_are_shown(
    manager: Client, club: Program
) -> None:
    campaign = begin(manager, club)
    address = url("campaign_edit", campaign.public_id)
    short = filled(campaign, code_kind="shared", code_word="A-B")
    assert "between 4 and 40 letters and digits." in manager.post(address, short).content.decode()
    sent = filled(
        campaign, code_kind="shared", code_word="STUDENT-10", code_uses="40",
        code_per_member="1", code_shown="on",
    )  # fmt: skip
    assert manager.post(address, sent).status_code == 302
    manager.post(url("campaign_state", campaign.public_id), {"do": "publish"})
    record(order("A", "10", at=timezone.now(), coupons=("student10",)))
    assert spendable(at=timezone.now()) == 20
    shown = page(manager, url("campaign", campaign.public_id))
    assert "Only with the code STUDENT-10." in shown
    assert "1 of 40" in shown
    assert "STUDENT-10" in page(manager, url("campaign_list"))


def test_codes_that_are_used_once_each_are_made_added_and_fetched(
    manager: Client, club: Program
) -> None:
    campaign = begin(manager, club)
    manager.post(url("campaign_edit", campaign.public_id), filled(campaign, code_kind="single"))
    make, write = (url(f"campaign_codes_{act}", campaign.public_id) for act in ("make", "write"))
    assert "Nobody can guess them." in page(manager, make)
    assert manager.post(make, {"number": "0"}).status_code == 422
    assert manager.post(make, {"number": "3"}).status_code == 302
    assert manager.post(write, {"text": "ABCD-1\nA"}).status_code == 422
    assert manager.post(write, {"text": "ABCD-1\n=ABCD-2"}).status_code == 302
    manager.post(url("campaign_state", campaign.public_id), {"do": "publish"})
    record(order("A", "10", at=timezone.now(), coupons=("ABCD1",)))
    lines = manager.get(url("campaign_codes_file", campaign.public_id)).getvalue().decode().split()
    # No spreadsheet takes a code for a formula.
    assert (len(lines), lines[0], lines[-2:]) == (6, "code,used", ["ABCD-1,yes", "'=ABCD-2,"])
    other = begin(manager, club)
    assert manager.get(url("campaign_codes_make", other.public_id)).status_code == 404


@pytest.mark.browser
def test_a_manager_makes_codes_in_the_browser(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    campaign = draft(club, codes={"kind": "single"})
    page = sign_in("marketing_manager")
    page.goto(f"{live_server.url}{url('campaign', campaign.public_id)}")
    page.get_by_role("link", name="Make codes").click()
    page.get_by_label("How many").fill("25")
    page.get_by_role("dialog").get_by_role("button", name="Make codes").click()
    expect(page.get_by_text("25 codes were added.")).to_be_visible()
    expect(page.locator("#campaign-codes")).to_contain_text("0 of 25")
    assert_no_axe_violations(page)
