"""How what is being written down came: by which screen, key, command or job, and from where.

Set at the doors of the process, where it is known, and read where the audit log is written, so that
no service has to hand it on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

SCREEN, API, COMMAND, JOB = "screen", "api", "command", "job"
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Origin:
    """`way`: one of the above; `name`: which of them; `request`: what came, if something did."""

    way: str = ""
    name: str = ""
    request: HttpRequest | None = None

    @property
    def place(self) -> str:
        """The visitor's address without its end. Told when it is written down: most requests
        write nothing down."""
        return "" if self.request is None else place_of(address_of(self.request))


NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def current_origin() -> Origin:
    return _origin.get()


@contextmanager
def coming_by(way: str, name: str = "", request: HttpRequest | None = None) -> Iterator[None]:
    """What is written meanwhile came this way."""
    token = _origin.set(Origin(way, name[:LONGEST_NAME], request))
    try:
        yield
    finally:
        _origin.reset(token)


def name_origin(name: str) -> None:
    """Say which screen or key it is, once that is known."""
    _origin.set(replace(_origin.get(), name=name[:LONGEST_NAME]))


def place_of(address: str | None) -> str:
    """An address without its end: enough to see whether it is the same place."""
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return "?"
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    if known.version == 4:
        return ".".join([*str(known).split(".")[:3], "…"])
    return ":".join([*known.exploded.split(":")[:3], "…"])


def address_of(request: HttpRequest) -> str | None:
    """Of the visitor, behind as many proxies as the settings trust; None where none can be told."""
    # Commands need this module before there are applications.
    from allauth.account.adapter import get_adapter

    try:
        found: str | None = get_adapter().get_client_ip(request)
    except PermissionDenied:
        return None
    return found


class OriginMiddleware:
    """Pages: the name of the view is that of the screen. The API names its keys itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with coming_by(SCREEN, request=request):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> None:
        if request.resolver_match is not None:
            name_origin(request.resolver_match.view_name)
