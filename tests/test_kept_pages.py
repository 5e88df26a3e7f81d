"""What one test does with its page, the next one does not see."""

from typing import Any

import pytest

from tests.kept_pages import NOWHERE, Pages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
OPTIONS: dict[str, Any] = {
    "viewport": {"width": 700, "height": 500},
    "color_scheme": "light",
    "reduced_motion": "reduce",
    "service_workers": "block",
}
SEEN = """() => [
    document.cookie, localStorage.length, sessionStorage.length, window.name, innerWidth,
    matchMedia("(prefers-color-scheme: dark)").matches,
    matchMedia("(prefers-reduced-motion: reduce)").matches,
]"""
NEW = ["", 0, 0, "", 700, False, True]


def test_a_page_is_lent_again_as_if_it_were_new(pages: Pages) -> None:
    heard: list[str] = []
    with pages.lent(OPTIONS) as first:
        first.page.goto(NOWHERE)
        assert first.page.evaluate(SEEN) == NEW
        first.page.evaluate("""() => {
            document.cookie = "kept=1"; localStorage.kept = 1; sessionStorage.kept = 1;
            window.name = "kept"; window.open(location.href);
        }""")
        first.page.context.grant_permissions(["geolocation"])
        first.page.set_extra_http_headers({"Accept-Language": "el"})
        first.page.set_viewport_size({"width": 390, "height": 800})
        first.page.emulate_media(color_scheme="dark", reduced_motion="no-preference")
        first.page.on("response", lambda answer: heard.append(answer.url))
        first.page.route("**/app.webmanifest", lambda route: route.abort())
    heard.clear()
    with pages.lent(OPTIONS) as second:
        assert second.page == first.page
        assert second.page.context.pages == [second.page]
        answer = second.page.goto(NOWHERE)
        assert answer.request.headers.get("accept-language") != "el"
        assert second.page.evaluate(SEEN) == NEW
        assert second.page.goto("/app.webmanifest").ok
        state = "navigator.permissions.query({name: 'geolocation'}).then((it) => it.state)"
        assert second.page.evaluate(state) != "granted"
        assert heard == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda page: page.add_init_script("window.kept = 1"),
        lambda page: page.clock.install(),
        lambda page: page.goto(page.url.replace("localhost", "127.0.0.1")),
        lambda page: page.evaluate("fetch('/static/js/theme.js?' + Math.random())"),
    ],
    ids=["a script for each document", "a clock", "another site", "an answer that is shown again"],
)
def test_what_cannot_be_taken_back_ends_the_page(pages: Pages, spoil: Any) -> None:
    with pages.lent(OPTIONS) as first:
        first.page.goto(NOWHERE)
        first.page.route(
            "**/theme.js?*",
            lambda route: route.fulfill(body="1", headers={"Cache-Control": "max-age=60"}),
        )
        spoil(first.page)
    with pages.lent(OPTIONS) as second:
        assert second.page != first.page
