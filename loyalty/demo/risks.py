"""A few of the demonstration's members of whom something is suspicious: two accounts of one person,
somebody who sends nearly everything back, and a card that is used in four towns in a day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from loyalty.models import Membership, Program, RiskCase, Transfer
from loyalty.risk_signals import RETURNS, SHARING, VELOCITY
from loyalty.services.memberships import enroll_customer
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput, RefundInput
from loyalty.services.orders import record_orders
from loyalty.services.refunds import record_refunds
from loyalty.services.risk_cases import release_case
from loyalty.services.risk_policies import write_policy
from loyalty.services.risk_scores import score_member
from members.models import Customer
from members.services.audit import SYSTEM

SOURCE = "demo-risk"
DAY = dt.timedelta(days=1)
# The first of a name is a person; the others of it are what they call themselves elsewhere.
TWINS = (("RISK-1", "vera.quick@mail.example"), ("RISK-2", "vera.quick@post.example"))
RETURNER, SHARER, RUSHER = "RISK-3", "RISK-4", "RISK-5"
STORES = ("Harborside", "Old Town", "Airport", "Garden Center")


@transaction.atomic
def some_mislead(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Customer.objects.filter(external_id=RETURNER).exists():
        return
    now = timezone.now()
    _weigh(program, now)
    members = [_join(program, number, "Vera", "Quick", email, now) for number, email in TWINS]
    members += [
        _join(program, RETURNER, "Bertil", "Backhaus", "bertil@mail.example", now),
        _join(program, SHARER, "Clara", "Kardia", "clara@mail.example", now),
        _join(program, RUSHER, "Rasmus", "Hurtig", "rasmus@mail.example", now),
    ]
    _send_back(program, now)
    _go_round(program, now)
    for member in members:
        score_member(member, now=now)
    fine = RiskCase.objects.filter(membership__customer__external_id=RUSHER).first()
    if fine is not None:
        words = "Buys for the whole office, as the receipts show."
        release_case(case=fine, note=words, actor=SYSTEM, now=now)


def _weigh(program: Program, now: dt.datetime) -> None:
    """This shop looks more closely at what one sign alone says."""
    weights = {RETURNS.key: 45, SHARING.key: 42, VELOCITY.key: 40}
    values = {"signals": {key: {"weight": weight} for key, weight in weights.items()}}
    write_policy(program=program, values=values, actor=SYSTEM, now=now)


def _join(
    program: Program, number: str, given: str, family: str, email: str, now: dt.datetime
) -> Membership:
    customer = Customer.objects.create(
        external_id=number, given_name=given, family_name=family, email=email,
        birthday=dt.date(1987, 6, 5) if family == "Quick" else None,
    )  # fmt: skip
    membership, _made = enroll_customer(
        customer=customer, program=program, source=Membership.Source.ACCOUNT, at=now - 40 * DAY,
        actor=SYSTEM,
    )  # fmt: skip
    return membership


def _send_back(program: Program, now: dt.datetime) -> None:
    """Six orders, of which five come back a week later."""
    bought = [_order(program, RETURNER, n, now - (35 - 4 * n) * DAY, 80 + n) for n in range(6)]
    _record(program, bought)
    back = [
        RefundInput(
            f"{one.external_id}-back", one.placed_at + 4 * DAY, program.currency, one.total, None,
            one.external_id, SOURCE,
        )
        for one in bought[:5]
    ]  # fmt: skip
    record_refunds(back, now=now, transfer_source=Transfer.Source.API)


def _go_round(program: Program, now: dt.datetime) -> None:
    """Four stores within minutes; and ten orders within an hour in one, twice."""
    noon = now - 2 * DAY
    minute = dt.timedelta(minutes=1)
    _record(
        program,
        [
            _order(program, SHARER, n, noon + 6 * n * minute, 30 + n, store)
            for n, store in enumerate(STORES)
        ]
        + [
            _order(program, number, n, noon + 5 * n * minute, 12, STORES[0])
            for n in range(10)
            for number in (RUSHER, TWINS[1][0])
        ],
    )


def _order(
    program: Program, number: str, place: int, at: dt.datetime, total: int, store: str = ""
) -> OrderInput:
    money = Decimal(total)
    return OrderInput(
        f"{number}-{place}", at, program.currency, money, CustomerRef(external_id=number), SOURCE,
        channel="store" if store else "web", store=store,
        lines=(LineInput(1, money, sku="BASKET", name="Groceries", category="GROCERY"),),
    )  # fmt: skip


def _record(program: Program, orders: list[OrderInput]) -> None:
    record_orders(
        orders, now=max(one.placed_at for one in orders), transfer_source=Transfer.Source.API,
        program_ids=[program.pk],
    )  # fmt: skip
