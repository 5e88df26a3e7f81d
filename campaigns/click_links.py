"""Links in mails by which it is counted that they were followed. Where one leads is signed, so it
leads nowhere else, and it works without a cookie, for ever."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from campaigns.links import absolute

_CLICK, _OPEN = "setia.messages.click", "setia.messages.open"
_ANCHOR = re.compile(r'(<a\b[^>]*?\shref=")(https?://[^"]+)(")', re.IGNORECASE)
# What is longer stays as it is: some mail programs cut long links.
LONGEST = 1_500
# How people decline, confirm and choose is nobody's business.
_UNTOUCHED = ("/messages/", "/me/messages/choices/")
# Parts of an address that tell who it is for: numbers, and what is signed or drawn at random.
_PERSONAL = re.compile(r"\d{5,}|[0-9a-f]{8}-[0-9a-f-]{27}|[\w:.~=-]{25,}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClickLink:
    delivery: UUID
    target: str


def click_url(delivery: UUID, target: str) -> str:
    token = signing.dumps([delivery.hex, target], salt=_CLICK, compress=True)
    return absolute(reverse("messages:follow", args=[token]))


def read_click_token(token: str) -> ClickLink | None:
    try:
        delivery, target = signing.loads(token, salt=_CLICK)
        return ClickLink(UUID(delivery), target)
    except (signing.BadSignature, ValueError):
        return None


def open_url(delivery: UUID) -> str:
    token = signing.dumps(delivery.hex, salt=_OPEN)
    return absolute(reverse("messages:opened", args=[token]))


def read_open_token(token: str) -> UUID | None:
    try:
        return UUID(signing.loads(token, salt=_OPEN))
    except (signing.BadSignature, ValueError):
        return None


def is_untouched(target: str) -> bool:
    return target.startswith(tuple(absolute(path) for path in _UNTOUCHED))


def with_counted_links(html: str, delivery: UUID) -> str:
    """Every link to the web leads over ours, but those by which somebody declines or chooses."""

    def counted(found: re.Match[str]) -> str:
        target = unescape(found.group(2))
        if is_untouched(target) or len(target) > LONGEST:
            return found.group(0)
        return f"{found.group(1)}{escape(click_url(delivery, target))}{found.group(3)}"

    return _ANCHOR.sub(counted, html)


def with_pixel(html: str, delivery: UUID) -> str:
    """At the end: a mail that is cut off is not counted, rather than being counted wrongly."""
    image = f'<img src="{escape(open_url(delivery))}" width="1" height="1" alt="">'
    head, end, tail = html.rpartition("</body>")
    return f"{head}{image}{end}{tail}" if end else f"{html}{image}"


def place_of(target: str) -> str:
    """Where a link leads, without what is personal in it: no query, no numbers of people."""
    parts = urlsplit(target)
    path = "/".join("…" if _PERSONAL.fullmatch(part) else part for part in parts.path.split("/"))
    own = parts.netloc == urlsplit(settings.SITE_URL).netloc
    return ((path or "/") if own else f"{parts.netloc}{path}")[:200]
