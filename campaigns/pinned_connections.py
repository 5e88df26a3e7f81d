"""Connections of a library that looks names up by itself, kept to addresses that were judged.

A name may lead elsewhere a moment after it was judged. So while something is handed over to an
address that somebody typed, connections of this thread go to what was judged, and to no other host;
the certificate is still that of the name.
"""

from __future__ import annotations

import contextvars
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from urllib3.util import connection

from campaigns.webhook_addresses import RefusedAddressError, Target

Connect = Callable[..., socket.socket]
_pinned: contextvars.ContextVar[Target | None] = contextvars.ContextVar("pinned", default=None)


@contextmanager
def pinned(target: Target) -> Iterator[None]:
    """Within it, connections go to the addresses of this target alone."""
    token = _pinned.set(target)
    try:
        yield
    finally:
        _pinned.reset(token)


def install() -> None:
    """Called once, when the application is ready; again it changes nothing."""
    if not hasattr(connection.create_connection, "judges"):
        connection.create_connection = _judging(connection.create_connection)


def _judging(connect: Connect) -> Connect:
    def create_connection(address: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
        target = _pinned.get()
        if target is None:
            return connect(address, *rest, **more)
        if _plain(address[0]) != _plain(target.host):
            raise RefusedAddressError(address[0])
        return _first_that_answers(connect, target, address[1], rest, more)

    create_connection.judges = True  # type: ignore[attr-defined]
    return create_connection


def _first_that_answers(
    connect: Connect, target: Target, port: int, rest: Any, more: Any
) -> socket.socket:
    last: OSError | None = None
    for address in target.addresses:
        try:
            return connect((address, port), *rest, **more)
        except OSError as error:
            last = error
    raise last or RefusedAddressError(target.host)


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()
