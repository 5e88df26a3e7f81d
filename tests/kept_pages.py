"""Pages of the browser that are handed from test to test.

A new context has a process of its own that compiles half a megabyte of styles and all scripts anew:
two thirds of what a test costs that looks at one page. A page that is cleaned finds them in memory.
What cannot be taken back (scripts at the start of each document, a clock of the test's, what other
sites have stored, answers that the browser goes on showing, a test that failed) ends the page with
its test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Error

# Wide and on a phone, as most modules have it.
KEPT = 2
# In no session, asks no database, and is of the same group of pages as all that staff and
# customers see, so that the browser does not begin another process for it.
NOWHERE = "/card-keeper.js"
# As wide as the browser makes a page of which nothing is said.
UNSAID = {"width": 1280, "height": 720}
NO_MEDIA = {"media": "null", "color_scheme": "null", "forced_colors": "null", "contrast": "null"}


@dataclass
class KeptPage:
    page: Any
    options: dict[str, Any]
    base_url: str
    listeners: list[tuple[str, Any]] = field(default_factory=list)
    spoiled: bool = False

    def watch(self) -> None:
        """Remembers what a test asks of the page that has to be taken back."""
        on, add_init_script = self.page.on, self.page.add_init_script
        clock = self.page.clock
        install = clock.install

        def remembered(event: str, listener: Any) -> None:
            self.listeners.append((event, listener))
            on(event, listener)

        def at_each_start(*args: Any, **options: Any) -> None:
            self.spoiled = True
            add_init_script(*args, **options)

        def with_its_own_time(*args: Any, **options: Any) -> None:
            self.spoiled = True
            install(*args, **options)

        self.page.on, self.page.add_init_script = remembered, at_each_start
        clock.install = with_its_own_time
        on("framenavigated", self.look_where)
        on("response", self.look_whether_kept)

    def look_where(self, frame: Any) -> None:
        place = urlsplit(frame.url)
        if place.scheme in {"http", "https"} and not frame.url.startswith(f"{self.base_url}/"):
            self.spoiled = True

    def look_whether_kept(self, answer: Any) -> None:
        """What shops show of a program is kept for a minute; the next test has another program."""
        control = answer.headers.get("cache-control", "")
        if "max-age" in control and "immutable" not in control:
            self.spoiled = True

    def clean(self) -> None:
        page, context = self.page, self.page.context
        for event, listener in self.listeners:
            with suppress(KeyError):
                page.remove_listener(event, listener)
        self.listeners.clear()
        page.unroute_all()
        page.mouse.move(-10, -10)
        # Requests still under way would meet a database that is being cleaned.
        page.goto(NOWHERE)
        for other in context.pages:
            if other != page:
                other.close()
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); window.name = ''; }")
        context.clear_cookies()
        context.clear_permissions()
        page.set_extra_http_headers({})
        page.set_viewport_size(self.options.get("viewport", UNSAID))
        page.emulate_media(**NO_MEDIA, reduced_motion=self.options.get("reduced_motion", "null"))


def cleaned(lent: KeptPage) -> bool:
    """False where the page is on its way elsewhere: it is closed then."""
    try:
        lent.clean()
    except Error:
        lent.page.context.close()
        return False
    return True


class Pages:
    def __init__(self, browser: Any, base_url: str) -> None:
        self.browser, self.base_url = browser, base_url
        self.kept: dict[str, KeptPage] = {}

    @contextmanager
    def lent(self, options: dict[str, Any]) -> Iterator[KeptPage]:
        """A page as if it were new, in a context with these options."""
        key = json.dumps(options, sort_keys=True)
        lent = self.kept.pop(key, None) or self.opened(options)
        try:
            yield lent
        finally:
            if lent.spoiled or options["service_workers"] != "block":
                lent.page.goto("about:blank")
                lent.page.context.close()
            elif cleaned(lent):
                self.kept[key] = lent
            while len(self.kept) > KEPT:
                self.kept.pop(next(iter(self.kept))).page.context.close()

    def close(self) -> None:
        while self.kept:
            self.kept.popitem()[1].page.context.close()

    def opened(self, options: dict[str, Any]) -> KeptPage:
        context = self.browser.new_context(base_url=self.base_url, **options)
        page = context.new_page()
        kept = KeptPage(page, options, self.base_url)
        kept.watch()
        return kept
