"""Ready-made words of what only journeys tell."""

from __future__ import annotations

from campaigns.text_parts import HELLO, Paragraph, ReadyText, mail, text

_BALANCE = text("{{#balance}}You can use {{ balance }} now{{/balance}}", "figure")
_WORTH = text("{{#worth}}That is worth {{ worth }}.{{/worth}}", "soft")
_CAN_TAKE = text("{{#reward}}You can take this already: {{ reward }}.{{/reward}}")
_NEXT = text("{{#next_reward}}{{ to_next_reward }} more, and it is {{ next_reward }}."
             "{{/next_reward}}")  # fmt: skip
_TIER = text("{{#tier_words}}{{ tier_words }}{{/tier_words}}", "soft")


def _both(
    code: str,
    subject: str,
    opening: str,
    inbox: str,
    *parts: Paragraph,
    button: str = "Have a look",
) -> dict[tuple[str, str], ReadyText]:  # fmt: skip
    body = mail(subject, text(f"{HELLO}<br>{opening}"), *parts, button=button)
    return {(code, "email"): ReadyText(subject, body), (code, "inbox"): ReadyText(subject, inbox)}


_STATUS = (
    "You can use {{ balance }} now{{#worth}}, worth {{ worth }}{{/worth}}."
    "{{#next_reward}} {{ to_next_reward }} more, and it is {{ next_reward }}.{{/next_reward}}"
)
_PERIOD = (
    text("{{#orders}}Orders: {{ orders }}{{/orders}}"),
    text("{{#spent}}Bought: {{ spent }}{{/spent}}"),
    text("{{#earned}}Earned: {{ earned }}{{/earned}}"),
    text("{{#used}}Used: {{ used }}{{/used}}"),
)
_PERIOD_INBOX = (
    "{{#orders}}Orders: {{ orders }}. {{/orders}}{{#spent}}Bought: {{ spent }}. {{/spent}}"
    "{{#earned}}Earned: {{ earned }}. {{/earned}}{{#used}}Used: {{ used }}. {{/used}}"
)
JOURNEY_TEXTS = {
    **_both("getting_started", "What you can do with {{ program }}",
            "here is how far you are.", _STATUS, _BALANCE, _WORTH, _CAN_TAKE, _NEXT, _TIER),
    **_both("order_after", "What you have in {{ program }}",
            "thank you again for your order. Here is what you have now.", _STATUS, _BALANCE,
            text("{{#pending}}{{ pending }} more can be used soon.{{/pending}}"), _CAN_TAKE,
            _NEXT),
    **_both("statement", "Your {{ program }} in {{ period }}",
            "this is what happened in {{ period }}.", _PERIOD_INBOX + _STATUS, *_PERIOD,
            _BALANCE, _WORTH, _NEXT),
    **_both("year_review", "Your {{ period }} with {{ merchant }}",
            "thank you for {{ period }}. This is what it was like.", _PERIOD_INBOX + _STATUS,
            *_PERIOD, _BALANCE, _WORTH),
    **_both("first_reward", "Your first reward is there",
            "you have enough for your first reward.",
            "You have enough for it.{{#reward}} Take {{ reward }}.{{/reward}}",
            text("{{#reward}}{{ reward }}{{/reward}}", "figure"), _WORTH, button="Take it"),
    **_both("near_reward", "You are nearly there", "it is not far any more.", _STATUS, _NEXT,
            _BALANCE, _TIER),
    **_both("near_tier", "Your next tier is near", "it is not far any more.",
            "{{#tier_words}}{{ tier_words }} {{/tier_words}}" + _STATUS,
            text("{{#tier_words}}{{ tier_words }}{{/tier_words}}", "figure"), _BALANCE,
            button="See your tier"),
    **_both("milestone", "You have collected {{ milestone }}",
            "that is a lot. Thank you for coming back.", _STATUS, _BALANCE, _WORTH, _CAN_TAKE),
    **_both("tier_warning", "Keep {{#tier}}{{ tier }}{{/tier}}",
            "your tier is certain until {{ tier_until }}.",
            "It is certain until {{ tier_until }}."
            "{{#tier_after}} After that you are {{ tier_after }}.{{/tier_after}}",
            text("{{#tier_after}}After that you are {{ tier_after }}.{{/tier_after}}"), _TIER,
            button="See your tier"),
    **_both("anniversary", "Thank you for another year",
            "today you have been with us for another year.", _STATUS, _BALANCE, _CAN_TAKE,
            _WORTH),
    **_both("first_order", "Since your first order",
            "another year has passed since your first order. Thank you for coming back.", _STATUS,
            _BALANCE, _CAN_TAKE, _WORTH),
    **_both("come_back", "{{ merchant }} misses you",
            "we have not seen you for a while. This waits for you.", _STATUS, _BALANCE, _WORTH,
            _CAN_TAKE),
    **_both("cart_left", "Your cart is still there",
            "you left something in your cart: {{ products }}.",
            "{{ products }}. " + _STATUS, _BALANCE, _WORTH, _CAN_TAKE),
    **_both("looked_at", "Still looking?",
            "you looked at this: {{ products }}.", "{{ products }}. " + _STATUS, _BALANCE, _WORTH,
            _CAN_TAKE),
    **_both("win_back", "{{ merchant }} would like you back",
            "you used to come more often. This waits for you.", _STATUS, _BALANCE, _WORTH,
            _CAN_TAKE),
}  # fmt: skip
