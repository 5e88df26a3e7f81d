"""Campaigns: which there are, how they stand now, and whom they are for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Q, QuerySet, Sum, Value

from campaigns.campaign_definitions import codes_of, stored_audience
from campaigns.campaign_rules import budget_in_units, draw_of, template_of, unit_of
from campaigns.campaign_templates import PROMOTIONS
from campaigns.models import Campaign
from loyalty.models import CapCounter, Membership, Program, WalletType
from loyalty.rule_definitions import CAMPAIGN_RULES
from loyalty.selectors.rulebooks import terms_as_read
from members.condition_fields import DrawnNumber, drawn_number
from members.conditions.moments import ProgramMoment
from members.conditions.query import query_of
from members.conditions.tree import Node
from members.errors import DomainError, NotFoundError
from members.models import Customer

Status = Campaign.Status


def campaigns() -> QuerySet[Campaign]:
    """With what a list of them shows."""
    rows = Campaign.objects.select_related("program", "author", "asked_by")
    return rows.prefetch_related("program__wallet_types")


def promotions() -> QuerySet[Campaign]:
    """Those that are nothing else, with pages of its own."""
    return campaigns().filter(template__in=[template.code for template in PROMOTIONS])


def get_campaign(public_id: UUID) -> Campaign:
    """A promotion. Raises NotFoundError."""
    found = promotions().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such campaign.")
    return found


def status_at(campaign: Campaign, now: dt.datetime) -> str:
    """How it stands: by its times, which count before the clock has written it down."""
    status = campaign.status
    if status == Status.SCHEDULED and campaign.starts_at and campaign.starts_at <= now:
        status = Status.LIVE
    if status in (Status.LIVE, Status.PAUSED) and campaign.ends_at and campaign.ends_at <= now:
        status = Status.ENDED
    return status


def audience_of(campaign: Campaign, now: dt.datetime) -> QuerySet[Membership]:
    """The active members whom it is for, as of now, those kept aside included."""
    return members_asked(campaign.program, stored_audience(campaign), now)


def members_asked(program: Program, asked: Node | None, now: dt.datetime) -> QuerySet[Membership]:
    """The active members of whom this holds as of now; None: all of them."""
    members = Membership.objects.filter(
        program=program.pk, status=Membership.Status.ACTIVE, merged_into=None
    )
    if asked is None:
        return members
    moment = ProgramMoment(now, program.zone, program.pk)
    people = Customer.objects.filter(query_of(asked, moment))
    return members.filter(customer__in=people.values("pk"))


def with_draw(campaign: Campaign, members: QuerySet[Membership]) -> QuerySet[Any]:
    """With the number that each of them has drawn for it."""
    return members.annotate(drawn=DrawnNumber.of(draw_of(campaign), "customer__public_id"))


def is_kept_aside(campaign: Campaign, member: Membership) -> bool:
    if not campaign.holdout:
        return False
    return drawn_number(draw_of(campaign), member.customer.public_id) < campaign.holdout


def is_for(campaign: Campaign, member: Membership, now: dt.datetime) -> bool:
    """Whether a member gets it: in its audience, and not kept aside."""
    if is_kept_aside(campaign, member):
        return False
    if stored_audience(campaign) is None:
        ours = member.program_id == campaign.program_id and member.merged_into_id is None
        return ours and member.status == Membership.Status.ACTIVE
    return audience_of(campaign, now).filter(pk=member.pk).exists()


def meant_for(found: Iterable[Campaign], member: Membership, now: dt.datetime) -> set[int]:
    """The keys of those that a member gets, in one query however many there are."""
    asked = [
        audience_of(item, now).filter(pk=member.pk).order_by()
        .values_list(Value(item.pk, output_field=BigIntegerField()), flat=True)
        for item in found
        if not is_kept_aside(item, member)
    ]  # fmt: skip
    return set(asked[0].union(*asked[1:], all=True)) if asked else set()


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be given in all, and what was, in units or money; `unit` None: money. `held`: what
    of that carts keep until they are paid; `uncovered`: what orders took off beyond it."""

    given: Decimal
    whole: Decimal
    unit: WalletType | None = None
    held: Decimal = Decimal(0)
    uncovered: Decimal = Decimal(0)

    @property
    def percent(self) -> int:
        return min(int(self.given * 100 / self.whole), 100) if self.whole > 0 else 100

    @property
    def is_used_up(self) -> bool:
        return self.given >= self.whole


def units_budgets(found: Iterable[Campaign]) -> dict[int, Budget]:
    """Of those that have one in units, by key; in one query for all of them."""
    limited = [item for item in found if template_of(item).limits_units]
    sources = {item.source: item for item in limited}
    used = dict(
        CapCounter.objects.filter(rule__source__in=sources, membership=None)
        .values_list("rule__source")
        .annotate(Sum("used"))
    )
    budgets: dict[int, Budget] = {}
    for source, campaign in sources.items():
        if campaign.budget_units is None and campaign.budget_money is None:
            continue
        unit = unit_of(campaign)
        with suppress(DomainError):  # units that are worth no money any more
            whole = budget_in_units(campaign, unit)
            if whole is None:
                continue
            given = Decimal(used.get(source) or 0).scaleb(-unit.scale)
            budgets[campaign.pk] = Budget(given, whole, unit)
    return budgets


def shown_to(member: Membership, now: dt.datetime) -> list[Campaign]:
    """What is on now for a member, and what they are told of beforehand: what ends, or begins,
    first comes first. A code that is kept from their pages is told elsewhere."""
    program: Program = member.program
    if not _has_rules(program, now):
        return []
    running = Q(status__in=[Status.SCHEDULED, Status.LIVE], starts_at__lte=now, ends_at__gt=now)
    coming = Q(status=Status.SCHEDULED, starts_at__gt=now, teased_at__lte=now)
    public = [template.code for template in PROMOTIONS if template.is_public]
    rows = campaigns().filter(running | coming, program=program, template__in=public)
    shown = [item for item in rows if codes_of(item).shown]
    theirs = meant_for(shown, member, now)
    found = [item for item in shown if item.pk in theirs]
    return sorted(found, key=lambda item: _place(item, now))


def _has_rules(program: Program, now: dt.datetime) -> bool:
    """Whether a campaign has rules that count now or later; asked of what is kept in memory."""
    found = next(
        (item for item in terms_as_read([program]).programs if item.id == program.pk), None
    )
    if found is None:
        return False
    book = found.rulebook
    ends = [(version.rule_code, version.ends_at) for version in book.versions]
    ends += [(version.rule_code, version.ends_at) for version in book.discounts]
    return any(
        code.startswith(CAMPAIGN_RULES) and (ends_at is None or ends_at > now)
        for code, ends_at in ends
    )


def _place(campaign: Campaign, now: dt.datetime) -> tuple[bool, dt.datetime]:
    assert campaign.starts_at is not None
    assert campaign.ends_at is not None
    coming = campaign.starts_at > now
    return coming, campaign.starts_at if coming else campaign.ends_at
