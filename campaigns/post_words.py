"""What a post says, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.models import Post
from members.languages import said_in

TEXTS = ("title", "teaser", "body")


@dataclass(frozen=True, slots=True)
class ToldPost:
    title: str
    teaser: str
    body: str


def told_post(post: Post, locale: str = "") -> ToldPost:
    """In the language of `locale`, or of the page where that is empty; what is not said in it is as
    in the first one."""
    said: Mapping[str, Any] = said_in(post.texts, locale) or {}
    return ToldPost(**{name: said.get(name) or getattr(post, name) for name in TEXTS})
