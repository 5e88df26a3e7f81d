"""What the demonstration's members look at in its shop: some of them agreed, a few left a cart, and
a segment and a journey ask for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from campaigns.channels import SHOP
from campaigns.models import BrowsingEvent, BrowsingPolicy, ConsentChange
from campaigns.ready_journeys import ready_journey
from campaigns.services.browsing import MOST_AT_ONCE, Told, record_browsing
from campaigns.services.browsing_policies import set_browsing_policy
from campaigns.services.consents import set_consents
from campaigns.services.journeys import create_journey, publish_journey
from campaigns.topics import BROWSING
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program
from members.models import Customer, Segment
from members.services.audit import SYSTEM
from members.services.segment_refresh import refresh_segment
from members.services.segments import create_segment

# After the journeys, which are made where there is none.
PART = "told_messages_looks"
PEOPLE = 40
DAYS = 12
# As its shop sells them.
GOODS = (
    ("coffee", "Coffee beans, 500 g", "COFFEE"), ("bread", "Sourdough loaf", "BAKERY"),
    ("apples", "Orchard apples, 1 kg", "FRUIT"), ("cheese", "Mountain cheese, 250 g", "DAIRY"),
    ("oil", "Olive oil, 750 ml", "PANTRY"), ("flowers", "Bunch of field flowers", "FLOWERS"),
)  # fmt: skip
SEARCHES = ("olive oil", "rye bread", "coffee decaf", "cheese goat", "flowers birthday")
LOOKERS = {"field": "browsing.viewed_unbought_at", "op": "in_last_days", "value": 3}
Kind = BrowsingEvent.Kind


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_browsing)


def show_browsing(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if BrowsingPolicy.objects.exists():
        return
    now = timezone.now()
    set_browsing_policy(is_on=True, kept_days=90, actor=SYSTEM)
    people = _people(program)
    with transaction.atomic():
        for customer in people:
            set_consents(
                customer=customer, wanted={(SHOP.key, BROWSING.code): True},
                source=ConsentChange.Source.ACCOUNT.value, actor=SYSTEM, now=now,
            )  # fmt: skip
    told = [event for number, one in enumerate(people) for event in _looks(one, number, now)]
    for start in range(0, len(told), MOST_AT_ONCE):
        record_browsing(told[start : start + MOST_AT_ONCE], now=now)
    _ask(program, now)


def _people(program: Program) -> Sequence[Customer]:
    """Who is shown around, and the newest members."""
    members = Membership.objects.filter(program=program, status=Membership.Status.ACTIVE)
    rows = members.select_related("customer").order_by("-pk")
    guide = rows.filter(customer__email=settings.SETIA_DEMO_CUSTOMER)
    others = rows.exclude(customer__email=settings.SETIA_DEMO_CUSTOMER)
    return [member.customer for member in (*guide, *others[:PEOPLE])]


def _looks(customer: Customer, number: int, now: dt.datetime) -> Iterator[Told]:
    """A visit every few days, each of them another; every fourth leaves something in the cart."""
    for visit in range(1 + number % 3):
        at = now - dt.timedelta(days=(visit * 4 + number) % DAYS, hours=2 + number % 5)
        sku, name, category = GOODS[(number + visit) % len(GOODS)]

        def told(kind: str, subject: str, minute: int, at: dt.datetime = at, visit: int = visit,
                 **more: object) -> Told:  # fmt: skip
            return Told(
                customer.pk, f"demo-{number}-{visit}-{minute}", kind, subject,
                at + dt.timedelta(minutes=minute), **more,  # type: ignore[arg-type]
            )  # fmt: skip

        yield told(Kind.SEARCH, SEARCHES[(number + visit) % len(SEARCHES)], 0)
        yield told(Kind.CATEGORY, category, 1)
        yield told(Kind.PRODUCT, sku, 3, name=name, category=category)
        if number % 4 == 0 and visit == 0:
            yield told(Kind.CART, sku, 6, name=name, quantity=1 + number % 3)


def _ask(program: Program, now: dt.datetime) -> None:
    """A segment, worked out, and a journey that begins with whoever leaves a cart from now on."""
    if not Segment.objects.filter(code="lookers").exists():
        segment = create_segment(
            name="Looking around", code="lookers", condition={"all": [LOOKERS]}, actor=SYSTEM,
            now=now,
        )  # fmt: skip
        refresh_segment(segment, now=now)
    ready = ready_journey("cart-left")
    assert ready is not None
    with transaction.atomic():
        journey = create_journey(
            program=program, name=str(ready.name), trigger=ready.trigger, body=ready.body,
            actor=SYSTEM, now=now,
        )  # fmt: skip
        publish_journey(journey=journey, actor=SYSTEM, now=now)
