"""The line to Google, by which what was saved in its wallet stays true."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import httpx2
import jwt

from loyalty.wallet_passes.contents import PassContents
from loyalty.wallet_passes.google import class_id, loyalty_class, loyalty_object, object_id
from loyalty.wallet_passes.keys import GooglePassKeys

SECONDS = 10.0
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# A card is one's own, on whatever devices one has. Told besides, since a link has no room for it.
HOLDERS = {"multipleDevicesAndHoldersAllowedStatus": "ONE_USER_ALL_DEVICES"}
# Of the assertion; what it is exchanged for is used at once.
LIFE = dt.timedelta(minutes=10)

Told = Literal["told", "unknown"]


class GoogleError(Exception):
    """Google has not taken a change: to be tried again."""


class NoGoogleLineError(GoogleError):
    """Nor would it take any other: there is no line to it, or no token."""


class GoogleLine:
    """For many passes, with one token."""

    def __init__(self, client: httpx2.Client, keys: GooglePassKeys) -> None:
        self._client, self._keys = client, keys

    def tell(self, contents: PassContents) -> Told:
        """ "unknown": nobody has saved it. Raises GoogleError."""
        where = f"loyaltyObject/{object_id(contents, self._keys)}"
        return self._patch(where, loyalty_object(contents, self._keys))

    def tell_program(self, contents: PassContents) -> Told:
        """What the program of a pass is called, what it looks like, and who may have a card."""
        where = f"loyaltyClass/{class_id(contents, self._keys)}"
        return self._patch(where, {**loyalty_class(contents, self._keys), **HOLDERS})

    def _patch(self, where: str, what: dict[str, Any]) -> Told:
        answer = _asked(self._client, "PATCH", f"{self._keys.api_url}/{where}", json=what)
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return "unknown"
        _require_success(answer)
        return "told"


@contextmanager
def google_line(keys: GooglePassKeys, now: dt.datetime) -> Iterator[GoogleLine]:
    """Raises NoGoogleLineError where there is no token to be had."""
    with httpx2.Client(timeout=SECONDS) as client:
        client.headers["Authorization"] = f"Bearer {_token(client, keys, now)}"
        yield GoogleLine(client, keys)


def _token(client: httpx2.Client, keys: GooglePassKeys, now: dt.datetime) -> str:
    claims = {
        "iss": keys.account, "scope": SCOPE, "aud": keys.token_url,
        "iat": int(now.timestamp()), "exp": int((now + LIFE).timestamp()),
    }  # fmt: skip
    assertion = jwt.encode(claims, keys.key, algorithm="RS256", headers={"kid": keys.key_id})
    asked = {"grant_type": GRANT, "assertion": assertion}
    answer = _asked(client, "POST", keys.token_url, data=asked)
    try:
        _require_success(answer)
        return str(answer.json()["access_token"])
    except (GoogleError, ValueError, KeyError, TypeError) as error:
        raise NoGoogleLineError(f"no token: HTTP {answer.status_code}") from error


def _asked(client: httpx2.Client, method: str, url: str, **what: Any) -> httpx2.Response:
    try:
        return client.request(method, url, **what)
    except httpx2.HTTPError as error:
        raise NoGoogleLineError(type(error).__name__) from error


def _require_success(answer: httpx2.Response) -> None:
    if not answer.is_success:
        raise GoogleError(f"HTTP {answer.status_code}")
