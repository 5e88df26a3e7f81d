"""What monthly statements and the year in review say that members bought."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from campaigns.journey_news import Asked, teller_of
from loyalty.models import Membership
from tests.loyalty.factories import NOW, day, give_back, make_program, order, record, refund

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("code", "then"), [
    ("statement", NOW + dt.timedelta(days=31)), ("year_review", NOW + dt.timedelta(days=365)),
])  # fmt: skip
def test_a_statement_has_what_converted_purchases_come_to(code: str, then: dt.datetime) -> None:
    club = make_program("club", currency="EUR", at=day(-30))
    make_program("shy", name="Shy", currency="EUR", foreign_orders="refuse", at=day(-30))
    half = (("EUR", Decimal("0.5")),)
    record(
        order("A1", "100", rates=half), order("A2", "30", currency="EUR"),
        order("A3", "8", rates=half, status="cancelled"),
    )  # fmt: skip
    give_back(refund("R1", "20", of="A1", at=day(1)))
    told = {member.program: _told(member, code, then) for member in Membership.objects.all()}
    assert (told[club]["orders"], told[club]["spent"]) == ("2", "€80.00")
    [other] = told.keys() - {club}
    assert (told[other]["orders"], told[other]["spent"]) == ("1", "€30.00")


def _told(member: Membership, code: str, then: dt.datetime) -> dict[str, str]:
    teller = teller_of(code)
    assert teller is not None
    news = teller(Asked(member, "", code, then, {}))
    assert news is not None
    return dict(news.values())
