"""What the shells around every page offer: menu entries, programs to switch to, search.

Each application adds its own entries in AppConfig.ready, so that no lower one knows a higher one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from django.http import HttpRequest
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.functional import Promise

from members.policy import is_allowed

Text = str | Promise
Section = Literal["main", "insights", "operations", "settings"]


@dataclass(frozen=True)
class NavItem:
    """An entry of a menu. `match` names the URL names (or their beginnings) that light it up;
    `badge` says how many things wait there for this reader, in a constant number of queries."""

    key: str
    label: Text
    url_name: str
    icon: str
    order: int = 100
    permission: str = ""
    section: Section = "main"
    match: tuple[str, ...] = ()
    shortcut: str = ""
    badge: Callable[[HttpRequest], int] | None = None


@dataclass(frozen=True)
class NavLink:
    """An entry as one reader sees it on one page."""

    label: Text
    url: str
    icon: str
    active: bool
    shortcut: str = ""
    badge: int = 0


@dataclass(frozen=True)
class ProgramChoice:
    """A program that the switcher on top of the menu offers."""

    label: str
    url: str
    current: bool = False
    badge: str = ""


@dataclass(frozen=True)
class Tab:
    """A link between the views of one thing."""

    label: Text
    url: str
    current: bool = False
    count: int | None = None
    shortcut: str = ""


@dataclass(frozen=True)
class ProgramLink:
    """A page that there is for each program, a tab of the program's own pages; it takes the
    program's code. `also`: further views that belong to it; `shortcut`: keys that lead to it."""

    label: Text
    url_name: str
    icon: str
    order: int
    also: tuple[str, ...] = ()
    shortcut: str = ""


ProgramSource = Callable[[HttpRequest], Sequence[ProgramChoice]]

_backoffice: dict[str, NavItem] = {}
_mypage: dict[str, NavItem] = {}
_mypage_tools: dict[str, NavItem] = {}
_program_source: list[ProgramSource] = []
_program_links: dict[str, ProgramLink] = {}
_search_url_name: list[str] = []


def register_nav_item(item: NavItem) -> None:
    """Add an entry to the back-office menu; the same key again replaces it."""
    _backoffice[item.key] = item


def register_mypage_item(item: NavItem) -> None:
    """Add an entry to the bottom bar of the customers' own pages."""
    _mypage[item.key] = item


def register_mypage_tool(item: NavItem) -> None:
    """Add a page that customers reach from what they say about themselves; the first of them also
    from the top of each page."""
    _mypage_tools[item.key] = item


def register_program_source(source: ProgramSource) -> None:
    """Say where the programs of the switcher come from."""
    _program_source[:] = [source]


def register_program_link(link: ProgramLink) -> None:
    """Add a page to those that a program's own page leads to."""
    _program_links[link.url_name] = link


def program_links(code: str) -> list[tuple[ProgramLink, str]]:
    """The pages about a program, with their addresses, in order."""
    found = sorted(_program_links.values(), key=lambda link: link.order)
    return [(link, reverse(link.url_name, args=[code])) for link in found]


def program_tabs(code: str, view_name: str) -> list[Tab]:
    """The same as tabs; the current one is that of the view."""
    return [
        Tab(link.label, url, view_name in (link.url_name, *link.also), shortcut=link.shortcut)
        for link, url in program_links(code)
    ]


def register_search_url(url_name: str) -> None:
    """Say which view answers the search box that is on every back-office page."""
    _search_url_name[:] = [url_name]


def backoffice_links(request: HttpRequest, section: Section) -> list[NavLink]:
    """The back-office entries that this user may open, in order."""
    items = [item for item in _backoffice.values() if item.section == section]
    return _links(request, items)


def first_page(request: HttpRequest) -> str:
    """Where somebody of the back-office begins: the first entry that they may open."""
    items = [item for item in _backoffice.values() if item.section == "main"]
    links = _links(request, [replace(item, badge=None) for item in items])
    return links[0].url if links else "/"


def backoffice_pages(request: HttpRequest) -> list[NavLink]:
    """All entries that this user may open, without asking what waits there."""
    return _links(request, [replace(item, badge=None) for item in _backoffice.values()])


def mypage_links(request: HttpRequest) -> list[NavLink]:
    """The entries of the customer's bottom bar."""
    return _links(request, list(_mypage.values()))


def mypage_tools(request: HttpRequest) -> list[NavLink]:
    """The pages beside the customer's bottom bar."""
    return _links(request, list(_mypage_tools.values()))


def program_choices(request: HttpRequest) -> Sequence[ProgramChoice]:
    """The programs to switch to; none while no application has any."""
    return _program_source[0](request) if _program_source else ()


def search_url() -> str:
    """Where the search box sends its words, or nothing while nobody answers them."""
    return _reverse(_search_url_name[0]) if _search_url_name else ""


def _reverse(url_name: str) -> str:
    return _address(url_name, get_urlconf(), get_script_prefix())


@lru_cache(maxsize=200)
def _address(url_name: str, urlconf: str | None, prefix: str) -> str:
    """Every page asks for those of its whole menu. `prefix`: where all of it is."""
    try:
        return reverse(url_name, urlconf)
    except NoReverseMatch:
        return ""


def _links(request: HttpRequest, items: list[NavItem]) -> list[NavLink]:
    links = []
    # Several entries ask for the same one.
    place = (get_urlconf(), get_script_prefix())
    needed = {item.permission for item in items}
    allowed = {name: not name or is_allowed(request.user, name) for name in needed}
    for item in sorted(items, key=lambda item: item.order):
        url = _address(item.url_name, *place) if allowed[item.permission] else ""
        if url:
            waiting = item.badge(request) if item.badge else 0
            active = _is_active(request, item)
            # In the reader's language now: what draws it looks for it by its words.
            label = str(item.label)
            links.append(NavLink(label, url, item.icon, active, item.shortcut, waiting))
    return _only_one_active(links, request.path)


def _is_active(request: HttpRequest, item: NavItem) -> bool:
    current = request.resolver_match.view_name if request.resolver_match else ""
    own = current == item.url_name
    return own or any(current.startswith(beginning) for beginning in item.match)


def _only_one_active(links: list[NavLink], path: str) -> list[NavLink]:
    """Keep the most exact of several active entries, so that one place is marked as here."""
    active = [link for link in links if link.active]
    if len(active) < 2:
        return links
    best = max(active, key=lambda link: (path.startswith(link.url), len(link.url)))
    return [replace(link, active=link is best) for link in links]
