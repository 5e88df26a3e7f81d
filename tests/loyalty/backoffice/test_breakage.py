"""Insights → Breakage: what became of the units of each month."""

from __future__ import annotations

import datetime as dt

from django.test import Client

from loyalty.models import Program
from loyalty.selectors.breakage import Cohort, breakage
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.test_liability import delivered, file_rows
from tests.loyalty.factories import (
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)
from tests.loyalty.histories import History


def story() -> Program:
    """March: 100 earned, 30 returned, 20 redeemed of which 5 come back, 10 taken by staff; the
    rest expires in May, of which nobody wrote down anything. April: 40 earned."""
    program = make_program(unit={"expiry": {"kind": "months", "length": 2}, "unit_value": "0.01"})
    wallet = make_wallet(program)
    record(order("A1", "100"))
    give_back(refund(of="A1", total="30", at=day(1)))
    how = {"source": "api", "actor": SYSTEM}
    spend, _ = redeem_units(wallet=wallet, units=20, key="r1", now=day(2), **how)
    reverse_redemption(transfer=spend, units=5, key="r2", now=day(3), **how)
    adjust(wallet, -10, "k1", now=day(4))
    record(order("A2", "40", at=day(20)))
    delivered()
    return program


def test_each_cohort_says_what_became_of_it(db: None) -> None:
    wallet_type = story().wallet_types.get()
    march, april = dt.date(2024, 3, 1), dt.date(2024, 4, 1)
    assert breakage(wallet_type, day(30).date()) == [
        Cohort(march, granted=100, spent=15, expired=0, taken_back=30, by_hand=10),
        Cohort(april, granted=40, spent=0, expired=0, taken_back=0, by_hand=0),
    ]
    later = breakage(wallet_type, day(62).date())
    assert [(item.expired, item.outstanding) for item in later] == [(45, 0), (0, 40)]


def test_the_page_and_the_file_have_them_all(manager: Client, db: None) -> None:
    story()
    page = manager.get(url("breakage"), {"day": day(62).date().isoformat()})
    html = page.content.decode()
    assert "45 points expired" in html
    assert "45%" in html
    chart = page.context["chart"]
    assert sum(sum(line.values) for line in chart.series) == 140
    rows = file_rows(manager, "breakage_csv")
    assert [(row["earned_in"], row["granted"], row["spent"]) for row in rows] == [
        ("2024-03", "100", "15"), ("2024-04", "40", "0"),
    ]  # fmt: skip


def test_what_moves_between_members_stays_in_its_cohort(db: None) -> None:
    history = History(seed=11, late=False)
    history.play(40)
    delivered()
    wallet_type = history.program.wallet_types.get()
    for item in breakage(wallet_type, history.now.date()):
        parts = (item.granted, item.spent, item.expired, item.taken_back, item.by_hand)
        assert min(parts) >= 0
        assert 0 <= item.outstanding <= item.granted
