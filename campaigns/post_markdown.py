"""What a post says, as HTML that can do nothing but be read.

It is written in Markdown. Markup that somebody typed stays text, pictures of other places are not
loaded, and what comes out is cleaned once more, whoever wrote it.
"""

from __future__ import annotations

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

_TAGS = {
    "p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "strong", "em", "a", "ul", "ol", "li",
    "blockquote", "code", "pre",
}  # fmt: skip
# The page's own title is the first.
_FIRST, _LAST = 2, 6


@lru_cache(maxsize=256)
def shown_post(text: str) -> SafeString:
    """The text as it is read."""
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image")
    tokens = parser.parse(text)
    _put_below_title(tokens)
    html = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        html, tags=_TAGS, attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"}, link_rel="noopener nofollow",
    )  # fmt: skip
    # Cleaned above: nothing but these tags is left in it.
    return mark_safe(clean)


def _put_below_title(tokens: list[Token]) -> None:
    """No heading leaves one out, whatever was typed: who listens to the page finds each."""
    typed = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
    below = _FIRST - min(typed, default=1)
    before = level = _FIRST - 1
    for token in tokens:
        if token.type == "heading_open":
            level = min(int(token.tag[1]) + below, before + 1, _LAST)
            before = level
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{level}"
