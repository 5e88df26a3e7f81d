"""What people want to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.addresses import digest_of
from campaigns.channels import Channel, sending_channels
from campaigns.models import BlockedAddress, Consent, MessagingPolicy
from campaigns.selectors.policies import get_policy
from campaigns.topics import Topic, choosable_topics, is_needed
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


def why_not(said: str, topic: str, policy: MessagingPolicy) -> str:
    """Why somebody who said this is not told of the topic; empty: they are."""
    if is_needed(topic) or said == Consent.State.GRANTED:
        return ""
    if said == Consent.State.DENIED:
        return "unsubscribed"
    if said == Consent.State.ASKED:
        return "not_confirmed"
    return "" if topic in policy.assumed_topics else "no_consent"


def said_by(customer: Customer) -> Mapping[tuple[str, str], str]:
    """By channel and topic; one query."""
    rows = Consent.objects.filter(customer=customer)
    return {(row.channel, row.topic): row.state for row in rows}


def choices_of(customer: Customer) -> list[Choice]:
    """All that somebody can say yes or no to."""
    policy, said = get_policy(), said_by(customer)
    return [
        Choice(channel, topic, answer, not why_not(answer, topic.code, policy))
        for channel in sending_channels()
        for topic in choosable_topics()
        for answer in [said.get((channel.key, topic.code), "")]
    ]


def blocked_because(channel: str, address: str) -> BlockedAddress | None:
    return BlockedAddress.objects.filter(channel=channel, digest=digest_of(address)).first()
