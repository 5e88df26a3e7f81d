"""Ready-made words about friends whom members bring, in English."""

from __future__ import annotations

from campaigns.text_parts import HELLO, ReadyText, mail, text

REFERRAL_TEXTS: dict[tuple[str, str], ReadyText] = {
    ("friend_joined", "email"): ReadyText(
        "{{ friend }} has joined by your link",
        mail(
            "{{ friend }} is one of us now",
            text(f"{HELLO}<br>{{{{ friend }}}} has joined {{{{ program }}}} by your link. Once they"
                 " buy something and keep it, there is something for you."),
            button="Your friends",
        ),
    ),
    ("friend_joined", "inbox"): ReadyText(
        "{{ friend }} has joined by your link",
        "Once they buy something and keep it, there is something for you.",
    ),
    ("friend_bought", "email"): ReadyText(
        "{{ friend }} has bought something",
        mail(
            "{{ friend }} has bought something",
            text(f"{HELLO}<br>if they keep it, what we promised is yours on {{{{ due }}}}."),
            button="Your friends",
        ),
    ),
    ("friend_bought", "inbox"): ReadyText(
        "{{ friend }} has bought something",
        "If they keep it, what we promised is yours on {{ due }}.",
    ),
    ("friend_paid", "email"): ReadyText(
        "{{ gift }} for bringing {{ friend }}",
        mail(
            "Thank you for bringing {{ friend }}",
            text(f"{HELLO}<br>this is yours:"),
            text("{{ gift }}", "figure"),
            button="Bring another friend",
        ),
    ),
    ("friend_paid", "inbox"): ReadyText(
        "{{ gift }} for bringing {{ friend }}",
        "Thank you. You can use it at once.",
    ),
    ("referral_gift", "email"): ReadyText(
        "{{ gift }} for you",
        mail(
            "Good that you came",
            text(f"{HELLO}<br>a friend told you of {{{{ program }}}}, and this is yours for it:"),
            text("{{ gift }}", "figure"),
            button="See what you can take",
        ),
    ),
    ("referral_gift", "inbox"): ReadyText(
        "{{ gift }} for you",
        "Because you came by a friend. You can use it at once.",
    ),
    ("referral_share", "email"): ReadyText(
        "{{ gift }} for you",
        mail(
            "Your share of a purchase",
            text(f"{HELLO}<br>this is your share of a purchase."
                 "{{#friend}} {{ friend }} has bought something.{{/friend}}"),
            text("{{ gift }}", "figure"),
            button="See what you have",
        ),
    ),
    ("referral_share", "inbox"): ReadyText(
        "{{ gift }} for you",
        "Your share of a purchase.{{#friend}} {{ friend }} has bought something.{{/friend}}",
    ),
}  # fmt: skip
