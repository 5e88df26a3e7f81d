"""Requests of many at once: threads of several processes against one database."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import Any

from django.db import connections

from tests.api.conftest import ApiClient

PROCESSES = 3
# How long one may wait for the others until they begin together.
PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Asked:
    """A request; `about` names what it wants."""

    about: str
    path: str
    body: dict[str, Any]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """`code`: of a refusal, else empty."""

    about: str
    status: int
    code: str


_start: Barrier | None = None


def ask_at_once(secret: str, crowd: Sequence[Sequence[Asked]]) -> list[Answered]:
    """What became of the requests of a crowd: for each of it one thread, which makes its requests
    one after the other. All begin together."""
    shares = [crowd[number::PROCESSES] for number in range(PROCESSES)]
    # No connection may be shared with a child.
    connections.close_all()
    processes = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(
        PROCESSES, processes, initializer=_meet_at, initargs=(processes.Barrier(PROCESSES),)
    ) as pool:
        found = pool.map(_ask_all, [secret] * PROCESSES, shares)
        return [answered for answers in found for answered in answers]


def _meet_at(start: Barrier) -> None:
    global _start  # noqa: PLW0603  (state of the process)
    _start = start


def _ask_all(secret: str, share: Sequence[Sequence[Asked]]) -> list[Answered]:
    """In a process of its own."""
    with ThreadPoolExecutor(len(share)) as threads:
        # What is loaded with the first request is loaded before they race.
        ApiClient(secret).get("/rewards?limit=1")
        assert _start is not None
        _start.wait(PATIENCE)
        found = list(threads.map(lambda asked: _ask(secret, asked), share))
    connections.close_all()
    return [answered for answers in found for answered in answers]


def _ask(secret: str, asked: Sequence[Asked]) -> list[Answered]:
    client = ApiClient(secret)
    try:
        return [_answered(client, item) for item in asked]
    finally:
        connections.close_all()


def _answered(client: ApiClient, item: Asked) -> Answered:
    headers = {"Idempotency_Key": item.key} if item.key else {}
    response = client.post(item.path, item.body, **headers)
    code = response.json()["code"] if response.status_code >= 400 else ""
    return Answered(item.about, response.status_code, code)
