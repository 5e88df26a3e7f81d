"""A shop's Admin API on this machine, as Shopify documents it: a cursor in the Link header."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.campaigns.shops import shopify_order, shopify_refund

PAGE = 20
# Of so many orders one was given back in part.
REFUNDED = 5


@dataclass
class ShopServer:
    """`orders` from `first` on; `asked`: how often each page was asked for."""

    port: int
    first: int
    orders: int
    seconds: float
    asked: Counter[str] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def refunds(self) -> int:
        return len(range(0, self.orders, REFUNDED))

    def answer(self, path: str) -> tuple[dict[str, str], Any]:
        parts = urlsplit(path)
        what = parts.path.rpartition("/")[2].removesuffix(".json")
        if what == "count":
            return {}, {"count": self.orders if "/orders/" in parts.path else 0}
        if what != "orders":
            return {}, {what: []}
        begin = int(parse_qs(parts.query).get("page_info", ["0"])[0])
        self.asked[str(begin)] += 1
        time.sleep(self.seconds)
        ahead = begin + PAGE
        link = f'<{self.url}{parts.path}?limit=250&page_info={ahead}>; rel="next"'
        found = [self._order(number) for number in range(begin, min(ahead, self.orders))]
        return ({"Link": link} if ahead < self.orders else {}), {"orders": found}

    def _order(self, number: int) -> Any:
        """Five of each buyer; nobody is known by an address."""
        buyer = {"id": self.first + number // 5, "email": None, "state": "disabled"}
        own = self.first + number
        given_back = {
            "refunds": [shopify_refund(own, of=own)], "financial_status": "partially_refunded"
        }  # fmt: skip
        return shopify_order(
            own, updated="2024-03-18T08:00:01-04:00", email=None, customer=buyer,
            **({} if number % REFUNDED else given_back),
        )  # fmt: skip


@contextmanager
def shop_server(*, first: int, orders: int, seconds: float = 0.05) -> Iterator[ShopServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers, body = found.answer(self.path)
            content = json.dumps(body).encode()
            try:
                self.send_response(200)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # whoever asked was killed

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = ShopServer(server.server_port, first, orders, seconds)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
