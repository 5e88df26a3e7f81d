"""Surprises: whom they are drawn from, how many get what, and whether a draw is as it must be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from campaigns.campaign_definitions import offer_of
from campaigns.campaign_rules import budget_in_units, unit_of
from campaigns.campaign_templates import TEMPLATES
from campaigns.models import Campaign, SurpriseDraw, SurpriseTicket
from campaigns.selectors.campaigns import audience_of, with_draw
from campaigns.surprise_draws import places_for, wrong_in
from loyalty.models import Membership, WalletType
from members.errors import DomainError, FieldError
from members.models import StaffMember
from members.services.audit import Actor
from rewards.models import Reward

SURPRISES = [template.code for template in TEMPLATES.values() if template.surprise]


def is_surprise(campaign: Campaign) -> bool:
    return campaign.template in SURPRISES


def is_giving(campaign: Campaign) -> bool:
    """Whether some were drawn, and not all of them have got it."""
    if not is_surprise(campaign):
        return False
    return campaign.surprise_draws.filter(drawn_at__isnull=False, done_at=None).exists()


def can_be_drawn(campaign: Campaign, now: dt.datetime) -> QuerySet[Membership]:
    """The audience without those kept aside."""
    members = audience_of(campaign, now)
    if campaign.holdout:
        members = with_draw(campaign, members).filter(drawn__gte=campaign.holdout)
    return members


def reward_of(campaign: Campaign) -> Reward | None:
    """What it gives in place of units. Raises DomainError where there is no such reward."""
    code = offer_of(campaign).reward
    if not code:
        return None
    found = Reward.objects.filter(program=campaign.program_id, code=code).first()
    if found is None or found.is_donation or found.status == Reward.Status.ARCHIVED:
        message = _("There is no such reward that could be given.")
        raise DomainError(message, errors=[FieldError("reward", message, "not_found")])
    return found


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What the next round would come to: out of how many how many are drawn, each for so many
    units (a reward counts at its price), and what is left of the budget, if there is one."""

    eligible: int
    chosen: int
    each: Decimal
    unit: WalletType
    budget: Decimal | None = None

    @property
    def units(self) -> Decimal:
        whole = self.each * self.chosen
        return whole if self.budget is None else min(whole, self.budget)

    @property
    def money(self) -> Decimal | None:
        return self.units * self.unit.unit_value if self.unit.unit_value else None


def rehearse(campaign: Campaign, now: dt.datetime) -> Rehearsed:
    """A round if it were now; nothing is drawn. Raises DomainError."""
    offer, reward = offer_of(campaign), reward_of(campaign)
    unit = unit_of(campaign)
    eligible = can_be_drawn(campaign, now).count()
    each = offer.units if reward is None else Decimal(reward.price)
    unit = unit if reward is None else reward.wallet_type
    budget = budget_in_units(campaign, unit)
    return Rehearsed(eligible, places_for(offer, eligible), each, unit, budget)


def role_of(actor: Actor) -> str | None:
    if actor.user is None:
        return None
    return StaffMember.objects.filter(user=actor.user).values_list("role", flat=True).first()


def draws_of(campaign: Campaign) -> QuerySet[SurpriseDraw]:
    """Newest first, with how many of those who were drawn have got it, or not."""
    return campaign.surprise_draws.annotate(
        given=Count("tickets", filter=~Q(tickets__settled_at=None) & Q(tickets__ungiven="")),
        ungiven=Count("tickets", filter=~Q(tickets__ungiven="")),
    ).order_by("-number")


def tickets_of(draw: SurpriseDraw) -> Iterator[tuple[str, str, bool]]:
    """Everybody who could be drawn, lowest number first: name, number, whether chosen."""
    rows = SurpriseTicket.objects.filter(draw=draw).order_by("place")
    for name, proof, chosen in rows.values_list("name", "proof", "chosen").iterator():
        yield str(name), proof, chosen


def wrong_in_draw(draw: SurpriseDraw) -> str:
    """What of it is not as it must be: seed, list, numbers or chosen; empty: nothing."""
    return wrong_in(
        draw.revealed, draw.commitment, draw.list_hash, list(tickets_of(draw)), draw.chosen
    )
