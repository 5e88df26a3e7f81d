"""What every page of the back-office has, whoever looks at it."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse

SHELL = '<body class="shell'
TITLE = re.compile(r"<title>\s*(\S.*?) · ", re.DOTALL)
CRUMBS = re.compile(r'<ol class="crumbs">(.*?)</ol>', re.DOTALL)
# The head closes right after its buttons.
ACTIONS = re.compile(r'<div class="page-head-actions">(.*?)</div>\s*</div>', re.DOTALL)
MENU = re.compile(r'<details class="menu".*?</details>', re.DOTALL)
BUTTON = re.compile(r'class="(btn(?: [^"]*)?)"')
HREF = re.compile(r'href="([^"]+)"')


def assert_is_a_page(client: Client, response: Any, seen: dict[str, int]) -> None:
    """One heading in the page's head, a title of its own, and a way back up that is open to whoever
    sees it. `seen`: what was found above other pages before, of the same reader."""
    html = html_of(response)
    if SHELL not in html:
        return
    address = response.request["PATH_INFO"]
    assert TITLE.search(html), address
    assert html.count("<h1") == 1, address
    assert html.count('class="page-head"') == 1, address
    assert not after_the_primary_one(html), f"{address}: buttons after the primary one"
    above = ways_up(html)
    assert above or address in places_of(html), f"{address}: no breadcrumbs"
    for url in above:
        if url not in seen:
            seen[url] = client.get(url).status_code
        assert seen[url] == 200, (address, url)


def after_the_primary_one(html: str) -> list[str]:
    """Buttons of the page's head that follow its primary one; a menu of more may."""
    actions = ACTIONS.search(MENU.sub("", html))
    kinds = [kind.split() for kind in BUTTON.findall(actions.group(1))] if actions else []
    first = next((at for at, kind in enumerate(kinds) if "btn-primary" in kind), len(kinds))
    return [" ".join(kind) for kind in kinds[first:] if "btn-primary" not in kind]


def html_of(response: Any) -> str:
    """The page, where it is one."""
    of_text = response.headers.get("Content-Type", "").startswith("text/html")
    if response.streaming or response.status_code != 200 or not of_text:
        return ""
    return str(response.content.decode())


def ways_up(html: str) -> list[str]:
    found = CRUMBS.search(html)
    return [url for url in HREF.findall(found.group(1)) if url != "#"] if found else []


def places_of(html: str) -> list[str]:
    """Where the menu around the page leads to, and the page of sample components."""
    menu = html.partition("<main")[0]
    return [*HREF.findall(menu), reverse("backoffice:styleguide")]
