"""Requests to the live server share connections to the database, and leave none with a test."""

from typing import Any

import pytest
import requests

from tests.live_connections import HELD, is_idle

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_request_takes_the_connection_of_the_one_before_it(live_server: Any) -> None:
    address = f"{live_server.url}/accounts/login/"
    with requests.Session() as session:
        assert session.get(address).ok
        [first] = {connection.info.backend_pid for connection, _ in HELD[-1:]}
    with requests.Session() as another:
        assert another.get(address).ok
        assert HELD[-1][0].info.backend_pid == first
    assert all(is_idle(connection) for connection, _context in HELD)
