"""/exchange-rates: the table of rates at which orders count in programs of other currencies."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.order_bodies import Rate
from loyalty.models import ExchangeRate
from loyalty.selectors.exchange_rates import list_exchange_rates
from loyalty.services.exchange_rates import RateInput, put_rates
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    Currency,
    Day,
    answer,
    plain_text,
    read_body,
    read_query,
)
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView


class RateIn(Body):
    """From a day on, what one of a currency is in another one."""

    from_currency: Currency
    to_currency: Currency
    valid_from: Day
    rate: Rate
    source: Annotated[str, Field(max_length=80, pattern=TEXT)] = Field(
        "", description="Who published it."
    )


class RatesIn(Body):
    """All are taken, or none. One of a pair and day that is there is changed."""

    rates: tuple[RateIn, ...] = Field(min_length=1, max_length=500)


class ExchangeRateOut(Answer):
    from_currency: Currency
    to_currency: Currency
    valid_from: dt.date
    rate: str
    source: str
    used: bool = Field(description="Orders were converted by it, so it cannot be deleted.")
    updated_at: dt.datetime


class RatePage(Page):
    results: list[ExchangeRateOut]


class RateResult(Answer):
    from_currency: Currency
    to_currency: Currency
    valid_from: dt.date
    outcome: Literal["created", "changed", "unchanged"]


class RateReceipt(Answer):
    results: list[RateResult]


class RateQuery(PageQuery):
    from_currency: Currency | None = None
    to_currency: Currency | None = None


class ExchangeRates(ApiView):
    scopes = {"GET": "rates:read", "PUT": "rates:write"}

    @extend_schema(
        operation_id="listExchangeRates", parameters=query_parameters(RateQuery),
        responses={200: RatePage},
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """List exchange rates, the latest days first."""
        query = read_query(request, RateQuery)
        found = list_exchange_rates(query.from_currency or "", query.to_currency or "")
        page = paginate(request, found, query, ordering=["-valid_from", "-pk"], row=_rate)
        return answer(RatePage(**page))

    @extend_schema(operation_id="putExchangeRates", request=RatesIn, responses={200: RateReceipt})
    def put(self, request: Request) -> HttpResponse:
        """Add exchange rates, or change those of their day; repeating it changes nothing. Orders
        that were converted keep the rate of then."""
        body = read_body(request, RatesIn)
        rates = [
            RateInput(
                item.from_currency,
                item.to_currency,
                item.valid_from,
                Decimal(item.rate),
                item.source,
            )
            for item in body.rates
        ]
        outcomes = put_rates(rates, actor=self.actor, now=timezone.now())
        return answer(
            RateReceipt(
                results=[
                    RateResult(
                        from_currency=rate.given, to_currency=rate.wanted,
                        valid_from=rate.valid_from,
                        outcome=outcome,
                    )
                    for rate, outcome in zip(rates, outcomes, strict=True)
                ]
            )
        )  # fmt: skip


def _rate(row: ExchangeRate) -> ExchangeRateOut:
    return ExchangeRateOut(
        from_currency=row.given,
        to_currency=row.wanted,
        valid_from=row.valid_from,
        rate=plain_text(row.rate),
        source=row.source,
        used=row.used,  # type: ignore[attr-defined]
        updated_at=row.updated_at,
    )
