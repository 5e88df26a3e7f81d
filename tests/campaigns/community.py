"""Short ways to posts, comments and a forum. All go through the services."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import uuid4

from campaigns.models import Forum, Post, PostComment
from campaigns.services.community_names import choose_name
from campaigns.services.forum import ForumTerms, save_forum
from campaigns.services.post_comments import write_comment
from campaigns.services.posts import PostTerms, create_post, publish_post
from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW

SECRET = "a secret that both know"
KEY = "key-of-the-forum"
GROUPS = {"gold": "gold-members", "basic": "basic-members"}
TIERS: dict[str, Any] = {"metric": "spend", "window": "lifetime", "tiers": [
    {"code": "basic", "name": "Basic"},
    {"code": "gold", "name": "Gold", "threshold": 100,
     "benefits": [{"kind": "early_access", "hours": 24}]},
]}  # fmt: skip
GOLD: dict[str, Any] = {"field": "membership.tier", "op": "is", "value": "gold"}


def make_post(program: Program, *, at: dt.datetime | None = NOW, **said: Any) -> Post:
    """Published at this time; None: a draft."""
    terms = PostTerms(**{"title": "Your first loaf", "body": "Flour and **time**."} | said)
    post = create_post(program=program, terms=terms, actor=SYSTEM)
    return post if at is None else publish_post(post=post, actor=SYSTEM, now=at)


def say(
    post: Post, member: Membership, text: str = "It worked.", *, at: dt.datetime = NOW,
    name: str = "",
) -> PostComment:  # fmt: skip
    if name:
        choose_name(membership=member, name=name, now=at)
    return write_comment(post=post, membership=member, text=text, form=uuid4(), now=at)


def make_forum(program: Program, url: str = "https://forum.example", **said: Any) -> Forum:
    terms = {"secret": SECRET, "api_key": KEY, "is_on": True}
    return save_forum(terms=ForumTerms(program=program, url=url, **terms | said), actor=SYSTEM)


def asked(
    forum_url: str = "https://forum.example", *, nonce: str = "n1", secret: str = SECRET,
    back: str = "",
) -> str:  # fmt: skip
    """The query with which a forum sends somebody, put together as its documents say, by nothing
    of ours."""
    fields = {"nonce": nonce, "return_sso_url": back or f"{forum_url}/session/sso_login"}
    payload = base64.b64encode(urlencode(fields).encode())
    sig = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    return urlencode({"sso": payload.decode(), "sig": sig})


def told_in(location: str, secret: str = SECRET) -> dict[str, str]:
    """What a forum reads in the answer, once it has checked who signed it."""
    query = parse_qs(urlsplit(location).query)
    return opened(query["sso"][0], query["sig"][0], secret)


def opened(payload: str, sig: str, secret: str = SECRET) -> dict[str, str]:
    good = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    assert hmac.compare_digest(good, sig)
    return dict(parse_qsl(base64.b64decode(payload).decode(), keep_blank_values=True))


@dataclass
class Discourse:
    """A forum on this machine that speaks the protocol: it knows people by their external ids, and
    does nothing without its key or with a wrong signature."""

    port: int = 0
    people: dict[str, dict[str, str]] = field(default_factory=dict)
    groups: set[str] = field(default_factory=lambda: set(GROUPS.values()))
    anonymous: list[int] = field(default_factory=list)
    out: list[int] = field(default_factory=list)
    refused: int = 0
    # Answers with this instead.
    down: int = 0
    lock: Lock = field(default_factory=Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def number(self, external_id: str) -> int | None:
        known = list(self.people)
        return known.index(external_id) + 1 if external_id in known else None

    def answer(self, method: str, path: str, headers: Any, form: dict[str, str]) -> tuple[int, Any]:
        if self.down:
            return self.down, {}
        if headers.get("Api-Key") != KEY or headers.get("Api-Username") != "system":
            self.refused += 1
            return 403, {"errors": ["invalid_access"]}
        return self._done(method, path.strip("/").split("/"), form)

    def _done(self, method: str, parts: list[str], form: dict[str, str]) -> tuple[int, Any]:
        match (method, parts):
            case "POST", ["admin", "users", "sync_sso"]:
                return self._sync(form)
            case "GET", ["u", "by-external", name]:
                number = self.number(name.removesuffix(".json"))
                return (200, {"user": {"id": number}}) if number else (404, {})
            case "GET", ["groups", name]:
                known = name.removesuffix(".json") in self.groups
                return (200, {"group": {}}) if known else (404, {})
            case "GET", ["admin", "users", "list", "new.json"]:
                return 200, []
            case "POST", ["admin", "users", number, "log_out"]:
                self.out.append(int(number))
                return 200, {"success": "OK"}
            case "PUT", ["admin", "users", number, "anonymize.json"]:
                self.anonymous.append(int(number))
                return 200, {"success": "OK"}
        return 404, {}

    def _sync(self, form: dict[str, str]) -> tuple[int, Any]:
        try:
            said = opened(form["sso"], form["sig"])
        except (AssertionError, KeyError):
            self.refused += 1
            return 422, {"message": "bad signature"}
        self.people.setdefault(said["external_id"], {}).update(said)
        return 200, {"id": self.number(said["external_id"])}


@contextmanager
def a_discourse() -> Iterator[Discourse]:
    found = Discourse()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
            with found.lock:
                status, body = found.answer(self.command, self.path, self.headers, form)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _handle  # noqa: N815

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
