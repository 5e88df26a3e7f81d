"""What a program's data say of its economics, held to what goals measure from the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import Goal, Membership, Program
from loyalty.selectors.economics import ProgramData, program_data
from loyalty.selectors.goal_metrics import measure
from loyalty.services.redemptions import redeem_units
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    wallet_of,
)
from tests.loyalty.services.test_discounts import CARD, with_card

LATER = day(100)


@pytest.fixture
def shop(db: None) -> Program:
    """A point for each dollar, worth a cent, that lasts for two months; ana and ben since NOW."""
    program = make_program(
        at=day(-500), unit={"unit_value": "0.01", "expiry": {"kind": "months", "length": 2}},
    )  # fmt: skip
    for who in ("ana", "ben"):
        make_wallet(program, who, at=NOW)
    return program


def spend(who: str, units: int, at: dt.datetime) -> None:
    member = Membership.objects.get(customer__external_id=who)
    redeem_units(
        wallet=wallet_of(member.account_id), units=units, key=f"{who}-{units}", actor=SYSTEM,
        source="api", now=at,
    )  # fmt: skip


def seen(program: Program, at: dt.datetime = LATER) -> ProgramData:
    while deliver_waiting(1000):
        pass
    return program_data(program, at)


def test_spend_is_that_of_members_since_they_joined_less_what_came_back(shop: Program) -> None:
    record(order("A", "100", at=day(-1), buyer="ana"))  # before she joined
    record(order("B", "100", at=day(1), buyer="ana"), order("C", "50", at=day(2), buyer="ben"))
    record(order("D", "70", at=day(3), buyer="ben"))
    give_back(refund("R1", "20", of="B", at=day(4)), refund("R2", "70", of="D", at=day(4)))
    found = seen(shop)
    assert found.revenue == 130
    # Two members for 101 days each.
    assert found.member_years == Decimal(202) / 365
    assert found.spend is not None
    assert round(found.spend, 2) == Decimal("234.90")


def test_members_are_those_who_have_not_left(shop: Program) -> None:
    make_wallet(shop, "eva", at=day(40))
    Membership.objects.filter(customer__external_id="ben").update(status="left")
    found = seen(shop)
    assert (found.members, found.member_years) == (2, Decimal(101 + 61) / 365)
    assert seen(shop, day(800)).member_years == 2


def test_rate_and_redemption_are_the_ledgers_worth(shop: Program) -> None:
    record(order("A", "300", at=day(1), buyer="ana"), order("B", "100", at=day(2), buyer="ben"))
    give_back(refund("R", "50", of="A", at=day(3)))
    spend("ana", 140, day(10))
    found = seen(shop)
    assert (found.earned, found.used) == (Decimal("3.5"), Decimal("1.4"))
    assert found.reward_rate == 1
    assert found.redemption == 40
    goal = measure(shop, Goal.Metric.REDEEMED, LATER.date(), LATER)
    assert goal == found.redemption


def test_breakage_and_liability_are_those_of_insights(shop: Program) -> None:
    record(order("A", "300", at=day(1), buyer="ana"))
    spend("ana", 100, day(10))
    record(order("B", "100", at=day(90), buyer="ana"))
    found = seen(shop)
    assert (found.breakage, found.owed) == (50, 1)
    assert found.redemption == 25


def test_the_rate_is_of_all_that_was_bought_by_those_who_left_as_well(shop: Program) -> None:
    record(order("A", "300", at=day(1), buyer="ana"), order("B", "100", at=day(2), buyer="ben"))
    Membership.objects.filter(customer__external_id="ben").update(status="left")
    found = seen(shop)
    assert (found.revenue, found.turnover, found.earned) == (300, 400, 4)
    assert found.reward_rate == 1


def test_a_discount_is_used_never_expires_and_is_not_taken_off_what_is_spent(db: None) -> None:
    program = make_program(
        at=day(-500), discount_rules=[CARD],
        unit={"unit_value": "0.01", "expiry": {"kind": "months", "length": 2}},
    )  # fmt: skip
    make_wallet(program, "ana", at=NOW)
    record(with_card(buyer="ana"), order("B", "910", at=day(1), buyer="ana"))
    give_back(refund("R", "45", of="A", at=day(2)))
    spend("ana", 191, day(3))
    found = seen(program)
    # 1000 paid and 45 come back; of 10 taken off 5 are kept.
    assert (found.revenue, found.taken_off, found.discounts, found.turnover) == (955, 5, 5, 960)
    assert found.spend == Decimal(960) * 365 / 101
    assert (found.earned, found.used) == (Decimal("9.55"), Decimal("1.91"))
    assert found.reward_rate == Decimal("14.55") * 100 / 960
    # Of 1000 units 764 have expired; units are 9.55 of the 14.55 that were given.
    assert found.breakage == Decimal("76.4")
    assert found.counted_breakage == Decimal("76.4") * (Decimal("9.55") / Decimal("14.55"))
    assert found.redemption == Decimal("6.91") * 100 / Decimal("14.55")
    assert found.counted_redemption == found.redemption


def test_of_discounts_alone_all_is_used(shop: Program) -> None:
    found = replace(
        seen(shop), discounts=Decimal(5), turnover=Decimal(100), breakage=Decimal(10),
    )  # fmt: skip
    assert (found.reward_rate, found.redemption, found.counted_breakage) == (5, 100, 0)


def test_what_was_used_of_older_units_counts_as_no_more_than_all(shop: Program) -> None:
    record(order("A", "300", at=day(1), buyer="ana"))
    found = ProgramData(
        members=1, member_years=Decimal(1), revenue=Decimal(300), taken_off=Decimal(0),
        turnover=Decimal(300), earned=Decimal(3), used=Decimal(4), discounts=Decimal(0),
        breakage=Decimal(10), owed=Decimal(0),
    )  # fmt: skip
    assert found.redemption is not None
    assert found.redemption > 100
    assert found.counted_redemption == 90


def test_a_program_without_anything_says_nothing(db: None) -> None:
    found = seen(make_program())
    assert (found.members, found.revenue, found.owed) == (0, 0, 0)
    assert (found.spend, found.reward_rate, found.redemption, found.breakage) == (None,) * 4


def test_another_program_is_not_in_it(shop: Program) -> None:
    unit = {"unit_value": "1"}
    other = make_program("other", at=day(-500), enrollment="explicit", unit=unit)
    make_wallet(other, "zoe", at=NOW)
    Program.objects.filter(pk=shop.pk).update(enrollment="explicit")
    record(order("A", "300", at=day(1), buyer="zoe"))
    found = seen(shop)
    assert (found.members, found.revenue) == (2, 0)


def test_it_asks_the_same_number_of_queries_however_many_there_are(shop: Program) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            program_data(shop, LATER)
        return len(queries)

    record(order("A", "300", at=day(1), buyer="ana"))
    seen(shop)
    few = asked()
    many: list[Any] = [order(f"M{n}", "10", at=day(n % 60), buyer=f"m{n}") for n in range(40)]
    record(*many)
    seen(shop)
    assert asked() == few
