"""What a member held at a past instant, and that it stays what it was."""

import datetime as dt
import os

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.ledger.balances import Holding, holdings
from loyalty.ledger.past import held_lots_then, holdings_then
from loyalty.ledger.reports import Figures, totals
from loyalty.models import NEVER, Wallet
from loyalty.services.lots import settle_debt
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)
from tests.loyalty.histories import EXPIRIES, LONG, History

MONTHLY = {"expiry": {"kind": "months", "length": 1, "last_day": "start_of_day"}}

# SETIA_HYPOTHESIS=long searches longer.
EXAMPLES = 300 if os.environ.get("SETIA_HYPOTHESIS") == "long" else 12

histories = st.builds(
    dict,
    seed=st.integers(0, 10**6),
    expiry=st.sampled_from(sorted(EXPIRIES)),
    debt=st.sampled_from(["carry", "write_off", "refuse_redemption_only"]),
    pending=st.sampled_from([0, 5]),
)


def test_the_lots_are_those_of_then_with_what_remained_and_the_times_they_had(db):
    program = make_program(unit=MONTHLY | {"pending_days": 5})
    wallet = make_wallet(program)
    record(order("A1", "100"))
    record(order("A2", "40", at=day(10)))
    adjust(wallet, -70, "spend", now=day(11))
    at_first, later = held_lots_then([wallet.pk], day(4)), held_lots_then([wallet.pk], day(12))
    assert [(lot.granted, lot.remaining) for lot in at_first] == [(100, 100)]
    assert at_first[0].spendable_at == day(5)
    assert at_first[0].expires_at == dt.datetime(2024, 4, 15, tzinfo=dt.UTC)
    assert [(lot.granted, lot.remaining) for lot in later] == [(100, 30), (40, 40)]
    assert holdings_then([wallet.pk], day(4))[wallet.pk].pending == 100
    assert holdings_then([wallet.pk], day(12))[wallet.pk].spendable == 30
    assert held_lots_then([wallet.pk], day(60)) == []


def test_a_lot_shows_the_times_it_had_before_it_was_changed(db):
    history = History(seed=1, late=False)
    record(order("A1", "10", buyer="c0"))
    [before] = held_lots_then(history.wallet_ids(), day(1))
    history.now = day(20)
    history.chance.random = lambda: 0
    history.extend(0)
    assert held_lots_then(history.wallet_ids(), day(1)) == [before]
    [after] = held_lots_then(history.wallet_ids(), day(20))
    assert after.expires_at > before.expires_at


def test_a_refund_told_late_changes_the_past_it_belongs_to_and_no_earlier_one(db):
    program = make_program()
    wallet = make_wallet(program)
    record(order("A1", "100"))
    give_back(refund(of="A1", total="30", at=day(5)), now=day(20))
    held = [holdings_then([wallet.pk], day(n))[wallet.pk].spendable for n in (4, 5, 19)]
    assert held == [100, 70, 70]


def test_a_debt_that_blocks_leaves_nothing_to_spend(db):
    wallet = make_wallet(make_program(debt_policy="refuse_redemption_only"))
    record(order("A1", "10"))
    adjust(wallet, -10, "spend")
    give_back(refund(of="A1", at=day(1)))
    record(order("A2", "50", at=day(2)))
    [then] = holdings_then([wallet.pk], day(2)).values()
    assert (then.balance, then.owed, then.spendable) == (50, 10, 0)
    assert totals(wallet.wallet_type.program, day(2))["points"].spendable == 0


def test_a_refund_told_late_that_was_taken_from_later_units_blocks_no_past_moment(db):
    wallet = make_wallet(make_program(debt_policy="refuse_redemption_only"))
    record(order("A1", "10"))
    adjust(wallet, -10, "spend", now=day(1))
    record(order("A2", "50", at=day(9)))
    give_back(refund(of="A1", at=day(2)), now=day(10))
    before = holdings_then([wallet.pk], day(5))[wallet.pk]
    adjust(wallet, -40, "again", now=day(11))
    give_back(refund("R2", of="A2", at=day(12)), now=day(12))
    assert Wallet.objects.get(pk=wallet.pk).debt_blocks
    assert holdings_then([wallet.pk], day(5))[wallet.pk] == before
    assert (before.owed, before.blocked) == (10, False)


