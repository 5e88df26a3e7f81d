"""Tiers when what counted comes back, comes late, or turns out to be somebody else's."""

import datetime as dt

import pytest

from loyalty.models import (
    MemberTier,
    Order,
    Program,
)
from loyalty.services.claims import claim_order, unclaim_order
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    line,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
)
from tests.loyalty.ladders import assert_rows_are_exact, held_by, stands, tiered

pytestmark = pytest.mark.django_db


def test_a_correction_years_later_is_priced_by_the_tier_of_then() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    record(order("B", "100", at=day(1)))
    give_back(refund("R1", "40", of="B", at=day(1000)))
    assert moves()[3:] == [("clawback", -40), ("clawback", -40)]


def test_a_refund_within_the_return_window_revokes_the_upgrade_at_once() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    give_back(refund("R1", "1", of="A", at=day(5)))
    assert (held_by().tier.code, held_by().since) == ("silver", day(5))
    record(order("B", "100", at=day(6)))
    assert moves()[-1] == ("accrual", 100)
    assert [(span.tier, span.since) for span in stands(day(9)).history] == [
        ("gold", day(0)), ("silver", day(5)), ("gold", day(6)),
    ]  # fmt: skip


def test_a_later_refund_waits_for_the_review() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    give_back(refund("R1", "1", of="A", at=day(45)))
    row = held_by()
    assert (row.tier.code, row.total) == ("gold", 1499)
    assert row.lost_at == dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    assert row.falls_to is not None
    assert row.falls_to.code == "silver"


def test_a_canceled_order_never_counted() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    record(order("A", "1500", at=day(0), status="cancelled"))
    assert held_by().tier.code == "base"


def test_an_order_that_comes_late_counts_when_it_was_placed() -> None:
    tiered()
    record(order("B", "1000", at=day(10)))
    record(order("C", "100", at=day(20)))
    record(order("A", "600", at=day(5)), now=day(21))
    assert [(span.tier, span.since) for span in stands(day(21)).history] == [
        ("silver", day(5)), ("gold", day(10)),
    ]  # fmt: skip
    # What came before is not priced anew.
    assert spendable() == 1700


def test_returns_without_an_order_count() -> None:
    tiered()
    record(order("A", "600", at=day(0)))
    give_back(refund("R1", "150", at=day(1), buyer="c1"))
    assert (held_by().tier.code, held_by().total) == ("silver", 450)


def test_when_customers_are_merged_everything_counts_for_who_is_kept_and_is_parted_again() -> None:
    tiered(window="lifetime")
    record(order("A", "300", at=day(0)), order("B", "300", at=day(1), buyer="c2"))
    kept, merged = (Customer.objects.get(external_id=number) for number in ("c1", "c2"))
    merge, _again = merge_customers(
        kept=kept, merged=merged, actor=SYSTEM, source="backoffice", now=day(2)
    )
    assert MemberTier.objects.count() == 1
    assert (held_by().tier.code, held_by().since) == ("silver", day(1))
    undo_merge(merge=merge, actor=SYSTEM, source="backoffice", now=day(3))
    assert [held_by(number).tier.code for number in ("c1", "c2")] == ["base", "base"]
    assert_rows_are_exact(day(3))


def test_a_guest_order_counts_once_it_is_claimed_and_no_more_when_it_is_not() -> None:
    tiered()
    make_wallet(Program.objects.get(), "c1", at=day(-1))
    record(order("A", "600", at=day(0), buyer=None))
    claim_order(
        order=Order.objects.get(), customer=Customer.objects.get(), actor=SYSTEM, now=day(1),
        source="backoffice",
    )  # fmt: skip
    assert (held_by().tier.code, held_by().since) == ("silver", day(0))
    unclaim_order(order=Order.objects.get(), actor=SYSTEM, now=day(2), source="backoffice")
    assert held_by().tier.code == "base"


def test_a_refund_that_waits_for_its_order_takes_nothing_back_yet():
    tiered(downgrade="immediate", return_days=0)
    record(order("A", "600"))
    give_back(refund("R", "200", of="LATER", at=day(1), buyer="c1"))
    assert (stands(day(2)).total, stands(day(2)).tier) == (600, "silver")
    record(order("LATER", "300"), now=day(3))
    assert (stands(day(4)).total, stands(day(4)).tier) == (700, "silver")


def test_a_refund_without_lines_takes_back_no_more_than_its_order_counted():
    tiered()
    bought = (line(1, "50"), line(2, "100", stored_value=True))
    record(order("A", "150", lines=bought), order("B", "480"))
    give_back(refund("R", "150", of="A", at=day(1)))
    assert stands(day(2)).total == 480


def test_an_order_that_came_back_before_it_was_confirmed_never_counted():
    tiered(counts_from="confirmed", return_days=30)
    record(order("A", "600", status="paid"), now=NOW)
    give_back(refund("R", "600", of="A", at=day(35)))
    record(order("A", "600", status="completed", completed_at=day(40)), now=day(40))
    assert (stands(day(41)).total, stands(day(41)).tier) == (0, "base")
