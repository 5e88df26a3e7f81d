"""Ready-made words about games, in English."""

from __future__ import annotations

from campaigns.text_parts import HELLO as _HELLO
from campaigns.text_parts import ReadyText
from campaigns.text_parts import mail as _mail
from campaigns.text_parts import text as _text

_PLAY = "Play"
_UNTIL = _text("{{#until}}Until {{ until }}.{{/until}}", "soft")

GAME_TEXTS: dict[tuple[str, str], ReadyText] = {
    ("game_play", "email"): ReadyText(
        "{{ game }}: {{ plays }} for you",
        _mail(
            "{{ game }}",
            _text(f"{_HELLO}<br>there is something for you to play: <b>{{{{ plays }}}}</b>."),
            _UNTIL,
            button=_PLAY,
        ),
    ),
    ("game_play", "inbox"): ReadyText(
        "{{ game }}: {{ plays }} for you",
        "See what you win.{{#until}} Until {{ until }}.{{/until}}",
    ),
    ("game_won", "email"): ReadyText(
        "You have won: {{ prize }}",
        _mail(
            "You have won",
            _text(f"{_HELLO}<br>this is yours now, from “{{{{ game }}}}”:"),
            _text("{{ prize }}", "figure"),
            button="Have a look",
        ),
    ),
    ("game_won", "inbox"): ReadyText("You have won: {{ prize }}", "From “{{ game }}”."),
    ("game_play_ends", "email"): ReadyText(
        "{{ game }}: do not let it go",
        _mail(
            "{{ game }}",
            _text(f"{_HELLO}<br>this can still be played: <b>{{{{ plays }}}}</b>."),
            _UNTIL,
            button=_PLAY,
        ),
    ),
    ("game_play_ends", "inbox"): ReadyText(
        "{{ game }}: do not let it go",
        "{{ plays }}.{{#until}} Until {{ until }}.{{/until}}",
    ),
    ("game_ends", "email"): ReadyText(
        "{{ game }} ends soon",
        _mail(
            "{{ game }} ends soon",
            _text(f"{_HELLO}<br>this can still be played: <b>{{{{ plays }}}}</b>."),
            _UNTIL,
            button=_PLAY,
        ),
    ),
    ("game_ends", "inbox"): ReadyText(
        "{{ game }} ends soon", "{{ plays }}.{{#until}} Until {{ until }}.{{/until}}"
    ),
}  # fmt: skip
