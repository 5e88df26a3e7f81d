"""Carts of the demonstration: orders that were paid partly with units or a gift card, and some that
are held."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from django.utils import timezone

from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program, Transfer, WalletType
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput, RefundInput
from loyalty.services.orders import record_orders
from loyalty.services.refunds import record_refunds
from loyalty.services.usable_units import spendable_units
from members.errors import DomainError
from members.services.audit import SYSTEM
from rewards.models import Checkout, CheckoutGiftCard, GiftCard
from rewards.services.checkout_cards import CardPayment
from rewards.services.checkouts import LONGEST_HOLD, Cart, commit_checkout, reserve_checkout

SOURCE, CHANNEL = "web", "online"
API = Transfer.Source.API.value
# Every so many members had a cart; the days since then; whether some of it came back.
EVERY = 7
CARTS = ((26, True), (12, False), (5, False), (0, False))
# They use hundreds, which are worth whole dollars.
STEP, MOST = 100, 1500
GOODS = (
    ("BREAD", "Sourdough loaf", "6.40", 2), ("CHEESE", "Farmhouse cheddar", "11.90", 1),
    ("COFFEE", "House roast, 1 lb", "13.50", 1),
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready; after the catalog by its name."""
    register_demo_part("rewards-carts", people_pay)
    # After the gift cards by its name.
    register_demo_part("stored value in carts", a_card_pays)


def people_pay(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    unit = program.wallet_types.order_by("pk").first()
    if unit is None or Checkout.objects.filter(membership__program=program).exists():
        return
    members = Membership.objects.filter(program=program, status="active").select_related(
        "program", "customer"
    )
    now = timezone.now()
    for number, member in enumerate(members.order_by("pk")[2:120:EVERY]):
        days, returns = CARTS[number % len(CARTS)]
        at = now - dt.timedelta(days=days, hours=2)
        checkout = _reserve(member, unit, number, now if not days else at)
        if checkout is not None and days:
            _pay(checkout, member, f"W-{3100 + number}", at, returns)


def a_card_pays(program: Program) -> None:
    """A cart that was paid partly with a gift card. Made once."""
    cards = GiftCard.objects.filter(program=program, status=GiftCard.Status.ACTIVE)
    member = Membership.objects.filter(program=program, status="active").select_related(
        "program", "customer"
    ).order_by("pk").first()  # fmt: skip
    made = CheckoutGiftCard.objects.filter(gift_card__program=program).exists()
    card = cards.order_by("-amount", "pk").first()
    if made or member is None or card is None:
        return
    number, at = 3200, timezone.now() - dt.timedelta(days=2)
    asked = replace(_cart(member, number, at), gift_cards=[CardPayment(card, Decimal(20))])
    checkout = reserve_checkout(cart=asked, source=API, actor=SYSTEM, now=at, hold=LONGEST_HOLD)
    _pay(checkout, member, f"W-{number}", at, returns=False)


def _reserve(member: Membership, unit: WalletType, number: int, at: dt.datetime) -> Checkout | None:
    """A cart that a part of what they have pays for; who has too little is left out."""
    has = spendable_units([member.pk], timezone.now()).get(member.pk, {}).get(unit.pk, 0)
    units = min(has // 2, MOST) // STEP * STEP
    if not units:
        return None
    asked = replace(_cart(member, 3100 + number, at), units={unit: units})
    try:
        return reserve_checkout(cart=asked, source=API, actor=SYSTEM, now=at, hold=LONGEST_HOLD)
    except DomainError:
        return None


def _cart(member: Membership, number: int, at: dt.datetime) -> Cart:
    lines = tuple(
        LineInput(
            place, Decimal(price) * pieces, Decimal(pieces), Decimal(price), sku=sku, name=name,
        )
        for place, (sku, name, price, pieces) in enumerate(GOODS, start=1)
    )  # fmt: skip
    total = sum((line.total for line in lines), Decimal(0))
    order = OrderInput("cart", at, member.program.currency, total, lines=lines)
    return Cart(member, SOURCE, f"cart-{number}", order)


def _pay(
    checkout: Checkout, member: Membership, number: str, at: dt.datetime, returns: bool
) -> None:
    commit_checkout(checkout=checkout, order_external_id=number, source=API, actor=SYSTEM, now=at)
    lines = tuple(
        LineInput(
            line["line_no"], Decimal(line["total"]), Decimal(good[3]), Decimal(good[2]),
            Decimal(line["discount"]), sku=good[0], name=good[1],
        )
        for line, good in zip(checkout.lines, GOODS, strict=True)
    )  # fmt: skip
    order = OrderInput(
        number, at, checkout.currency, checkout.total, CustomerRef(key=member.customer_id), SOURCE,
        lines=lines, channel=CHANNEL,
    )  # fmt: skip
    record_orders([order], now=at, transfer_source=API)
    if returns:
        back = RefundInput(
            f"{number}-R1", at + dt.timedelta(days=6), checkout.currency, lines[1].total,
            order_external_id=number, source=SOURCE,
        )  # fmt: skip
        record_refunds([back], now=back.refunded_at, transfer_source=API)
