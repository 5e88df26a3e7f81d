"""What a post says, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language

from campaigns.models import Post
from members.languages import nearest

TEXTS = ("title", "teaser", "body")


@dataclass(frozen=True, slots=True)
class ToldPost:
    title: str
    teaser: str
    body: str


def told_post(post: Post, locale: str = "") -> ToldPost:
    """In the language of `locale`, or of the page where that is empty; what is not said in it is as
    in the first one."""
    said: Mapping[str, Any] = {}
    for language in nearest(locale or get_language() or ""):
        if language in post.texts:
            said = post.texts[language]
            break
    return ToldPost(**{name: said.get(name) or getattr(post, name) for name in TEXTS})
