"""Whether a friend may be no friend: what speaks for it is said, and people look at it."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from campaigns.models import Referral, ReferralTrace
from campaigns.referral_definitions import ReferralDefinition
from campaigns.referral_traces import (
    Kind,
    digest_of,
    plain_email,
    plain_phone,
    plain_trace,
    traces_of,
)
from campaigns.selectors.referrals import advocate_of, links_of, people_of
from members.models import Customer
from members.selectors.merges import current

DAY = dt.timedelta(days=1)
# Of another friend only what is nearly certain counts: families share a place on the network.
SHARED = {Kind.DEVICE: "shared_device", Kind.PAYMENT: "shared_payment"}
# What shops may tell of a customer in their own attributes.
ADDRESS = "address"


def reasons_of(referral: Referral, definition: ReferralDefinition) -> list[str]:
    """What speaks against it now, without what somebody has let pass."""
    friend = current(referral.friend)
    advocate = advocate_of(referral.link)
    found: list[str] = []
    if advocate is not None:
        found += _same(current(advocate.customer), friend)
    elif referral.link.affiliate is not None and referral.link.affiliate.email:
        mine = plain_email(referral.link.affiliate.email)
        found += ["same_email"] if mine == plain_email(friend.email) else []
    found += _shared(referral, friend)
    if _too_many(referral, definition):
        found.append("velocity")
    cleared = set(referral.cleared)
    return [code for code in dict.fromkeys(found) if code not in cleared]


def _same(one: Customer, other: Customer) -> list[str]:
    """By what the two may be one person."""
    if one == other:
        return ["same_person"]
    found = []
    if one.email and plain_email(one.email) == plain_email(other.email):
        found.append("same_email")
    if one.phone and plain_phone(one.phone) == plain_phone(other.phone):
        found.append("same_phone")
    mine, theirs = _known(one), _known(other)
    return found + [f"same_{kind}" for kind in Kind.values if mine[kind] & theirs[kind]]


def _known(customer: Customer) -> dict[str, set[bytes]]:
    """Their traces, and the address that their shop knows."""
    found = traces_of(people_of(customer))
    said = customer.attributes.get(ADDRESS)
    if isinstance(said, str) and plain_trace(said):
        found[Kind.ADDRESS].add(digest_of(Kind.ADDRESS, plain_trace(said)))
    return found


def _shared(referral: Referral, friend: Customer) -> list[str]:
    """By what another friend of the same person is this one."""
    own = traces_of(people_of(friend))
    others = _of_same_person(referral).exclude(pk=referral.pk).values("friend")
    seen = ReferralTrace.objects.filter(customer__in=others)
    return [
        code for kind, code in SHARED.items()
        if own[kind] and seen.filter(kind=kind, digest__in=own[kind]).exists()
    ]  # fmt: skip


def _too_many(referral: Referral, definition: ReferralDefinition) -> bool:
    """More than usual within the day up to this one."""
    if definition.most_per_day is None:
        return False
    before = _of_same_person(referral).filter(
        Q(came_at__gt=referral.came_at - DAY, came_at__lte=referral.came_at)
    )
    return before.exclude(pk=referral.pk).count() >= definition.most_per_day


def _of_same_person(referral: Referral) -> QuerySet[Referral]:
    member = referral.link.membership
    if member is None:
        return Referral.objects.filter(link=referral.link)
    return Referral.objects.filter(link__in=links_of(member.merged_into_id or member.pk))
