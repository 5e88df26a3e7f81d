"""Refreshes at the same moment take turns, and a segment's size stays exact."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from members.models import Customer, Segment, SegmentMember
from members.services.segment_refresh import refresh_customers, refresh_segment
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8


def test_whoever_works_it_out_at_once_its_size_is_who_is_in_it() -> None:
    customers = [CustomerFactory(country="GR") for _number in range(20)]
    keys = [customer.pk for customer in customers]
    segments = [
        Segment.objects.create(
            code=code, name=code, condition={"field": "customer.country", "op": "is", "value": code}
        )
        for code in ("GR", "CY")
    ]
    for segment in segments:
        refresh_segment(segment, now=timezone.now())
    together = threading.Barrier(4)

    def moved(number: int) -> None:
        together.wait()
        for round_ in range(ROUNDS):
            with transaction.atomic():
                few = keys[number::2]
                country = "CY" if round_ % 2 else "GR"
                Customer.objects.filter(pk__in=few).update(country=country)
            with transaction.atomic():
                refresh_customers(few, now=timezone.now())
        connection.close()

    def everybody(number: int) -> None:
        together.wait()
        for _round in range(ROUNDS):
            refresh_segment(segments[number], now=timezone.now())
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(act, number) for act in (moved, everybody) for number in (0, 1)]
        for run in runs:
            run.result()
    for segment in segments:
        segment.refresh_from_db()
        rows = SegmentMember.objects.filter(segment=segment)
        assert segment.size == rows.count()
        wanted = Customer.objects.filter(country=segment.code).values_list("pk", flat=True)
        assert sorted(rows.values_list("customer_id", flat=True)) == sorted(wanted)
