"""Personal offers: which there are, which hold for a buyer, what has become of them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from campaigns.campaign_definitions import offer_of
from campaigns.campaign_rules import offer_name
from campaigns.campaign_templates import TEMPLATES
from campaigns.models import Campaign, PersonalOffer
from campaigns.selectors.campaigns import audience_of, campaigns, with_draw
from loyalty.asked_elsewhere import BuyerAsked
from loyalty.models import Membership
from members.prepared import KeptQuery

State = PersonalOffer.State
PERSONAL = [template.code for template in TEMPLATES.values() if template.personal]
_ON = [Campaign.Status.SCHEDULED, Campaign.Status.LIVE]


def running(now: dt.datetime) -> QuerySet[Campaign]:
    """Campaigns that offer something to single members now."""
    return _running(PERSONAL, [state.value for state in _ON], now, now)


def running_now(now: dt.datetime) -> list[Campaign]:
    """The same, for whatever members do: mostly there is none."""
    return _RUNNING.rows(PERSONAL, [state.value for state in _ON], now, now)


def _running(
    templates: list[str], states: list[str], now: dt.datetime, also_now: dt.datetime
) -> QuerySet[Campaign]:
    rows = campaigns().filter(template__among=templates).filter(status__among=states)
    return rows.filter(starts_at__lte=now).filter(ends_at__gt=also_now).order_by("pk")


_RUNNING: KeptQuery[Campaign] = KeptQuery(_running)


def eligible(campaign: Campaign, now: dt.datetime) -> QuerySet[Membership]:
    """Who may be offered something: in the audience, not kept aside, with no offer of it that
    still holds, or none before where nobody gets a second one."""
    members = audience_of(campaign, now)
    if campaign.holdout:
        members = with_draw(campaign, members).filter(drawn__gte=campaign.holdout)
    known = PersonalOffer.objects.filter(campaign=campaign, membership=OuterRef("pk"))
    if offer_of(campaign).again:
        known = known.filter(ends_at__gt=now)
    return members.filter(~Exists(known))


def held_offers(asked: Sequence[BuyerAsked]) -> list[frozenset[str]]:
    """What held for buyers at these moments; for rules (`loyalty.asked_elsewhere`). One query.
    Whether their campaign was on then is said by its rules."""
    rows = PersonalOffer.objects.filter(
        membership__customer__in={item.customer_id for item in asked},
        ends_at__gt=min(item.at for item in asked),
    ).select_related("campaign__program", "membership")  # fmt: skip
    by_buyer: defaultdict[tuple[int, int], list[PersonalOffer]] = defaultdict(list)
    for row in rows:
        by_buyer[row.campaign.program_id, row.membership.customer_id].append(row)
    return [
        frozenset(
            offer_name(row.campaign, row.target)
            for row in by_buyer[item.program_id, item.customer_id]
            if row.starts_at <= item.at < row.ends_at
        )
        for item in asked
    ]


def offers_to(member: Membership, now: dt.datetime) -> list[PersonalOffer]:
    """What holds for a member now, the best ranked of its campaign's kind; what ends first comes
    first."""
    rows = PersonalOffer.objects.filter(
        membership=member, starts_at__lte=now, ends_at__gt=now, campaign__in=running(now)
    )
    rows = rows.select_related("campaign__program").prefetch_related(
        "campaign__program__wallet_types"
    )
    return list(rows.order_by("ends_at", "pk"))


@dataclass(frozen=True, slots=True)
class Offered:
    """Of one category or product: to how many members, and what they did with it."""

    name: str
    given: int
    seen: int
    taken: int
    over: int

    @property
    def share(self) -> float:
        """How many have taken it, between 0 and 1."""
        return self.taken / self.given if self.given else 0.0


def offered_by(campaign: Campaign, now: dt.datetime) -> list[Offered]:
    """One query; most frequent first."""
    rows = campaign.personal_offers.values("target").annotate(
        given=Count("pk"),
        seen=Count("pk", filter=~Q(seen_at=None)),
        taken=Count("pk", filter=Q(state=State.TAKEN)),
        over=Count("pk", filter=Q(ends_at__lte=now) & ~Q(state=State.TAKEN)),
    )
    found = rows.order_by("-given", "target").values_list(
        "target", "given", "seen", "taken", "over"
    )
    return [Offered(*row) for row in found]
