"""How many requests a key, a member or an address may make in a minute, counted in Valkey for all
processes together.

A process takes a few requests' worth at a time, so most requests need no round trip at all. What a
process has taken and not used is lost with the minute: a key may be stopped a few requests early,
never late. When Valkey is away nobody is stopped: a shop must be able to sell.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

WINDOW = 60
# Of the limit, what a process takes at once.
SHARE = 100
MOST_AT_ONCE = 50
# More callers than this are not remembered at once: members and visitors are many.
REMEMBERED = 10_000
# Valkey answers in far less, or not at all; after a failure it is left alone for a while.
TIMEOUT = 0.25
LEFT_ALONE_FOR = 5.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a request may go on, and what the caller is told about the rest of the minute."""

    granted: bool
    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


@dataclass(slots=True)
class _Window:
    """One caller in one minute: what this process still holds, and what is left for the others."""

    number: int
    limit: int
    held: int = 0
    elsewhere: int = 0
    used_up: bool = False


_windows: dict[int | str, _Window] = {}
_lock = threading.Lock()
_away_until = 0.0


def take(caller: int | str, limit: int | None = None) -> Allowance | None:
    """Count a request of this caller: an API key by its number, others by a name; `limit` is that
    of API keys where it is not said. None: there is no limit, or nobody who could count."""
    if limit is None:
        limit = settings.API_REQUESTS_PER_MINUTE
    assert limit is not None
    now = time.time()
    if limit <= 0:
        return None
    number = int(now // WINDOW)
    reset = math.ceil((number + 1) * WINDOW - now)
    with _lock:
        window = _windows.get(caller)
        if window is None or window.number != number or window.limit != limit:
            if len(_windows) >= REMEMBERED:
                _windows.clear()  # what was held is lost: some are stopped a few requests early
            window = _windows[caller] = _Window(number, limit)
        if not window.held and not window.used_up and not _refill(window, caller):
            return None
        if not window.held:
            return Allowance(False, limit, 0, reset)
        window.held -= 1
        return Allowance(True, limit, window.elsewhere + window.held, reset)


def forget_windows() -> None:
    """Begin anew in this process, also with a Valkey that was away."""
    global _away_until  # noqa: PLW0603  (state of the process)
    _windows.clear()
    _away_until = 0.0


def _refill(window: _Window, caller: int | str) -> bool:
    """Take the next few requests out of the common count; False when Valkey does not answer."""
    global _away_until  # noqa: PLW0603  (state of the process)
    if time.monotonic() < _away_until:
        return False
    wanted = max(1, min(MOST_AT_ONCE, window.limit // SHARE))
    name = f"setia:rate:{caller}:{window.number}"
    try:
        with _valkey(settings.CACHES["default"]["LOCATION"]).pipeline(transaction=False) as pipe:
            pipe.incrby(name, wanted)
            pipe.expire(name, 2 * WINDOW)
            taken = int(pipe.execute()[0])
    except (redis.RedisError, OSError) as error:
        logger.warning("requests are not counted: %s", type(error).__name__)
        _away_until = time.monotonic() + LEFT_ALONE_FOR
        return False
    window.held = max(0, min(wanted, window.limit - (taken - wanted)))
    window.elsewhere = max(0, window.limit - taken)
    window.used_up = window.elsewhere == 0
    return True


@lru_cache(maxsize=2)
def _valkey(url: str) -> Any:
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
