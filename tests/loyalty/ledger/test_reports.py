"""What the books say at an instant, whenever it is asked."""

import dataclasses

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.ledger.reports import Figures, as_plain, per_customer, totals
from loyalty.services.adjustments import undo_transfer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    adjust,
    day,
    give_back,
    held,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)

MONTHLY = {"expiry": {"kind": "months", "length": 1, "last_day": "start_of_day"}}


def figures(program, at) -> Figures:
    (found,) = totals(program, at).values()
    assert (
        found.accrued + found.adjusted - found.clawed_back - found.redeemed - found.expired
        == found.outstanding - found.owed
    )
    return found


def test_a_report_tells_what_was_true_then(db):
    program = make_program(unit=MONTHLY | {"pending_days": 5})
    wallet = make_wallet(program)
    record(order("A1", "100"))
    adjust(wallet, -20, "spend", now=day(6))
    give_back(refund(of="A1", total="30", at=day(10)))
    seen = [figures(program, day(offset)) for offset in (-1, 1, 5, 7, 11, 31)]
    assert [f.accrued for f in seen] == [0, 100, 100, 100, 100, 100]
    assert [f.pending for f in seen] == [0, 100, 0, 0, 0, 0]
    assert [f.spendable for f in seen] == [0, 0, 100, 80, 50, 0]
    assert [f.clawed_back for f in seen] == [0, 0, 0, 0, 30, 30]
    assert [f.expired for f in seen] == [0, 0, 0, 0, 0, 50]
    assert [f.outstanding for f in seen] == [0, 100, 100, 80, 50, 0]


def test_what_is_posted_later_does_not_change_what_was_true_before(program):
    wallet = make_wallet(program)
    record(order("A1", "50"))
    before = figures(program, day(5))
    record(order("A2", "10", at=day(6)))
    adjust(wallet, -30, "spend", now=day(7))
    give_back(refund(of="A1", total="50", at=day(8)))
    assert figures(program, day(5)) == before


def test_a_refund_told_late_is_a_debt_until_later_units_repaid_it(program):
    """The clawback of day 2 could only be taken from units that came on day 9."""
    wallet = make_wallet(program)
    record(order("A1", "10"))
    adjust(wallet, -10, "spend", now=day(1))
    record(order("A2", "25", at=day(9)))
    give_back(refund(of="A1", total="10", at=day(2)), now=day(10))
    then, now = figures(program, day(5)), figures(program, day(10))
    assert (then.outstanding, then.spendable, then.owed) == (0, 0, 10)
    assert (now.outstanding, now.spendable, now.owed) == (15, 15, 0)


def test_an_order_told_late_never_makes_a_debt_below_zero(program):
    wallet = make_wallet(program)
    record(order("A1", "10"))
    adjust(wallet, -10, "spend", now=day(1))
    give_back(refund(of="A1", total="10", at=day(9)))
    record(order("B1", "25", at=day(3)), now=day(12))
    then, now = figures(program, day(5)), figures(program, day(12))
    assert (then.outstanding, then.spendable, then.owed) == (25, 25, 0)
    assert (now.outstanding, now.spendable, now.owed) == (15, 15, 0)


def test_an_undone_adjustment_counts_as_none(program):
    wallet = make_wallet(program)
    gift = adjust(wallet, 40, "gift")
    undo_transfer(transfer=gift, actor=SYSTEM, source="backoffice", now=day(1))
    assert figures(program, day(0)).adjusted == 40
    assert figures(program, day(1)) == Figures()


def test_each_member_has_a_row_and_they_add_up(db):
    program = make_program(wallet_types=[{}, {"code": "stars"}])
    record(*(order(f"A{n}", str(n), buyer=f"c{n % 3}") for n in range(1, 10)))
    rows = list(per_customer(program, day(1)))
    assert [(row.customer, row.wallet_type) for row in rows] == [
        (f"c{n}", code) for n in range(3) for code in ("points", "stars")
    ]
    for name, value in dataclasses.asdict(totals(program, day(1))["points"]).items():
        assert sum(getattr(r.figures, name) for r in rows if r.wallet_type == "points") == value


def test_a_program_without_members_has_figures_of_zero(program):
    assert totals(program, day(0)) == {"points": Figures()}
    assert list(per_customer(program, day(0))) == []


def test_amounts_are_written_at_the_units_own_scale():
    assert as_plain(Figures(accrued=1250), 2)["accrued"] == "12.50"
    assert as_plain(Figures(accrued=1250), 0)["accrued"] == 1250


steps = st.lists(
    st.tuples(
        st.sampled_from(["buy", "refund", "loose", "spend", "gift"]),
        st.integers(0, 80),
        st.integers(1, 40),
    ),
    max_size=12,
)


@settings(max_examples=15)
@given(steps=steps)
def test_at_every_instant_the_figures_add_up_and_today_they_are_the_balances(db, steps):
    with transaction.atomic():
        program = make_program(unit=MONTHLY | {"pending_days": 3})
        wallet = make_wallet(program)
        for number, (what, offset, amount) in enumerate(steps):
            at = day(offset)
            match what:
                case "buy":
                    record(order(f"A{number}", str(amount), at=at), now=day(81))
                case "refund":
                    give_back(
                        refund(f"R{number}", str(amount), of=f"A{number - 1}", at=at), now=day(81)
                    )
                case "loose":
                    give_back(refund(f"R{number}", str(amount), buyer="c1", at=at), now=day(81))
                case "gift":
                    adjust(wallet, amount, f"k{number}", now=day(81))
                case "spend" if held(at=day(81)).spendable >= amount:
                    adjust(wallet, -amount, f"k{number}", now=day(81))
        for offset in (0, 10, 40, 79, 200):
            found = figures(program, day(offset))
            assert min(found.pending, found.spendable, found.owed, found.outstanding) >= 0
        today, stored = figures(program, day(81)), held(at=day(81))
        assert (today.pending, today.spendable, today.owed) == (
            stored.pending, stored.spendable, stored.owed
        )  # fmt: skip
        transaction.set_rollback(True)


@pytest.mark.parametrize("scale", [0, 2])
def test_totals_are_integers_at_the_scale(db, scale):
    program = make_program(unit={"decimals": scale})
    record(order(total="12.34"))
    assert totals(program, day(1))["points"].accrued == (12 if not scale else 1234)
