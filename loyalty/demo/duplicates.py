"""What a shop has as soon as people buy in two places: somebody who is there twice, and a guest."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from loyalty.demo.people import GUIDE_HOUSEHOLD, person_of
from loyalty.models import Order, Program, Transfer
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput
from loyalty.services.orders import record_orders
from members.models import Customer

SOURCE = "web"
NUMBER = "W-20417"
# Number, days ago, and what was bought: name, category, price.
BOUGHT = (
    ("W-51208", 19, (("Olive oil 1 l", "GROCERY", "14.90"), ("Linen napkins", "HOME", "24.00"))),
    ("W-51877", 6, (("Coffee beans 1 kg", "GROCERY", "18.50"),)),
)
GUEST = ("W-52013", 2, (("Picnic basket", "HOME", "49.00"), ("Lemonade", "GROCERY", "3.20")))


def create_duplicate(program: Program) -> None:
    """The guide again, as she registered in the web shop, and an order of hers as a guest."""
    if Customer.objects.filter(external_id=NUMBER).exists():
        return
    person = person_of(GUIDE_HOUSEHOLD)
    Customer.objects.create(
        external_id=NUMBER,
        given_name=person.given_name,
        family_name=person.family_name,
        email=f"{person.given_name}.{person.family_name}@web.example.com".lower(),
        birthday=person.birthday,
        country="US",
        tags=["web shop"],
    )
    buyer = CustomerRef(external_id=NUMBER)
    record_orders(
        [*(_order(bought, buyer) for bought in BOUGHT), _order(GUEST, None)],
        now=timezone.now(),
        transfer_source=Transfer.Source.API,
        program_ids=[program.pk],
    )


def guest_order() -> Order:
    return Order.objects.get(source=SOURCE, external_id=GUEST[0])


def _order(
    bought: tuple[str, int, tuple[tuple[str, str, str], ...]], buyer: CustomerRef | None
) -> OrderInput:
    number, days, items = bought
    lines = tuple(
        LineInput(position, Decimal(price), unit_price=Decimal(price), name=name, category=category)
        for position, (name, category, price) in enumerate(items, start=1)
    )
    return OrderInput(
        external_id=number,
        placed_at=timezone.now().replace(microsecond=0) - dt.timedelta(days=days),
        currency="USD",
        total=sum((line.total for line in lines), Decimal(0)),
        customer=buyer,
        source=SOURCE,
        lines=lines,
    )
