"""Ready-made words about posts, in English."""

from __future__ import annotations

from campaigns.text_parts import HELLO, ReadyText, mail, text

POST_TEXTS: dict[tuple[str, str], ReadyText] = {
    ("post", "email"): ReadyText(
        "{{ post }}",
        mail(
            "{{ post }}",
            text(f"{HELLO}<br>there is something new to read for you."),
            text("{{#teaser}}{{ teaser }}{{/teaser}}"),
            button="Read it",
        ),
    ),
    ("post", "inbox"): ReadyText("{{ post }}", "{{#teaser}}{{ teaser }}{{/teaser}}"),
}  # fmt: skip
