"""By what somebody may be known as somebody else: compared by hashes, which nobody reads back."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_interface

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest

from campaigns.models import ReferralTrace
from members.models import Customer

Kind = ReferralTrace.Kind
SIZE = 16
# Of these an e-mail address has no dots that count, and what follows a plus is the reader's own.
_DOTLESS = frozenset({"gmail.com", "googlemail.com"})
DIGITS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request came from."""

    device: str
    network: str


def place_of(request: HttpRequest) -> Place:
    """A device is a browser at a place: browsers alone are too much alike."""
    network = str(get_adapter().get_client_ip(request))
    browser = request.META.get("HTTP_USER_AGENT", "")[:300]
    language = request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:100]
    return Place(f"{network}|{browser}|{language}", network)


def digest_of(kind: str, value: str) -> bytes:
    """Keyed, so that whoever has the table cannot try out all addresses."""
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, f"referrals|{kind}|{value}".encode(), hashlib.sha256).digest()[:SIZE]


def note_traces(customer: Customer, said: Mapping[str, str], now: dt.datetime) -> None:
    """Keep the hashes of what is said, by kind."""
    rows = [
        ReferralTrace(
            customer=customer, kind=kind, digest=digest_of(kind, plain_trace(value)), seen_at=now
        )
        for kind, value in said.items()
        if value.strip()
    ]
    ReferralTrace.objects.bulk_create(rows, ignore_conflicts=True)


def traces_of(customers: Iterable[int]) -> dict[str, set[bytes]]:
    """By kind, of one person under all of their names."""
    found: dict[str, set[bytes]] = {kind: set() for kind in Kind.values}
    for kind, digest in ReferralTrace.objects.filter(customer__in=list(customers)).values_list(
        "kind", "digest"
    ):
        found[kind].add(bytes(digest))
    return found


def plain_trace(value: str) -> str:
    """Without what people write differently. Of a place on the network, also of one that is part of
    a device, dots and colons count."""
    return "".join(_plain_part(part) for part in value.casefold().split("|"))


def _plain_part(part: str) -> str:
    try:
        return str(ip_interface(part.strip()))
    except ValueError:
        return "".join(sign for sign in part if sign.isalnum())


def plain_email(email: str) -> str:
    """The mailbox that an address leads to."""
    local, _at, domain = email.strip().casefold().rpartition("@")
    local = local.partition("+")[0]
    return f"{local.replace('.', '') if domain in _DOTLESS else local}@{domain}" if local else ""


def plain_phone(phone: str) -> str:
    """Its last digits, however it was written."""
    return "".join(sign for sign in phone if sign.isdigit())[-DIGITS:]
