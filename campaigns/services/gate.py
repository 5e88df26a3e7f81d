"""Whether a message may be sent to somebody now: the only place that says so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from campaigns.channels import Channel
from campaigns.models import Consent, ContactPreference, Delivery, MessagingPolicy
from campaigns.occasions import Occasion
from campaigns.quiet_hours import next_allowed
from campaigns.selectors.consents import is_blocked, why_not
from campaigns.time_zones import choose_zone
from campaigns.topics import TOPICS, is_needed
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
) -> Verdict:
    """`customer`: who it is for now; `time_zone`: by which it is judged where theirs is not known.

    In a transaction: it is held until that ends that nobody else counts this customer's messages.
    """
    address = channel.address(customer)
    if reason := _never(delivery, channel, address, now):
        return Verdict(reason)
    topic = delivery.message.topic
    if occasion.always_by or is_needed(topic):
        return GO
    if refusal := why_not(_said(customer, channel, topic), topic, policy):
        return Verdict(refusal)
    said = ContactPreference.objects.filter(customer=customer).values_list("time_zone", flat=True)
    zone = choose_zone(said=said.first() or "", country=customer.country, otherwise=time_zone)
    allowed = next_allowed(now, zone, policy.quiet_from, policy.quiet_until)
    if allowed > now:
        return Verdict("quiet", allowed)
    if policy.cap and _is_full(delivery, customer, policy, now):
        return Verdict("cap")
    return GO


def _never(delivery: Delivery, channel: Channel, address: str, now: dt.datetime) -> str:
    """Why it goes to nobody, whatever they want."""
    message = delivery.message
    if message.stale_at is not None and message.stale_at <= now:
        return "too_late"
    if message.membership and message.membership.status == Membership.Status.LEFT:
        return "not_member"
    if not address:
        return "no_address"
    return "address_blocked" if is_blocked(channel.key, address) else ""


def _said(customer: Customer, channel: Channel, topic: str) -> str:
    rows = Consent.objects.filter(customer=customer, channel=channel.key, topic=topic)
    return rows.values_list("state", flat=True).first() or ""


def _is_full(
    delivery: Delivery, customer: Customer, policy: MessagingPolicy, now: dt.datetime
) -> bool:
    """Whether they had as many as they may have lately, counting those that wait and matter more.
    What is needed is not counted. Two workers that ask this of one customer take turns."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('campaigns.cap'), hashint8(%s))", [customer.pk]
        )
    had = Q(state__in=Delivery.COUNTED, handed_over_at__gt=now - dt.timedelta(days=policy.cap_days))
    matters_more = Q(state=Delivery.State.QUEUED, priority__lt=delivery.priority)
    needed = [topic.code for topic in TOPICS.values() if topic.needed]
    theirs = Delivery.objects.filter(message__customer=customer, channel=delivery.channel)
    counted = theirs.filter(had | matters_more).exclude(message__topic__in=needed)
    return counted.exclude(pk=delivery.pk).count() >= policy.cap
