"""Ready-made words for where there is little room: a text message, a notification of a device.
Those without words of their own have those of the inbox."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from django.utils.translation import gettext as _

from campaigns.text_parts import ToldText, says_something, told
from members.formatting import format_sentences

SMS, WHATSAPP, PUSH, WEBHOOK = "sms", "whatsapp", "push", "webhook"
# Where each has to say who writes; a device says so itself.
_FROM = "{{ merchant }}: "
_ENDS = ("!", "?", "！", "？")
_COLONS = ":："
_SHORT: dict[str, tuple[str, str]] = {
    "welcome": ("Welcome to {{ program }}", "Your card: {{ card_number }}. How it works:"),
    "order_earned": (
        "You earned {{ earned }}",
        "You have {{ balance }} to use now{{#worth}}, worth {{ worth }}{{/worth}}:",
    ),
    "tier_up": ("You are {{ tier }} now", "See what it brings:"),
    "reward_issued": (
        "Your reward: {{ reward }}",
        "{{#code}}Code {{ code }}{{/code}}{{#until}}, to {{ until }}{{/until}}.",
    ),
    "expiring": (
        "{{ amount }} expire soon",
        "{{#worth}}Worth {{ worth }}. {{/worth}}Last day: {{ first_day }}.",
    ),
    "birthday": ("Happy birthday!", "{{#gift}}A present for you: {{ gift }}.{{/gift}}"),
    "gift": ("You were given {{ gift }}", "{{#giver}}From {{ giver }}. {{/giver}}Have a look:"),
    "survey": ("{{ survey }}", "{{#reward}}{{ reward }} once you have answered.{{/reward}}"),
    "post": ("{{ post }}", "{{#teaser}}{{ teaser }}{{/teaser}}"),
    "number_code": (
        "{{ code }} is your code",
        "It shows that this number is yours. Tell it nobody. Type it here within 20 minutes:",
    ),
    "challenge_started": ("{{ challenge }}: you are in", "Yours once it is done: {{ brings }}."),
    "challenge_nearly": ("{{ challenge }}: nearly there", "{{ percent }} are done:"),
    "challenge_won": ("You did it: {{ challenge }}", "Yours now: {{ brings }}."),
    "challenge_ended": ("{{ challenge }} is over", "You came to {{ percent }} of it."),
    "confirm": (
        "Please confirm",
        "You want to hear from us here about {{ topics }}. Was it not you? Then do nothing.",
    ),
}

# What only numbers are asked for.
_THERE_ALONE = frozenset({"confirm", "number_code"})


def short_words() -> Iterator[str]:
    """What is to be translated of them."""
    return filter(says_something, chain.from_iterable(_SHORT.values()))


def short_text(occasion: str, channel: str, inbox: ToldText | None) -> ToldText | None:
    """In the language that is active. `inbox`: the words of the inbox for the same occasion, in the
    same. A yes to another system is not confirmed there, and neither is one that was given on the
    device itself."""
    if channel not in {SMS, WHATSAPP, PUSH, WEBHOOK}:
        return None
    if occasion in _THERE_ALONE and channel not in {SMS, WHATSAPP}:
        return None
    if occasion not in _SHORT and inbox is None:
        return None
    short = ToldText(*map(told, _SHORT[occasion])) if occasion in _SHORT else inbox
    assert short is not None
    if channel == WEBHOOK:
        return inbox or short
    if channel == PUSH:
        return ToldText(short.subject, short.body.rstrip(_COLONS))
    sentence = short.subject
    if not sentence.endswith(_ENDS):
        sentence = _("%s.") % sentence
    sentences = format_sentences([f"{_FROM}{sentence}", short.body])
    # Always with a space: an address goes on to the next one.
    return ToldText(short.subject, f"{sentences} {{{{ link }}}}")
