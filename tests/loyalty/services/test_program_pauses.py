"""A program that rests: what is placed meanwhile earns nothing, whenever it is told."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from loyalty.errors import SpendingStoppedError
from loyalty.models import Membership, OrderEvaluation, Program, ProgramPause
from loyalty.selectors.program_times import program_state
from loyalty.services.gifts import give_units
from loyalty.services.occasions import give_occasions
from loyalty.services.program_pauses import pause_program, resume_program
from loyalty.services.quotes import quote_order
from loyalty.services.redemptions import redeem_units
from members.errors import ConflictError
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_program,
    make_type,
    make_wallet,
    moves,
    order,
    record,
    refund,
    reward,
    spendable,
    tell,
    told,
    wallet_of,
)


def rest(program: Program, since: float = 10, until: float | None = 20, **how) -> ProgramPause:
    """A pause from one day to another, decided a day before."""
    return pause_program(
        program=program, actor=SYSTEM, now=day(since - 1), starts_at=day(since),
        ends_at=None if until is None else day(until), **how,
    )  # fmt: skip


def spend(wallet, units: int, at: dt.datetime, key: str = "s1"):
    return redeem_units(wallet=wallet, units=units, key=key, source="api", actor=SYSTEM, now=at)


@pytest.mark.parametrize(("placed", "earned"), [(9.999, 10), (10, 0), (19.999, 0), (20, 10)])
def test_an_order_earns_by_when_it_was_placed_however_late_it_is_told(program, placed, earned):
    make_wallet(program)
    rest(program)
    record(order("A1", "10", at=day(placed)), now=day(40))
    assert spendable(at=day(40)) == earned


def test_an_order_of_a_pause_is_not_judged_and_never_will_be(program):
    make_wallet(program)
    rest(program)
    record(order("A1", "10", at=day(12)))
    record(order("A1", "25", at=day(12)), now=day(30))
    give_back(refund(of="A1", total="5", at=day(31)))
    assert (moves(), OrderEvaluation.objects.count()) == ([], 0)


def test_what_was_earned_before_goes_on_being_corrected(program):
    record(order("A1", "10", at=day(1)))
    rest(program)
    record(order("A1", "15", at=day(1)), now=day(12))
    give_back(refund(of="A1", total="7", at=day(13)))
    assert [units for _kind, units in moves()] == [10, 5, -5, -2]


def test_a_return_of_an_order_of_a_pause_takes_nothing_where_returns_stand_for_themselves():
    club = make_program(linked_returns="own_amount")
    record(order("A1", "50", at=day(1)))
    rest(club)
    record(order("A2", "10", at=day(12)))
    give_back(refund(of="A2", total="10", at=day(25)))
    assert spendable(at=day(25)) == 50
    give_back(refund("R2", of="A1", total="10", at=day(26)))
    assert spendable(at=day(26)) == 40


def test_nobody_joins_with_an_order_of_a_pause(program):
    rest(program)
    record(order("A1", "10", at=day(12)))
    assert not Membership.objects.exists()
    record(order("A2", "10", at=day(21)))
    assert Membership.objects.get().enrolled_at == day(21)


def test_activities_and_birthdays_of_a_pause_bring_nothing():
    make_type()
    birthday = {"kind": "occasion", "code": "bd", "name": "Day", "day": "birthday", "units": 30}
    club = make_program(earning_rules=[{}, reward(), birthday])
    make_wallet(club)
    Customer.objects.update(birthday=dt.date(1990, day(12).month, day(12).day))
    rest(club)
    tell(told("V1", at=day(11)), now=day(30))
    give_occasions(day(25))
    assert moves() == []
    tell(told("V2", at=day(21)))
    assert moves() == [("accrual", 50)]


def test_what_there_is_can_be_spent_meanwhile_unless_it_was_decided_otherwise(program):
    record(order("A1", "100", at=day(1)))
    wallet = wallet_of(Membership.objects.get().account_id)
    rest(program, 10, 20)
    rest(program, 30, 40, spending=False)
    spend(wallet, 10, day(12))
    with pytest.raises(SpendingStoppedError):
        spend(wallet, 10, day(30), "s2")
    with pytest.raises(SpendingStoppedError):
        give_units(
            wallet=wallet, to=Membership.objects.get(), units=1, message="", actor=SYSTEM,
            key="g", source="api", now=day(31),
        )  # fmt: skip
    # The same spend told again is the one that was made before.
    assert spend(wallet, 10, day(31), "s1")[1]
    spend(wallet, 10, day(40), "s2")
    assert spendable(at=day(40)) == 80


def test_a_till_that_was_offline_is_asked_by_its_own_time(program):
    record(order("A1", "100", at=day(1)))
    wallet = wallet_of(Membership.objects.get().account_id)
    rest(program, 10, None, spending=False)
    redeem_units(
        wallet=wallet, units=5, key="s1", source="api", actor=SYSTEM, now=day(11),
        occurred_at=day(9.5),
    )  # fmt: skip
    assert spendable(at=day(11)) == 95


def test_a_quote_says_that_the_program_is_paused(program):
    make_wallet(program)
    rest(program)
    (quote,) = quote_order(order(at=day(12)))
    assert (quote.state, quote.awards, quote.discounted.amount) == ("paused", (), 0)
    (quote,) = quote_order(order(at=day(21)))
    assert (quote.state, quote.awards[0].award.units) == ("live", 10)


def test_a_pause_goes_on_until_somebody_resumes_it(program):
    make_wallet(program)
    pause_program(program=program, actor=SYSTEM, now=day(10))
    record(order("A1", "10", at=day(50)))
    assert program_state(program, day(50)).state == "paused"
    resume_program(program=program, actor=SYSTEM, now=day(60))
    record(order("A2", "10", at=day(59.9)), order("A3", "10", at=day(60)), now=day(61))
    assert (spendable(at=day(61)), program_state(program, day(61)).state) == (10, "live")
    assert list(
        AuditEntry.objects.filter(action__in=["program.paused", "program.resumed"])
        .order_by("pk")
        .values_list("action", flat=True)
    ) == ["program.paused", "program.resumed"]


def test_a_pause_may_end_at_another_time_but_what_is_over_stays(program):
    make_wallet(program)
    rest(program)
    resume_program(program=program, actor=SYSTEM, now=day(12), at=day(15))
    record(order("A1", "10", at=day(16)), now=day(16))
    assert spendable(at=day(16)) == 10
    assert resume_program(program=program, actor=SYSTEM, now=day(17)) is None
    assert ProgramPause.objects.get().ends_at == day(15)
    with pytest.raises(ConflictError):
        pause_program(program=program, actor=SYSTEM, now=day(17), starts_at=day(16))


def test_a_pause_that_has_not_begun_is_called_off(program):
    rest(program)
    assert resume_program(program=program, actor=SYSTEM, now=day(9.5)) is None
    assert not ProgramPause.objects.exists()


def test_pausing_twice_is_one_pause_and_another_one_is_refused(program):
    first = pause_program(program=program, actor=SYSTEM, now=day(10))
    assert pause_program(program=program, actor=SYSTEM, now=day(11)) == first
    with pytest.raises(ConflictError):
        pause_program(program=program, actor=SYSTEM, now=day(11), spending=False)


def test_a_draft_cannot_be_paused():
    with pytest.raises(ConflictError):
        pause_program(program=make_program(status="draft"), actor=SYSTEM, now=NOW)


def test_the_database_keeps_pauses_apart_and_what_was_decided(program):
    pause = rest(program)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProgramPause.objects.create(program=program, starts_at=day(19), decided_at=NOW)
    ProgramPause.objects.create(program=program, starts_at=day(20), decided_at=NOW)
    other = make_program("other")
    ProgramPause.objects.create(program=other, starts_at=day(12), decided_at=NOW)
    pause.starts_at = day(5)
    with pytest.raises(DatabaseError), transaction.atomic():
        pause.save()
