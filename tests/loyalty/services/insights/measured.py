"""What tests of key figures begin with."""

import datetime as dt

from loyalty.selectors.insights import all_months, get_overview
from members.models import Customer
from tests.loyalty.factories import (
    day,
    order,
    record,
)


def buy(number: str, who: str, total: str, offset: float) -> None:
    Customer.objects.get_or_create(external_id=who)
    record(order(number, total, at=day(offset), buyer=who))


def months_of(program, offset: int) -> list[dt.date]:
    return all_months(program, day(offset))


def figure(program, code: str, offset: int):
    found = get_overview(program, day(offset))
    return next(item for item in found.figures if item.metric.code == code)
