"""A coffee shop at which the demonstration's members earn and spend as well, for some months."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from loyalty.demo.spending import first_wallet
from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Partner, Program, Transfer
from loyalty.partner_definitions import PartnerDefinition
from loyalty.rules.calendar import add_months
from loyalty.selectors.goals import today_of
from loyalty.selectors.partners import AtPartner, partners_in
from loyalty.services.order_inputs import CustomerRef, OrderInput, RefundInput
from loyalty.services.orders import record_orders
from loyalty.services.partner_settlements import PATIENCE, close_month, is_due, pay_settlement
from loyalty.services.partners import create_partner
from loyalty.services.redemptions import redeem_units
from loyalty.services.refunds import record_refunds
from members.models import ApiKey, StaffMember, User
from members.services.api_keys import PARTNER_SCOPES, create_api_key
from members.services.audit import SYSTEM, Actor

CODE = "riverside-coffee"
SOURCE = "coffee"
MONTHS = 3
BUYERS = 12
EMAIL = "dana@setia.example"


def people_drink_coffee(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    partner = _partner(program)
    _somebody_there(partner)
    if not partner.orders.exists():
        _buy(program, partner)
    # The till of a coffee shop tells at once, and may have been offline for three days at most.
    _settle(partner)


def _partner(program: Program) -> Partner:
    known = [item for item in partners_in(program) if item.code == CODE]
    if known:
        return known[0]
    now = timezone.now()
    since = add_months(today_of(program, now).replace(day=1), -MONTHS)
    unit = program.wallet_types.earliest("pk")
    rate = {"wallet_type": unit.code, "from_on": since, "issued": "0.012", "taken_in": "0.009"}
    definition = PartnerDefinition.model_validate({
        "code": CODE, "name": "Riverside Coffee", "since": since, "rates": [rate],
        "summary": "Coffee and cake by the bridge.", "website": "https://coffee.example.org",
    })  # fmt: skip
    return create_partner(program=program, definition=definition, actor=SYSTEM, now=now)


def _somebody_there(partner: Partner) -> None:
    if not ApiKey.objects.filter(partner=partner.pk).exists():
        create_api_key(
            actor=SYSTEM, name="Till of Riverside Coffee", scopes=PARTNER_SCOPES,
            partner=partner.pk,
        )  # fmt: skip
    user = User.objects.filter(email=EMAIL).first()
    if user is None:
        user = User.objects.create_user(EMAIL, settings.DEMO_PASSWORD, name="Dana Barista")
    StaffMember.objects.get_or_create(
        user=user,
        defaults={
            "role": StaffMember.Role.PARTNER, "partner": partner.pk,
            "programs": [partner.account.program_id],
        },
    )  # fmt: skip


def _buy(program: Program, partner: Partner) -> None:
    now, chance = timezone.now(), random.Random(CODE)
    at = AtPartner.of(partner)
    buyers = list(
        Membership.objects.filter(program=program, status=Membership.Status.ACTIVE)
        .order_by("customer__external_id")[:BUYERS]
    )  # fmt: skip
    orders = [
        OrderInput(
            f"{SOURCE}-{number}-{visit}", now - dt.timedelta(days=days, hours=number),
            program.currency, Decimal(chance.randint(60, 240)) / 10,
            CustomerRef(key=member.customer_id), source=SOURCE, channel="till", partner=at,
        )
        for number, member in enumerate(buyers)
        for visit, days in enumerate(sorted(chance.sample(range(2, 80), 5), reverse=True))
        if member.enrolled_at < now - dt.timedelta(days=days, hours=number)
    ]  # fmt: skip
    if not orders:
        return
    orders.sort(key=lambda order: order.placed_at)
    record_orders(orders, now=now, transfer_source=Transfer.Source.API)
    back = orders[-1]
    refund = RefundInput(
        f"{SOURCE}-back", now - dt.timedelta(hours=1), program.currency, back.total,
        order_external_id=back.external_id, source=SOURCE,
    )  # fmt: skip
    record_refunds([refund], now=now, transfer_source=Transfer.Source.API)
    _spend(partner, buyers, now)


def _spend(partner: Partner, buyers: list[Membership], now: dt.datetime) -> None:
    """Every third has a coffee for a hundred, if they have as many."""
    actor = Actor.of_api_key(ApiKey.objects.filter(partner=partner.pk).earliest("pk"))
    for member in buyers[::3]:
        wallet = first_wallet(member)
        if holdings([wallet], now)[wallet.pk].spendable >= 100:
            redeem_units(
                wallet=wallet, units=100, key=f"demo:coffee:{member.pk}", actor=actor, now=now,
                source=Transfer.Source.API,
            )  # fmt: skip


def _settle(partner: Partner) -> None:
    """The months that are over; all but the last were paid."""
    now = timezone.now()
    closed = []
    while is_due(partner, today_of(partner.account.program, now) - PATIENCE):
        closed.append(close_month(partner=partner, actor=SYSTEM, now=now))
    for settlement in closed[:-1]:
        pay_settlement(
            settlement=settlement, reference=f"RC-{settlement.number}",
            paid_on=settlement.until + dt.timedelta(days=5), actor=SYSTEM, now=now,
        )  # fmt: skip
