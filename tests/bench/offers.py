"""Personal offers: what making them for everybody costs, and following those who bought; and
drawing some of everybody for a surprise. On a database of its own, which is dropped afterwards."""

from __future__ import annotations

import argparse
import datetime as dt
import time

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign, PersonalOffer
from campaigns.selectors.personal_offers import eligible
from campaigns.services.campaigns import end_campaign
from campaigns.services.offer_jobs import PIECE
from campaigns.services.personal_offers import AT_ONCE, follow_customers, give_offers
from campaigns.services.surprises import draw_round
from loyalty.models import Program
from members.models import Customer
from members.services.audit import SYSTEM
from tests.bench import databases
from tests.bench.figures import Figures, Goal
from tests.bench.journeys import make_members
from tests.bench.sweeps import exponent
from tests.campaigns.campaigns import launch
from tests.loyalty.factories import make_program

GOALS = {
    "followed": Goal("offers after a day's orders, their cost against who bought, exponent", 1.1,
                     at_most=True),
}  # fmt: skip
DATABASE = "bench_offers"
BOUGHT = (300, 1_000, 10_000)
MOST = 100_000
CATEGORIES = [f"K{number}" for number in range(12)]
# Of each customer so many orders of two lines, in categories that differ.
_ORDERS = """
    WITH sold AS (
        INSERT INTO loyalty_order (source, external_id, customer_id, status, placed_at, currency,
                                   total, tax_total, taxes_included, shipping_total, discount_total,
                                   channel, store, payment_method, coupons, body_hash, recorded_at)
        SELECT 'bench', %(day)s || '-' || id || '-' || n, id, 'completed',
               %(at)s - n * interval '20 days', 'USD', 14, 0, true, 0, 0, '', '', '', '{}',
               '\\x00', %(at)s
          FROM unnest(%(customers)s::bigint[]) id CROSS JOIN generate_series(0, %(orders)s - 1) n
        RETURNING id, customer_id)
    INSERT INTO loyalty_orderline (order_id, line_no, sku, name, category, tags, quantity,
                                   unit_price, discount, total, tax, stored_value)
    SELECT id, l, 'S' || l, '', 'K' || (customer_id * l + id %% 3) %% 12, '{}', 1, 7, 0, 7, 0, false
      FROM sold CROSS JOIN generate_series(1, 2) l
"""


def rounds(options: argparse.Namespace) -> list[Figures]:
    members = min(options.customers, MOST)
    databases.create(DATABASE)
    try:
        with databases.used(DATABASE):
            call_command("migrate", verbosity=0)
            start = timezone.now() - dt.timedelta(days=options.rounds + 1)
            program = make_program(at=start - dt.timedelta(days=200), earning_rules=[])
            make_members(program, members)
            everybody = list(Customer.objects.order_by("public_id").values_list("pk", flat=True))
            _order(everybody, "before", start, 4)
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE loyalty_order, loyalty_orderline")
            return [
                _round(program, everybody, number, start + dt.timedelta(days=number + 1))
                for number in range(options.rounds)
            ]
    finally:
        databases.drop(DATABASE)


def _order(customers: list[int], day: str, at: dt.datetime, orders: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, {"customers": customers, "day": day, "at": at, "orders": orders})


def _round(program: Program, everybody: list[int], number: int, at: dt.datetime) -> Figures:
    """One campaign for each round, so that everybody is offered something anew."""
    said = {"categories": CATEGORIES, "picks": "next", "bought": 1, "lasts": 5}
    campaign = launch(
        program, "personal-next", at=at, name=f"Round {number}", starts_at=at,
        ends_at=at + dt.timedelta(days=300), offer=said,
    )  # fmt: skip
    surprise = launch(
        program, "surprise", at=at, name=f"Surprise {number}", starts_at=at,
        ends_at=at + dt.timedelta(days=2), offer={"choose": "share", "share": 1},
    )  # fmt: skip
    found = _made(campaign, at)
    drawn = time.perf_counter()
    draw_round(surprise.surprise_draws.select_related("campaign__program").get(), at)
    drawn = time.perf_counter() - drawn
    took, first = {}, 0
    for size in (size for size in BOUGHT if size <= len(everybody)):
        customers = [everybody[(first + place) % len(everybody)] for place in range(size)]
        first += size
        _order(customers, f"{number}-{size}", at, 1)
        began = time.perf_counter()
        for place in range(0, size, AT_ONCE):
            follow_customers(customers[place : place + AT_ONCE], now=at)
        took[size] = time.perf_counter() - began
    # After the orders of its day: what was judged by a rule that never began stays judged.
    end_campaign(campaign=campaign, actor=SYSTEM, now=at + dt.timedelta(hours=1))
    return {
        "followed": exponent(took),
        f"offers made for {len(everybody):,} members, s": found,
        f"1 % drawn of {len(everybody):,} members, s": drawn,
        **{f"offers of {size:,} who bought followed, s": s for size, s in took.items()},
    }


def _made(campaign: Campaign, now: dt.datetime) -> float:
    """In pieces, as the job does."""
    began, after = time.perf_counter(), 0
    while True:
        members = eligible(campaign, now).filter(pk__gt=after).order_by("pk")
        found = list(members.values_list("pk", flat=True)[:PIECE])
        if not found:
            break
        give_offers(campaign, found, now)
        after = found[-1]
    took = time.perf_counter() - began
    if not PersonalOffer.objects.filter(campaign=campaign).exists():
        raise AssertionError("nobody was offered anything")
    return took
