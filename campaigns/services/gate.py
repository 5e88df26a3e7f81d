"""Whether a message may be sent to somebody now: the only place that says so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from campaigns.channels import Channel
from campaigns.models import Delivery, MessagingPolicy
from campaigns.occasions import Occasion
from campaigns.quiet_hours import next_allowed
from campaigns.selectors.consents import why_not
from campaigns.services.known import Known, know
from campaigns.time_zones import choose_zone
from campaigns.topics import is_needed
from loyalty.models import Membership
from members.models import Customer


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason`: why not, empty: it may; `until`: then it is looked at again, none: never."""

    reason: str = ""
    until: dt.datetime | None = None


GO = Verdict()


def judge(
    *,
    delivery: Delivery,
    occasion: Occasion,
    channel: Channel,
    customer: Customer,
    policy: MessagingPolicy,
    time_zone: str,
    now: dt.datetime,
    known: Known | None = None,
) -> Verdict:
    """`customer`: who it is for now; `time_zone`: by which it is judged where theirs is not known;
    `known`: what was read of this and other customers.

    In a transaction: it is held until that ends that nobody else counts this customer's messages.
    """
    known = known or know(
        customers=[customer], channel=channel, policy=policy, now=now, deliveries=[delivery]
    )
    address = known.address_of(delivery, customer)
    if reason := _never(delivery, address, known, now):
        return Verdict(reason)
    topic = delivery.message.topic
    if occasion.always_by or is_needed(topic):
        return GO
    if refusal := why_not(known.said.get((customer.pk, topic), ""), topic, policy, channel):
        return Verdict(refusal)
    said = known.zones.get(customer.pk, "")
    zone = choose_zone(said=said, country=customer.country, otherwise=time_zone)
    allowed = next_allowed(now, zone, policy.quiet_from, policy.quiet_until)
    if allowed > now:
        return Verdict("quiet", allowed)
    if policy.cap and known.is_full(delivery, customer, policy.cap):
        return Verdict("cap")
    return GO


def foresee(
    *, customer: Customer, channel: Channel, topic: str, priority: int, policy: MessagingPolicy,
    known: Known,
) -> str:  # fmt: skip
    """Why something of this topic would not be sent to them if it were written now; empty: it
    would, or would wait for the end of quiet hours."""
    address = known.addresses.get(customer.pk, "")
    if not address:
        return "no_address"
    if channel.open_line is None:
        return ""
    if known.is_blocked(address):
        return "address_blocked"
    if is_needed(topic):
        return ""
    if refusal := why_not(known.said.get((customer.pk, topic), ""), topic, policy, channel):
        return refusal
    return "cap" if policy.cap and known.would_be_full(customer, priority, policy.cap) else ""


def _never(delivery: Delivery, address: str, known: Known, now: dt.datetime) -> str:
    """Why it goes to nobody, whatever they want."""
    message = delivery.message
    if message.stale_at is not None and message.stale_at <= now:
        return "too_late"
    if message.membership and message.membership.status == Membership.Status.LEFT:
        return "not_member"
    if not address:
        return "no_address"
    return "address_blocked" if known.is_blocked(address) else ""
