"""The line to Apple's push service: it wakes a device, which then asks us what has changed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import httpx2

from loyalty.wallet_passes.keys import ApplePassKeys

SECONDS = 10.0
# A push says nothing itself.
NOTHING = b"{}"
# Said of a token that will never be good again.
NEVER_AGAIN = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered"})

Told = Literal["told", "gone"]


class PushError(Exception):
    """Apple has not taken a push: to be tried again."""


class NoPushLineError(PushError):
    """Nor would it take any other: there is no line to it."""


class PushLine:
    """One connection for many pushes, which shows the certificate of the pass type."""

    def __init__(self, client: httpx2.Client, keys: ApplePassKeys) -> None:
        self._client, self._keys = client, keys

    def tell(self, push_token: str) -> Told:
        """Raises PushError."""
        try:
            answer = self._client.post(
                f"{self._keys.push_url}/3/device/{push_token}",
                headers={"apns-topic": self._keys.pass_type},
                content=NOTHING,
            )
        except httpx2.HTTPError as error:
            raise NoPushLineError(type(error).__name__) from error
        if answer.is_success:
            return "told"
        reason = _reason(answer)
        if answer.status_code == httpx2.codes.GONE or reason in NEVER_AGAIN:
            return "gone"
        raise PushError(f"HTTP {answer.status_code} {reason}".strip())


@contextmanager
def push_line(keys: ApplePassKeys) -> Iterator[PushLine]:
    """Raises NoPushLineError where the files are there no more."""
    shown = ssl.create_default_context()
    try:
        shown.load_cert_chain(keys.certificate_path, keys.key_path, keys.password or None)
    except OSError as error:
        raise NoPushLineError(f"{keys.certificate_path}: {type(error).__name__}") from error
    with httpx2.Client(http1=False, http2=True, verify=shown, timeout=SECONDS) as client:
        yield PushLine(client, keys)


def _reason(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["reason"])
    except (ValueError, KeyError, TypeError):
        return ""
