"""Requests to the live server share connections to the database, and leave none with a test."""

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.live_connections import HELD, is_idle

pytestmark = pytest.mark.django_db(transaction=True)


def answered_and_ended(address: str) -> bytes:
    """The answer, read to the end of the connection: the server ends it after all that it does."""
    parts = urlsplit(address)
    asked = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as wire:
        wire.sendall(asked.encode())
        return b"".join(iter(lambda: wire.recv(65536), b""))


def test_one_request_takes_the_connection_of_the_one_before_it(live_server: Any) -> None:
    address = f"{live_server.url}/accounts/login/"
    assert b" 200 OK" in answered_and_ended(address)[:20]
    [first] = {connection.info.backend_pid for connection, _ in HELD[-1:]}
    assert b" 200 OK" in answered_and_ended(address)[:20]
    assert HELD[-1][0].info.backend_pid == first
    assert all(is_idle(connection) for connection, _context in HELD)
