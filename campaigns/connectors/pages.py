"""The pages of a shop's API: what to ask for, and where the next page is.

Shopify's Admin API (REST) pages by a cursor in its Link header; WooCommerce's by number, and says
how many there are. Both are asked from the oldest on, so what is new meanwhile comes last.
"""

from __future__ import annotations

import base64
import http.client
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson
from django.utils.translation import gettext as _

from campaigns.connectors import shopify, woocommerce
from campaigns.connectors.reading import items, text
from campaigns.connectors.records import Reading, Records
from campaigns.models import Connection
from campaigns.webhook_addresses import RefusedAddressError, resolve
from campaigns.webhook_requests import exchange
from members.errors import DomainError

SHOPIFY_VERSION = "2026-01"
SHOPIFY_PAGE, WOOCOMMERCE_PAGE = 250, 100
LONGEST, SECONDS = 40_000_000, 90.0
CUSTOMERS, ORDERS = "customers", "orders"
# People first, so that orders find them with all that is known of them.
STAGES = (CUSTOMERS, ORDERS)
_NEXT = re.compile(r'<([^<>]+)>\s*;\s*rel="?next"?')
_LONGEST_PAUSE = 120.0


class BusyError(Exception):
    """The shop wants to be asked again later, after so many seconds; None: it did not say."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Access:
    """Where a shop's API is, and what opens it."""

    url: str
    key: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """`following`: where the next page is; empty: this is the last one. `total`: of everything,
    where the page says."""

    items: list[Mapping[str, Any]]
    following: str
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ShopPages:
    """How one kind of shop is asked."""

    first: Callable[[str, str], str]
    headers: Callable[[Access], dict[str, str]]
    page: Callable[[str, http.client.HTTPMessage, Any, str], Page]
    read_order: Callable[[Mapping[str, Any], Reading], Records]
    read_customer: Callable[[Mapping[str, Any], Reading], Records]
    # Where to ask for what an item of a page leaves out, and the field that it belongs to.
    missing: Callable[[str, Mapping[str, Any]], tuple[str, str] | None] = lambda _stage, _item: None
    # Asks how many there are, where a page does not say; empty: it does.
    count: Callable[[str, str], str] = lambda _stage, _since: ""

    def read(self, stage: str, item: Mapping[str, Any], about: Reading) -> Records:
        reader = self.read_order if stage == ORDERS else self.read_customer
        return reader(item, about)


def pages_of(connection: Connection) -> ShopPages:
    return PAGES[Connection.Kind(connection.kind)]


def fetch_page(shop: ShopPages, access: Access, path: str, stage: str) -> Page:
    """One page. Raises BusyError where it may be there later, DomainError where it will not."""
    headers, found = _fetch(shop, access, path)
    page = shop.page(path, headers, found, stage)
    return replace(page, items=[_whole(shop, access, stage, item) for item in page.items])


def _whole(
    shop: ShopPages, access: Access, stage: str, item: Mapping[str, Any]
) -> Mapping[str, Any]:
    asked = shop.missing(stage, item)
    if asked is None:
        return item
    where, name = asked
    _headers, found = _fetch(shop, access, where)
    if not isinstance(found, list):
        raise DomainError(_("The shop answered with something else than a page."))
    return {**item, name: found}


def fetch_count(shop: ShopPages, access: Access, stage: str, since: str) -> int | None:
    path = shop.count(stage, since)
    if not path:
        return None
    _headers, found = _fetch(shop, access, path)
    count = found.get("count") if isinstance(found, dict) else None
    return count if isinstance(count, int) else None


def _fetch(
    shop: ShopPages, access: Access, path: str
) -> tuple[http.client.HTTPMessage, Any]:  # fmt: skip
    sent = {"Accept": "application/json", "User-Agent": "Setia-Connections/1"}
    try:
        target = resolve(access.url.rstrip("/") + path)
        status, headers, body = exchange(
            target, "GET", sent | shop.headers(access), longest=LONGEST, seconds=SECONDS
        )
    except RefusedAddressError as error:
        raise DomainError(_("The shop’s address leads to where nothing is asked.")) from error
    except (socket.gaierror, UnicodeError) as error:
        raise DomainError(_("The name of the shop is not known.")) from error
    except (OSError, ssl.SSLError, http.client.HTTPException) as error:
        raise BusyError(type(error).__name__) from error
    _judge(status, headers)
    try:
        return headers, orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DomainError(_("The shop answered with something else than JSON.")) from error


