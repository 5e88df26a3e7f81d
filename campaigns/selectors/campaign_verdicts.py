"""Why a member gets a promotion, or does not: to be read out when they ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import IntegerField, Q, Value
from django.utils.translation import gettext as _

from campaigns.campaign_definitions import stored_audience
from campaigns.models import Campaign
from campaigns.selectors.campaigns import is_kept_aside, promotions, status_at
from loyalty.models import Membership
from members.conditions.moments import ProgramMoment
from members.conditions.query import query_of
from members.conditions.sentences import sentence
from members.conditions.tree import AllOf, Node
from members.models import Customer

Status = Campaign.Status
# People ask about what was on lately, and what they have heard of.
ASKED_FOR = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promotion with how it stands, whether the member gets it, and why."""

    campaign: Campaign
    status: str
    gets_it: bool
    why: str


def verdicts_for(customer: Customer, now: dt.datetime) -> list[Verdict]:
    """On what is, was lately or will soon be on in the customer's programs, the newest first. Three
    queries, however many promotions there are."""
    members = {
        member.program_id: member
        for member in Membership.objects.filter(customer=customer, merged_into=None)
    }
    found = list(
        promotions()
        .filter(program__in=members, starts_at__lte=now + ASKED_FOR)
        .filter(Q(ends_at=None) | Q(ends_at__gte=now - ASKED_FOR))
        .exclude(status=Status.DRAFT)
        .order_by("-starts_at", "-pk")
    )
    asked = [(one, _parts(one)) for one in found]
    held = _held(customer, asked, now)
    verdicts = []
    for number, (campaign, parts) in enumerate(asked):
        missing = [part for place, part in enumerate(parts) if (number, place) not in held]
        member = members[campaign.program_id]
        member.customer = customer
        why = _why(campaign, member, missing)
        verdicts.append(Verdict(campaign, status_at(campaign, now), not why, why))
    return verdicts


def _parts(campaign: Campaign) -> Sequence[Node]:
    """What its audience asks, one thing after the other."""
    asked = stored_audience(campaign)
    if asked is None:
        return ()
    return asked.parts if isinstance(asked, AllOf) else (asked,)


def _held(
    customer: Customer, asked: Sequence[tuple[Campaign, Sequence[Node]]], now: dt.datetime
) -> set[tuple[int, int]]:
    """Which parts of which of them hold of the customer, in one query."""
    queries = [
        Customer.objects.filter(pk=customer.pk)
        .filter(query_of(part, ProgramMoment(now, campaign.program.zone, campaign.program_id)))
        .order_by()
        .values_list(_number(number), _number(place))
        for number, (campaign, parts) in enumerate(asked)
        for place, part in enumerate(parts)
    ]
    return set(queries[0].union(*queries[1:], all=True)) if queries else set()


def _number(value: int) -> Value:
    return Value(value, output_field=IntegerField())


def _why(campaign: Campaign, member: Membership, missing: Sequence[Node]) -> str:
    """Empty: they get it."""
    if member.status != Membership.Status.ACTIVE:
        return _("Only active members get it.")
    if missing:
        return _("It is for those of whom this holds: %s.") % sentence(missing[0])
    if is_kept_aside(campaign, member):
        return _("By chance they are among those who do not get it, so that its effect is seen.")
    return ""
