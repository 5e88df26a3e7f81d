"""The card is there without a network, as somebody finds out at a till in a cellar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from members.models import Customer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

KEPT = """async () => {
    const kept = [];
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) kept.push(new URL(request.url).pathname);
    }
    return kept;
}"""


@pytest.fixture
def browser_context_options() -> dict[str, Any]:
    return {
        "viewport": {"width": 390, "height": 844},
        "reduced_motion": "reduce",
        "service_workers": "allow",
    }


@pytest.fixture
def own(page: Any, maya: Customer, sign_in: Callable[[Customer], Client]) -> Any:
    """A page in which Maya is signed in."""
    cookie = sign_in(maya).cookies[settings.SESSION_COOKIE_NAME]
    host = {"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "domain": "localhost"}
    page.context.add_cookies([{**host, "path": "/"}])
    return page


def until_kept(page: Any) -> None:
    expect(page.locator("[data-kept=true]")).to_be_visible()


def test_the_card_opens_without_a_network_and_leaves_with_its_owner(
    own: Any, page_errors: list[str], assert_no_axe_violations: Callable[[Any], None]
) -> None:
    page = own
    page.goto("/me/card/")
    number = page.locator(".pass-number").inner_text()
    until_kept(page)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(".pass-number")).to_have_text(number)
    expect(page.get_by_role("img", name="QR code with your card number")).to_be_visible()
    expect(page.get_by_text("No connection. Your card works all the same.")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.pass')).borderRadius") != "0px"
    assert_no_axe_violations(page)
    # Whatever page one had open leads to the card.
    page.goto("/me/history/")
    expect(page.locator(".pass-number")).to_have_text(number)
    page.context.set_offline(False)
    page.goto("/me/")
    page.get_by_label("Your menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).not_to_have_url("/me/")
    assert page.evaluate(KEPT) == []
    # What could not be reached meanwhile is told on the console; nothing else was wrong.
    assert all("ERR_INTERNET_DISCONNECTED" in error for error in page_errors)
    page_errors.clear()


def test_only_the_card_is_kept_and_what_shows_it(own: Any) -> None:
    page = own
    page.goto("/me/card/")
    until_kept(page)
    page.goto("/me/history/")
    page.goto("/me/")
    kept = page.evaluate(KEPT)
    pages = [path for path in kept if path.startswith("/me/")]
    assert pages == ["/me/card/"]
