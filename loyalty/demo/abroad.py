"""What the demonstration's members bought in the shop's euro store, and the rates of these days."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from loyalty.models import Membership, Order, Program, Transfer
from loyalty.services.exchange_rates import RateInput, put_rates
from loyalty.services.order_inputs import CustomerRef, OrderInput, RefundInput
from loyalty.services.orders import record_orders
from loyalty.services.refunds import record_refunds
from members.services.audit import SYSTEM

SOURCE = "demo"
BANK = "House bank"
# Days ago, and what a euro was then.
RATES = ((6, "1.0842"), (4, "1.0871"), (2, "1.0815"), (1, "1.0828"))
# Number, days ago, euros.
ORDERS = (("EU-1001", 5, "38.90"), ("EU-1002", 3, "64.00"), ("EU-1003", 2, "21.50"))
BACK = ("EU-R-1002", "EU-1002", "14.00")


def people_buy_abroad(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Order.objects.filter(source=SOURCE, external_id=ORDERS[0][0]).exists():
        return
    now = timezone.now()
    earliest = now - dt.timedelta(days=30)
    active = Membership.objects.filter(
        program=program, status=Membership.Status.ACTIVE, enrolled_at__lt=earliest
    )
    buyer = active.order_by("-customer__external_id").values_list("customer", flat=True).first()
    if buyer is None:
        return
    today = now.astimezone(program.zone).date()
    put_rates(
        [
            RateInput(
                "EUR", program.currency, today - dt.timedelta(days=ago), Decimal(rate), BANK
            )
            for ago, rate in RATES
        ],
        actor=SYSTEM, now=now,
    )  # fmt: skip
    orders = [
        OrderInput(
            number, now - dt.timedelta(days=ago), "EUR", Decimal(total), CustomerRef(key=buyer),
            source=SOURCE, channel="web", store="EU",
        )
        for number, ago, total in ORDERS
    ]  # fmt: skip
    record_orders(orders, now=now, transfer_source=Transfer.Source.API)
    number, of, total = BACK
    refund = RefundInput(
        number, now - dt.timedelta(days=1), "EUR", Decimal(total), order_external_id=of,
        source=SOURCE,
    )  # fmt: skip
    record_refunds([refund], now=now, transfer_source=Transfer.Source.API)
