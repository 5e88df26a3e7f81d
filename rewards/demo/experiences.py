"""The demonstration's events, library, early access, and what is on its way to people."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db.models import Q
from django.utils import timezone

from loyalty.demo.parts import register_demo_part
from loyalty.errors import InsufficientBalanceError
from loyalty.models import Membership, Program
from loyalty.selectors.tier_sets import tier_set_at
from members.services.audit import SYSTEM
from rewards.addresses import Address
from rewards.definitions import RewardDefinition
from rewards.errors import RewardRefusedError
from rewards.event_definitions import EventDefinition
from rewards.models import AccessWindow, ContentItem, Event, FulfillmentTask, Reward
from rewards.services.access_windows import WindowTerms, save_window
from rewards.services.content import ContentTerms, create_content
from rewards.services.events import create_event, join_waiting_list
from rewards.services.fulfillment import advance_task, give_by_hand
from rewards.services.redemptions import take_reward
from rewards.services.rewards import create_reward

MUG: dict[str, Any] = {
    "code": "mug", "kind": "gift", "name": "An enamel mug", "price": 400, "worth": 9, "cost": 4,
    "stock": 60, "per_member": 1, "status": "live",
    "summary": "With our oak on it. We send it to you.",
}  # fmt: skip
# Comes with the sale.
BASKET: dict[str, Any] = {
    "code": "harvest-basket", "kind": "gift", "name": "A basket of the first apples", "price": 350,
    "worth": 12, "cost": 7, "stock": 30, "per_member": 1, "status": "live",
    "window": "harvest-sale", "summary": "The first ones are picked for who may come early.",
}  # fmt: skip
# Days from today, hours, and what else an event says.
EVENTS: tuple[tuple[int, int, dict[str, Any]], ...] = (
    (16, 3, {"code": "apple-tasting", "name": "Apple tasting", "place": "Orchard barn", "seats": 6,
             "price": 100, "worth": 15, "cost": 6, "offer_hours": 24,
             "summary": "Twelve old kinds, with cheese and cider."}),
    (30, 2, {"code": "preserving", "name": "Preserving fruit: a workshop", "seats": 40, "price": 0,
             "link": "https://example.com/workshop", "worth": 10, "cost": 2,
             "summary": "From your own kitchen, with the people who make our jams."}),
)  # fmt: skip
# So many try to book a seat: of a large event some stay free.
MOST_BOOKED = 26
STREETS = ("Oak Street", "Mill Lane", "River Road", "Church Hill", "Station Road")
RECIPES = b"Twelve recipes for apples\n\n1. Baked apples\nCore them, fill them, bake them.\n"


def register() -> None:
    """Called once, when the application is ready. After the catalog, in the order of names."""
    register_demo_part("rewards_experiences", show_experiences)


def show_experiences(program: Program) -> None:
    """Everything once, also where an earlier load was killed in between."""
    unit = program.wallet_types.order_by("pk").first()
    if unit is None:
        return
    now = timezone.now()
    members = (
        Membership.objects.filter(program=program, status="active")
        .select_related("program", "customer")
        .order_by("pk")
    )
    # Whoever is guided through the demonstration has one, wherever they stand in the list.
    own = Q(customer__email=settings.SETIA_DEMO_CUSTOMER)
    guide, others = list(members.filter(own)), list(members.exclude(own)[:40])
    _send_mugs(program, unit.code, guide + others[:12], now)
    for days, hours, values in EVENTS:
        if not Event.objects.filter(reward__program=program, reward__code=values["code"]).exists():
            _plan(program, unit.code, days, hours, values, others, now)
    _fill_library(program, unit.code)
    _open_early(program, now)
    _offer_with_sale(program, unit.code)


def _send_mugs(program: Program, unit: str, members: list[Membership], now: dt.datetime) -> None:
    """Some wait, some are packed or sent, one is late, one has told no address."""
    if FulfillmentTask.objects.filter(program=program).exists():
        return
    reward = Reward.objects.filter(program=program, code=MUG["code"]).first() or create_reward(
        program=program, actor=SYSTEM,
        definition=RewardDefinition.model_validate(MUG | {"wallet_type": unit}),
    )  # fmt: skip
    for number, member in enumerate(members):
        at = now - dt.timedelta(days=6 - number % 6, hours=number)
        address = None if number == 3 else _address(member, number)
        task = _take_mug(reward, member, address, at)
        if task is not None and number % 3 == 0 and task.status == "to_do":
            advance_task(task=task, to="packed", actor=SYSTEM, now=at + dt.timedelta(hours=20))
        if task is not None and number in (0, 6):
            advance_task(
                task=task, to="sent", carrier="Postal service", tracking_number=f"RR10{number}US",
                actor=SYSTEM, now=at + dt.timedelta(days=1),
            )  # fmt: skip
    if len(members) > 2:
        give_by_hand(
            membership=members[1], kind="note", what="A card to say thank you", actor=SYSTEM,
            words="Dear friend,\nten years with us! Thank you, from all at the shop.",
            address=_address(members[1], 1), key="demo:note", now=now,
        )  # fmt: skip
        give_by_hand(
            membership=members[2], kind="surprise", what="A box of apple rings", words="",
            address=_address(members[2], 2), key="demo:surprise", actor=SYSTEM,
            now=now - dt.timedelta(days=2),
        )  # fmt: skip


def _take_mug(
    reward: Reward, member: Membership, address: Address | None, at: dt.datetime
) -> FulfillmentTask | None:
    """What somebody cannot afford they leave."""
    try:
        taken, _replayed = take_reward(
            membership=member, reward=reward, key=f"demo:mug:{member.pk}", source="account",
            actor=SYSTEM, now=at, address=address,
        )  # fmt: skip
    except (InsufficientBalanceError, RewardRefusedError):
        return None
    return FulfillmentTask.objects.get(redemption=taken)


def _address(member: Membership, number: int) -> Address:
    person = member.customer
    return Address(
        recipient=str(person)[:120], street=f"{12 + 7 * number} {STREETS[number % len(STREETS)]}",
        postal_code=f"{45200 + number}", city="Springfield", region="OH", country="US",
    )  # fmt: skip


def _plan(
    program: Program, unit: str, days: int, hours: int, values: dict[str, Any],
    members: list[Membership], now: dt.datetime,
) -> None:  # fmt: skip
    """An event; the smaller one is booked out, and some wait."""
    day = now.astimezone(program.zone) + dt.timedelta(days=days)
    begins = day.replace(hour=18, minute=0, second=0, microsecond=0)
    definition = EventDefinition.model_validate(
        values
        | {"wallet_type": unit, "starts_at": begins, "ends_at": begins + dt.timedelta(hours=hours)}
    )
    event = create_event(program=program, definition=definition, actor=SYSTEM, live=True)
    for member in members[: min(definition.seats + 12, MOST_BOOKED)]:
        _book(event, member, now)
    event.reward.refresh_from_db()
    if event.reward.left:
        return
    waiting = [item for item in members if not _has_seat(event, item)]
    for member in waiting[:3]:
        join_waiting_list(event=event, membership=member, actor=SYSTEM, now=now)


def _book(event: Event, member: Membership, now: dt.datetime) -> None:
    try:
        take_reward(
            membership=member, reward=event.reward, key=f"demo:{event.reward.code}:{member.pk}",
            source="account", actor=SYSTEM, now=now,
        )  # fmt: skip
    except (InsufficientBalanceError, RewardRefusedError):
        return


def _has_seat(event: Event, member: Membership) -> bool:
    return event.reward.redemptions.filter(membership=member).exists()


def _fill_library(program: Program, unit: str) -> None:
    if ContentItem.objects.filter(program=program).exists():
        return
    create_content(
        program=program, code="apple-recipes", actor=SYSTEM,
        file=ContentFile(RECIPES, name="apple-recipes.txt"),
        terms=ContentTerms(
            title="Twelve recipes for apples", status="live",
            summary="For every member: from baked apples to chutney.",
        ),
    )  # fmt: skip
    create_content(
        program=program, code="pruning-film", actor=SYSTEM, file=None,
        terms=ContentTerms(
            title="How to prune an apple tree", status="live", price=Decimal(100), wallet_type=unit,
            link="https://example.com/pruning", summary="A film of twenty minutes.",
        ),
    )  # fmt: skip


def _offer_with_sale(program: Program, unit: str) -> None:
    """Something that waits for the sale with whom it is for."""
    if not Reward.objects.filter(program=program, code=BASKET["code"]).exists():
        definition = RewardDefinition.model_validate(BASKET | {"wallet_type": unit})
        create_reward(program=program, definition=definition, actor=SYSTEM)


def _open_early(program: Program, now: dt.datetime) -> None:
    if AccessWindow.objects.filter(program=program).exists():
        return
    day = now.astimezone(program.zone).replace(hour=9, minute=0, second=0, microsecond=0)
    opens = day + dt.timedelta(days=9)
    tier_set = tier_set_at(program, now)
    known = [tier.code for tier in tier_set.tiers.all()] if tier_set else []
    save_window(
        program=program, code="harvest-sale", actor=SYSTEM,
        terms=WindowTerms(
            name="Harvest sale", teaser="Everything from the orchard, up to a third off.",
            link="https://example.com/sale", opens_at=opens,
            closes_at=opens + dt.timedelta(days=7),
            tiers={
                code: opens - dt.timedelta(days=number) for number, code in enumerate(known[1:], 1)
            },
        ),
    )  # fmt: skip