def test_a_debt_that_was_settled_before_blocks_no_later_moment(db):
    wallet = make_wallet(make_program(debt_policy="refuse_redemption_only"))
    record(order("A0", "10"))
    adjust(wallet, -10, "first")
    give_back(refund("R0", of="A0", at=day(1)))
    settle_debt(
        wallet=wallet, way="write_off", actor=SYSTEM, note="Lost", key="s", source="backoffice",
        now=day(2),
    )  # fmt: skip
    record(order("A1", "10", at=day(3)))
    adjust(wallet, -10, "second", now=day(3))
    record(order("A2", "50", at=day(9)))
    give_back(refund(of="A1", at=day(4)), now=day(10))
    assert Wallet.objects.get(pk=wallet.pk).debt_blocks
    assert holdings_then([wallet.pk], day(1))[wallet.pk].blocked
    then = holdings_then([wallet.pk], day(5))[wallet.pk]
    assert (then.owed, then.blocked) == (10, False)


def seen(found: dict[int, Holding]) -> dict[int, tuple[int, ...]]:
    return {key: (h.balance, h.pending, h.owed, h.spendable) for key, h in found.items()}


@settings(max_examples=EXAMPLES)
@given(how=histories, steps=st.integers(1, 15 if LONG else 10))
def test_as_of_now_and_ever_after_it_is_what_the_wallets_say(db, how, steps):
    with transaction.atomic():
        history = History(**how)
        history.play(steps)
        wallets = Wallet.objects.filter(pk__in=history.wallet_ids())
        for later in (0, 3, 20, 60):
            at = history.now + dt.timedelta(days=later)
            assert seen(holdings_then(history.wallet_ids(), at)) == seen(holdings(wallets, at))
        transaction.set_rollback(True)


@settings(max_examples=EXAMPLES)
@given(how=histories, steps=st.integers(1, 15 if LONG else 10))
def test_one_member_and_the_whole_program_are_one_sum(db, how, steps):
    with transaction.atomic():
        history = History(**how)
        history.play(steps)
        for offset in (0, 10, 40, 90):
            at = day(offset)
            figures: Figures = totals(history.program, at)["points"]
            held = holdings_then(history.wallet_ids(), at).values()
            assert sum(item.spendable for item in held) == figures.spendable
            assert sum(item.owed for item in held) == figures.owed
            assert sum(item.balance + item.pending for item in held) == figures.outstanding
            lots = held_lots_then(history.wallet_ids(), at)
            # Units told late may have repaid a debt that was made later: they are in no lot.
            assert sum(lot.remaining for lot in lots) <= figures.outstanding
        transaction.set_rollback(True)


@settings(max_examples=EXAMPLES)
@given(
    how=histories, steps=st.integers(1, 12 if LONG else 8), more=st.integers(1, 10 if LONG else 6)
)
def test_what_is_posted_later_leaves_the_past_as_it_was(db, how, steps, more):
    """Unless it is told late, which is left out here; then that moment changes, as it should."""
    with transaction.atomic():
        history = History(**how)
        history.play(steps)
        moments = [NOW + (history.now - NOW) * part / 3 for part in range(4)]
        before = [holdings_then(history.wallet_ids(), at) for at in moments]
        lots = [held_lots_then(history.wallet_ids(), at) for at in moments]
        history.late = False
        history.play(more)
        assert [holdings_then(history.wallet_ids(), at) for at in moments] == before
        if how["expiry"] != "inactivity":
            assert [held_lots_then(history.wallet_ids(), at) for at in moments] == lots
        transaction.set_rollback(True)


@pytest.mark.parametrize("members", [1, 3])
def test_the_past_of_a_member_costs_two_queries(db, members):
    history = History(seed=3, members=members)
    history.play(12)
    with CaptureQueriesContext(connection) as asked:
        holdings_then(history.wallet_ids(), day(5))
        held_lots_then(history.wallet_ids(), day(5))
    assert len(asked) == 2


def test_a_lot_that_never_expires_says_so(program):
    wallet = make_wallet(program)
    record(order("A1", "10"))
    [lot] = held_lots_then([wallet.pk], day(1))
    assert lot.expires_at is None
    assert lot.spendable_at < NEVER
