"""A shop's API on this machine: pages of orders, by cursors in the Link header."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@contextmanager
def shop_api(orders: Sequence[Any], size: int) -> Iterator[str]:
    """Where it is, while it is there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            found = orders if "/orders" in parts.path else []
            if parts.path.endswith("/count.json"):
                self._answer({"count": len(found)})
                return
            begin = int(query.get("page_info", "0"))
            where = f"http://127.0.0.1:{server.server_port}{parts.path}?page_info={begin + size}"
            link = f'<{where}>; rel="next"' if begin + size < len(found) else ""
            what = parts.path.rpartition("/")[2].removesuffix(".json")
            self._answer({what: found[begin : begin + size]}, link)

        def _answer(self, body: Any, link: str = "") -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            if link:
                self.send_header("Link", link)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
