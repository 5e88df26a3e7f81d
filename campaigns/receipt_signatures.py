"""Whether what a way is told comes from its provider: as a gateway of one's own signs, or as the
provider does."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from django.utils.crypto import salted_hmac

from campaigns.connectors.kinds import is_signed_with_key
from campaigns.receipt_mappings import Signed
from campaigns.webhook_secrets import is_signed, read

Headers = Mapping[str, str]


def is_from_provider(
    *, signed: Signed, secret: str, url: str, body: bytes, headers: Headers, now: dt.datetime
) -> bool:
    """`url`: the address to which it was told, as the provider knows it."""
    if not secret:
        return False
    match signed:
        case Signed.STANDARD:
            return is_signed(headers=headers, body=body, at=now, key=read(secret))
        case Signed.KEY:
            return is_signed_with_key(secret, body, headers)
        case Signed.TWILIO:
            given, own = headers.get("X-Twilio-Signature", ""), _twilio(secret, url, body)
            return own is not None and hmac.compare_digest(given.encode(), own)
        case Signed.META:
            given = headers.get("X-Hub-Signature-256", "").removeprefix("sha256=").lower()
            right = hmac.new(secret.encode(), body, "sha256").hexdigest()
            return hmac.compare_digest(given.encode(), right.encode())


def word_for_meta(channel: str) -> str:
    """By which Meta shows, as the address is named there, that it was named by the merchant."""
    return salted_hmac("setia.receipts.word", channel, algorithm="sha256").hexdigest()[:32]


def _twilio(secret: str, url: str, body: bytes) -> bytes | None:
    """The HMAC-SHA1 of the address with all that the form says, sorted by name; none of what is no
    form, so that nothing is right for it."""
    try:
        fields = sorted(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return None
    said = url + "".join(f"{name}{value}" for name, value in fields)
    return base64.b64encode(hmac.digest(secret.encode(), said.encode(), "sha1"))
