"""What is looked at wide and on a phone is told from what is in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import WIDE
from tests.factories import StaffMemberFactory
from tests.sign_ins import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_is_wrong_on_a_phone_alone_is_found(
    page: Any, assert_in_order: Callable[[Any], None]
) -> None:
    page.goto("/accounts/login/")
    assert_in_order(page)
    assert page.viewport_size == WIDE
    page.evaluate("""() => {
        const wide = document.createElement("p");
        wide.textContent = "Wider than a phone";
        wide.style.width = "600px";
        document.querySelector("main").append(wide);
    }""")
    with pytest.raises(AssertionError, match="390"):
        assert_in_order(page)
    page.evaluate("""() => {
        const found = document.querySelector("main p:last-child");
        found.style.width = "auto";
        matchMedia("(width < 500px)").addEventListener(
            "change", (narrow) => { found.style.color = narrow.matches ? "#eee" : "inherit"; });
    }""")
    page.set_viewport_size(WIDE)
    with pytest.raises(AssertionError, match="contrast"):
        assert_in_order(page)


def test_what_is_wrong_at_one_of_many_addresses_is_found(
    page: Any, assert_all_in_order: Callable[..., None]
) -> None:
    addresses = ["/accounts/login/", "/accounts/password/reset/"]
    assert_all_in_order(page, addresses)
    for wrong in addresses:
        page.route(f"**{wrong}", lambda route: answer_with(route, "#mended { width: 600px }"))
        with pytest.raises(AssertionError, match=f"{wrong} at 390"):
            assert_all_in_order(page, addresses)
        page.unroute_all()


def answer_with(route: Any, styles: str) -> None:
    answer = route.fetch()
    headers = {**answer.headers, "content-security-policy": ""}
    extra = f"<p id='mended'>Mended</p><style>{styles}</style></main>"
    route.fulfill(response=answer, headers=headers, body=answer.text().replace("</main>", extra))


def test_what_cannot_be_read_in_the_dark_is_found(
    page: Any, assert_in_order: Callable[..., None]
) -> None:
    page.goto("/accounts/login/")
    assert_in_order(page, dark_on_phones=True)
    page.evaluate("""() => {
        const found = document.createElement("p");
        found.textContent = "Black on black";
        found.style.color = "#111";
        document.querySelector("main").append(found);
    }""")
    assert_in_order(page)
    with pytest.raises(AssertionError, match=r"(?s)contrast.*Black on black"):
        assert_in_order(page, dark_on_phones=True)


def test_an_entry_of_the_menu_that_changes_is_looked_at_again(
    page: Any, live_server: Any, assert_in_order: Callable[..., None]
) -> None:
    cookie = signed_in(StaffMemberFactory(role="auditor").user).cookies["sessionid"]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.goto("/backoffice/")
    # The second time its lists are known.
    for _time in range(2):
        assert_in_order(page)
    page.evaluate("""() => {
        const found = document.querySelector(".shell-nav-list > li:nth-child(2) > a");
        found.textContent = "Hardly seen";
        found.style.color = "#eee";
    }""")
    with pytest.raises(AssertionError, match=r"(?s)contrast.*Hardly seen"):
        assert_in_order(page)
