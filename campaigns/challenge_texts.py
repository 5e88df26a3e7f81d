"""Ready-made words about challenges, in English."""

from __future__ import annotations

from campaigns.text_parts import HELLO as _HELLO
from campaigns.text_parts import ReadyText
from campaigns.text_parts import mail as _mail
from campaigns.text_parts import text as _text

_UNTIL = _text("It is on until {{ until }}.", "soft")

CHALLENGE_TEXTS: dict[tuple[str, str], ReadyText] = {
    ("challenge_started", "email"): ReadyText(
        "{{ challenge }}: you are in",
        _mail(
            "{{ challenge }}",
            _text(f"{_HELLO}<br>you take part now. {{{{#text}}}}{{{{ text }}}}{{{{/text}}}}"),
            _text("What is yours once you have done it: <b>{{ brings }}</b>"),
            _UNTIL,
            button="See how far you are",
        ),
    ),
    ("challenge_started", "inbox"): ReadyText(
        "{{ challenge }}: you are in",
        "{{#text}}{{ text }} {{/text}}Yours once it is done: {{ brings }}. Until {{ until }}.",
    ),
    ("challenge_nearly", "email"): ReadyText(
        "{{ challenge }}: nearly there",
        _mail(
            "{{ percent }} are done",
            _text(f"{_HELLO}<br>only a little is missing in “{{{{ challenge }}}}”."),
            _text("What is yours then: <b>{{ brings }}</b>"),
            _UNTIL,
            button="See what is missing",
        ),
    ),
    ("challenge_nearly", "inbox"): ReadyText(
        "{{ challenge }}: nearly there",
        "{{ percent }} are done. What is yours then: {{ brings }}. Until {{ until }}.",
    ),
    ("challenge_won", "email"): ReadyText(
        "You did it: {{ challenge }}",
        _mail(
            "You did it",
            _text(f"{_HELLO}<br>“{{{{ challenge }}}}” is done, and this is yours:"),
            _text("{{ brings }}", "figure"),
            button="Have a look",
        ),
    ),
    ("challenge_won", "inbox"): ReadyText(
        "You did it: {{ challenge }}", "This is yours now: {{ brings }}.",
    ),
    ("challenge_ended", "email"): ReadyText(
        "{{ challenge }} is over",
        _mail(
            "Not this time",
            _text(f"{_HELLO}<br>the time of “{{{{ challenge }}}}” is over."
                  " You came to {{ percent }} of it."),
            _text("There will be another one.", "soft"),
            button="See what else is on",
        ),
    ),
    ("challenge_ended", "inbox"): ReadyText(
        "{{ challenge }} is over", "You came to {{ percent }} of it. There will be another one.",
    ),
}  # fmt: skip
