"""What the customer page, the home page and the merchant's settings are made of. Each application
adds its own parts.

A panel is an address of its own that answers with a card for HTMX and with a page for a plain
visit (`backoffice/panel.html`); the shells load them by URL name, so they import none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise

from members.models import Customer
from members.policy import is_allowed

Text = str | Promise
Column = Literal["main", "side", "wide"]

RANKS = 8


@dataclass(frozen=True, slots=True)
class Room:
    """Rows on a wide screen, and on a phone, where it takes at least as many."""

    wide: int
    narrow: int


Rows = int | Room | Callable[[], Room]


@dataclass(frozen=True, slots=True)
class Panel:
    """A place in a shell. `rows` is the room it holds while it loads, so that nothing moves when it
    comes; `needed` says whether it is there at all. Both ask in a constant number of
    queries."""

    key: str
    title: Text
    url_name: str
    order: int = 100
    permission: str = ""
    icon: str = ""
    column: Column = "main"
    rows: Rows = 4
    needed: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class PlacedPanel:
    """A panel of one page, as its template needs it."""

    key: str
    title: str
    url: str
    icon: str
    column: Column
    room: Room
    # Its place among all panels when they stand in one column: "1" to "8", then "last".
    rank: str


@dataclass(frozen=True, slots=True)
class HeaderFact:
    """A figure in the customer's header: "Beans", "1,250", sub "worth $12.50". `kind`: it is a
    judgment and shown as a badge of that kind; `permission`: only who may see it does."""

    label: Text
    value: str
    sub: str = ""
    url: str = ""
    icon: str = ""
    kind: str = ""
    permission: str = ""


@dataclass(frozen=True, slots=True)
class CustomerAction:
    """A button in the customer's header; its URL takes the customer's public id."""

    key: str
    label: Text
    url_name: str
    icon: str
    order: int = 100
    permission: str = ""
    dialog: bool = True
    shortcut: str = ""


@dataclass(frozen=True, slots=True)
class PlacedAction:
    key: str
    label: str
    url: str
    icon: str
    dialog: bool
    shortcut: str


# Called with the customer; answers in a constant number of queries.
HeaderSource = Callable[[Customer], Sequence[HeaderFact]]

_customer_panels: dict[str, Panel] = {}
_home_panels: dict[str, Panel] = {}
_merchant_panels: dict[str, Panel] = {}
_headers: dict[str, tuple[int, HeaderSource]] = {}
_actions: dict[str, CustomerAction] = {}
_header_events: set[str] = {"customer-changed"}


def register_customer_panel(
    key: str,
    title: Text,
    url_name: str,
    order: int = 100,
    permission: str = "customers.view",
    *,
    icon: str = "",
    column: Column = "main",
    rows: Rows = 4,
    needed: Callable[[], bool] | None = None,
) -> None:
    """Put a panel on the customer page; its URL takes the customer's public id."""
    panel = Panel(key, title, url_name, order, permission, icon, column, rows, needed)
    _customer_panels[key] = panel


def register_home_panel(
    key: str,
    title: Text,
    url_name: str,
    order: int = 100,
    permission: str = "home.view",
    *,
    icon: str = "",
    column: Column = "main",
    rows: Rows = 4,
    needed: Callable[[], bool] | None = None,
) -> None:
    """Put a panel on the home page; its URL takes nothing. "wide" spans both columns."""
    panel = Panel(key, title, url_name, order, permission, icon, column, rows, needed)
    _home_panels[key] = panel


def register_merchant_panel(
    key: str, title: Text, url_name: str, order: int = 100, permission: str = "merchant.edit", *,
    icon: str = "", rows: int = 4,
) -> None:  # fmt: skip
    """Put a panel below the merchant's settings; its URL takes nothing."""
    _merchant_panels[key] = Panel(key, title, url_name, order, permission, icon, rows=rows)


def register_customer_header(
    key: str, source: HeaderSource, order: int = 100, *, refresh: Sequence[str] = ()
) -> None:
    """Add figures to the customer's header; it is read anew on the page events in `refresh`."""
    _headers[key] = (order, source)
    _header_events.update(refresh)


def register_customer_action(action: CustomerAction) -> None:
    """Add a button to the customer's header."""
    _actions[action.key] = action


def customer_panels(request: HttpRequest, customer: Customer) -> list[PlacedPanel]:
    """The panels of a customer that this user may see, in order."""
    return _placed(request, _customer_panels.values(), customer.public_id)


def home_panels(request: HttpRequest) -> list[PlacedPanel]:
    """The panels of the home page that this user may see, in order."""
    return _placed(request, _home_panels.values())


def merchant_panels(request: HttpRequest) -> list[PlacedPanel]:
    """The panels below the merchant's settings that this user may see, in order."""
    return _placed(request, _merchant_panels.values())


def customer_header(request: HttpRequest, customer: Customer) -> list[HeaderFact]:
    """The figures of the customer's header that this user may see, in order."""
    sources = sorted(_headers.values(), key=lambda item: item[0])
    return [
        fact
        for _order, source in sources
        for fact in source(customer)
        if not fact.permission or is_allowed(request.user, fact.permission)
    ]


def header_events() -> list[str]:
    """The page events after which the header is read anew."""
    return sorted(_header_events)


def customer_actions(request: HttpRequest, customer: Customer) -> list[PlacedAction]:
    """The buttons of the header that this user may press."""
    placed = []
    for action in sorted(_actions.values(), key=lambda action: action.order):
        url = _url(request, action.permission, action.url_name, customer.public_id)
        if url:
            label = str(action.label)
            placed.append(
                PlacedAction(action.key, label, url, action.icon, action.dialog, action.shortcut)
            )
    return placed


def _placed(request: HttpRequest, panels: Any, *args: Any) -> list[PlacedPanel]:
    placed: list[PlacedPanel] = []
    for panel in sorted(panels, key=lambda panel: panel.order):
        url = _url(request, panel.permission, panel.url_name, *args)
        if url and (panel.needed is None or panel.needed()):
            place = len(placed) + 1
            rank = str(place) if place <= RANKS else "last"
            title = str(panel.title)
            rows = panel.rows() if callable(panel.rows) else panel.rows
            room = rows if isinstance(rows, Room) else Room(rows, rows)
            placed.append(PlacedPanel(panel.key, title, url, panel.icon, panel.column, room, rank))
    return placed


def _url(request: HttpRequest, permission: str, url_name: str, *args: Any) -> str:
    """Where something leads, or nothing when the user may not go there."""
    if permission and not is_allowed(request.user, permission):
        return ""
    try:
        return reverse(url_name, args=args)
    except NoReverseMatch:
        return ""
