"""The demonstration's promotions: one that is live, one that is planned and announced, one that is
over with what it brought, and a draft."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.models import Campaign, CampaignMember
from campaigns.services.campaign_clock import move_on
from campaigns.services.campaigns import create_campaign, publish_campaign
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program, Transfer
from loyalty.rule_definitions import CAMPAIGN_RULES
from loyalty.rules.calendar import start_of_day
from loyalty.services.order_inputs import CustomerRef, DiscountInput, LineInput, OrderInput
from loyalty.services.orders import record_orders
from members.models import Customer
from members.services.audit import SYSTEM
from rewards.services.checkouts import LONGEST_HOLD, Cart, reserve_checkout

# After the rewards and messages, in the order of names.
PART = "told_campaigns"
SOURCE = "demo-campaigns"
BASKETS = {
    "name": "Bigger baskets", "template": "spend-get", "holdout": 25,
    "goal": "Larger orders in a quiet week", "metric": "revenue", "target": 25,
    "offer": {"reach": 40, "units": 150}, "budget_units": 30_000,
    "title": "150 Acorns for your bigger basket",
    "text": "Every order of 40 and more brings 150 Acorns on top.",
}  # fmt: skip
WEEKEND = {
    "name": "Double Acorns", "template": "points-weekend", "holdout": 10,
    "goal": "More visits before the month ends", "metric": "orders", "budget_units": 40_000,
    "title": "Double Acorns", "text": "Everything you buy counts twice.",
    "texts": {"ms": {"title": "Dua kali ganda Acorns", "text": "Semua pembelian dikira dua kali."}},
}  # fmt: skip
FLASH = {
    "name": "Friday night flash", "template": "flash", "offer": {"factor": 3},
    "title": "Triple Acorns for four hours", "text": "Every purchase counts three times.",
    "teaser": "Friday night something begins: four hours only.", "budget_money": 250,
}  # fmt: skip
EARLY = {
    "name": "Early access", "template": "early-access", "offer": {"percent": 15},
    "title": "The sale begins earlier for you", "text": "15 % off, three days before everybody.",
    "audience": {"field": "behavior.spend_percentile", "op": "at_least", "value": 80},
}  # fmt: skip
STUDENTS = {
    "name": "Students", "template": "percent-off", "offer": {"percent": 10},
    "goal": "Students at the start of the term", "title": "10% off for students",
    "text": "Type the code at the checkout.", "budget_money": 120,
    "codes": {"kind": "shared", "word": "STUDENT10", "most_uses": 500, "per_member": 3},
    "audience": {"field": "customer.tags", "op": "has_any", "value": ["student"]},
}  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_campaigns)


@transaction.atomic
def show_campaigns(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Campaign.objects.filter(program=program).exists():
        return
    now = timezone.now()
    today = now.astimezone(program.zone).date()

    def at(days: int, hour: int = 0) -> dt.datetime:
        day = start_of_day(today + dt.timedelta(days=days), program.zone)
        return day + dt.timedelta(hours=hour)

    over = _launch(program, BASKETS, at(-12), at(-5))
    _buy(over, share=0.55, bonus=0.22)
    move_on(over, now)
    live = _launch(program, WEEKEND, at(-1), at(2))
    _buy(live, share=0.2, bonus=0.05, until=now)
    _use_codes(_launch(program, STUDENTS, at(-3), at(25)), now)
    friday = (4 - today.weekday()) % 7 or 7
    planned = CampaignDefinition.model_validate(
        {**FLASH, "starts_at": at(friday, 18), "ends_at": at(friday, 22),
         "teased_at": now - dt.timedelta(hours=1)}
    )  # fmt: skip
    flash = create_campaign(program=program, definition=planned, actor=SYSTEM, now=now)
    publish_campaign(campaign=flash, actor=SYSTEM, now=now)
    draft = CampaignDefinition.model_validate({**EARLY, "starts_at": at(10), "ends_at": at(13)})
    create_campaign(program=program, definition=draft, actor=SYSTEM, now=now)


def _launch(
    program: Program, said: dict[str, Any], starts_at: dt.datetime, ends_at: dt.datetime
) -> Campaign:
    """Published on its first day, as it would have been."""
    definition = CampaignDefinition.model_validate(
        {**said, "starts_at": starts_at, "ends_at": ends_at}
    )
    made = create_campaign(program=program, definition=definition, actor=SYSTEM, now=starts_at)
    return publish_campaign(campaign=made, actor=SYSTEM, now=starts_at)


def _buy(
    campaign: Campaign, *, share: float, bonus: float, until: dt.datetime | None = None
) -> None:
    """Members order in its time; of those who get it, some more do, and they buy more."""
    rows = CampaignMember.objects.filter(campaign=campaign).select_related("membership")
    chance = random.Random(campaign.code)
    orders = list(_orders(campaign, list(rows.order_by("pk")), chance, share, bonus, until))
    for first in range(0, len(orders), 50):
        record_orders(
            orders[first : first + 50], now=until or campaign.ends_at or timezone.now(),
            transfer_source=Transfer.Source.API, program_ids=[campaign.program_id],
        )  # fmt: skip


def _use_codes(campaign: Campaign, now: dt.datetime) -> None:
    """Some are students, and a few of them have used their code; a cart holds its part of the
    budget."""
    rows = Membership.objects.filter(program=campaign.program, status=Membership.Status.ACTIVE)
    students = list(rows.select_related("customer").order_by("pk")[5:25])
    for member in students:
        member.customer.tags = sorted({*member.customer.tags, "student"})
    Customer.objects.bulk_update([member.customer for member in students], ["tags"])
    off = DiscountInput(campaign.program.code, f"{CAMPAIGN_RULES}{campaign.code}", Decimal("2.72"))
    orders = [
        _groceries(
            campaign, f"{campaign.code}-{member.pk}", now - dt.timedelta(hours=3 * place),
            Decimal("24.50"), customer=CustomerRef(key=member.customer_id), discounts=(off,),
        )
        for place, member in enumerate(students[:6], start=1)
    ]  # fmt: skip
    record_orders(
        orders, now=now, transfer_source=Transfer.Source.API, program_ids=[campaign.program_id]
    )
    for member in students[6:7]:
        name = f"{campaign.code}-cart"
        goods = _groceries(campaign, name, now, Decimal("38.00"))
        reserve_checkout(
            cart=Cart(member, SOURCE, name, goods), source=Transfer.Source.API.value, actor=SYSTEM,
            now=now, hold=LONGEST_HOLD,
        )  # fmt: skip


def _groceries(
    campaign: Campaign, number: str, at: dt.datetime, total: Decimal, **said: Any
) -> OrderInput:
    """What a student buys with the code."""
    less = sum((item.amount for item in said.get("discounts", ())), Decimal(0))
    return OrderInput(
        number, at, campaign.program.currency, total, said.pop("customer", None), SOURCE,
        channel="web", coupons=("student 10",), **said,
        lines=(LineInput(1, total, sku="BASKET", name="Groceries", category="GROCERY",
                         discount=less),),
    )  # fmt: skip


def _orders(
    campaign: Campaign, rows: list[CampaignMember], chance: random.Random, share: float,
    bonus: float, until: dt.datetime | None,
) -> Iterator[OrderInput]:  # fmt: skip
    assert campaign.starts_at is not None
    assert campaign.ends_at is not None
    span = (min(until or campaign.ends_at, campaign.ends_at) - campaign.starts_at).total_seconds()
    for row in rows:
        if chance.random() >= share + (0 if row.held_out else bonus):
            continue
        member: Membership = row.membership
        mean = 38 if row.held_out else 47
        total = Decimal(str(round(max(6, chance.gauss(mean, 14)), 2)))
        at = campaign.starts_at + dt.timedelta(seconds=chance.uniform(0.02, 0.98) * span)
        yield OrderInput(
            f"{campaign.code}-{row.pk}", at, campaign.program.currency, total,
            CustomerRef(key=member.customer_id), SOURCE, channel="store",
            lines=(LineInput(1, total, sku="BASKET", name="Groceries", category="GROCERY"),),
        )  # fmt: skip
