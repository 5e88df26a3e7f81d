"""Challenges: what working out progress costs after a day's orders, by how many members bought, of
all those who take part. On a database of its own, which is dropped afterwards."""

from __future__ import annotations

import argparse
import datetime as dt
import time

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from campaigns.models import Challenge, ChallengeEntry
from campaigns.services.challenge_progress import AT_ONCE, measure_customers
from loyalty.models import Program
from members.models import Customer
from tests.bench import databases
from tests.bench.figures import Figures, Goal
from tests.bench.journeys import make_members
from tests.bench.sweeps import exponent
from tests.campaigns.challenges import launch
from tests.loyalty.factories import make_program

GOALS = {
    "progress": Goal("progress after a day's orders, its cost against who bought, exponent", 1.1,
                     at_most=True),
}  # fmt: skip
DATABASE = "bench_challenges"
BOUGHT = (300, 1_000, 10_000)
MOST = 100_000
_ENTRIES = """
    INSERT INTO campaigns_challengeentry (public_id, challenge_id, membership_id, state, starts_at,
                                          ends_at, created_at, rounds, percent, reached)
    SELECT gen_random_uuid(), %(challenge)s, id, 'open', %(start)s, %(end)s, %(start)s, 0, 0, '[]'
      FROM loyalty_membership
"""
_ORDERS = """
    WITH sold AS (
        INSERT INTO loyalty_order (source, external_id, customer_id, status, placed_at, currency,
                                   total, tax_total, taxes_included, shipping_total, discount_total,
                                   channel, store, payment_method, coupons, body_hash, recorded_at)
        SELECT 'bench', %(day)s || '-' || id, id, 'completed', %(at)s, 'USD', 7, 0, true, 0, 0,
               '', '', '', '{}', '\\x00', %(at)s
          FROM unnest(%(customers)s::bigint[]) id RETURNING id)
    INSERT INTO loyalty_orderline (order_id, line_no, sku, name, category, tags, quantity,
                                   unit_price, discount, total, tax, stored_value)
    SELECT id, 1, 'T', '', 'Tea', '{}', 1, 7, 0, 7, 0, false FROM sold
"""


def rounds(options: argparse.Namespace) -> list[Figures]:
    members = min(options.customers, MOST)
    databases.create(DATABASE)
    try:
        with databases.used(DATABASE):
            call_command("migrate", verbosity=0)
            start = timezone.now() - dt.timedelta(days=options.rounds + 1)
            program = make_program(at=start, earning_rules=[])
            make_members(program, members)
            _take_part(program, start)
            return [
                _round(number, start + dt.timedelta(days=number + 1), members)
                for number in range(options.rounds)
            ]
    finally:
        databases.drop(DATABASE)


def _take_part(program: Program, start: dt.datetime) -> None:
    """A challenge that takes many orders, so that nobody is done; everybody is in it."""
    end = start + dt.timedelta(days=300)
    challenge: Challenge = launch(
        program, {"kind": "count", "number": 500}, {"kind": "spend", "amount": 9_000}, at=start,
        starts_at=start, ends_at=end,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, {"challenge": challenge.pk, "start": start, "end": end})
        cursor.execute("VACUUM ANALYZE campaigns_challengeentry, loyalty_membership")


def _round(number: int, at: dt.datetime, members: int) -> Figures:
    """Each day others buy."""
    took = {}
    everybody = list(Customer.objects.order_by("public_id").values_list("pk", flat=True))
    first = 0
    for size in (size for size in BOUGHT if size <= members):
        customers = [everybody[(first + place) % members] for place in range(size)]
        first += size
        with connection.cursor() as cursor:
            cursor.execute(_ORDERS, {"customers": customers, "at": at, "day": f"{number}-{size}"})
        began = time.perf_counter()
        changed = 0
        for place in range(0, size, AT_ONCE):
            changed += measure_customers(customers[place : place + AT_ONCE], now=timezone.now())
        took[size] = time.perf_counter() - began
        if changed != size:
            raise AssertionError(f"{changed} of {size} moved on")
    entries = ChallengeEntry.objects.count()
    return {
        "progress": exponent(took),
        **{f"progress of {size:,} who bought, of {entries:,}, s": s for size, s in took.items()},
    }
