"""The demonstration's gift cards and store credit, and what was paid with them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone

from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program, Transfer
from loyalty.services.adjustments import adjust_units
from loyalty.services.store_credit import credit_of
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.models import GiftCard, Reward
from rewards.services.gift_card_money import redeem_gift_card
from rewards.services.gift_cards import GiftCardPeople, block_gift_card, issue_gift_card
from rewards.services.rewards import create_reward

SOURCE = Transfer.Source.API.value
CATALOG: tuple[dict[str, Any], ...] = (
    {"code": "gift-card-10", "kind": "gift_card", "name": "A $10 gift card", "price": 1000,
     "amount": 10, "worth": 10, "cost": 10, "summary": "For you, or for somebody you like."},
    {"code": "credit-5", "kind": "store_credit", "name": "$5 of store credit", "price": 500,
     "amount": 5, "worth": 5, "cost": 5, "summary": "Yours to spend, on anything."},
)  # fmt: skip
# Amount, for whom, from whom, how many days ago, and what was paid with it since.
CARDS = (
    ("50", "Nora", "Grandma", 40, ("18.40", "12.75")),
    ("25", "", "", 33, ("25.00",)),
    ("100", "The team", "Priya", 21, ("64.10",)),
    ("30", "Leo", "Aunt May", 9, ()),
    ("20", "", "", 6, ()),
)
# So much credit for every so many members.
CREDIT = ((6, 750), (17, 2000))


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part("stored value", show_stored_value)


def show_stored_value(program: Program) -> None:
    """Rewards that give money, cards that people bought and used, and credit for some trouble."""
    if not program.wallet_types.filter(stored_value=True).exists():
        return
    unit = program.wallet_types.order_by("pk")[0]
    for values in CATALOG:
        if not Reward.objects.filter(program=program, code=values["code"]).exists():
            definition = RewardDefinition.model_validate(
                values | {"status": "live", "wallet_type": unit.code}
            )
            create_reward(program=program, definition=definition, actor=SYSTEM)
    if GiftCard.objects.filter(program=program).exists():
        return
    active = Membership.objects.filter(program=program, status="active")
    members = list(active.select_related("program", "customer").order_by("pk")[:60])
    _sell(program, members)
    _give_credit(members)


def _sell(program: Program, members: list[Membership]) -> None:
    now = timezone.now()
    for number, (amount, name, sender, days, paid) in enumerate(CARDS):
        buyer = members[number].customer if number < len(members) else None
        at = now - dt.timedelta(days=days)
        card, _replayed = issue_gift_card(
            program=program, amount=Decimal(amount), key=f"demo:{number}", source=SOURCE,
            actor=SYSTEM, now=at,
            people=GiftCardPeople(buyer=buyer, recipient_name=name, sender_name=sender),
        )  # fmt: skip
        for place, part in enumerate(paid, start=1):
            redeem_gift_card(
                card=card, amount=Decimal(part), key=f"receipt {4000 + 10 * number + place}",
                source=SOURCE, actor=SYSTEM, now=at + dt.timedelta(days=2 * place),
            )  # fmt: skip
    last = GiftCard.objects.filter(program=program).latest("pk")
    block_gift_card(card=last, reason="Reported stolen by its owner", actor=SYSTEM, now=now)


def _give_credit(members: list[Membership]) -> None:
    now = timezone.now() - dt.timedelta(days=5)
    for every, units in CREDIT:
        for member in members[::every]:
            adjust_units(
                wallet=credit_of(member), units=units, reason="goodwill", note="", actor=SYSTEM,
                key=f"demo:credit:{member.pk}:{units}", source=SOURCE, now=now,
            )  # fmt: skip
