"""Signing in by an account elsewhere, as a browser does it: the form, the way there and back."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.test import Client
from django.urls import reverse

from members.models import SignInProvider
from members.services.audit import SYSTEM
from members.services.sign_in_providers import add_provider
from tests.openid_server import CLIENT_ID, SECRET, OpenIDServer

ANNA = {
    "sub": "1001", "email": "anna@example.com", "email_verified": True, "given_name": "Anna",
    "family_name": "Kim",
}  # fmt: skip


def offer(server: OpenIDServer, *, code: str = "acme", name: str = "Acme") -> SignInProvider:
    return add_provider(
        actor=SYSTEM, code=code, name=name, issuer=server.url, client_id=CLIENT_ID, secret=SECRET,
        is_on=True,
    )  # fmt: skip


def go_there(client: Client, *, code: str = "acme", **said: str) -> dict[str, str]:
    """What the provider is asked."""
    page = client.post(reverse("social_begin", args=[code]), said)
    assert page.status_code == 200, page.content.decode()
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return dict(parse_qsl(urlsplit(unescape(found[1])).query))


def come_back(client: Client, url: str, *, follow: bool = True) -> Any:
    parts = urlsplit(url)
    return client.get(f"{parts.path}?{parts.query}", follow=follow)


def sign_in(client: Client, server: OpenIDServer, **said: str) -> Any:
    """All of it, for whoever sits there and agrees."""
    query = go_there(client, **said)
    assert not server.begin(query)
    return come_back(client, server.agree(query))


def signed_in_as(client: Client) -> int | None:
    found = client.session.get("_auth_user_id")
    return int(found) if found else None
