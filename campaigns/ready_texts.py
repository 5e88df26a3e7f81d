"""Ready-made words for each occasion: good enough to be sent as they are, in every language that
there is a whole catalog of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from django.conf import settings
from django.utils import translation

from campaigns.challenge_texts import CHALLENGE_TEXTS
from campaigns.game_texts import GAME_TEXTS
from campaigns.journey_texts import JOURNEY_TEXTS
from campaigns.plan_texts import PLAN_TEXTS
from campaigns.post_texts import POST_TEXTS
from campaigns.promotion_texts import PROMOTION_TEXTS
from campaigns.referral_texts import REFERRAL_TEXTS
from campaigns.short_texts import short_text, short_words
from campaigns.text_parts import HELLO as _HELLO
from campaigns.text_parts import ReadyText, ToldText, told_text
from campaigns.text_parts import mail as _mail
from campaigns.text_parts import text as _text

READY_LOCALE = "en"
_INBOX = "inbox"

READY: dict[tuple[str, str], ReadyText] = {
    ("welcome", "email"): ReadyText(
        "Welcome to {{ program }}",
        _mail(
            "Good to have you{{#given_name}}, {{ given_name }}{{/given_name}}",
            _text("You are a member of {{ program }} now. Here is how it works:"),
            _text("<b>You earn</b><br>{{ how_to_earn }}"),
            _text("<b>You use it</b><br>{{ how_to_use }}"),
            _text("Your card: {{ card_number }}. Show it at the till, or just give your name.",
                  "soft"),
            button="See your card and balance",
        ),
    ),
    ("welcome", "inbox"): ReadyText(
        "Welcome to {{ program }}",
        "Good to have you. {{ how_to_earn }} {{ how_to_use }}",
    ),
    ("order_earned", "email"): ReadyText(
        "You earned {{ earned }}",
        _mail(
            "You earned {{ earned }}",
            _text(f"{_HELLO}<br>thank you for your order {{{{ order }}}} of {{{{ order_day }}}}."),
            _text("{{ balance }}", "figure"),
            _text("to use now{{#worth}}, worth {{ worth }}{{/worth}}.", "soft"),
            _text("{{#pending}}{{ pending }}{{/pending}}"),
            button="See what you can take",
        ),
    ),
    ("order_earned", "inbox"): ReadyText(
        "You earned {{ earned }}",
        "For your order {{ order }} of {{ order_day }}. {{#pending}}{{ pending }} {{/pending}}"
        "You can use {{ balance }} now{{#worth}}, worth {{ worth }}{{/worth}}.",
    ),
    ("tier_up", "email"): ReadyText(
        "You are {{ tier }} now",
        _mail(
            "You are {{ tier }} now",
            _text(f"{_HELLO}<br>that is how good a customer you are. Thank you."),
            _text("{{#benefits}}<b>What you have as {{ tier }}</b><br>{{ benefits }}{{/benefits}}"),
            _text("{{#until}}It is yours until {{ until }} at least.{{/until}}", "soft"),
            button="See your tier",
        ),
    ),
    ("tier_up", "inbox"): ReadyText(
        "You are {{ tier }} now",
        "Thank you for being such a good customer.{{#benefits}} What you have: {{ benefits }}."
        "{{/benefits}}{{#until}} It is yours until {{ until }} at least.{{/until}}",
    ),
    ("reward_issued", "email"): ReadyText(
        "Here is your reward: {{ reward }}",
        _mail(
            "{{ reward }}",
            _text(f"{_HELLO}<br>here is what you took."),
            _text("{{#code}}{{ code }}{{/code}}", "code"),
            _text("{{#until}}It can be used to {{ until }}.{{/until}}"),
            button="Show it",
        ),
    ),
    ("reward_issued", "inbox"): ReadyText(
        "Your reward: {{ reward }}",
        "{{#code}}Its code: {{ code }}. {{/code}}"
        "{{#until}}It can be used to {{ until }}.{{/until}}",
    ),
    ("expiring", "email"): ReadyText(
        "{{ amount }} expire by {{ last_day }}",
        _mail(
            "{{ amount }} expire soon",
            _text(f"{_HELLO}<br>do not let them go."),
            _text("{{ amount }}", "figure"),
            _text("{{#worth}}That is {{ worth }} for you. {{/worth}}"
                  "The last day to use them is {{ first_day }}."
                  "{{#several_days}} Some last a little longer, to {{ last_day }}."
                  "{{/several_days}}"),
            button="Use them",
        ),
    ),
    ("expiring", "inbox"): ReadyText(
        "{{ amount }} expire soon",
        "{{#worth}}They are worth {{ worth }}. {{/worth}}The last day to use them is"
        " {{ first_day }}.{{#several_days}} Some last a little longer, to {{ last_day }}."
        "{{/several_days}}",
    ),
    ("birthday", "email"): ReadyText(
        "A present for your birthday",
        _mail(
            "Happy birthday{{#given_name}}, {{ given_name }}{{/given_name}}",
            _text("{{#gift}}We have something for you:{{/gift}}"),
            _text("{{#gift}}{{ gift }}{{/gift}}", "figure"),
            _text("{{#words}}{{ words }}{{/words}}"),
            _text("{{#code}}{{ code }}{{/code}}", "code"),
            _text("{{#until}}It can be used to {{ until }}.{{/until}}", "soft"),
            button="Have a look",
        ),
    ),
    ("birthday", "inbox"): ReadyText(
        "Happy birthday!",
        "{{#gift}}A present for you: {{ gift }}.{{/gift}}{{#words}} {{ words }}{{/words}}"
        "{{#until}} It can be used to {{ until }}.{{/until}}",
    ),
    ("gift", "email"): ReadyText(
        "You were given {{ gift }}",
        _mail(
            "You were given something",
            _text(f"{_HELLO}<br>there is something new in {{{{ program }}}}"
                  "{{#giver}}, from {{ giver }}{{/giver}}:"),
            _text("{{ gift }}", "figure"),
            _text("{{#words}}“{{ words }}”{{/words}}"),
            _text("{{#code}}{{ code }}{{/code}}", "code"),
            _text("{{#until}}It can be used to {{ until }}.{{/until}}", "soft"),
            button="Have a look",
        ),
    ),
    ("gift", "inbox"): ReadyText(
        "You were given {{ gift }}",
        "{{#giver}}From {{ giver }}. {{/giver}}{{#words}}“{{ words }}” {{/words}}"
        "{{#until}}It can be used to {{ until }}.{{/until}}",
    ),
    ("survey", "email"): ReadyText(
        "{{ survey }}",
        _mail(
            "{{ survey }}",
            _text(f"{_HELLO}<br>we would like to know what you think."),
            _text("{{#intro}}{{ intro }}{{/intro}}"),
            _text("{{#reward}}Thank you: {{ reward }}, once you have answered.{{/reward}}"),
            _text("{{#until}}You can answer until {{ until }}.{{/until}}", "soft"),
            button="Answer",
        ),
    ),
    ("survey", "inbox"): ReadyText(
        "{{ survey }}",
        "{{#intro}}{{ intro }} {{/intro}}{{#reward}}Once you have answered, {{ reward }} are"
        " yours.{{/reward}}{{#until}} You can answer until {{ until }}.{{/until}}",
    ),
    ("confirm", "email"): ReadyText(
        "Please confirm: messages from {{ merchant }}",
        _mail(
            "One click, and it is settled",
            _text(f"{_HELLO}<br>you want {{{{ merchant }}}} to write to you about: "
                  "{{ topics }}. Please confirm that this address is yours."),
            _text("Was it not you? Then do nothing, and you will not be written to.", "soft"),
            button="Yes, write to me",
        ),
    ),
}  # fmt: skip
READY |= PLAN_TEXTS | PROMOTION_TEXTS | CHALLENGE_TEXTS | REFERRAL_TEXTS | GAME_TEXTS | POST_TEXTS
READY |= JOURNEY_TEXTS


def ready_languages() -> list[str]:
    """The languages that there are ready-made words in."""
    return [code for code, _name in settings.LANGUAGES]


def ready_language(locale: str) -> str | None:
    """The one of them that somebody reads who reads this: "zh-cn" is "zh-hans"."""
    with suppress(LookupError):
        return translation.get_supported_language_variant(locale.lower().replace("_", "-"))
    return None


@lru_cache(maxsize=4096)
def ready_text(occasion: str, channel: str, language: str = READY_LOCALE) -> ToldText | None:
    """In one of `ready_languages()`. None: there are no words for it."""
    with translation.override(language):
        inbox = READY.get((occasion, _INBOX))
        if found := READY.get((occasion, channel)):
            return told_text(found)
        return short_text(occasion, channel, told_text(inbox) if inbox else None)


def ready_words() -> Iterator[str]:
    """All that is to be translated."""
    for ready in READY.values():
        yield from ready.words()
    yield from short_words()