def _judge(status: int, headers: http.client.HTTPMessage) -> None:
    if status == 429 or status >= 500:
        raise BusyError(str(status), _seconds(headers.get("Retry-After", "")))
    if status in (401, 403):
        raise DomainError(_("The shop does not accept the key, or it may not read this."))
    if status != 200:
        raise DomainError(_("The shop answered with %s.") % status)


def _seconds(said: str) -> float | None:
    try:
        return min(max(float(said), 0.0), _LONGEST_PAUSE)
    except ValueError:
        return None


# --- Shopify ------------------------------------------------------------------------------------


def _shopify_path(stage: str, since: str, *, count: bool = False) -> str:
    asked = {} if count else {"limit": str(SHOPIFY_PAGE), "order": "created_at asc"}
    if stage == ORDERS:
        asked["status"] = "any"
    if since:
        asked["created_at_min"] = since
    what = f"{stage}/count" if count else stage
    return f"/admin/api/{SHOPIFY_VERSION}/{what}.json?{urlencode(asked)}"


def _shopify_page(_path: str, headers: http.client.HTTPMessage, found: Any, stage: str) -> Page:
    items = found.get(stage) if isinstance(found, dict) else None
    if not isinstance(items, list):
        raise DomainError(_("The shop answered with something else than a page."))
    linked = _NEXT.search(headers.get("Link", ""))
    # Only what follows the host: the key goes to nobody but the shop.
    parts = urlsplit(linked[1]) if linked else None
    return Page(items, f"{parts.path}?{parts.query}" if parts else "")


# --- WooCommerce --------------------------------------------------------------------------------


def _woocommerce_path(stage: str, since: str, page: int = 1) -> str:
    asked = {"per_page": str(WOOCOMMERCE_PAGE), "orderby": "id", "order": "asc"}
    if stage == CUSTOMERS:
        asked["role"] = "all"
    elif since:
        asked |= {"after": since, "dates_are_gmt": "true"}
    return f"/wp-json/wc/v3/{stage}?{urlencode(asked | {'page': str(page)})}"


def _woocommerce_page(path: str, headers: http.client.HTTPMessage, found: Any, _stage: str) -> Page:
    if not isinstance(found, list):
        raise DomainError(_("The shop answered with something else than a page."))
    begin, _sep, number = path.rpartition("page=")
    pages, total = headers.get("X-WP-TotalPages", ""), headers.get("X-WP-Total", "")
    last = int(number) >= int(pages) if pages.isdigit() else len(found) < WOOCOMMERCE_PAGE
    following = "" if last else f"{begin}page={int(number) + 1}"
    return Page(found, following, int(total) if total.isdigit() else None)


def _woocommerce_missing(stage: str, item: Mapping[str, Any]) -> tuple[str, str] | None:
    """An order lists its refunds without their times, which the list of them has, where they are
    called amounts."""
    if stage != ORDERS or not any(items(item, "refunds")):
        return None
    number = text(item, "id")
    asked = urlencode({"per_page": str(WOOCOMMERCE_PAGE), "orderby": "id", "order": "asc"})
    return f"/wp-json/wc/v3/orders/{quote(number, safe='')}/refunds?{asked}", "refunds"


def _basic(access: Access) -> dict[str, str]:
    pair = base64.b64encode(f"{access.key}:{access.secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


PAGES = {
    Connection.Kind.SHOPIFY: ShopPages(
        first=_shopify_path,
        headers=lambda access: {"X-Shopify-Access-Token": access.key},
        page=_shopify_page,
        read_order=shopify.read_order,
        read_customer=shopify.read_customer,
        count=lambda stage, since: _shopify_path(stage, since, count=True),
    ),
    Connection.Kind.WOOCOMMERCE: ShopPages(
        first=_woocommerce_path,
        headers=_basic,
        page=_woocommerce_page,
        read_order=woocommerce.read_order,
        read_customer=woocommerce.read_customer,
        missing=_woocommerce_missing,
    ),
}
