"""What differs between kinds of connections: how a message is signed, how it says what it is, and
how it is read."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.translation import gettext as _

from campaigns.connectors import mapping, shopify, woocommerce
from campaigns.connectors.reading import unreadable
from campaigns.connectors.records import Part, Reading, Records
from campaigns.models import Connection

Headers = Mapping[str, str]
Kind = Connection.Kind
LONGEST_ID, LONGEST_TOPIC = 140, 64
# WooCommerce asks whether the address is there, without signing it, when a webhook is saved.
_PING = re.compile(rb"webhook_id=\d{1,20}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a message says about itself."""

    topic: str
    delivery_id: str
    happened_at: dt.datetime | None = None
    # It has no number of its own: the same content has the same one.
    by_content: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionKind:
    is_signed: Callable[[str, bytes, Headers], bool]
    envelope: Callable[[bytes, Headers], Envelope]
    # What it says: topic, content, type of the content, and what to know of the connection.
    read: Callable[[str, str, str, Reading], list[Part]]
    is_ping: Callable[[bytes, Headers], bool] = lambda _body, _headers: False


def kind_of(connection: Connection) -> ConnectionKind:
    return KINDS[Kind(connection.kind)]


def is_signed_base64(secret: str, body: bytes, signature: str) -> bool:
    """Whether it is the HMAC-SHA256 of the bytes as they came, compared in constant time."""
    if not secret:
        return False
    try:
        given = base64.b64decode(signature.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return False
    return hmac.compare_digest(given, hmac.digest(secret.encode(), body, "sha256"))


def digest_of(*parts: bytes) -> str:
    """What stands for the content of a message that carries no number of its own."""
    return hashlib.sha256(b"\x00".join(parts)).hexdigest()[:32]


def json_object(content: str) -> Mapping[str, Any]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise unreadable("", _("This is not JSON: %(reason)s.") % {"reason": error}) from error
    if not isinstance(found, dict):
        raise unreadable("", _("Write an object."))
    return found


def _shopify_envelope(body: bytes, headers: Headers) -> Envelope:
    topic = headers.get("X-Shopify-Topic", "")[: LONGEST_TOPIC - len(shopify.TEST)]
    if headers.get("X-Shopify-Test", "").lower() == "true":
        topic += shopify.TEST
    # A message that is tried again has the same number.
    number = headers.get("X-Shopify-Webhook-Id", "")[:LONGEST_ID]
    return Envelope(
        topic, number or digest_of(topic.encode(), body),
        _time(headers, "X-Shopify-Triggered-At"), by_content=not number,
    )  # fmt: skip


def _woocommerce_envelope(body: bytes, headers: Headers) -> Envelope:
    topic = headers.get("X-WC-Webhook-Topic", "")[:LONGEST_TOPIC]
    # Two messages of one webhook in the same second have the same number there.
    number = headers.get("X-WC-Webhook-Delivery-ID", "")[:64]
    return Envelope(topic, f"{number}:{digest_of(topic.encode(), body)}")


def _mapped_envelope(body: bytes, headers: Headers) -> Envelope:
    topic = headers.get("X-Topic", "")[:LONGEST_TOPIC]
    number = headers.get("Idempotency-Key", "")[:LONGEST_ID]
    return Envelope(topic, number or digest_of(topic.encode(), body), by_content=not number)


def is_signed_with_key(secret: str, body: bytes, headers: Headers) -> bool:
    """Either the secret itself, as a bearer key, or the HMAC-SHA256 that it makes of the body."""
    if not secret:
        return False
    scheme, _space, key = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return hmac.compare_digest(key.strip().encode(), secret.encode())
    given = headers.get("X-Setia-Signature", "").removeprefix("sha256=").lower()
    return hmac.compare_digest(given.encode(), _hex_digest(secret, body).encode())


def _hex_digest(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def _whole(reader: Callable[[str, Mapping[str, Any], Reading], Records]) -> Any:
    """A shop's message is one thing."""

    def read(topic: str, content: str, _type: str, about: Reading) -> list[Part]:
        return [Part("", reader(topic, json_object(content), about))]

    return read


def _time(headers: Headers, name: str) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(headers.get(name, "").strip())
    except ValueError:
        return None
    return at if at.tzinfo else None


KINDS: dict[Kind, ConnectionKind] = {
    Kind.SHOPIFY: ConnectionKind(
        is_signed=lambda secret, body, headers: is_signed_base64(
            secret, body, headers.get("X-Shopify-Hmac-Sha256", "")
        ),
        envelope=_shopify_envelope,
        read=_whole(shopify.read),
    ),
    Kind.WOOCOMMERCE: ConnectionKind(
        is_signed=lambda secret, body, headers: is_signed_base64(
            secret, body, headers.get("X-WC-Webhook-Signature", "")
        ),
        envelope=_woocommerce_envelope,
        read=_whole(woocommerce.read),
        is_ping=lambda body, headers: (
            "X-WC-Webhook-Signature" not in headers and _PING.fullmatch(body) is not None
        ),
    ),
    Kind.MAPPED: ConnectionKind(
        is_signed=is_signed_with_key, envelope=_mapped_envelope, read=mapping.read
    ),
}
