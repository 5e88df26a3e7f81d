"""What ready-made words are put together from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadyText:
    subject: str
    body: str


def mail(title: str, *parts: str, button: str = "") -> str:
    """A body as people write it: a title, texts, a button."""
    lines = [f'<mj-text mj-class="title">{title}</mj-text>', *parts]
    if button:
        lines.append(f'<mj-button href="{{{{ link }}}}">{button}</mj-button>')
    inner = "\n    ".join(lines)
    return f"<mj-section>\n  <mj-column>\n    {inner}\n  </mj-column>\n</mj-section>"


def text(words: str, looks: str = "") -> str:
    named = f' mj-class="{looks}"' if looks else ""
    return f"<mj-text{named}>{words}</mj-text>"


HELLO = "Hello{{#given_name}} {{ given_name }}{{/given_name}},"
