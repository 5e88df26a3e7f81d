"""Where webhooks may go: what is typed, and, at the moment of sending, what it resolves to.

Whoever names an address must not reach what only this machine reaches: the metadata service of a
cloud, a database, a router. So a name is resolved once, each address is judged, and the connection
goes to an address that was judged, whatever the name says a moment later.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from members.errors import DomainError, FieldError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST = 2000
_PLAIN = re.compile(r"[\x21-\x7e]+")
# Wherever it stands in a text: its scheme, its host, and the rest.
_ADDRESS = re.compile(r"(https?://)([^/?#\s]*)(\S*)")
# Addresses of the old net inside the new one, which a gateway would lead to.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class RefusedAddressError(Exception):
    """It leads to where nothing may be sent."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the host as it is named, and addresses that were judged."""

    secure: bool
    host: str
    port: int
    path: str
    addresses: Sequence[str]

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def check_url(url: str) -> str:
    """What was typed, without blanks around it, or the refusal that says what is wrong."""
    url = url.strip()
    problem = _problem(url)
    if problem:
        raise DomainError(problem, errors=[FieldError("url", problem, "invalid_url")])
    return url


def without_secrets(url: str) -> str:
    """Without what may let somebody in: "https://shop.example/…". Many services put a key into the
    path, and nobody can tell it from a name."""
    return _ADDRESS.sub(_host_alone, url)


def resolve(url: str) -> Target:
    """Look the host up and keep the addresses that may be reached; RefusedAddressError if none may,
    OSError if it is not known."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
    allowed = [item for item in addresses if may_reach(ipaddress.ip_address(item), secure=secure)]
    if not allowed:
        raise RefusedAddressError(host)
    path = parts.path or "/"
    return Target(secure, host, port, f"{path}?{parts.query}" if parts.query else path, allowed)


def may_reach(address: Address, *, secure: bool) -> bool:
    """Whether something may be sent there: all the net may, and within a merchant's own net what
    the setting names. Without encryption only this machine, in development."""
    inner = _inner(address)
    if not secure and not (settings.DEVELOPMENT and inner.is_loopback):
        return False
    if inner.is_global and not inner.is_multicast:
        return True
    return any(inner in network for network in _own_networks())


def _host_alone(found: re.Match[str]) -> str:
    scheme, host, rest = found.groups()
    return scheme + host.rpartition("@")[2] + ("/…" if rest not in {"", "/"} else rest)


def _own_networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(item) for item in settings.WEBHOOK_PRIVATE_NETWORKS]


def _inner(address: Address) -> Address:
    """The address of the old net that one of the new net stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _problem(url: str) -> str:
    if len(url) > LONGEST or not _PLAIN.fullmatch(url):
        return _("Write an address without blanks, of at most %s characters.") % LONGEST
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return _("This is not an address like https://shop.example/webhooks.")
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return _("This is not an address like https://shop.example/webhooks.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        return _("Leave out names, passwords and what follows a “#”.")
    return _problem_of_host(parts)


def _problem_of_host(parts: SplitResult) -> str:
    host, secure = parts.hostname or "", parts.scheme == "https"
    literal = _literal(host)
    local = host == "localhost" or (literal is not None and literal.is_loopback)
    if not secure and not (settings.DEVELOPMENT and local):
        return _("It begins with https://: what is told must not be read on its way.")
    if literal is not None and not may_reach(literal, secure=secure):
        return _("This address is within a private network, where nothing is sent.")
    return ""


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
