"""Google's API for passes and the place where tokens are given, on this machine."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs


class GoogleService:
    """What it was asked, and what it answers."""

    def __init__(self) -> None:
        self.patches: list[tuple[str, dict[str, Any]]] = []
        self.status, self.assertions = 200, list[str]()
        # By the end of the path, where it is another.
        self.refused: dict[str, int] = {}
        google = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                google.assertions.append(parse_qs(body)["assertion"][0])
                self.reply(200, {"access_token": "opens-4711"})

            def do_PATCH(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Authorization"] == "Bearer opens-4711"
                google.patches.append((self.path, json.loads(body)))
                ends = self.path.rpartition(".")[2]
                self.reply(google.refused.get(ends, google.status), {})

            def reply(self, status: int, said: Any) -> None:
                content = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
