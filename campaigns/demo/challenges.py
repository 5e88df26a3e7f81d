"""The demonstration's challenges: one that is on and joined, one for everybody, one in teams, and a
draft of a quest with its forecast."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from campaigns.challenge_definitions import ChallengeDefinition
from campaigns.level_definitions import LevelDefinition
from campaigns.models import Challenge, ChallengeEntry
from campaigns.services.campaigns import publish_campaign
from campaigns.services.challenge_forecasts import forecast_challenge, run_forecast
from campaigns.services.challenge_levels import set_levels
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import create_challenge, join_challenge
from campaigns.services.leaderboards import join_leaderboards
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Order, Program, Transfer
from loyalty.rules.calendar import start_of_day
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput
from loyalty.services.orders import record_orders
from members.services.audit import SYSTEM

# After the promotions, in the order of names.
PART = "told_challenges"
SOURCE = "demo-challenges"
TAKING_PART = 24
GOODS = ("GROCERY", "PRODUCE", "MEAT", "DRUG GM", "PASTRY", "DELI")
EXPLORER = {
    "name": "Pantry explorer", "title": "Pantry explorer", "units": 120,
    "text": "Try something from four different aisles.", "badge": "Explorer", "badge_icon": "star",
    "steps": [{"kind": "categories", "number": 4}],
    "texts": {"ms": {"title": "Peneroka dapur", "text": "Cuba sesuatu dari empat bahagian."}},
}  # fmt: skip
VISITS = {
    "name": "Three visits", "title": "Three visits, one bonus", "units": 60, "opt_in": False,
    "text": "Come by three times this month.", "steps": [{"kind": "count", "number": 3}],
    "budget_units": 20_000,
}  # fmt: skip
TOGETHER = {
    "name": "Together", "title": "Better together", "units": 250, "team_size": 5,
    "text": "Form a team of up to five, and reach it together.", "badge": "Team player",
    "badge_icon": "heart", "steps": [{"kind": "spend", "amount": 400}],
}  # fmt: skip
QUEST = {
    "name": "The spring quest", "title": "The spring quest", "units": 300, "in_order": True,
    "text": "Take one step after the other.", "badge": "Adventurer", "badge_icon": "trophy",
    "steps": [{"kind": "count", "number": 1}, {"kind": "categories", "number": 3},
              {"kind": "spend", "amount": 60, "in_one": True}],
}  # fmt: skip

LEVELS = (
    LevelDefinition(needs=1, name="Taster", icon="leaf", texts={"ms": "Perasa"}),
    LevelDefinition(needs=3, name="Home cook", icon="flame", texts={"ms": "Tukang masak"}),
    LevelDefinition(needs=8, name="Chef", icon="award", texts={"ms": "Cef"}),
    LevelDefinition(needs=20, name="Head chef", icon="trophy", texts={"ms": "Ketua cef"}),
)


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_challenges)


@transaction.atomic
def show_challenges(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Challenge.objects.filter(campaign__program=program).exists():
        return
    now = timezone.now()
    today = start_of_day(now.astimezone(program.zone).date(), program.zone)
    begun = today - dt.timedelta(days=10)
    members = _chosen(program)
    set_levels(program=program, levels=LEVELS, actor=SYSTEM)
    _launch(program, VISITS, begun, 30)
    explorer, together = (_launch(program, said, begun, 28) for said in (EXPLORER, TOGETHER))
    for member in members:
        join_challenge(challenge=explorer, membership=member, now=begun)
    _form_teams(together, members[:8], begun)
    _buy(program, members, begun, now)
    for member in members[1::2]:
        join_leaderboards(membership=member, name="", now=begun)
    measure_customers(_buyers(program, begun), now=now)
    draft = _definition(QUEST, today + dt.timedelta(days=14), 42)
    quest = create_challenge(program=program, definition=draft, actor=SYSTEM, now=now)
    forecast = forecast_challenge(challenge=quest, actor=SYSTEM, now=now)
    if forecast.job_id is not None:
        run_forecast(forecast.job_id)


def _buyers(program: Program, begun: dt.datetime) -> list[int]:
    """Whoever bought since then: what is for everybody is won by them, too."""
    rows = Membership.objects.filter(program=program, status=Membership.Status.ACTIVE)
    bought = Order.objects.filter(customer=OuterRef("customer"), placed_at__gte=begun)
    return list(rows.filter(Exists(bought)).values_list("customer_id", flat=True).order_by("pk"))


def _chosen(program: Program) -> list[Membership]:
    """Those who have a page of their own first, so that somebody can look at it."""
    rows = Membership.objects.filter(program=program, status=Membership.Status.ACTIVE)
    rows = rows.filter(earns_from=None).select_related("program", "customer")
    signed_in = list(rows.filter(customer__user__isnull=False).order_by("pk")[:3])
    others = rows.exclude(pk__in=[member.pk for member in signed_in]).order_by("pk")
    return [*signed_in, *others[: TAKING_PART - len(signed_in)]]


def _definition(said: dict[str, Any], starts_at: dt.datetime, days: int) -> ChallengeDefinition:
    ends_at = starts_at + dt.timedelta(days=days)
    return ChallengeDefinition.model_validate({**said, "starts_at": starts_at, "ends_at": ends_at})


def _launch(program: Program, said: dict[str, Any], at: dt.datetime, days: int) -> Challenge:
    """Published on its first day, as it would have been."""
    made = create_challenge(
        program=program, definition=_definition(said, at, days), actor=SYSTEM, now=at
    )
    publish_campaign(campaign=made.campaign, actor=SYSTEM, now=at)
    return made


def _form_teams(challenge: Challenge, members: list[Membership], at: dt.datetime) -> None:
    for name, own in (("The Squirrels", members[:5]), ("Oak Street", members[5:])):
        first: ChallengeEntry | None = None
        for member in own:
            code = first.team.code if first and first.team else ""
            entry = join_challenge(
                challenge=challenge, membership=member, now=at, team_code=code, team_name=name
            )
            first = first or entry


def _buy(program: Program, members: list[Membership], begun: dt.datetime, now: dt.datetime) -> None:
    """Some come often and through many aisles, others hardly."""
    chance = random.Random(SOURCE)
    span = (now - begun).total_seconds()
    orders = []
    for number, member in enumerate(members):
        for visit in range(number % 4):
            at = begun + dt.timedelta(seconds=chance.uniform(0.05, 0.98) * span)
            total = Decimal(str(round(chance.uniform(8, 45), 2)))
            category = chance.choice(GOODS)
            orders.append(
                OrderInput(
                    f"challenge-{member.pk}-{visit}", at, program.currency, total,
                    CustomerRef(key=member.customer_id), SOURCE, channel="store",
                    lines=(LineInput(1, total, sku=category[:4], name=category.title(),
                                     category=category),),
                )
            )  # fmt: skip
    record_orders(orders, now=now, transfer_source=Transfer.Source.API, program_ids=[program.pk])
