"""A lean HTTP client: keeps some connections busy for some seconds and counts the answers."""

from __future__ import annotations

import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

Request = Callable[[], bytes]
Then = Callable[[bytes], bytes]


@dataclass
class Load:
    """`answers` by status code; `seconds` it took; latencies in seconds, sorted. `steps`: of pairs
    those of the first and of the second request."""

    answers: Counter[int]
    seconds: float
    latencies: list[float] = field(repr=False)
    sample: bytes = b""
    steps: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []), repr=False)

    @property
    def per_second(self) -> float:
        return sum(self.answers.values()) / self.seconds

    def percentile(self, share: float) -> float:
        return percentile(self.latencies, share)


def percentile(times: list[float], share: float) -> float:
    """Of sorted times."""
    return times[min(int(len(times) * share), len(times) - 1)]


def run_load(
    port: int, request: Request, *, seconds: float, connections: int, then: Then | None = None
) -> Load:
    """Each connection sends its next request as soon as the last one is answered. `then`: what
    follows from each answer; both are counted as one, with the time that they took together."""
    selector = selectors.DefaultSelector()
    answers: Counter[int] = Counter()
    latencies: list[float] = []
    steps: tuple[list[float], list[float]] = ([], [])
    sample = b""
    begun = time.perf_counter()
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        now = time.perf_counter()
        selector.register(sock, selectors.EVENT_READ, [b"", now, now, then is None])
        sock.sendall(request())
    ends = begun + seconds
    while selector.get_map():
        for key, _events in selector.select(timeout=10):
            sock, state = cast("socket.socket", key.fileobj), key.data
            state[0] += sock.recv(1 << 16)
            status, body = _complete(state[0])
            if not status:
                continue
            now = time.perf_counter()
            if then is not None and not state[3] and status < 300:
                steps[0].append(now - state[1])
                state[0], state[2], state[3] = b"", now, True
                sock.sendall(then(body))
                continue
            answers[status] += 1
            if then is not None and state[3]:
                steps[1].append(now - state[2])
            latencies.append(now - state[1])
            sample = sample or body
            if now >= ends:
                selector.unregister(sock)
                sock.close()
                continue
            state[0], state[1], state[2], state[3] = b"", now, now, then is None
            sock.sendall(request())
    for times in (latencies, *steps):
        times.sort()
    return Load(answers, time.perf_counter() - begun, latencies, sample, steps)


def _complete(data: bytes) -> tuple[int, bytes]:
    """Status and body once the whole answer is there, else (0, b"")."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        return 0, b""
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at < 0:
        sys.exit(f"an answer without length: {head[:200]!r}")
    length = int(lower[at + 15 :].split(b"\r\n", 1)[0])
    return (int(head[9:12]), body) if len(body) >= length else (0, b"")
