"""What people want to be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, Q

from campaigns.addresses import digest_of
from campaigns.channels import SHOP, Channel, sending_channels
from campaigns.models import BlockedAddress, Consent, MessagingPolicy
from campaigns.selectors.browsing_policies import get_browsing_policy
from campaigns.selectors.policies import get_policy
from campaigns.selectors.ways import usable_senders
from campaigns.topics import BROWSING, TRACKING, Topic, choosable_topics, is_needed
from members.models import Customer


@dataclass(frozen=True, slots=True)
class Choice:
    """What holds of a topic by a channel. `said`: what they have said themselves; empty: nothing.
    `wanted`: whether they are told."""

    channel: Channel
    topic: Topic
    said: str
    wanted: bool

    @property
    def name(self) -> str:
        """Of its box in a form."""
        return f"{self.channel.key}-{self.topic.code}"


def why_not(said: str, topic: str, policy: MessagingPolicy, channel: Channel) -> str:
    """Why somebody who said this is not told of the topic by the channel; empty: they are."""
    if is_needed(topic) or said == Consent.State.GRANTED:
        return ""
    if said == Consent.State.DENIED:
        return "unsubscribed"
    if said == Consent.State.ASKED:
        return "not_confirmed"
    # One of the merchant's own that takes a yes is never among the assumed ones (`set_policy`).
    assumed = topic in policy.assumed_topics and not channel.needs_yes
    return "" if assumed else "no_consent"


def why_not_counted(said: str, policy: MessagingPolicy) -> str:
    """Why it is not counted what somebody who said this opens and follows; empty: it is."""
    if said == Consent.State.DENIED:
        return "unsubscribed"
    return "no_consent" if policy.tracking_asks and said != Consent.State.GRANTED else ""


def said_by(customer: Customer) -> Mapping[tuple[str, str], str]:
    """By channel and topic; one query."""
    rows = Consent.objects.filter(customer=customer)
    return {(row.channel, row.topic): row.state for row in rows}


def choices_of(customer: Customer) -> list[Choice]:
    """All that somebody can say yes or no to be told."""
    return _topics(get_policy(), said_by(customer))


def all_choices_of(customer: Customer) -> list[Choice]:
    """Also whether it may be kept what they look at in the shop, and counted what they open and
    follow, where that is done at all."""
    policy, said = get_policy(), said_by(customer)
    found = _topics(policy, said)
    if get_browsing_policy().is_on:
        answer = said.get((SHOP.key, BROWSING.code), "")
        found.append(Choice(SHOP, BROWSING, answer, answer == Consent.State.GRANTED))
    if not (policy.track_clicks or policy.track_opens):
        return found
    for channel in counting_channels():
        answer = said.get((channel.key, TRACKING.code), "")
        found.append(Choice(channel, TRACKING, answer, not why_not_counted(answer, policy)))
    return found


def counting_channels() -> list[Channel]:
    """Where it is said whether it may be counted who opens something and follows it: with mails,
    for all ways."""
    return [channel for channel in sending_channels() if channel.markup]


def said_of_counting() -> Q:
    """What somebody said of it."""
    keys = [channel.key for channel in counting_channels()]
    return Q(channel__in=keys, topic=TRACKING.code)


def _topics(policy: MessagingPolicy, said: Mapping[tuple[str, str], str]) -> list[Choice]:
    topics = choosable_topics()
    return [
        Choice(channel, topic, answer, not why_not(answer, topic.code, policy, channel))
        for channel in usable_senders()
        for topic in topics
        for answer in [said.get((channel.key, topic.code), "")]
    ]


@dataclass(frozen=True, slots=True)
class Answered:
    """How many people said yes, and how many no."""

    yes: int = 0
    no: int = 0


def said_of_topics() -> dict[str, Answered]:
    """Of each topic by any of the ways; one query."""
    yes, no = Q(state=Consent.State.GRANTED), Q(state=Consent.State.DENIED)
    rows = Consent.objects.filter(customer__merged_into=None).values("topic")
    counted = rows.annotate(
        yes=Count("customer", distinct=True, filter=yes),
        no=Count("customer", distinct=True, filter=no),
    ).order_by("topic")
    return {row["topic"]: Answered(row["yes"], row["no"]) for row in counted}


def blocked_ways(customer: Customer, shown: Iterable[Choice]) -> dict[str, BlockedAddress]:
    """Those of the ways that are shown by which nothing is sent to them any more."""
    ways = {choice.channel.key: choice.channel for choice in shown}
    return {
        key: found
        for key, way in ways.items()
        if (address := way.address(customer)) and (found := blocked_because(key, address))
    }


def blocked_because(channel: str, address: str) -> BlockedAddress | None:
    return BlockedAddress.objects.filter(channel=channel, digest=digest_of(address)).first()
