"""What messages are about, as people choose what they want to be told."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Topic:
    """`needed`: it belongs to what somebody bought or took, so it is sent to everybody, at any
    hour, and is not counted."""

    code: str
    label: Promise
    description: Promise
    needed: bool = False


TOPICS = {
    topic.code: topic
    for topic in (
        Topic(
            "orders", _("Orders and rewards"),
            _("What an order earned, and the codes of rewards."), needed=True,
        ),
        Topic(
            "points", _("Points and tier"),
            _("What becomes of your points: before they expire, another tier, presents."),
        ),
        Topic("offers", _("Offers"), _("What is new, and what is cheaper for a while.")),
    )
}  # fmt: skip


# Nothing that messages are about, but said like it: whether it is counted what somebody follows.
TRACKING = Topic(
    "tracking", _("Counting what you open"),
    _("That we may count which links of our mails you follow, to learn what helps."),
)  # fmt: skip

# Whether it is kept what somebody looks at in the shop: only of who has said yes.
BROWSING = Topic(
    "browsing", _("What you look at"),
    _("That we may keep for a while what you look at and search for in our shop, and what lies in"
      " your cart, so that what we tell and offer you fits you."),
)  # fmt: skip
# What people say yes or no to that no message is about.
LEARNED = {topic.code: topic for topic in (TRACKING, BROWSING)}


def is_needed(code: str) -> bool:
    return code in TOPICS and TOPICS[code].needed


def choosable_topics() -> list[Topic]:
    """Those that people can say yes or no to."""
    return [topic for topic in TOPICS.values() if not topic.needed]
