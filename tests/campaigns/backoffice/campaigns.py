"""The screens of promotions, for tests: their addresses, forms, and one that is begun."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from loyalty.models import Membership, Order, Program
from loyalty.services.order_inputs import DiscountInput
from rewards.services.checkouts import Cart
from tests.campaigns.campaigns import launch
from tests.loyalty.factories import make_program, make_wallet, order, record
from tests.rewards.services.carts import reserve

DAY = dt.timedelta(days=1)


def make_club() -> Program:
    return make_program(at=timezone.now() - 90 * DAY, time_zone="Europe/Athens")


def url(name: str, *args: Any) -> str:
    return reverse(f"campaigns_backoffice:{name}", args=args)


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def local(at: dt.datetime, program: Program) -> str:
    return f"{at.astimezone(program.zone):%Y-%m-%dT%H:%M}"


def filled(campaign: Campaign, **changes: str) -> dict[str, str]:
    """The form as it is shown, with changes."""
    now = timezone.now()
    sent = {
        "name": campaign.name, "title": campaign.title, "factor": "2", "audience": "",
        "holdout": "0", "starts_at": local(now - DAY, campaign.program),
        "ends_at": local(now + DAY, campaign.program), "metric": "",
    }  # fmt: skip
    return sent | changes


def begin(manager: Client, program: Program, template: str = "points-weekend") -> Campaign:
    sent = {"program": program.code, "template": template}
    answer = manager.post(url("campaign_create"), sent)
    campaign = Campaign.objects.select_related("program").latest("pk")
    assert answer["Location"] == url("campaign_edit", campaign.public_id)
    return campaign


def beyond_its_budget(club: Program) -> tuple[Campaign, Order]:
    """A promotion of which a cart holds some, and an order that took more than was left."""
    now = timezone.now()
    campaign = launch(
        club, "percent-off", at=now - DAY, starts_at=now - DAY, ends_at=now + DAY,
        budget_money=Decimal(25), offer={"percent": 10},
    )  # fmt: skip
    make_wallet(club, at=now - DAY)
    member = Membership.objects.select_related("program", "customer").get()
    goods = order("cart", "100", at=now, buyer=None)
    reserve(Cart(member, "shop", "C1", goods), at=now)
    said = [DiscountInput("club", "campaign-spring", Decimal(18))]
    record(order("A", "90", at=now, discounts=said, discount_total=Decimal(18)))
    return campaign, Order.objects.get(external_id="A")
