"""What the demonstration's people do besides buying: they subscribe to the newsletter and write
reviews, of which a few wait for somebody to look at them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator

from django.utils import timezone

from loyalty.demo.people import GUIDE_HOUSEHOLD, person_of
from loyalty.models import Activity, ActivityType, Membership, Program, Transfer
from loyalty.services.activities import ActivityInput, record_activities
from loyalty.services.activity_decisions import approve_activity
from loyalty.services.order_inputs import CustomerRef
from members.models import User
from members.services.audit import Actor

SOURCE = "demo-shop"
BATCH = 500
WAITING = 3
PRODUCTS = (
    ("BREAD-RYE", "Rye Sourdough"), ("COFFEE-01", "Harvest Blend Coffee"),
    ("APPLE-GALA", "Gala Apples"), ("CHEESE-07", "Aged Cheddar"), ("JAM-FIG", "Fig Jam"),
)  # fmt: skip


def people_tell(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    known = set(ActivityType.objects.values_list("code", flat=True))
    if Activity.objects.exists() or not {"review", "newsletter"} <= known:
        return
    now = timezone.now()
    told = sorted(_told(program, now), key=lambda item: item.occurred_at)
    for start in range(0, len(told), BATCH):
        record_activities(told[start : start + BATCH], now=now, transfer_source=Transfer.Source.API)
    _approve_all_but_the_last()


def _told(program: Program, now: dt.datetime) -> Iterator[ActivityInput]:
    """The guide does both; of the others every fourth subscribes and every fifth reviews."""
    guide = person_of(GUIDE_HOUSEHOLD).number
    members = Membership.objects.filter(program=program, merged_into=None)
    numbers = members.order_by("customer__external_id").values_list(
        "customer__external_id", flat=True
    )
    for place, number in enumerate(found for found in numbers if found):
        chance = random.Random(number)
        if number == guide or place % 4 == 0:
            yield _newsletter(number, now - dt.timedelta(days=chance.uniform(20, 150)))
        if number == guide or place % 5 == 0:
            yield _review(number, now - dt.timedelta(days=chance.uniform(2, 120)), chance)


def _newsletter(number: str, at: dt.datetime) -> ActivityInput:
    return ActivityInput(
        f"newsletter-{number}", CustomerRef(number), "newsletter", at, source=SOURCE
    )


def _review(number: str, at: dt.datetime, chance: random.Random) -> ActivityInput:
    sku, name = chance.choice(PRODUCTS)
    return ActivityInput(
        f"review-{number}", CustomerRef(number), "review", at, source=SOURCE, subject=sku,
        subject_name=name, data={"stars": chance.randint(3, 5)},
        proof=f"https://shop.example/reviews/{number.lower()}",
    )  # fmt: skip


def _approve_all_but_the_last() -> None:
    agent = Actor.of_user(User.objects.get(email="sam@setia.example"))
    waiting = Activity.objects.filter(state=Activity.State.PENDING).order_by("occurred_at", "pk")
    for activity in list(waiting)[:-WAITING]:
        approve_activity(
            activity=activity, actor=agent, source=Transfer.Source.BACKOFFICE,
            now=activity.occurred_at + dt.timedelta(days=1),
        )  # fmt: skip
