"""What the parts of one page ask for each by itself is read once for all of them: the names of
tiers and units, and where a member stands. Only for as long as a page is being made that changes
nothing; whatever else asks, asks the database.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse

from members.program_scope import programs_in_scope

T = TypeVar("T")

_kept: ContextVar[dict[Hashable, Any] | None] = ContextVar("read_once", default=None)


class ReadOnceMiddleware:
    """For pages that are looked at."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        with reading_once():
            return self.get_response(request)


@contextmanager
def reading_once() -> Iterator[None]:
    """What is read in the block is kept until it ends."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


@contextmanager
def reading_anew() -> Iterator[None]:
    """For what is written meanwhile, or tried and undone: nothing that was read before counts."""
    token = _kept.set(None)
    try:
        yield
    finally:
        _kept.reset(token)


def read_once(key: Hashable, read: Callable[[], T]) -> T:
    """What `read` finds, from the first time that a page asked for it; nobody changes it. `key`:
    all that it depends on, besides the programs in scope."""
    kept = _kept.get()
    if kept is None:
        return read()
    place = (key, programs_in_scope())
    if place not in kept:
        kept[place] = read()
    found: T = kept[place]
    return found
