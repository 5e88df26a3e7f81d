"""A lean HTTP client: keeps some connections busy for some seconds and counts the answers."""

from __future__ import annotations

import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Request = Callable[[], bytes]
Then = Callable[[bytes], bytes]


@dataclass
class Load:
    """`answers` by status code; `seconds` it took; latencies in seconds, sorted."""

    answers: Counter[int]
    seconds: float
    latencies: list[float] = field(repr=False)
    sample: bytes = b""

    @property
    def per_second(self) -> float:
        return sum(self.answers.values()) / self.seconds

    def percentile(self, share: float) -> float:
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


def run_load(
    port: int, request: Request, *, seconds: float, connections: int, then: Then | None = None
) -> Load:
    """Each connection sends its next request as soon as the last one is answered. `then`: what
    follows from each answer; both are counted as one, with the time that they took together."""
    selector = selectors.DefaultSelector()
    answers: Counter[int] = Counter()
    latencies: list[float] = []
    sample = b""
    begun = time.perf_counter()
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ, [b"", time.perf_counter(), then is None])
        sock.sendall(request())
    ends = begun + seconds
    while selector.get_map():
        for key, _events in selector.select(timeout=10):
            sock, state = key.fileobj, key.data
            state[0] += sock.recv(1 << 16)
            status, body = _complete(state[0])
            if not status:
                continue
            now = time.perf_counter()
            if then is not None and not state[2] and status < 300:
                state[0], state[2] = b"", True
                sock.sendall(then(body))
                continue
            answers[status] += 1
            latencies.append(now - state[1])
            sample = sample or body
            if now >= ends:
                selector.unregister(sock)
                sock.close()
                continue
            state[0], state[1], state[2] = b"", now, then is None
            sock.sendall(request())
    latencies.sort()
    return Load(answers, time.perf_counter() - begun, latencies, sample)


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
