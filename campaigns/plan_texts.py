"""Ready-made words for what is told about paid plans, in English."""

from __future__ import annotations

from campaigns.text_parts import HELLO, ReadyText, mail, text

PLAN_TEXTS: dict[tuple[str, str], ReadyText] = {
    ("plan_trial_ends", "email"): ReadyText(
        "Your trial of {{ plan }} ends on {{ day }}",
        mail(
            "Your trial ends soon",
            text(f"{HELLO}<br>your trial of {{{{ plan }}}} ends on {{{{ day }}}}. "
                 "Your first payment is on that day; then it is {{ price }}, until you cancel."),
            text("If you do not want to go on, cancel before that day and you pay nothing.",
                 "soft"),
            button="See your plan",
        ),
    ),
    ("plan_trial_ends", "inbox"): ReadyText(
        "Your trial of {{ plan }} ends on {{ day }}",
        "Your first payment is on that day; then it is {{ price }}, until you cancel. Cancel "
        "before that day and you pay nothing.",
    ),
    ("plan_renewed", "email"): ReadyText(
        "{{ plan }} goes on",
        mail(
            "{{ plan }} goes on",
            text(f"{HELLO}<br>you have {{{{ plan }}}} until {{{{ until }}}}. Thank you."),
            text("{{ amount }}", "figure"),
            text("{{#pay_by}}Please pay the invoice by {{ pay_by }}.{{/pay_by}}"),
            button="See your invoices",
        ),
    ),
    ("plan_renewed", "inbox"): ReadyText(
        "{{ plan }} goes on",
        "You have it until {{ until }}, for {{ amount }}."
        "{{#pay_by}} Please pay the invoice by {{ pay_by }}.{{/pay_by}}",
    ),
    ("plan_payment_failed", "email"): ReadyText(
        "Your payment for {{ plan }} is missing",
        mail(
            "Your payment is missing",
            text(f"{HELLO}<br>we did not get {{{{ amount }}}} for {{{{ plan }}}}."),
            text("{{#again}}We try again on {{ again }}. {{/again}}"
                 "{{#ends}}Without a payment your plan ends on {{ ends }}; until then you keep "
                 "all that it brings.{{/ends}}"),
            button="See how you pay",
        ),
    ),
    ("plan_payment_failed", "inbox"): ReadyText(
        "Your payment for {{ plan }} is missing",
        "We did not get {{ amount }}.{{#again}} We try again on {{ again }}.{{/again}}"
        "{{#ends}} Without a payment your plan ends on {{ ends }}.{{/ends}}",
    ),
    ("plan_canceled", "email"): ReadyText(
        "{{ plan }} is canceled",
        mail(
            "{{ plan }} is canceled",
            text(f"{HELLO}<br>you keep all that {{{{ plan }}}} brings until {{{{ until }}}}. "
                 "After that nothing is charged any more."),
            text("You can take it up again until then.", "soft"),
            button="See your plan",
        ),
    ),
    ("plan_canceled", "inbox"): ReadyText(
        "{{ plan }} is canceled",
        "You keep all that it brings until {{ until }}. Until then you can take it up again.",
    ),
    ("plan_ended", "email"): ReadyText(
        "{{ plan }} has ended",
        mail(
            "{{ plan }} has ended",
            text(f"{HELLO}<br>{{{{ plan }}}} ended on {{{{ day }}}}"
                 "{{#unpaid}}, because it was not paid{{/unpaid}}. What you have collected stays "
                 "yours, and nothing is charged any more."),
            button="See the plans",
        ),
    ),
    ("plan_ended", "inbox"): ReadyText(
        "{{ plan }} has ended",
        "It ended on {{ day }}{{#unpaid}}, because it was not paid{{/unpaid}}. What you have "
        "collected stays yours.",
    ),
}  # fmt: skip
