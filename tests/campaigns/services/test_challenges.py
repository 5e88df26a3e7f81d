"""Challenges: what is won, once, and what is undone by what came back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.db.models import Sum
from django.utils.translation import override

from campaigns.models import ChallengeEntry, ChallengeWin
from campaigns.selectors.challenges import badges_of, open_to
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import leave_challenge
from loyalty.models import ActivityType, CapCounter, Program, Transfer
from loyalty.ready_activities import told_for_reader
from loyalty.selectors.program_terms import terms_of
from members.errors import ConflictError
from members.services.audit import SYSTEM
from rewards.models import Redemption
from rewards.services.redemptions import use_redemption
from tests.campaigns.challenges import (
    DAY,
    fresh,
    join,
    launch,
    measure,
    member,
    program_of_challenges,
    wins,
)
from tests.every_order import in_every_order
from tests.loyalty.factories import (
    NOW,
    give_back,
    make_wallet,
    order,
    record,
    refund,
    spendable,
)
from tests.rewards.factories import offer
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
HOUR = dt.timedelta(hours=1)
State = ChallengeEntry.State


made_once = shared(program_of_challenges)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_the_terms_call_it_as_members_know_it(program: Program) -> None:
    """The rule asks for the code of the challenge, which nobody reads."""
    launch(program, texts={"el": {"title": "Εβδομάδα καφέ"}})
    said = [rule.sentences for rule in terms_of(program, NOW).rules]
    assert said == [["Challenge done: 100\xa0points.", "Only when: It is about “Coffee week”."]]
    with override("el"):
        assert "«Εβδομάδα καφέ»" in terms_of(program, NOW).rules[0].sentences[1]
        # What Setia calls the activity is read in one's language, until somebody calls it else.
        assert terms_of(program, NOW).rules[0].sentences[0].startswith("Ολοκλήρωση πρόκλησης: ")
        assert told_for_reader("Challenge done: Coffee week").endswith(": Coffee week")
        assert "Challenge" not in told_for_reader("Challenge done: Coffee week")
        ActivityType.objects.filter(code="challenge-done").update(name="Coffee drunk")
        assert terms_of(program, NOW).rules[0].sentences[0].startswith("Coffee drunk: ")


def test_who_does_it_gets_the_units_once_however_often_it_is_worked_out(program):
    entry = join(launch(program))
    record(order("A", "30", at=NOW + HOUR))
    measure(NOW + HOUR)
    assert (fresh(entry).percent, fresh(entry).state) == (60, State.OPEN)
    record(order("B", "20", at=NOW + 2 * HOUR))
    for _again in range(3):
        measure(NOW + 3 * HOUR)
    found = fresh(entry)
    assert (found.percent, found.state, found.rounds) == (100, State.WON, 1)
    assert spendable(at=NOW + 3 * HOUR) == 100
    assert ChallengeWin.objects.get().reached_at == NOW + 2 * HOUR


def test_what_was_bought_before_joining_does_not_count(program):
    challenge = launch(program)
    record(order("A", "60", at=NOW - HOUR / 2))
    entry = join(challenge)
    measure(NOW + HOUR)
    assert (fresh(entry).percent, spendable()) == (0, 0)


def test_a_refund_undoes_it_and_buying_again_brings_it_again(program):
    entry = join(launch(program))
    record(order("A", "60", at=NOW + HOUR))
    measure(NOW + HOUR)
    give_back(refund("R", "20", of="A", at=NOW + DAY))
    measure(NOW + DAY)
    assert (fresh(entry).percent, wins(), spendable(at=NOW + DAY)) == (80, [(1, "undone", 1)], 0)
    record(order("B", "10", at=NOW + 2 * DAY))
    measure(NOW + 2 * DAY)
    assert (wins(), spendable(at=NOW + 2 * DAY)) == ([(1, "won", 2)], 100)


def test_units_that_were_spent_are_owed_as_the_program_says(program):
    join(launch(program))
    record(order("A", "60", at=NOW + HOUR))
    measure(NOW + HOUR)
    give_back(refund("R", "60", of="A", at=NOW + DAY))
    measure(NOW + DAY)
    kinds = Transfer.objects.order_by("pk").values_list("kind", "amount")
    assert list(kinds) == [("accrual", 100), ("clawback", 100)]


def test_a_late_order_of_before_makes_it_done_sooner_and_gives_nothing_more(program):
    join(launch(program))
    record(order("B", "50", at=NOW + 3 * HOUR))
    measure(NOW + 3 * HOUR)
    record(order("A", "50", at=NOW + HOUR), now=NOW + DAY)
    measure(NOW + DAY)
    assert ChallengeWin.objects.get().reached_at == NOW + HOUR
    assert spendable(at=NOW + DAY) == 100


def test_it_can_be_done_three_times_if_it_says_so(program):
    entry = join(launch(program, times=3))
    for number in range(5):
        record(order(f"A{number}", "50", at=NOW + (number + 1) * HOUR))
        measure(NOW + (number + 1) * HOUR)
    assert (fresh(entry).rounds, fresh(entry).state) == (3, State.WON)
    assert spendable(at=NOW + DAY) == 300


def test_every_order_of_arrival_ends_the_same(program):
    """Three orders and a refund, in every order in which they can be told."""
    entry = join(launch(program, times=2))
    facts = [
        lambda: record(order("A", "30", at=NOW + HOUR), now=NOW + DAY),
        lambda: record(order("B", "25", at=NOW + 2 * HOUR), now=NOW + DAY),
        lambda: record(order("C", "50", at=NOW + 3 * HOUR), now=NOW + DAY),
        lambda: give_back(refund("R", "10", of="B", at=NOW + 4 * HOUR)),
    ]

    def tell(fact: Callable[[], object]) -> None:
        fact()
        measure_customers([entry.membership.customer_id], now=NOW + DAY)

    def end() -> tuple[object, ...]:
        found = fresh(entry)
        reached = ChallengeWin.objects.filter(entry=entry, state="won").values_list("reached_at")
        return (found.rounds, found.percent, str(found.reached), str(list(reached)),
                spendable(at=NOW + DAY))  # fmt: skip

    ends = in_every_order(facts, tell, end)
    assert len(ends) == 24
    assert len(set(ends)) == 1
    assert ends[0][0] == 1


def test_two_workers_at_once_give_it_once(program, transactional_db):
    join(launch(program))
    record(order("A", "60", at=NOW + HOUR))

    def go(_number: int) -> None:
        try:
            measure(NOW + HOUR)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(go, range(4)))
    assert (wins(), spendable(at=NOW + HOUR)) == ([(1, "won", 1)], 100)


def test_the_budget_is_never_exceeded_and_who_comes_too_late_is_told_why(program):
    challenge = launch(program, budget_units=150)
    for who in ("c1", "c2", "c3"):
        make_wallet(program, who)
        join(challenge, who)
        record(order(f"{who}A", "60", at=NOW + HOUR, buyer=who))
    measure(NOW + HOUR)
    assert CapCounter.objects.filter(membership=None).aggregate(Sum("used"))["used__sum"] == 150
    assert sum(spendable(who, at=NOW + HOUR) for who in ("c1", "c2", "c3")) == 150
    assert max(ChallengeWin.objects.values_list("unrewarded", flat=True)).startswith("Its b")


def test_a_reward_is_given_once_and_called_back_when_it_is_undone(program):
    reward = offer(program, "mug")
    join(launch(program, units=None, reward="mug"))
    record(order("A", "60", at=NOW + HOUR))
    measure(NOW + HOUR)
    measure(NOW + HOUR)
    given = Redemption.objects.get(reward=reward)
    assert (given.status, given.message) == ("issued", "Coffee week")
    give_back(refund("R", "60", of="A", at=NOW + DAY))
    measure(NOW + DAY)
    assert Redemption.objects.get().status == "cancelled"


def test_a_reward_that_was_used_stays_and_is_not_given_again(program):
    offer(program, "mug")
    join(launch(program, units=None, reward="mug"))
    record(order("A", "60", at=NOW + HOUR))
    measure(NOW + HOUR)
    use_redemption(redemption=Redemption.objects.get(), actor=SYSTEM, now=NOW + HOUR)
    give_back(refund("R", "60", of="A", at=NOW + DAY))
    measure(NOW + DAY)
    record(order("B", "60", at=NOW + DAY))
    measure(NOW + DAY)
    assert wins() == [(1, "won", 2)]
    assert Redemption.objects.get().status == "used"


def test_a_badge_is_there_while_it_is_won(program):
    join(launch(program, units=None, badge="Coffee lover"))
    record(order("A", "60", at=NOW + HOUR))
    measure(NOW + HOUR)
    assert [win.entry.challenge.badge for win in badges_of(member())] == ["Coffee lover"]
    give_back(refund("R", "60", of="A", at=NOW + DAY))
    measure(NOW + DAY)
    assert badges_of(member()) == []


def test_what_brought_a_reward_that_was_used_is_not_left_and_done_anew(program):
    offer(program, "mug")
    entry = join(launch(program, units=None, reward="mug"))
    record(order("A", "60", at=NOW + HOUR))
    measure(NOW + HOUR)
    use_redemption(redemption=Redemption.objects.get(), actor=SYSTEM, now=NOW + HOUR)
    give_back(refund("R", "60", of="A", at=NOW + DAY))
    measure(NOW + DAY)
    with pytest.raises(ConflictError):
        leave_challenge(entry=entry, now=NOW + DAY)
    assert [found.may_leave for found in open_to(member(), NOW + DAY)] == [False]
