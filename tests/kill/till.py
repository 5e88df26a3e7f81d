"""Tills that send orders all the time and remember each answer."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
from collections import Counter, deque
from types import TracebackType

from tests.kill.installation import Installation

THREADS = 4
BUYERS = 20
# After what was not acknowledged: a server that is down is not asked without end.
PAUSE = 0.2
PATIENCE = 60.0
ANSWERED = {200, 201}
# The first request under this key is still being carried out by a process that may be dead.
IN_USE = 409


class Tills:
    """Sends orders within the block, and at its end again what has not been acknowledged, until all
    of it is. `acknowledged` then is exactly what must be in the books."""

    def __init__(self, installation: Installation, source: str) -> None:
        self.installation = installation
        self.source = source
        self.acknowledged: dict[str, int] = {}
        self.refused: list[str] = []
        self.answers: Counter[str] = Counter()
        self.resent = 0
        self._numbers = itertools.count(1)
        self._waiting: deque[int] = deque()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._leaving = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]

    def __enter__(self) -> Tills:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        if kind is not None:
            self._leaving.set()
            return
        deadline = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._leaving.set()
        assert not any(thread.is_alive() for thread in self._threads), self.answers
        assert not self.refused, self.refused[:5]

    def wait_for(self, count: int) -> None:
        """Until so many more orders have been acknowledged."""
        wanted = len(self.acknowledged) + count
        deadline = time.monotonic() + PATIENCE
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, self.answers
            assert not self.refused, self.refused[:5]
            time.sleep(0.005)

    def snapshot(self) -> dict[str, int]:
        """The orders acknowledged by now, with the units each must have earned."""
        with self._lock:
            return dict(self.acknowledged)

    def _work(self) -> None:
        connection = self._connect()
        while (number := self._next()) is not None:
            try:
                status, body = self._send(connection, number)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                connection = self._connect()
                self._note(number, type(error).__name__)
                continue
            self._note(number, str(status), body)
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        address = self.installation.address
        return http.client.HTTPConnection(address.host, address.port, timeout=10)

    def _next(self) -> int | None:
        """The order to send now: a new one, or one again that got no answer."""
        with self._lock:
            if self._leaving.is_set():
                return None
            if self._waiting and (self._closing.is_set() or random.random() < 0.5):
                self.resent += 1
                return self._waiting.popleft()
            return None if self._closing.is_set() else next(self._numbers)

    def _send(self, connection: http.client.HTTPConnection, number: int) -> tuple[int, str]:
        name = f"{self.source}-{number}"
        headers = {
            "Authorization": f"Bearer {self.installation.secret}",
            "Content-Type": "application/json",
        }
        # Orders are safe to repeat with the header and without.
        if number % 2:
            headers["Idempotency-Key"] = name
        body = {
            "source": self.source,
            "external_id": name,
            "placed_at": "2026-03-01T10:00:00+00:00",
            "currency": "USD",
            "total": f"{units_of(number)}.00",
            "customer": {"external_id": f"{self.source}-C{number % BUYERS}"},
        }
        connection.request("POST", "/api/v1/orders", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")

    def _note(self, number: int, answer: str, body: str = "") -> None:
        with self._lock:
            self.answers[answer] += 1
            status = int(answer) if answer.isdecimal() else 0
            if status in ANSWERED:
                self.acknowledged[f"{self.source}-{number}"] = units_of(number)
                return
            self._waiting.append(number)
            if 400 <= status < 500 and status != IN_USE:
                self.refused.append(f"{status} {body}")
                self._leaving.set()
        time.sleep(PAUSE)


def units_of(number: int) -> int:
    """What an order costs in dollars, and so what it earns."""
    return 1 + number % 97
