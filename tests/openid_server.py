"""A server that keeps people's accounts (OpenID Connect) on this machine: its own page where they
agree, codes that count once, and tokens that it really signs. Tests have it misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, SECRET = "shop-1", "s3cret of the shop"
KEY_ID = "key-1"
Claims = dict[str, Any]


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


PUBLISHED, FOREIGN = new_key(), new_key()


@dataclass
class OpenIDServer:
    """`person`: whoever sits there. `bend`: changes what the next token says; `sign`: makes it."""

    url: str = ""
    person: Claims = field(default_factory=dict)
    told: Claims | None = None
    bend: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[[Claims], str] = field(default_factory=lambda: signed)
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/person",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def begin(self, query: dict[str, str]) -> str:
        """The request is as OpenID Connect wants it; what is wrong with it, else nothing."""
        self.asked.append(query)
        wanted = {
            "client_id": CLIENT_ID, "response_type": "code", "code_challenge_method": "S256",
        }  # fmt: skip
        wrong = [name for name, value in wanted.items() if query.get(name) != value]
        wrong += [name for name in ("state", "nonce", "code_challenge") if not query.get(name)]
        if "openid" not in query.get("scope", "").split():
            wrong.append("scope")
        return ", ".join(wrong)

    def agree(self, query: dict[str, str]) -> str:
        """Back to who asked, with a code."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def deny(self, query: dict[str, str]) -> str:
        said = {"error": "access_denied", "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(said)}"

    def token(self, said: dict[str, str]) -> dict[str, Any] | None:
        """For a code, once, and only to who asked for it."""
        asked = self.codes.pop(said.get("code", ""), None)
        if asked is None or (said.get("client_id"), said.get("client_secret")) != (
            CLIENT_ID, SECRET,
        ):  # fmt: skip
            return None
        digest = hashlib.sha256(said.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or said["redirect_uri"] != asked["redirect_uri"]:
            return None
        now = int(time.time())
        claims = self.person | {
            "iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"],
        }  # fmt: skip
        return {
            "access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300,
            "id_token": self.sign(self.bend(claims)),
        }  # fmt: skip


def signed(claims: Claims, key: rsa.RSAPrivateKey = PUBLISHED) -> str:
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": KEY_ID})


def published_keys() -> dict[str, Any]:
    key = jwt.algorithms.RSAAlgorithm.to_jwk(PUBLISHED.public_key(), as_dict=True)
    return {"keys": [key | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}]}


class Handler(BaseHTTPRequestHandler):
    here: OpenIDServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        match parts.path:
            case "/.well-known/openid-configuration":
                self._json(self.here.configuration())
            case "/keys":
                self._json(published_keys())
            case "/person":
                self._json(self.here.person if self.here.told is None else self.here.told)
            case "/authorize":
                wrong = self.here.begin(query)
                self._page(400 if wrong else 200, wrong or _consent(self.here.person, parts.query))
            case "/favicon.ico":
                self._page(204, "")
            case _:
                self._page(404, "nothing")

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", "0"))
        said = {key: value[0] for key, value in parse_qs(self.rfile.read(size).decode()).items()}
        if self.path == "/token":
            found = self.here.token(said)
            self._json(found or {"error": "invalid_grant"}, 200 if found else 400)
            return
        query = dict(parse_qsl(said["query"]))
        back = self.here.agree(query) if said["answer"] == "yes" else self.here.deny(query)
        self.send_response(302)
        self.send_header("Location", back)
        self.end_headers()

    def _json(self, said: Any, status: int = 200) -> None:
        self._send(status, json.dumps(said), "application/json")

    def _page(self, status: int, text: str) -> None:
        self._send(status, text, "text/html; charset=utf-8")

    def _send(self, status: int, text: str, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


def _consent(person: Claims, query: str) -> str:
    who = escape(str(person.get("email", "you")))
    return (
        f"<!doctype html><html lang=en><title>Accounts</title><h1>Tell the shop about {who}?</h1>"
        f'<form method=post action=/decide><input type=hidden name=query value="{escape(query)}">'
        "<button name=answer value=yes>Agree</button><button name=answer value=no>Deny</button>"
        "</form></html>"
    )


@contextmanager
def openid_server() -> Iterator[OpenIDServer]:
    here = OpenIDServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"here": here}))
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    # Whoever ends it waits until it looks whether it is to end.
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
