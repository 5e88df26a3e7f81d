"""DiscourseConnect as it is documented: what a forum asks and what it is answered, signed with the
secret that both know. Nothing here touches the database or the net."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

# Where a forum waits for its answer.
RETURN_PATH = "/session/sso_login"
LONGEST = 4000
SHORTEST_SECRET = 10


class RequestRefusedError(Exception):
    """What came is not a request of the forum. `code`: bad_signature, malformed, foreign_return."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """Somebody wants to sign in at the forum."""

    nonce: str
    return_url: str

    @property
    def digest(self) -> str:
        """By which it is known again."""
        return hashlib.sha256(self.nonce.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is, as the forum is told. `username`: empty: they chose none."""

    external_id: str
    email: str
    email_verified: bool
    username: str = ""
    title: str = ""
    add_groups: Sequence[str] = ()
    remove_groups: Sequence[str] = ()


def signature(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def packed(fields: Mapping[str, str]) -> str:
    return base64.b64encode(urlencode(fields).encode()).decode()


def signed(secret: str, fields: Mapping[str, str]) -> dict[str, str]:
    """`sso` and `sig` for these fields."""
    payload = packed(fields)
    return {"sso": payload, "sig": signature(secret, payload)}


def unpacked(payload: str) -> dict[str, str]:
    """The fields of a payload. Raises RequestRefusedError."""
    try:
        text = base64.b64decode(payload, validate=True).decode()
        found = parse_qs(text, strict_parsing=True, max_num_fields=40)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise RequestRefusedError("malformed") from error
    return {name: values[0] for name, values in found.items()}


def read_request(forum_url: str, secret: str, sso: str, sig: str) -> SignInRequest:
    """What the forum asks. Raises RequestRefusedError where it is signed by somebody else, or leads
    to where the forum is not."""
    if not secret or not sso or len(sso) > LONGEST or len(sig) > LONGEST:
        raise RequestRefusedError("malformed")
    if not hmac.compare_digest(signature(secret, sso).encode(), sig.lower().encode()):
        raise RequestRefusedError("bad_signature")
    fields = unpacked(sso)
    nonce, back = fields.get("nonce", ""), fields.get("return_sso_url", "")
    if not nonce:
        raise RequestRefusedError("malformed")
    if not leads_back(forum_url, back):
        raise RequestRefusedError("foreign_return")
    return SignInRequest(nonce, back)


def leads_back(forum_url: str, address: str) -> bool:
    """Whether an address is where this forum waits for answers: its own scheme, host and port, and
    that path below its own."""
    if any(ord(sign) <= 32 or ord(sign) == 127 or sign == "\\" for sign in address):
        return False
    try:
        home, back = urlsplit(forum_url), urlsplit(address)
        same = (home.scheme, home.hostname, home.port) == (back.scheme, back.hostname, back.port)
    except ValueError:
        return False
    plain = back.username is None and back.password is None and not back.query
    return same and plain and not back.fragment and back.path == home.path.rstrip("/") + RETURN_PATH


def answer_url(request: SignInRequest, secret: str, person: Person) -> str:
    """Where the person goes on, signed in."""
    fields = {"nonce": request.nonce, **person_fields(person)}
    return f"{request.return_url}?{urlencode(signed(secret, fields))}"


def person_fields(person: Person) -> dict[str, str]:
    """Never whether somebody runs the forum: that is said there alone."""
    found = {
        "external_id": person.external_id,
        "email": person.email,
        "require_activation": "false" if person.email_verified else "true",
        "title": person.title,
        "add_groups": ",".join(person.add_groups),
        "remove_groups": ",".join(person.remove_groups),
    }
    if person.username:
        found |= {"username": person.username, "name": person.username}
    return found
