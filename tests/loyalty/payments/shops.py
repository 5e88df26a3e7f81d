"""A Stripe of one's own: a `localstripe` process on this machine, and before it what that lacks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

KEY, SECRET = "sk_test_51Setia", "whsec_setia"
# Its state stays in memory: it would write into a folder that all runs share.
_PROGRAM = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def localstripe() -> Iterator[str]:
    """Its address, while it runs."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(port)], env=os.environ, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "localstripe did not start"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("localstripe does not answer")


@dataclass
class Front:
    """What stands before it: it answers a key that comes again with the first answer, as Stripe
    does, and makes pages that take cards, which localstripe has not."""

    url: str
    behind: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    # The next call is carried out and then its answer is lost.
    loses_next: bool = False

    def post(self, path: str, data: dict[str, Any]) -> Any:
        """What a payer's browser would do there."""
        found = requests.post(f"{self.behind}{path}", data=data, auth=(KEY, ""), timeout=10)
        assert found.ok, found.text
        return found.json()

    def payer_with(self, number: str) -> tuple[str, str]:
        """A payer with a card: their references."""
        payer = self.post("/v1/customers", {"email": "ann@example.com"})["id"]
        card = {"type": "card", "card[number]": number, "card[exp_month]": "12",
                "card[exp_year]": "2040", "card[cvc]": "123"}  # fmt: skip
        method = self.post("/v1/payment_methods", card)["id"]
        self.post(f"/v1/payment_methods/{method}/attach", {"customer": payer})
        return payer, method

    def forget_keys(self) -> None:
        """As Stripe does after a day."""
        self.answers.clear()

    def refunds(self, intent: str) -> list[dict[str, Any]]:
        found = requests.get(
            f"{self.behind}/v1/refunds?payment_intent={intent}", auth=(KEY, ""), timeout=10
        )
        data: list[dict[str, Any]] = found.json()["data"]
        return data

    def intents(self) -> list[dict[str, Any]]:
        found = requests.get(
            f"{self.behind}/v1/payment_intents?limit=100", auth=(KEY, ""), timeout=10
        )
        data: list[dict[str, Any]] = found.json()["data"]
        return data


@contextmanager
def front(behind: str) -> Iterator[Front]:
    port = free_port()
    shown = Front(f"http://127.0.0.1:{port}", behind)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_said: object) -> None:
            return

        def do_GET(self) -> None:
            self._answer(*_forward(shown, "GET", self.path, b"", dict(self.headers)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            key = self.headers.get("Idempotency-Key", "")
            shown.asked.append((self.path, {"key": key, "body": body.decode()}))
            if key not in shown.answers:
                answer = _forward(shown, "POST", self.path, body, dict(self.headers))
                shown.answers[key or f"once-{len(shown.asked)}"] = answer
            else:
                answer = shown.answers[key]
            if shown.loses_next:
                shown.loses_next = False
                self.connection.close()
                return
            self._answer(*answer)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield shown
    finally:
        server.shutdown()
        server.server_close()


def _forward(
    shown: Front, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, bytes]:
    if path == "/v1/checkout/sessions":
        page = {
            "id": "cs_test_1",
            "object": "checkout.session",
            "url": f"{shown.url}/pay/cs_test_1",
        }
        return 200, json.dumps(page).encode()
    kept = {name: headers[name] for name in ("Authorization", "Content-Type") if name in headers}
    found = requests.request(method, shown.behind + path, data=body, headers=kept, timeout=10)
    return found.status_code, found.content
