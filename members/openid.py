"""What a server says that keeps people's accounts (OpenID Connect): where it is asked, and whose
account a token is about.

A token is believed only with a signature by a key of its server, whatever way it came.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from django.conf import settings

SECONDS = 5
LONGEST = 1_000_000
# None by which whoever knows our secret, or everybody, could sign.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
CLOCKS_APART = 60
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "nonce")


class OpenIDError(Exception):
    """The server does not answer, or not as it should: nothing is known of anybody."""


def discover(issuer: str) -> dict[str, Any]:
    """What the server says about itself. Raises OpenIDError."""
    found = _document(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        raise OpenIDError("it calls itself otherwise")
    if not all(is_safe(found.get(name)) for name in _NEEDED):
        raise OpenIDError("it does not say where it is asked")
    return found


def is_safe(url: object) -> bool:
    """Whether secrets may go there: encrypted, or to this machine while developing."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    own = settings.DEVELOPMENT and parts.hostname in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" or (own and parts.scheme == "http")


def verified_claims(
    id_token: str, *, config: Mapping[str, Any], client_id: str, nonce: str
) -> dict[str, Any]:
    """What a token says, once it is shown to be the server's, for us, of now, and for this sign-in
    (`nonce`). Raises OpenIDError."""
    try:
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key=_key_of(id_token, _document(config["jwks_uri"])),
            algorithms=list(ALGORITHMS),
            audience=client_id,
            issuer=config["issuer"],
            leeway=CLOCKS_APART,
            options={"require": list(_CLAIMS)},
        )
    except jwt.PyJWTError as error:
        raise OpenIDError(f"the token is not valid: {type(error).__name__}") from error
    if claims.get("azp", client_id) != client_id:
        raise OpenIDError("the token is for somebody else")
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise OpenIDError("the token is of another sign-in")
    return claims


def is_yes(claim: object) -> bool:
    """Some servers write it as a text; "false" is one, too."""
    return claim is True or claim == "true"


def _key_of(id_token: str, keys: dict[str, Any]) -> jwt.PyJWK:
    named = jwt.get_unverified_header(id_token).get("kid")
    found = jwt.PyJWKSet.from_dict(keys).keys
    fitting = [key for key in found if key.key_id == named] if named else found
    if len(fitting) != 1:
        raise OpenIDError("the token is signed by a key that is not known")
    return fitting[0]


def _document(url: str) -> dict[str, Any]:
    if not is_safe(url):
        raise OpenIDError("the address is not encrypted")
    try:
        with requests.get(url, timeout=SECONDS, allow_redirects=False, stream=True) as response:
            response.raise_for_status()
            found = None if response.is_redirect else json.loads(_content(response))
    except (requests.RequestException, ValueError) as error:
        raise OpenIDError(type(error).__name__) from error
    if not isinstance(found, dict):
        raise OpenIDError("no document")
    return found


def _content(response: requests.Response) -> bytes:
    """Not more than a document has, nor for longer: whoever answers drop by drop is cut off."""
    found, until = b"", time.monotonic() + SECONDS
    for part in response.iter_content(16_384):
        found += part
        if len(found) > LONGEST or time.monotonic() > until:
            raise OpenIDError("no document")
    return found
