"""Threads, such as those of the live server's requests, share connections to the database, and
leave none with a test."""

import multiprocessing
import socket
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

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


def test_a_thread_takes_the_connection_of_the_one_before_it_as_that_one_found_it() -> None:
    def work(_number: int) -> tuple[int, str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid(), current_setting('lock_timeout')")
            found: tuple[int, str] = cursor.fetchone()
            cursor.execute("SET lock_timeout = '7s'")
        connection.close()
        return found

    with ThreadPoolExecutor(1) as one:
        first, second = (one.submit(work, number).result() for number in range(2))
    assert first == second
    assert first[1] == "0"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != first[:1]


def test_a_process_that_is_forked_takes_none_of_them_and_closes_none() -> None:
    with ThreadPoolExecutor(1) as one:
        mine = one.submit(process_of_a_thread).result()
    processes = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, processes) as other:
        assert other.submit(in_a_thread_of_the_child).result() != mine
    with ThreadPoolExecutor(1) as one:
        assert one.submit(process_of_a_thread).result() == mine


def in_a_thread_of_the_child() -> int:
    with ThreadPoolExecutor(1) as one:
        return one.submit(process_of_a_thread).result()


def process_of_a_thread() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [found] = cursor.fetchone()
    connection.close()
    return int(found)
