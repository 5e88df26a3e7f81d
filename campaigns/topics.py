"""What messages are about, as people choose what they want to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.languages import said_in

if TYPE_CHECKING:
    from campaigns.models import OwnTopic


@dataclass(frozen=True, slots=True)
class Topic:
    """`needed`: it belongs to what somebody bought or took, so it is sent to everybody, at any
    hour, and is not counted. `opt_in_only`: nobody is told who has not said yes, whatever the
    policy says; `at_join`: whoever joins is asked."""

    code: str
    label: Promise | str
    description: Promise | str
    needed: bool = False
    opt_in_only: bool = False
    at_join: bool = False


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
        Topic(
            "offers", _("Offers"), _("What is new, and what is cheaper for a while."), at_join=True
        ),
        Topic("surveys", _("Surveys"), _("What we would like to know from you.")),
        Topic("community", _("Community"), _("What we write, and what others answer.")),
    )
}  # fmt: skip


# Nothing that messages are about, but said like it: whether it is counted what somebody follows.
TRACKING = Topic(
    "tracking", _("Counting what you open"),
    _("That we may count which links of our messages you follow, to learn what helps."),
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
    """Only what comes with Setia can be."""
    return code in TOPICS and TOPICS[code].needed


def own_topics(*, put_away: bool = False) -> list[Topic]:
    """The merchant's own, in their order; one query."""
    from campaigns.models import OwnTopic

    rows = OwnTopic.objects.all()
    return [_told(row) for row in rows if put_away or row.archived_at is None]


def choosable_topics() -> list[Topic]:
    """Those that people can say yes or no to."""
    return [*(topic for topic in TOPICS.values() if not topic.needed), *own_topics()]


def known_topics() -> dict[str, Topic]:
    """All that somebody may have said something about, by code."""
    return TOPICS | {topic.code: topic for topic in own_topics(put_away=True)}


def topic_named(code: str) -> Topic | None:
    return TOPICS.get(code) or known_topics().get(code)


def _told(row: OwnTopic) -> Topic:
    """In the language of the page; what is not said in it is as in the merchant's own."""
    said: Mapping[str, str] = said_in(row.texts) or {}
    return Topic(
        row.code, said.get("name") or row.name, said.get("sentence") or row.sentence,
        opt_in_only=row.opt_in_only, at_join=row.asked_at_join,
    )  # fmt: skip
