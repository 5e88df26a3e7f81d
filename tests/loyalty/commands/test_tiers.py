"""Tiers from the command line: how many have which, and rows written down anew."""

import datetime as dt
import json

import pytest
from django.core.management import CommandError
from django.utils import timezone

from loyalty.models import MemberTier, Tier
from tests.loyalty.factories import give_back, make_program, order, record, refund

LADDER = [{"code": "base", "name": "Base"}, {"code": "gold", "name": "Gold", "threshold": 500}]
SETTINGS = {"refunds_count_on": "refund_date", "downgrade": "immediate", "tiers": LADDER}


def on(day: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day}T12:00+00:00")


def test_members_are_counted_at_the_end_of_a_day(db, run):
    make_program(at=on("2019-01-01"), tiers=SETTINGS)
    record(order("A", "600", at=on("2020-03-01")), order("B", "500", at=on("2020-04-01")))
    record(order("C", "500", at=on("2020-12-31"), buyer="c2"))
    record(order("D", "10", at=on("2021-05-01"), buyer="c3"))
    give_back(refund("R1", "1", of="C", at=on("2021-01-01"), buyer="c2"))

    def members(*how):
        return json.loads(run("tier_report", "club", *how)[0])["members"]

    assert members("--as-of", "2020-12-31") == {"base": 0, "gold": 2}
    assert members("--as-of", "2020-12-31", "--bought-in", "2020") == {"base": 0, "gold": 2}
    assert members("--as-of", "2021-12-31", "--bought-in", "2021") == {"base": 1, "gold": 0}


def test_a_program_without_tiers_has_no_report(db, run):
    make_program()
    with pytest.raises(CommandError, match="no tiers"):
        run("tier_report", "club")


def test_rows_that_are_wrong_are_put_right(db, run):
    make_program(at=on("2019-01-01"), tiers=SETTINGS | {"window": "lifetime"})
    record(order("A", "600", at=on("2020-03-01")), now=timezone.now())
    MemberTier.objects.update(tier=Tier.objects.get(code="base"), total=0)
    assert "0 members" in run("rebuild_tiers")[0]
    assert "1 members" in run("rebuild_tiers", "--everybody")[0]
    assert MemberTier.objects.get().tier.code == "gold"
