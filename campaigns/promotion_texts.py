"""Ready-made words for what is told of promotions, in English."""

from __future__ import annotations

from campaigns.text_parts import HELLO, ReadyText, mail, text

_CODE = "{{#code}}Your code: {{ code }}. Type it at the checkout.{{/code}}"
PROMOTION_TEXTS: dict[tuple[str, str], ReadyText] = {
    ("promotion_teaser", "email"): ReadyText(
        "{{ title }}",
        mail(
            "{{ title }}",
            text(f"{HELLO}<br>it begins on {{{{ begins }}}}."),
            text("You will find it on your page then.", "soft"),
            button="Go to your page",
        ),
    ),
    ("promotion_teaser", "inbox"): ReadyText("{{ title }}", "It begins on {{ begins }}."),
    ("promotion_begun", "email"): ReadyText(
        "{{ title }}",
        mail(
            "{{ title }}",
            text(f"{HELLO}<br>{{{{#text}}}}{{{{ text }}}}{{{{/text}}}}"),
            text(_CODE),
            text("It lasts until {{ ends }}.", "soft"),
            button="See what is on for you",
        ),
    ),
    ("promotion_begun", "inbox"): ReadyText(
        "{{ title }}",
        "{{#text}}{{ text }} {{/text}}{{#code}}Your code: {{ code }}. {{/code}}It lasts until"
        " {{ ends }}.",
    ),
    ("promotion_last_day", "email"): ReadyText(
        "Last day: {{ title }}",
        mail(
            "Last day: {{ title }}",
            text(f"{HELLO}<br>{{{{#text}}}}{{{{ text }}}}{{{{/text}}}}"),
            text(_CODE),
            text("It ends today: {{ ends }}.", "soft"),
            button="See what is on for you",
        ),
    ),
    ("promotion_last_day", "inbox"): ReadyText(
        "Last day: {{ title }}",
        "{{#text}}{{ text }} {{/text}}{{#code}}Your code: {{ code }}. {{/code}}It ends today:"
        " {{ ends }}.",
    ),
}  # fmt: skip
