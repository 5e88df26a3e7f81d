"""The demonstration's messages: occasions that are told, and what some of its people read."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import timezone

from campaigns.channels import channel_named
from campaigns.models import OccasionSetting
from campaigns.news import News
from campaigns.occasions import Occasion
from campaigns.selectors.ways import usable_channels
from campaigns.services.consents import set_consents
from campaigns.services.messages import write_messages
from campaigns.services.policies import set_occasion
from campaigns.services.templates import Words, save_words
from campaigns.services.told_expiry import EXPIRING
from campaigns.services.told_members import TIER_UP, WELCOME, welcome_news
from campaigns.services.told_orders import EARNED, order_news
from campaigns.services.told_plans import OCCASIONS as PLAN_OCCASIONS
from campaigns.services.told_rewards import BIRTHDAY, GIFT, REWARD, reward_news
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Order, Program
from members.services.audit import SYSTEM
from rewards.selectors.redemptions import taken_by

# After the rewards, which some of the messages are about.
PART = "told_messages"
ON = (WELCOME, EARNED, REWARD, EXPIRING, TIER_UP, BIRTHDAY, GIFT, *PLAN_OCCASIONS)
TEXTED = (REWARD, EXPIRING)
PEOPLE = 12
MALAY = Words(
    "Selamat datang ke {{ program }}",
    "Gembira menerima anda. {{ how_to_earn }} {{ how_to_use }}",
)


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_messages)


def show_messages(program: Program) -> None:
    """Told from now on; a few people find what was told lately in their inbox."""
    if OccasionSetting.objects.filter(is_on=True).exists():
        return
    now = timezone.now()
    inbox = channel_named("inbox")
    assert inbox is not None
    save_words(occasion=WELCOME, channel=inbox, locale="ms", words=MALAY, actor=SYSTEM, now=now)
    told = {occasion.code: _switch_on(occasion, now) for occasion in ON}
    people = _people(program)
    for number, member in enumerate(people):
        _tell(WELCOME, told, [welcome_news(member)], now - dt.timedelta(days=6, hours=number))
        orders = Order.objects.filter(customer=member.customer).order_by("-placed_at")[:1]
        _tell(EARNED, told, order_news(list(orders), now), now - dt.timedelta(hours=20 + number))
        taken = taken_by([member]).filter(gift="", voucher__isnull=False).order_by("-pk")[:1]
        _tell(REWARD, told, [reward_news(row) for row in taken],
              now - dt.timedelta(hours=3 + number))  # fmt: skip
    texts = [way.key for way in usable_channels() if way.key == "sms"]
    for number, member in enumerate(people):
        set_consents(
            customer=member.customer,
            wanted={
                ("email", "offers"): number % 3 == 0, ("email", "points"): number % 5 != 4,
                **{(key, "points"): number % 2 == 0 for key in texts},
            },
            source="staff", actor=SYSTEM, now=now,
        )  # fmt: skip


def _switch_on(occasion: Occasion, now: dt.datetime) -> OccasionSetting:
    return set_occasion(
        occasion=occasion, is_on=True, channels=_ways_of(occasion), topic=occasion.topic,
        actor=SYSTEM, now=now,
    )  # fmt: skip


def _ways_of(occasion: Occasion) -> list[str]:
    """What is worth a text message is told by one, too, where somebody sends them."""
    texted = [way.key for way in usable_channels() if way.key == "sms" and occasion in TEXTED]
    return ["email", "inbox", *texted]


def _people(program: Program) -> list[Membership]:
    """The one that the demonstration guides through, and a few others."""
    members = Membership.objects.filter(program=program, status=Membership.Status.ACTIVE)
    members = members.select_related("customer__merged_into", "program").order_by("pk")
    guide = members.filter(customer__email=settings.SETIA_DEMO_CUSTOMER)
    others = members.exclude(customer__email=settings.SETIA_DEMO_CUSTOMER)
    return [*guide, *others[:PEOPLE]]


def _tell(
    occasion: Occasion, told: dict[str, OccasionSetting], news: list[News], at: dt.datetime
) -> None:
    write_messages(occasion=occasion, setting=told[occasion.code], news=news, now=at)
