"""What live promotions cost an order: with fifty of them beside five, each order in a transaction
of its own, in turn. On a database of their own, which is dropped afterwards."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.services.campaigns import create_campaign, publish_campaign
from loyalty.definitions import ProgramDefinition
from loyalty.models import Program, Transfer
from loyalty.services.memberships import enroll_many
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput
from loyalty.services.orders import record_orders
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM
from tests.bench import databases
from tests.bench.figures import Figures, Goal
from tests.bench.world import DEPARTMENTS

GOALS = {"growth": Goal("an order with 50 live promotions / with 5", 3.0, 2.0, at_most=True)}
DATABASE = "bench_campaigns"
FEW, MANY = 5, 50
MEMBERS = 500
# Four that are like those of shops: for some, for a category, within a budget, by a code.
KINDS: tuple[dict[str, Any], ...] = (
    {"template": "points-weekend",
     "audience": {"field": "customer.tags", "op": "has_any", "value": ["vip"]}},
    {"template": "boost"},
    {"template": "spend-get", "offer": {"reach": 50, "units": 20}, "budget_units": 100_000_000},
    {"template": "points-weekend"},
)  # fmt: skip


def rounds(options: Namespace) -> list[Figures]:
    with _database():
        programs = [_program("few", FEW), _program("many", MANY)]
        _in_turn(programs, 1.0, "warm")
        return [
            _in_turn(programs, options.seconds, f"round-{number}")
            for number in range(options.rounds)
        ]


@contextmanager
def _database() -> Iterator[None]:
    databases.create(DATABASE)
    try:
        with databases.inherited(DATABASE), databases.used(DATABASE):
            call_command("migrate", verbosity=0)
            yield
    finally:
        databases.drop(DATABASE)


def _program(code: str, promotions: int) -> Program:
    now = timezone.now()
    said = {
        "code": code, "name": code, "currency": "USD", "status": "live", "multiplying": "best",
        "wallet_types": [{}], "earning_rules": [{}],
    }  # fmt: skip
    program = apply_definition(
        ProgramDefinition.model_validate(said), actor=SYSTEM, now=now - dt.timedelta(days=2)
    ).program
    Customer.objects.bulk_create(
        (Customer(external_id=f"M{number}", tags=["vip"] if number % 2 else [])
         for number in range(MEMBERS)),
        ignore_conflicts=True,
    )  # fmt: skip
    keys = Customer.objects.values_list("pk", flat=True)
    since = now - dt.timedelta(days=1)
    enroll_many(program_id=program.pk, enrolled=dict.fromkeys(keys, since), source="import")
    for number in range(promotions):
        _launch(program, number, now)
    return program


def _launch(program: Program, number: int, now: dt.datetime) -> None:
    kind = number % len(KINDS)
    own: dict[str, Any] = {}
    if kind == 1:
        own["offer"] = {"categories": [DEPARTMENTS[number % len(DEPARTMENTS)]]}
    if kind == 3:
        own["codes"] = {"kind": "shared", "word": f"WORD{number}", "per_member": None}
    said = {
        "name": f"P {number}", "title": f"P {number}", "starts_at": now - dt.timedelta(hours=1),
        "ends_at": now + dt.timedelta(days=30),
    }  # fmt: skip
    definition = CampaignDefinition.model_validate(said | KINDS[kind] | own)
    made = create_campaign(program=program, definition=definition, actor=SYSTEM, now=now)
    publish_campaign(campaign=made, actor=SYSTEM, now=now)


def _in_turn(programs: list[Program], seconds: float, name: str) -> Figures:
    """The same order for one and for the other; every fifth with a code."""
    took: dict[str, list[float]] = {program.code: [] for program in programs}
    ends, number = time.perf_counter() + seconds, 0
    while time.perf_counter() < ends:
        number += 1
        for program in programs:
            order = _order(f"{name}-{number}", program, number)
            begun = time.perf_counter()
            record_orders(
                [order], now=order.placed_at, transfer_source=Transfer.Source.API,
                program_ids=[program.pk],
            )  # fmt: skip
            took[program.code].append(time.perf_counter() - begun)
    few, many = (statistics.median(took[program.code]) for program in programs)
    return {
        "growth": many / few,
        f"an order with {FEW} promotions, ms": few * 1000,
        f"an order with {MANY} promotions, ms": many * 1000,
    }


def _order(number: str, program: Program, place: int) -> OrderInput:
    lines = tuple(
        LineInput(at, Decimal("12.50"), sku=f"S{at}",
                  category=DEPARTMENTS[(place + at) % len(DEPARTMENTS)])
        for at in range(1, 6)
    )  # fmt: skip
    return OrderInput(
        number, timezone.now(), "USD", Decimal("62.50"),
        CustomerRef(external_id=f"M{place % MEMBERS}"), f"bench-{program.code}", lines=lines,
        coupons=("WORD3",) if place % 5 == 0 else (),
    )  # fmt: skip
