"""Segments: working out who is in one, of everybody and of those about whom something changed."""

from __future__ import annotations

import statistics
import time
from argparse import Namespace
from collections.abc import Callable

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from members.models import Customer, Segment, SegmentMember
from members.services.segment_refresh import refresh_customers, refresh_segment
from tests.bench import databases
from tests.bench.figures import Figures, Goal
from tests.bench.sweeps import exponent

GOALS = {
    "fill": Goal("first refresh, raw SQL that writes the same rows / Setia"),
    "refresh": Goal("refresh that changes nothing, raw SQL that finds the same / Setia"),
    "changed": Goal(
        "incremental refresh, its cost against customers changed, exponent", 1, at_most=True
    ),
}
DATABASE = "bench_segments"
CHANGED = (1_000, 10_000, 100_000)
CONDITION = {
    "all": [
        {"field": "customer.country", "op": "one_of", "value": ["DE", "AT"]},
        {"field": "behavior.spend", "op": "at_least", "value": "500"},
        {"field": "behavior.last_order_at", "op": "in_last_days", "value": 90},
    ]
}
# The same, as somebody who knows the tables would ask.
_FIND = """
    SELECT c.id FROM members_customer c JOIN members_customerfacts f ON f.customer_id = c.id
     WHERE c.country IN ('DE', 'AT') AND f.spend >= 500 AND c.merged_into_id IS NULL
       AND f.last_order_at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
                              - interval '90 days'
       AND f.last_order_at < date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
                             + interval '1 day'
"""
_CUSTOMERS = """
    INSERT INTO members_customer (public_id, external_id, given_name, family_name, email, phone,
                                  locale, country, tags, attributes, created_at, updated_at)
    SELECT gen_random_uuid(), 'S' || n, '', '', '', '', '',
           (ARRAY['DE', 'AT', 'FR', 'US'])[1 + n %% 4], '{}', '{}',
           now() - interval '2 years', now()
      FROM generate_series(%s, %s) n
"""
_FACTS = """
    INSERT INTO members_customerfacts (customer_id, orders, ordered, returned, goods, discounts,
                                       first_order_at, last_order_at, categories, activities, as_of)
    SELECT id, 1 + id % 40, id * 7919 % 2000, 0, id * 7919 % 2000, 0, now() - interval '700 days',
           now() - id * 104729 % 600 * interval '1 day', '{}', '{}', now()
      FROM members_customer
"""


def rounds(options: Namespace) -> list[Figures]:
    """On a database of their own, which is dropped afterwards."""
    databases.create(DATABASE)
    try:
        with databases.used(DATABASE):
            call_command("migrate", verbosity=0)
            _make_customers(options.customers)
            return [_round(options.customers) for _number in range(options.rounds)]
    finally:
        databases.drop(DATABASE)


def _make_customers(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS, [1, number])
        cursor.execute("DELETE FROM members_customerfacts")
        cursor.execute(_FACTS)
        cursor.execute("VACUUM ANALYZE members_customer, members_customerfacts")


def _round(customers: int) -> Figures:
    Segment.objects.all().delete()
    segment = Segment.objects.create(
        code="bench", name="Bench", kind=Segment.Kind.DYNAMIC, condition=CONDITION
    )
    written, found = _seconds(_write_raw), _seconds(_find_raw)
    filled = _seconds(lambda: refresh_segment(segment, now=timezone.now()))
    _same_members(segment)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE members_segmentmember")
    again = statistics.median(
        _seconds(lambda: refresh_segment(segment, now=timezone.now())) for _look in range(3)
    )
    changed = {size: _changed(size) for size in CHANGED if size <= customers}
    return {
        "fill": written / filled, "refresh": found / again, "changed": exponent(changed),
        f"first refresh of {customers:,} customers, s": filled,
        "raw SQL that writes the same rows, s": written,
        "refresh that changes nothing, s": again,
        "raw SQL that finds the same, s": found,
        **{f"refresh of {size:,} changed customers, s": took for size, took in changed.items()},
    }  # fmt: skip


def _changed(size: int) -> float:
    """A third of these customers come or go."""
    ids = list(Customer.objects.order_by("public_id").values_list("pk", flat=True)[:size])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_customerfacts SET ordered = 2000 - ordered"
            " WHERE customer_id = ANY(%s) AND customer_id %% 3 = 0",
            [ids],
        )

    def refresh() -> None:
        with transaction.atomic():
            refresh_customers(ids, now=timezone.now())

    return _seconds(refresh)


def _find_raw() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({_FIND}) found")


def _write_raw() -> None:
    """Into a table like that of members, with its keys."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_members")
        cursor.execute("CREATE TABLE bench_members (LIKE members_segmentmember INCLUDING ALL)")
        cursor.execute(
            "INSERT INTO bench_members (segment_id, customer_id, since)"
            f" SELECT 1, id, now() FROM ({_FIND}) found"
        )


def _same_members(segment: Segment) -> None:
    """A ratio between different answers would mean nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND)
        wanted = {row[0] for row in cursor.fetchall()}
    members = SegmentMember.objects.filter(segment=segment).values_list("customer", flat=True)
    assert wanted
    assert wanted == set(members)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
