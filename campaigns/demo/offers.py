"""The demonstration's personal offers, and a surprise that was drawn."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.campaign_templates import TEMPLATES
from campaigns.models import Campaign, PersonalOffer
from campaigns.selectors.offer_picks import usual_targets
from campaigns.selectors.personal_offers import eligible
from campaigns.services.campaigns import create_campaign, publish_campaign
from campaigns.services.personal_offers import give_offers, mark_seen
from campaigns.services.surprises import draw_round, give_some
from loyalty.demo.parts import register_demo_part
from loyalty.models import Program
from loyalty.rules.calendar import start_of_day
from members.services.audit import SYSTEM

# After the promotions, in the order of names.
PART = "told_offers"
FAVORITE = {
    "name": "Your favorite, twice", "template": "personal-favorite", "holdout": 10,
    "goal": "More of what each likes best", "title": "More Acorns on your favorite",
    "offer": {"factor": 2, "bought": 3, "lasts": 14},
}  # fmt: skip
NEXT = {
    "name": "Picked for you", "template": "personal-next", "title": "Picked for you",
    "goal": "Something new in the basket",
    "offer": {"factor": 3, "picks": "next", "bought": 2, "lasts": 10, "again": True},
}  # fmt: skip
SURPRISE = {
    "name": "Just because", "template": "surprise", "title": "A little surprise",
    "text": "Just because you are with us.", "holdout": 10, "budget_units": 1000,
    "goal": "Twenty people who smile", "offer": {"choose": "number", "winners": 20, "units": 50},
}  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_offers)


@transaction.atomic
def show_offers(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if PersonalOffer.objects.filter(campaign__program=program).exists():
        return
    now = timezone.now()
    for said in (FAVORITE, NEXT):
        targets = usual_targets(program, TEMPLATES[str(said["template"])])
        if not targets.get("categories"):
            continue
        campaign = _launch(program, said, now, targets)
        members = eligible(campaign, now).order_by("pk")
        give_offers(campaign, list(members.values_list("pk", flat=True)), now)
        offers = campaign.personal_offers.order_by("pk")
        mark_seen(list(offers[: offers.count() // 3]), now)
    surprise = _launch(program, SURPRISE, now, {})
    draw = surprise.surprise_draws.select_related("campaign__program").get()
    draw_round(draw, now)
    while give_some(draw, now):
        pass
    draw.done_at = now
    draw.save(update_fields=["done_at"])


def _launch(
    program: Program, said: dict[str, Any], now: dt.datetime, targets: dict[str, Any]
) -> Campaign:
    """Published this morning, for a month."""
    today = now.astimezone(program.zone).date()
    definition = CampaignDefinition.model_validate(
        {**said, "offer": {**said["offer"], **targets},
         "starts_at": start_of_day(today, program.zone),
         "ends_at": start_of_day(today + dt.timedelta(days=30), program.zone)}
    )  # fmt: skip
    made = create_campaign(program=program, definition=definition, actor=SYSTEM, now=now)
    return publish_campaign(campaign=made, actor=SYSTEM, now=now)
