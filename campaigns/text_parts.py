"""What ready-made words are put together from: English as it is written here, and what is told of
it in the language that is active."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext, override

from campaigns.channels import Channel

HELLO = "Hello{{#given_name}} {{ given_name }}{{/given_name}},"
# What a text may consist of without saying a word.
_NO_WORDS = re.compile(r"{{.*?}}|<.*?>")


@dataclass(frozen=True, slots=True)
class Paragraph:
    words: str
    looks: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """A body as people write it: a title, texts, a button."""

    title: str
    parts: tuple[Paragraph, ...]
    button: str = ""


@dataclass(frozen=True, slots=True)
class ReadyText:
    """In English. Each of its words is looked up in the catalogs as it stands here."""

    subject: str
    body: str | Mail

    def words(self) -> Iterator[str]:
        """What is to be translated."""
        found = [self.subject]
        if isinstance(self.body, Mail):
            paragraphs = [part.words for part in self.body.parts]
            found += [self.body.title, *paragraphs, self.body.button]
        else:
            found.append(self.body)
        return filter(says_something, found)


@dataclass(frozen=True, slots=True)
class ToldText:
    """In one language, as it is filled in and sent."""

    subject: str
    body: str


def mail(title: str, *parts: Paragraph, button: str = "") -> Mail:
    return Mail(title, parts, button)


def text(words: str, looks: str = "") -> Paragraph:
    return Paragraph(words, looks)


def beginning(channel: Channel, language: str) -> str:
    """What words begin with that nothing is ready-made for."""
    with override(language):
        if not channel.markup:
            return "" if channel.is_short else told(HELLO)
        return _marked(Mail("", (Paragraph(HELLO),)))


def says_something(words: str) -> bool:
    return any(letter.isalpha() for letter in _NO_WORDS.sub("", words))


def told(words: str) -> str:
    """In the language that is active."""
    return gettext(words) if says_something(words) else words


def told_text(ready: ReadyText) -> ToldText:
    """In the language that is active."""
    body = ready.body
    return ToldText(told(ready.subject), _marked(body) if isinstance(body, Mail) else told(body))


def _marked(body: Mail) -> str:
    lines = [f'<mj-text mj-class="title">{told(body.title)}</mj-text>'] if body.title else []
    for part in body.parts:
        named = f' mj-class="{part.looks}"' if part.looks else ""
        lines.append(f"<mj-text{named}>{told(part.words)}</mj-text>")
    if body.button:
        lines.append(f'<mj-button href="{{{{ link }}}}">{told(body.button)}</mj-button>')
    inner = "\n    ".join(lines)
    return f"<mj-section>\n  <mj-column>\n    {inner}\n  </mj-column>\n</mj-section>"
