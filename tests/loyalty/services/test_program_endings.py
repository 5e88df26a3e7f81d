"""The end of a program: its days hold by themselves, and what is left expires with it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from loyalty.errors import SpendingStoppedError
from loyalty.models import Lot, LotChange, Membership, Program, ProgramEnding
from loyalty.selectors.liability import get_liability
from loyalty.selectors.program_times import program_state
from loyalty.services import program_endings
from loyalty.services.expiry import write_down_expired
from loyalty.services.program_endings import (
    EndingDays,
    call_off_ending,
    end_units,
    find_endings,
    plan_ending,
    preview_ending,
    run_endings,
)
from loyalty.services.quotes import quote_order
from loyalty.services.redemptions import redeem_units, reverse_redemption
from loyalty.services.totals import rebuild_days
from members.errors import ConflictError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.jobs import start_or_resume_job
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)
from tests.loyalty.services.pooling import found_pool, join

# Told on the fifth day, earned for the last time on the tenth, spent on the twentieth.
DAYS = EndingDays(day(5).date(), day(10).date(), day(20).date())


def midnight(offset: int) -> dt.datetime:
    """The end of a day, where the program is."""
    return dt.datetime.combine(day(offset + 1).date(), dt.time(), dt.UTC)


def end(program: Program, at: dt.datetime = NOW, days: EndingDays = DAYS) -> ProgramEnding:
    return plan_ending(program=program, days=days, actor=SYSTEM, now=at)


def wallet():
    return wallet_of(Membership.objects.get().account_id)


def spend(units: int, at: dt.datetime, key: str = "s1"):
    return redeem_units(wallet=wallet(), units=units, key=key, source="api", actor=SYSTEM, now=at)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (NOW, "live"),
        (midnight(10) - dt.timedelta(seconds=1), "live"),
        (midnight(10), "ending"),
        (midnight(20) - dt.timedelta(seconds=1), "ending"),
        (midnight(20), "ended"),
    ],
)
def test_the_days_of_a_plan_are_whole_where_the_program_is(program, at, state):
    end(program)
    assert program_state(program, at).state == state


def test_earning_stops_after_its_last_day_and_late_messages_still_earn(program):
    make_wallet(program)
    end(program)
    record(order("A1", "10", at=day(10)), order("A2", "10", at=day(11)), now=day(15))
    assert [units for _kind, units in moves()] == [10]
    (quote,) = quote_order(order(at=day(12)))
    assert (quote.state, quote.awards) == ("ending", ())


def test_what_is_left_can_be_spent_to_its_last_day_and_not_after(program):
    record(order("A1", "100", at=day(1)))
    end(program, day(2))
    spend(10, midnight(20) - dt.timedelta(minutes=1))
    with pytest.raises(SpendingStoppedError):
        spend(10, midnight(20), "s2")


@pytest.mark.parametrize(
    "expiry",
    [
        {"kind": "never"},
        {"kind": "months", "length": 12},
        {"kind": "inactivity", "length": 6},
        {"kind": "months", "length": 12, "warned_days": 30},
    ],
)
def test_the_job_lets_all_units_expire_with_the_program_and_no_other_job_is_needed(expiry):
    club = make_program(unit={"unit_value": "0.01", "expiry": expiry})
    record(order("A1", "100", at=day(1)))
    end(club, day(2))
    assert find_endings(day(9)) is None
    assert find_endings(day(11)) is not None
    assert (end_units(day(11)), end_units(day(11)), find_endings(day(11))) == (1, 0, None)
    assert LotChange.objects.get().reason == "ending"
    assert spendable(at=midnight(20) - dt.timedelta(seconds=1)) == 100
    assert spendable(at=midnight(20)) == 0
    assert write_down_expired(midnight(20)) == 1
    assert moves() == [("accrual", 100), ("expiry", -100)]


def test_units_that_expire_sooner_keep_their_day():
    club = make_program(unit={"expiry": {"kind": "days", "length": 12}})
    record(order("A1", "100", at=day(1)))
    end(club, day(2))
    assert (find_endings(day(11)), end_units(day(11))) == (None, 0)


def test_what_comes_late_is_gone_with_the_program_too(program):
    make_wallet(program)
    end(program)
    record(order("A1", "10", at=day(3)), now=day(12))
    assert Lot.objects.get().expires_at == midnight(20)
    record(order("A2", "10", at=day(4)), now=day(30))
    assert spendable(at=day(30)) == 0
    assert find_endings(day(30)) is None
    give_back(refund(of="A2", total="10", at=day(31)))
    write_down_expired(day(32))


def test_a_spend_that_is_undone_after_the_end_comes_back_and_expires(program):
    record(order("A1", "100", at=day(1)))
    end(program, day(2))
    transfer, _again = spend(40, day(12))
    end_units(day(12))
    reverse_redemption(transfer=transfer, key="r1", source="api", actor=SYSTEM, now=day(25))
    while end_units(day(25)):
        pass
    assert spendable(at=day(25)) == 0
    write_down_expired(day(26))


def test_the_preview_says_what_would_lapse_and_changes_nothing():
    club = make_program(unit={"unit_value": "0.01", "expiry": {"kind": "days", "length": 15}})
    make_wallet(club, "c2")
    record(order("A1", "100", at=day(1)), order("A2", "50", at=day(8)), now=day(8))
    preview = preview_ending(club, DAYS, day(9))
    (units,) = preview.units
    assert (preview.members, preview.holders) == (2, 1)
    assert (units.holders, units.lapse, units.sooner, units.pending) == (1, 50, 100, 0)
    assert units.worth == Decimal("0.5")
    assert not ProgramEnding.objects.exists()


def test_a_plan_is_called_off_or_changed_until_its_first_day_is_over(program):
    make_wallet(program)
    end(program)
    assert end(program, day(1)) == ProgramEnding.objects.get()
    later = EndingDays(day(5).date(), day(12).date(), day(30).date())
    end(program, day(2), later)
    assert [row.called_off_at for row in ProgramEnding.objects.order_by("pk")] == [day(2), None]
    call_off_ending(program=program, actor=SYSTEM, now=day(12))
    call_off_ending(program=program, actor=SYSTEM, now=day(12))
    record(order("A1", "10", at=day(40)))
    assert spendable(at=day(40)) == 10
    assert program_state(program, day(40)).state == "live"


def test_once_nothing_is_earned_any_more_the_end_stands(program):
    end(program)
    with pytest.raises(ConflictError, match="cannot be called off"):
        call_off_ending(program=program, actor=SYSTEM, now=midnight(10))
    with pytest.raises(ConflictError):
        end(program, day(12), EndingDays(day(12).date(), day(13).date(), day(90).date()))


@pytest.mark.parametrize(
    ("days", "field"),
    [
        (EndingDays(day(1).date(), day(-1).date(), day(5).date()), "last_earning_day"),
        (EndingDays(day(1).date(), day(9).date(), day(5).date()), "last_spending_day"),
        (EndingDays(day(3).date(), day(2).date(), day(5).date()), "announced_on"),
    ],
)
def test_days_that_do_not_fit_together_are_refused(program, days, field):
    with pytest.raises(ConflictError) as refused:
        end(program, NOW, days)
    assert [error.field for error in refused.value.errors] == [field]


def test_members_are_told_from_the_planned_day_on(program):
    end(program)
    assert [program_state(program, day(offset)).is_told for offset in (4, 5)] == [False, True]


def test_nobody_joins_a_program_that_ends(program):
    end(program)
    record(order("A1", "10", at=day(12)))
    assert not Membership.objects.exists()
    assert Customer.objects.count() == 1


def test_the_liability_is_nothing_after_the_end():
    club = make_program(unit={"unit_value": "0.01"})
    record(order("A1", "100", at=day(1)))
    end(club, day(2))
    end_units(day(11))
    unit = club.wallet_types.get()
    rebuild_days({unit.pk: [day(offset).date() for offset in range(30)]})
    assert get_liability(unit, day(20).date()).held_units == 100
    assert get_liability(unit, day(21).date()).held_units == 0


def test_the_database_keeps_one_plan_and_what_was_decided(program):
    ending = end(program)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProgramEnding.objects.create(
            program=program, announced_on=NOW, last_earning_day=NOW, last_spending_day=NOW,
            decided_at=NOW,
        )  # fmt: skip
    ending.last_spending_day = day(90).date()
    with pytest.raises(DatabaseError), transaction.atomic():
        ending.save()


def test_the_job_goes_on_where_it_was_interrupted(program, monkeypatch):
    record(*(order(f"A{n}", "10", at=day(1), buyer=f"c{n}") for n in range(5)))
    end(program, day(2))
    work = find_endings(day(11))
    job = start_or_resume_job(
        kind=program_endings.KIND, label=work.label, fingerprint="x", params=work.params,
        actor=SYSTEM,
    )  # fmt: skip
    pieces = iter([2, 2])

    def interrupted(now: dt.datetime) -> int:
        size = next(pieces, None)
        if size is None:
            raise SystemExit
        return end_units(now, most=size)

    with monkeypatch.context() as patch:
        patch.setattr(program_endings, "end_units", interrupted)
        with pytest.raises(SystemExit):
            run_endings(job.pk)
    assert LotChange.objects.count() == 4
    done = run_endings(job.pk)
    assert (LotChange.objects.count(), done.result) == (5, {"lots": 5})
    assert program_endings.ending_job_words(done) == "5 lots end with their program."


def test_what_is_in_a_pool_lapses_too_and_is_no_member(program):
    ann = join(program, "ann")
    found_pool(ann)
    record(order("A1", "100", at=day(1), buyer="ann"))
    preview = preview_ending(program, DAYS, day(2))
    assert (preview.members, preview.holders, preview.units[0].lapse) == (1, 0, 100)
    end(program, day(2))
    assert end_units(day(11)) == 1
