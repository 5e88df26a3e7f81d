"""Which rate counts for an order: the one that came with it, else that of its day in the table."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any, cast

from babel.numbers import get_currency_precision
from django.db.models import Exists, OuterRef, Q, QuerySet

from loyalty.models import ExchangeRate, Order, OrderConversion, OrderRate, Program
from loyalty.rules.exchange import Exchange, Source, inverse_of
from loyalty.selectors.rulebooks import ProgramTerms

# For how many days after its own a rate still counts: over weekends and holidays.
RATE_LASTS = 7

_Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """An order in another currency than the program's; `key` says which. `told`: the rates that
    came with it, by currency."""

    key: Hashable
    currency: str
    told: Mapping[str, Decimal]
    program: ProgramTerms
    at: dt.datetime

    @property
    def day(self) -> dt.date:
        """By the program's clock."""
        return self.at.astimezone(self.program.zone).date()


def exchanges_for(asked: Sequence[Asked]) -> dict[Hashable, Exchange]:
    """By key; those for which there is no rate are not among them. One query, and none where
    nothing is asked or all rates came along."""
    found: dict[Hashable, Exchange] = {}
    open_ones: list[Asked] = []
    for one in asked:
        rate = one.told.get(one.program.currency)
        if rate is not None:
            found[one.key] = exchange_told(one.currency, one.program.currency, rate)
        else:
            open_ones.append(one)
    rows = _rows(open_ones)
    for one in open_ones:
        exchange = _of_day(rows, one.currency, one.program.currency, one.day)
        if exchange is not None:
            found[one.key] = exchange
    return found


def exchange_told(given: str, wanted: str, rate: Decimal) -> Exchange:
    """What an order says itself."""
    return Exchange(given, wanted, rate, get_currency_precision(wanted), "order")


def recorded_exchanges(order_ids: Iterable[int]) -> dict[tuple[int, int], Exchange]:
    """By which rates these orders were converted, by order and program."""
    rows = OrderConversion.objects.filter(order__in=list(order_ids)).select_related("order")
    return {
        (row.order_id, row.program_id): exchange_of(row, row.order.currency)
        for row in rows.only(
            "program_id", "currency", "rate", "digits", "source", "dated", "told_by", "inverse",
            "exchange_rate_id", "order__currency",
        )
    }  # fmt: skip


def recorded_exchange(order: Order, program: ProgramTerms) -> Exchange | None:
    """By which rate a program converted it; none where it is in the program's own currency."""
    if order.currency == program.currency:
        return None
    return next(
        (
            exchange_of(row, order.currency)
            for row in order.conversions.all()
            if row.program_id == program.id
        ),
        None,
    )


def exchange_of(row: OrderConversion, given: str) -> Exchange:
    """As it was recorded; `given`: the order's currency."""
    return Exchange(
        given, row.currency, row.rate, row.digits, cast("Source", row.source), row.dated,
        row.told_by, row.inverse, row.exchange_rate_id,
    )  # fmt: skip


def told_rates(order_ids: Iterable[int]) -> dict[int, dict[str, Decimal]]:
    """What came along with these orders: by order and currency."""
    found: defaultdict[int, dict[str, Decimal]] = defaultdict(dict)
    rows = OrderRate.objects.filter(order__in=list(order_ids))
    for order_id, currency, rate in rows.values_list("order_id", "currency", "rate"):
        found[order_id][currency] = rate
    return found


def counted_in(program: Program) -> Q:
    """Of orders: those in a program's currency, and those that it converted."""
    conversions = OrderConversion.objects.filter(program=program, order=OuterRef("pk"))
    return Q(currency=program.currency) | Q(Exists(conversions))


def counted_amount(order: Order, program: Program, amount: Decimal) -> Decimal | None:
    """Money of an order as a program counts it: in its own currency, at the rate that was recorded
    of an order in another one. None: that does not count there."""
    if order.currency == program.currency:
        return amount
    rows = (row for row in order.conversions.all() if row.program_id == program.pk)
    row = next(rows, None)
    return exchange_of(row, order.currency).amount(amount) if row else None


def list_exchange_rates(given: str = "", wanted: str = "") -> QuerySet[ExchangeRate]:
    """The newest first; `used`: whether an order counts by it."""
    found = ExchangeRate.objects.annotate(
        used=Exists(OrderConversion.objects.filter(exchange_rate=OuterRef("pk")))
    )
    if given:
        found = found.filter(given=given)
    return found.filter(wanted=wanted) if wanted else found


def uncounted_currencies(
    currencies: Iterable[str], first: dt.datetime, last: dt.datetime
) -> set[str]:
    """Those of these that no live program counts in, nor converts by any rate of that time. Two
    queries."""
    found: set[str] = set()
    rated = Q(pk__in=[])
    for program in Program.objects.filter(status=Program.Status.LIVE):
        found.add(program.currency)
        if program.foreign_orders == Program.ForeignOrders.CONVERT:
            days = [moment.astimezone(program.zone).date() for moment in (first, last)]
            rated |= Q(
                Q(given=program.currency) | Q(wanted=program.currency),
                valid_from__range=(days[0] - dt.timedelta(days=RATE_LASTS), days[1]),
            )
    for pair in ExchangeRate.objects.filter(rated).values_list("given", "wanted"):
        found.update(pair)
    return set(currencies) - found


def _rows(asked: Sequence[Asked]) -> dict[_Pair, list[ExchangeRate]]:
    """The rates of these pairs, either way, in the days that matter; the latest first."""
    if not asked:
        return {}
    days = [one.day for one in asked]
    pairs = {(one.currency, one.program.currency) for one in asked}
    either = (Q(given=a, wanted=b) | Q(given=b, wanted=a) for a, b in sorted(pairs))
    span: dict[str, Any] = {
        "valid_from__gte": min(days) - dt.timedelta(days=RATE_LASTS), "valid_from__lte": max(days)
    }  # fmt: skip
    found: defaultdict[_Pair, list[ExchangeRate]] = defaultdict(list)
    for row in ExchangeRate.objects.filter(reduce(or_, either), **span).order_by("-valid_from"):
        found[row.given, row.wanted].append(row)
    return found


def _of_day(
    rows: Mapping[_Pair, Sequence[ExchangeRate]], given: str, wanted: str, day: dt.date
) -> Exchange | None:
    """The latest of the pair up to that day; only where it has none, that of the other way."""
    earliest = day - dt.timedelta(days=RATE_LASTS)
    for pair, inverse in (((given, wanted), False), ((wanted, given), True)):
        for row in rows.get(pair, ()):
            if earliest <= row.valid_from <= day:
                rate = inverse_of(row.rate) if inverse else row.rate
                if rate <= 0:
                    continue
                return Exchange(
                    given, wanted, rate, get_currency_precision(wanted), "table", row.valid_from,
                    row.source, inverse, row.pk,
                )  # fmt: skip
    return None
