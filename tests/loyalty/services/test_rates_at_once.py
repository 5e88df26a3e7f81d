"""Rates that change, and are deleted, while orders are converted: real threads."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction

from loyalty.ledger.checks import verify_ledger
from loyalty.models import ExchangeRate, Order, OrderConversion
from loyalty.services.exchange_rates import RateInput, delete_rate, put_rates
from members.errors import DomainError
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, day, make_program, moves, order, record
from tests.loyalty.ledger.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def put(rate: str, at: dt.datetime = NOW) -> None:
    said = RateInput("USD", "EUR", at.date(), Decimal(rate))
    put_rates([said], actor=SYSTEM, now=NOW)


def test_each_order_keeps_the_rate_that_it_was_converted_by():
    make_program(currency="EUR", at=day(-1))
    put("0.5")

    def work(number: int) -> object:
        if number % 2:
            return put(f"0.{number}")
        return record(order(f"A{number}", "100"))

    results = at_once(work)
    assert [found for found in results if isinstance(found, Exception)] == []
    rates = OrderConversion.objects.values_list("rate", flat=True)
    assert sum(rate * 100 for rate in rates) == sum(units for _kind, units in moves())
    assert verify_ledger(NOW) == []


def test_a_rate_is_deleted_or_orders_rest_on_it():
    make_program(currency="EUR", at=day(-1))
    for attempt in range(4):
        # Days apart, so that no rate of another attempt counts.
        at = day(attempt * 20)
        put("0.5", at)
        rate = ExchangeRate.objects.get(valid_from=at.date())

        def work(
            number: int, rate: ExchangeRate = rate, attempt: int = attempt, at: dt.datetime = at
        ) -> object:
            if number == 3:
                return delete_rate(rate=rate, actor=SYSTEM)
            return record(order(f"A{attempt}-{number}", "100", at=at))

        results = at_once(work, 4)
        failed = [found for found in results if isinstance(found, Exception)]
        assert all(isinstance(error, DomainError) for error in failed), failed
        stays = ExchangeRate.objects.filter(pk=rate.pk).exists()
        recorded = Order.objects.filter(external_id__startswith=f"A{attempt}-")
        resting = OrderConversion.objects.filter(exchange_rate=rate, order__in=recorded)
        assert (recorded.count(), resting.count()) == ((3, 3) if stays else (0, 0))


def test_a_rate_changes_while_orders_are_converted_by_it():
    make_program(currency="EUR", at=day(-1))
    put("0.5")

    def change() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            put("0.6")
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        record(order("A1", "100"))
        pool.submit(change).result(30)
    assert OrderConversion.objects.get().rate == Decimal("0.5")
    assert ExchangeRate.objects.get().rate == Decimal("0.6")
