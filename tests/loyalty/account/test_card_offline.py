"""The card is there without a network, as somebody finds out at a till in a cellar."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import expect

from members.models import Customer
from tests.loyalty.account.conftest import Shop
from tests.loyalty.wallet_passes.authority import apple_files

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


def sign_in_here(page: Any, client: Client) -> None:
    cookie = client.cookies[site.SESSION_COOKIE_NAME]
    page.context.add_cookies(
        [{"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}]
    )


@pytest.fixture
def own(page: Any, maya: Customer, sign_in: Callable[[Customer], Client]) -> Any:
    """A page in which Maya is signed in."""
    sign_in_here(page, sign_in(maya))
    return page


def until_kept(page: Any) -> None:
    expect(page.locator("[data-kept=true]")).to_be_visible()


class Line:
    """A connection to the server that can be cut: what asks through it then reaches nobody."""

    def __init__(self, server: str) -> None:
        self.far = (urlsplit(server).hostname or "", urlsplit(server).port or 0)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{self.listening.getsockname()[1]}"
        self.ends: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        # A thread that waits in accept() would hold the port.
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _address = self.listening.accept()
                far = socket.create_connection(self.far)
                self.ends += (near, far)
                for source, target in ((near, far), (far, near)):
                    Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def line(live_server: Any) -> Iterator[Line]:
    found = Line(live_server.url)
    yield found
    found.cut()


def test_the_card_opens_without_a_network_and_what_needs_one_is_not_offered(
    own: Any,
    line: Line,
    page_errors: list[str],
    settings: Any,
    tmp_path: Path,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    settings.APPLE_PASSES = apple_files(tmp_path).keys()
    page = own
    page.goto(f"{line.url}/me/card/")
    number = page.locator(".pass-number").inner_text()
    expect(page.get_by_text("No connection. Your card works all the same.")).to_be_hidden()
    expect(page.get_by_role("link", name="Add to Apple Wallet")).to_be_visible()
    until_kept(page)
    line.cut()
    # Whatever page one asks for leads to the card.
    for path in ("/me/card/", "/me/history/"):
        page.goto(f"{line.url}{path}")
        expect(page.locator(".pass-number")).to_have_text(number)
        expect(page.get_by_role("img", name="QR code with your card number")).to_be_visible()
        expect(page.get_by_text("No connection. Your card works all the same.")).to_be_visible()
        expect(page.get_by_text("Apple Wallet")).to_be_hidden()
        expect(page.get_by_text("In the wallet of your phone")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.querySelector('.pass')).borderRadius") != "0px"
    assert_no_axe_violations(page)
    # What could not be reached meanwhile is told on the console; nothing else was wrong.
    assert all("ERR_CONNECTION_REFUSED" in error for error in page_errors)
    page_errors.clear()


def test_only_the_card_is_kept_and_leaves_with_its_owner_the_session_and_for_somebody_else(
    own: Any, shop: Shop, maya: Customer, sign_in: Callable[[Customer], Client]
) -> None:
    page = own
    page.goto("/me/card/")
    until_kept(page)
    for path in ("/me/history/", "/me/", "/me/profile/"):
        page.goto(path)
    kept = page.evaluate(KEPT)
    assert [path for path in kept if path.startswith("/me/")] == ["/me/card/"]
    page.locator("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Send the code")).to_be_visible()
    assert page.evaluate(KEPT) == []
    # Signed in again, until the session is over.
    sign_in_here(page, sign_in(maya))
    page.goto("/me/card/")
    until_kept(page)
    Session.objects.all().delete()
    page.goto("/me/history/")
    expect(page.get_by_role("button", name="Send the code")).to_be_visible()
    assert page.evaluate(KEPT) == []
    # Another session on the same device, without a page of sign-in between.
    page.evaluate(
        """async () => {
            const cache = await caches.open("setia-card-1");
            await cache.put("/card-owner", new Response("somebody else"));
            await cache.put("/me/somebody-else/card/", new Response("a card"));
        }"""
    )
    noor = shop.add_customer("noor@example.com", given_name="Noor")
    shop.give_sign_in(noor)
    shop.enroll(noor)
    sign_in_here(page, sign_in(noor))
    page.goto("/me/card/")
    until_kept(page)
    kept = page.evaluate(KEPT)
    assert [path for path in kept if "/card/" in path] == ["/me/card/"]
