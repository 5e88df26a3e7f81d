"""Taking pictures of pages in a browser, for `make screenshots`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.chromium import ARGUMENTS, PROJECT, find_chromium
from tests.demo_subjects import Demo

IMAGES = PROJECT / "docs" / "images"
OTHERS = PROJECT / "var" / "screenshots"
WIDE, PHONE = (1440, 900), (390, 844)


@dataclass(frozen=True)
class Page:
    """A page to take. `url`: a URL name and what of the Demo it takes; `image`: the width that
    the README shows."""

    name: str
    url: tuple[str, ...]
    who: str = "staff"
    image: tuple[int, int] | None = None
    # A parameter of the address and what of the Demo it takes.
    query: tuple[str, str] | None = None


def take(wanted: Sequence[Page], demo: Demo, base_url: str, *, dark: bool) -> None:
    """Of all of these, wide and on a phone."""
    from playwright.sync_api import sync_playwright

    chromium = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.executable,
            args=ARGUMENTS,
            env={**os.environ, **chromium.environment},
        )
        for who in dict.fromkeys(page.who for page in wanted):
            for size in (WIDE, PHONE):
                context = browser.new_context(
                    base_url=base_url,
                    viewport={"width": size[0], "height": size[1]},
                    locale="en-US",
                    reduced_motion="reduce",
                    color_scheme="dark" if dark else "light",
                )
                if who != "nobody":
                    value = demo.session_key(who)
                    context.add_cookies([{"name": "sessionid", "value": value, "url": base_url}])
                for page in wanted:
                    if page.who == who:
                        take_one(context, demo, page, size, dark=dark)
                context.close()
        browser.close()


def take_one(context: Any, demo: Demo, page: Page, size: tuple[int, int], *, dark: bool) -> None:
    from django.urls import reverse

    name, *arguments = page.url
    address = reverse(name, args=[demo.argument(argument) for argument in arguments])
    if page.query:
        address += f"?{page.query[0]}={demo.argument(page.query[1])}"
    tab = context.new_page()
    answer = tab.goto(address, wait_until="networkidle")
    if answer.status != 200 or tab.url.partition("?")[0].endswith("/login/") != (
        name == "account_login"
    ):
        sys.exit(f"{page.name}: {address} answered {answer.status} and led to {tab.url}")
    # Panels below the fold load when they are seen.
    tab.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    tab.wait_for_load_state("networkidle")
    tab.evaluate("window.scrollTo(0, 0)")
    tab.wait_for_timeout(300)
    if page.image == size and not dark:
        path, whole = IMAGES / f"{page.name}.png", False
    else:
        suffix = "-dark" if dark else ""
        path, whole = OTHERS / f"{page.name}-{size[0]}{suffix}.png", True
    path.parent.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=path, full_page=whole)
    tab.close()
    print(path.relative_to(PROJECT))
