"""The first day of somebody who knows nothing: from the terminal's address to a live program."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from loyalty.models import Order, Program, WalletType
from members.models import Merchant
from members.services.first_visit import first_visit_token
from rewards.models import Reward

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEAD = (
    "Belegnr.;Bestelldatum;Status;Nachname;Vorname;E-Mail;Artikelnummer;Menge;Einzelpreis;"
    "Gesamtbetrag"
)
# From the address in the terminal to orders that earn.
MOST_PAGES = 12


@pytest.fixture
def browser_context_options(browser_context_options: dict[str, Any]) -> dict[str, Any]:
    """Of somebody in Berlin: currency and time zone are filled in."""
    return browser_context_options | {"locale": "de-DE", "timezone_id": "Europe/Berlin"}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """What a till exports in Germany: forty orders of ten people, and one that was canceled."""
    rows = [
        f"B{n};{1 + n % 28:02}.{1 + n % 9:02}.2026 18:05;bezahlt;Müller;Jörg;k{n % 10}@example.com;"
        f"A-{n % 3};1;{20 + n},50;{20 + n},50 €"
        for n in range(40)
    ]
    rows.append("B40;01.03.2026 09:00;storniert;Weber;Ute;ute@example.com;A-1;1;9,50;9,50 €")
    path = tmp_path / "kasse.csv"
    path.write_text("\n".join([HEAD, *rows, ""]), encoding="cp1252")
    return path


def test_from_nothing_to_a_live_program(
    page: Any,
    export: Path,
    settings: Any,
    assert_fits: Callable[[Any], None],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    settings.VAR_DIR = export.parent
    pages: list[str] = []
    page.on("framenavigated", lambda frame: pages.append(frame.url))

    page.goto(f"/begin/{first_visit_token()}/")
    assert_no_axe_violations(page)
    page.get_by_label("Your name").fill("Mona Rahman")
    page.get_by_label("Your e-mail address").fill("mona@example.com")
    page.get_by_label("Password").fill("correct-horse-battery")
    page.get_by_label("Name of the shop").fill("Roastery")
    expect(page.get_by_label("Currency")).to_have_value("EUR")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    page.get_by_role("button", name="Begin").click()
    page.get_by_text("1 of 5 done").wait_for()
    assert_no_axe_violations(page)
    assert Merchant.objects.get().currency == "EUR"

    page.get_by_role("link", name=re.compile("Bring in the orders")).click()
    the_orders_are_brought_in(page, export, assert_no_axe_violations)
    page.get_by_role("link", name="Make a program").click()
    three_questions_are_answered(page, assert_fits)
    page.get_by_role("button", name="Take it live").click()
    page.get_by_text("Bean Club is live").wait_for()
    assert WalletType.objects.get().plural == "Beans"
    assert Program.objects.get().status == "live"
    assert len([url for url in pages if url != "about:blank"]) <= MOST_PAGES, pages

    # What comes next is on the program's page, and the reward that it promises can be taken.
    page.goto("/backoffice/")
    page.get_by_text("4 of 5 done").wait_for()
    page.get_by_role("link", name=re.compile("Get the first member")).click()
    ways = page.locator("#panel-first-members")
    expect(ways).to_be_in_viewport()
    assert_no_axe_violations(page)
    expect(ways.get_by_role("link", name=re.compile("Bring in orders"))).to_be_visible()
    page.get_by_role("link", name="Rewards", exact=True).click()
    reward = Reward.objects.get()
    expect(page.get_by_role("link", name=reward.name).first).to_be_visible()
    assert reward.status == "live"
    assert reward.amount == reward.worth == reward.cost
    assert f"{reward.amount:.2f}" in reward.name


def the_orders_are_brought_in(
    page: Any, export: Path, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    page.get_by_label("File with orders").set_input_files(export)
    page.get_by_role("button", name="Look into it").click()
    page.get_by_role("heading", name="Which column is what?").wait_for()
    assert_no_axe_violations(page)
    expect(page.get_by_label("Order number")).to_have_value("0")
    expect(page.get_by_label("Amounts are written")).to_have_value(",")
    expect(page.get_by_label("Days are written")).to_have_value("dmy")

    page.get_by_role("button", name="Try it without importing").click()
    page.get_by_role("heading", name="Before anything is imported").wait_for()
    assert_no_axe_violations(page)
    expect(page.get_by_text("1 (storniert)")).to_be_visible()
    expect(page.get_by_text("Jörg Müller").first).to_be_visible()
    assert not Order.objects.exists()
    page.get_by_role("button", name="Import 40 orders").click()
    page.get_by_text("Your history is here").wait_for()
    assert_no_axe_violations(page)
    assert Order.objects.filter(currency="EUR", customer__isnull=False).count() == 40


def three_questions_are_answered(page: Any, assert_fits: Callable[[Any], None]) -> None:
    """By keyboard, as far as they can be; the figures are those of the file."""

    def answered(words: str) -> None:
        page.locator(".wizard-answer", has_text=words).wait_for()

    page.get_by_role("button", name="Start quickly").wait_for()
    assert_fits(page)
    page.get_by_role("button", name="Start quickly").press("Enter")
    page.get_by_role("radio", name="Points So many points").press("ArrowDown")
    page.get_by_role("radio", name=re.compile("Stamp card")).press("ArrowUp")
    page.get_by_label("What is the program called?").fill("Bean Club")
    assert_fits(page)
    page.get_by_label("What is the program called?").press("Enter")
    expect(page.get_by_label("What are several called?")).to_have_value("points")
    page.get_by_label("What is one of them called?").fill("Bean")
    page.get_by_label("What are several called?").fill("Beans")
    answered("of the buyers would have had")
    assert_fits(page)
    page.get_by_role("button", name="Continue").click()
    cost = page.get_by_label("What does the first reward cost?")
    proposed = cost.input_value()
    cost.fill("5000")
    answered("Nobody would have come to the first reward")
    cost.fill("20")
    answered("100% of the buyers would have had")
    cost.fill(proposed)
    page.locator("[data-chart-canvas] canvas").wait_for()
    assert_fits(page)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="What happens now").wait_for()
    assert_fits(page)
