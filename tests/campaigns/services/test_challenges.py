"""Challenges: who takes part, what is won, once, and what is undone by what came back."""

from __future__ import annotations

import datetime as dt
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import Sum
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext
from pydantic import ValidationError

from campaigns.campaign_definitions import CampaignTexts
from campaigns.challenge_definitions import definition_of_challenge
from campaigns.demo_challenges import show_challenges
from campaigns.models import (
    BoardName,
    BoardScore,
    Campaign,
    Challenge,
    ChallengeEntry,
    ChallengeWin,
)
from campaigns.selectors.challenges import badges_of, open_to
from campaigns.services import challenge_wins
from campaigns.services.campaigns import (
    end_campaign,
    pause_campaign,
    publish_campaign,
    resume_campaign,
)
from campaigns.services.challenge_clock import KIND
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import (
    ChallengeClosedError,
    change_challenge,
    copy_challenge,
    give_challenge,
    join_challenge,
    leave_challenge,
)
from loyalty.models import ActivityType, CapCounter, Membership, Program, Transfer, Wallet
from loyalty.services.leaving import leave_program
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.errors import ConflictError, DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers, undo_merge
from rewards.models import Redemption
from rewards.services.redemptions import use_redemption
from tests.campaigns.challenges import DAY, SPEND, draft, launch, member
from tests.campaigns.factories import follow, work
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    line,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    spendable,
)
from tests.rewards.factories import offer

pytestmark = pytest.mark.usefixtures("coherent_ledger")
HOUR = dt.timedelta(hours=1)
State = ChallengeEntry.State


@pytest.fixture
def program() -> Program:
    """Orders earn nothing, so what there is comes from challenges."""
    made = make_program(time_zone="Europe/Athens", earning_rules=[])
    make_wallet(made)
    return made


def join(challenge: Challenge, number: str = "c1", at: dt.datetime = NOW) -> ChallengeEntry:
    return join_challenge(challenge=challenge, membership=member(number), now=at)


def measure(at: dt.datetime = NOW) -> None:
    measure_customers(list(Customer.objects.values_list("pk", flat=True)), now=at)


def fresh(entry: ChallengeEntry) -> ChallengeEntry:
    return ChallengeEntry.objects.get(pk=entry.pk)


def wins(**which: object) -> list[tuple[int, str, int]]:
    rows = ChallengeWin.objects.filter(**which).order_by("pk")
    return list(rows.values_list("number", "state", "attempt"))


# Winning


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
    challenge = launch(program, times=2)
    facts = [
        lambda who: record(order(f"{who}A", "30", at=NOW + HOUR, buyer=who), now=NOW + DAY),
        lambda who: record(order(f"{who}B", "25", at=NOW + 2 * HOUR, buyer=who), now=NOW + DAY),
        lambda who: record(order(f"{who}C", "50", at=NOW + 3 * HOUR, buyer=who), now=NOW + DAY),
        lambda who: give_back(refund(f"{who}R", "10", of=f"{who}B", at=NOW + 4 * HOUR)),
    ]
    ends = set()
    for number, arrival in enumerate(itertools.permutations(facts)):
        who = f"p{number}"
        make_wallet(program, who)
        entry = join(challenge, who)
        for tell in arrival:
            tell(who)
            measure_customers([entry.membership.customer_id], now=NOW + DAY)
        found = fresh(entry)
        reached = ChallengeWin.objects.filter(entry=entry, state="won").values_list("reached_at")
        ends.add((found.rounds, found.percent, str(found.reached), str(list(reached)),
                  spendable(who, at=NOW + DAY)))  # fmt: skip
    assert len(ends) == 1
    assert next(iter(ends))[0] == 1


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


# A reward, a badge


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


# Taking part


def test_what_needs_no_joining_begins_with_the_first_order_and_only_for_who_bought(program):
    make_wallet(program, "c2")
    launch(program, opt_in=False)
    record(order("A", "60", at=NOW))
    measure(NOW)
    assert ChallengeEntry.objects.get().membership == member()
    assert spendable() == 100


def test_who_is_not_in_the_audience_or_is_kept_aside_takes_no_part(program):
    audience = {"field": "customer.country", "op": "is", "value": "GR"}
    challenge, other = launch(program, audience=audience), launch(program, holdout=50, opt_in=False)
    with pytest.raises(ChallengeClosedError):
        join(challenge)
    for number in range(20):
        make_wallet(program, f"d{number}")
        record(order(f"O{number}", "60", at=NOW, buyer=f"d{number}"))
    measure(NOW)
    aside = set(other.campaign.members.filter(held_out=True).values_list("membership", flat=True))
    taking = set(ChallengeEntry.objects.values_list("membership", flat=True))
    assert taking
    assert not aside & taking


def test_joining_twice_is_joining_once_and_leaving_counts_from_anew(program):
    challenge = launch(program)
    entry = join(challenge)
    assert join(challenge, at=NOW + HOUR) == entry
    record(order("A", "30", at=NOW + HOUR))
    measure(NOW + HOUR)
    leave_challenge(entry=entry, now=NOW + 2 * HOUR)
    again = join(challenge, at=NOW + 3 * HOUR)
    measure(NOW + 3 * HOUR)
    assert (again.pk != entry.pk, fresh(again).percent) == (True, 0)


def test_what_was_won_cannot_be_left(program):
    entry = join(launch(program))
    record(order("A", "60", at=NOW + HOUR))
    measure(NOW + HOUR)
    with pytest.raises(ConflictError):
        leave_challenge(entry=entry, now=NOW + HOUR)


@pytest.mark.parametrize("at", [NOW - 2 * HOUR, NOW + 7 * DAY])
def test_it_is_joined_while_it_is_on(program, at):
    with pytest.raises(ChallengeClosedError):
        join(launch(program), at=at)


@pytest.mark.parametrize(("after", "won"), [(3 * DAY, 1), (3 * DAY + dt.timedelta(seconds=1), 0)])
def test_its_days_run_from_when_it_was_received_to_their_last_instant(program, after, won):
    challenge = launch(program, days=3)
    entry, again = give_challenge(challenge=challenge, membership=member(), at=NOW, now=NOW)
    assert not again
    record(order("A", "60", at=NOW + after))
    measure(NOW + after)
    assert fresh(entry).rounds == won
    assert give_challenge(challenge=challenge, membership=member(), at=NOW, now=NOW)[1]


def test_received_twice_it_can_be_won_twice_by_one_order(program):
    challenge = launch(program, days=3)
    for at in (NOW, NOW + HOUR):
        give_challenge(challenge=challenge, membership=member(), at=at, now=NOW + HOUR)
    record(order("A", "60", at=NOW + DAY))
    measure(NOW + DAY)
    assert spendable(at=NOW + DAY) == 200


def test_given_from_a_time_in_the_past_what_was_bought_since_then_counts_at_once(program):
    challenge = launch(program)
    record(order("A", "60", at=NOW + HOUR))
    follow()
    entry, _again = give_challenge(
        challenge=challenge, membership=member(), at=NOW, now=NOW + 2 * HOUR
    )
    follow()
    assert (fresh(entry).state, wins()) == (State.WON, [(1, "won", 1)])


def test_a_welcome_challenge_runs_from_each_members_joining(program):
    launch(program, opt_in=False, days=2)
    make_wallet(program, "new", at=NOW + DAY)
    record(order("A", "60", at=NOW + 2 * DAY, buyer="new"), order("B", "60", at=NOW + 2 * DAY))
    measure(NOW + 2 * DAY)
    assert (spendable("new", at=NOW + 2 * DAY), ChallengeEntry.objects.count()) == (100, 2)


# Its life


def test_what_is_bought_in_a_pause_does_not_count(program):
    challenge = launch(program)
    entry = join(challenge)
    pause_campaign(campaign=challenge.campaign, actor=SYSTEM, now=NOW + HOUR)
    record(order("A", "30", at=NOW + 2 * HOUR))
    resume_campaign(campaign=challenge.campaign, actor=SYSTEM, now=NOW + 3 * HOUR)
    record(order("B", "40", at=NOW + 4 * HOUR))
    measure(NOW + 4 * HOUR)
    assert fresh(entry).percent == 80
    record(order("C", "10", at=NOW + 5 * HOUR))
    measure(NOW + 5 * HOUR)
    assert spendable(at=NOW + 5 * HOUR) == 100


def test_what_was_not_done_in_time_is_over_and_a_late_order_still_counts(program):
    entry = join(launch(program))
    record(order("A", "40", at=NOW + HOUR))
    assert work(KIND, NOW + 6 * DAY, "ended") == 0
    assert work(KIND, NOW + 7 * DAY, "ended") == 1
    assert (fresh(entry).state, fresh(entry).percent) == (State.ENDED, 80)
    record(order("B", "10", at=NOW + 2 * HOUR), now=NOW + 8 * DAY)
    measure(NOW + 8 * DAY)
    assert (fresh(entry).state, spendable(at=NOW + 8 * DAY)) == (State.WON, 100)


def test_ended_early_it_is_over_for_everybody(program):
    challenge = launch(program)
    entry = join(challenge)
    end_campaign(campaign=challenge.campaign, actor=SYSTEM, now=NOW + HOUR)
    assert work(KIND, NOW + HOUR, "ended") == 1
    record(order("A", "60", at=NOW + 2 * HOUR))
    measure(NOW + 2 * HOUR)
    assert (fresh(entry).state, fresh(entry).rounds) == (State.ENDED, 0)


def test_what_it_asks_stays_once_it_is_planned(program):
    challenge = launch(program)
    with pytest.raises(IntegrityError), transaction.atomic():
        Challenge.objects.filter(pk=challenge.pk).update(times=5)


def test_a_draft_is_changed_and_copied(program):
    made = draft(program)
    wanted = definition_of_challenge(made).model_copy(
        update={"times": 2, "name": "Tea week", "texts": {"el": CampaignTexts(title="Τσάι")}}
    )
    changed = change_challenge(challenge=made, definition=wanted, actor=SYSTEM, now=NOW)
    assert definition_of_challenge(changed) == wanted
    copied = copy_challenge(challenge=changed, actor=SYSTEM, now=NOW)
    assert (copied.campaign.code, copied.times) == ("coffee-week-2", 2)
    assert copied.campaign.starts_at == NOW + DAY


@pytest.mark.parametrize(
    "said",
    [
        {"units": None},
        {"units": None, "badge": "B", "budget_units": 5},
        {"in_order": True},
        {"times": 0},
        {"days": 0},
    ],
)
def test_a_definition_that_cannot_be_meant_is_refused(program, said):
    with pytest.raises(ValidationError):
        draft(program, **said)


def test_a_reward_that_is_not_there_is_refused(program):
    with pytest.raises(DomainError) as wrong:
        draft(program, reward="moon")
    assert [error.field for error in wrong.value.errors] == ["reward"]


def test_it_is_no_promotion_and_its_doing_is_an_activity(program):
    challenge = launch(program)
    assert ActivityType.objects.get(code="challenge-done").told == "Challenge done: {subject}"
    assert challenge.campaign.status == Campaign.Status.LIVE
    assert [item.code for item in program.earning_rules.all()] == ["campaign-coffee-week"]


def test_where_a_second_person_publishes_nobody_publishes_their_own(program):
    Program.objects.update(four_eyes=True)
    with pytest.raises(ConflictError):
        publish_campaign(campaign=draft(program).campaign, actor=SYSTEM, now=NOW)


# What members see


def test_a_member_sees_what_is_open_to_them_with_their_progress(program):
    challenge = launch(program)
    launch(program, name="Easy", opt_in=False, ends_at=NOW + DAY)
    (easy, coffee) = open_to(member(), NOW)
    assert (easy.may_join, coffee.may_join) == (False, True)
    join(challenge)
    record(order("A", "20", at=NOW + HOUR))
    (easy, coffee) = open_to(member(), NOW + HOUR)
    # Before anything was worked out.
    assert (easy.progress.percent, coffee.progress.percent, coffee.may_leave) == (40, 40, True)
    assert [found.challenge.campaign.name for found in open_to(member(), day(6))] == ["Coffee week"]
    assert open_to(member(), day(8)) == []


def test_the_number_of_queries_does_not_grow_with_the_challenges(program):
    tagged = {"field": "customer.tags", "op": "has_any", "value": ["vip"]}
    counted = []
    for first, last in ((0, 2), (2, 12)):
        for number in range(first, last):
            launch(program, name=f"For all {number}")
            launch(program, name=f"For some {number}", audience=tagged)
        with CaptureQueriesContext(connection) as queries:
            assert len(open_to(member(), NOW)) == last
        counted.append(len(queries))
    assert counted[1] == counted[0]
    Customer.objects.update(tags=["vip"])
    assert len(open_to(member(), NOW)) == 24


def test_the_number_of_queries_does_not_grow_with_the_members(program):
    challenge = launch(program)
    launch(program, opt_in=False)
    counted = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            make_wallet(program, f"m{number}")
            join(challenge, f"m{number}")
            lines = [line(1, "10", category="Tea")]
            record(order(f"M{number}", "10", at=NOW + HOUR, buyer=f"m{number}", lines=lines))
        with CaptureQueriesContext(connection) as queries:
            measure(NOW + HOUR)
        counted.append(len(queries))
    assert counted[1] <= counted[0]
    assert (
        Membership.objects.count() == ChallengeEntry.objects.filter(challenge=challenge).count() + 1
    )
    assert SPEND["amount"] == 50


# Teams


@pytest.fixture
def team(program: Program) -> list[ChallengeEntry]:
    """c1 made it, c2 and c3 joined it by its code."""
    challenge = launch(program, team_size=3)
    first = join_challenge(
        challenge=challenge, membership=member(), now=NOW, team_name="  The  Beans "
    )
    assert first.team is not None
    assert first.team.name == "The Beans"
    found = [first]
    for who in ("c2", "c3"):
        make_wallet(program, who)
        entry = join_challenge(
            challenge=challenge, membership=member(who), now=NOW + HOUR,
            team_code=first.team.code.lower(),
        )  # fmt: skip
        found.append(entry)
    return found


def test_what_a_team_buys_counts_together_and_each_gets_the_reward(team):
    record(order("A", "20", at=NOW + 2 * HOUR), order("B", "15", at=NOW + 3 * HOUR, buyer="c2"))
    # Before they joined.
    record(order("0", "30", at=NOW + HOUR / 2, buyer="c2"))
    measure_customers([member("c2").customer_id], now=NOW + 3 * HOUR)
    assert [fresh(entry).percent for entry in team] == [70, 70, 70]
    record(order("C", "15", at=NOW + 4 * HOUR, buyer="c3"))
    measure_customers([member("c3").customer_id], now=NOW + 4 * HOUR)
    assert [spendable(who, at=NOW + DAY) for who in ("c1", "c2", "c3")] == [100, 100, 100]
    give_back(refund("R", "20", of="A", at=NOW + DAY))
    measure_customers([member("c1").customer_id], now=NOW + DAY)
    assert [spendable(who, at=NOW + DAY) for who in ("c1", "c2", "c3")] == [0, 0, 0]


def test_the_page_of_a_member_shows_what_the_team_has_done(team):
    record(order("B", "25", at=NOW + 3 * HOUR, buyer="c2"))
    (found,) = open_to(member("c3"), NOW + 3 * HOUR)
    assert (found.progress.percent, found.together) == (50, 3)


@pytest.mark.parametrize(
    ("said", "field"),
    [({"team_code": "XXXXXX"}, "team_code"), ({}, "team_name"), ({"team_name": " "}, "team_name")],
)
def test_a_team_has_a_name_or_is_known(program, said, field):
    challenge = launch(program, team_size=3)
    with pytest.raises(DomainError) as wrong:
        join_challenge(challenge=challenge, membership=member(), now=NOW, **said)
    assert [error.field for error in wrong.value.errors] == [field]


def test_a_full_team_and_one_that_is_done_take_nobody(program, team):
    make_wallet(program, "c4")
    assert team[0].team is not None
    how = {"challenge": team[0].challenge, "membership": member("c4"),
           "team_code": team[0].team.code}  # fmt: skip
    with pytest.raises(DomainError, match="full"):
        join_challenge(now=NOW + HOUR, **how)
    leave_challenge(entry=team[1], now=NOW + HOUR)
    record(order("A", "60", at=NOW + 2 * HOUR))
    measure(NOW + 2 * HOUR)
    with pytest.raises(DomainError, match="already"):
        join_challenge(now=NOW + 2 * HOUR, **how)
    assert spendable("c2", at=NOW + DAY) == 0


def test_who_leaves_takes_what_they_bought_with_them(team):
    record(order("A", "20", at=NOW + 2 * HOUR), order("B", "20", at=NOW + 2 * HOUR, buyer="c2"))
    measure(NOW + 2 * HOUR)
    leave_challenge(entry=team[1], now=NOW + 3 * HOUR)
    assert fresh(team[0]).percent == 40


def test_a_team_never_has_too_many(program, transactional_db):
    challenge = launch(program, team_size=3)
    first = join_challenge(challenge=challenge, membership=member(), now=NOW, team_name="Beans")
    assert first.team is not None
    code, found = first.team.code, [f"t{number}" for number in range(6)]
    for who in found:
        make_wallet(program, who)

    def go(who: str) -> bool:
        try:
            join_challenge(challenge=challenge, membership=member(who), now=NOW, team_code=code)
            return True
        except DomainError:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(go, found)) == 2


def test_who_leaves_the_program_takes_nothing_from_the_others_and_helps_them_no_more(team):
    record(order("A", "20", at=NOW + 2 * HOUR), order("B", "25", at=NOW + 3 * HOUR, buyer="c2"))
    measure(NOW + 3 * HOUR)
    leave_program(membership=member("c2"), actor=SYSTEM, now=NOW + 4 * HOUR)
    record(order("C", "5", at=NOW + 5 * HOUR, buyer="c2"))
    measure(NOW + 5 * HOUR)
    (found,) = open_to(member("c3"), NOW + 5 * HOUR)
    assert (fresh(team[0]).percent, found.progress.percent, found.together) == (90, 90, 2)
    record(order("D", "5", at=NOW + 6 * HOUR))
    measure_customers([member().customer_id], now=NOW + 6 * HOUR)
    assert [spendable(who, at=NOW + DAY) for who in ("c1", "c2", "c3")] == [100, 0, 100]


def test_what_is_bought_while_somebody_is_away_does_not_count(program):
    entry = join(launch(program))
    suspend_membership(membership=member(), reason="x", actor=SYSTEM, now=NOW + HOUR)
    record(order("A", "40", at=NOW + 2 * HOUR))
    resume_membership(membership=member(), reason="back", actor=SYSTEM, now=NOW + 3 * HOUR)
    record(order("B", "10", at=NOW + 4 * HOUR))
    measure(NOW + 4 * HOUR)
    (found,) = open_to(member(), NOW + 4 * HOUR)
    assert (fresh(entry).percent, found.progress.percent) == (20, 20)


@pytest.mark.parametrize("said", [{"opt_in": False}, {"days": 3}])
def test_a_team_joins_and_has_the_whole_time(program, said):
    with pytest.raises(ValidationError):
        draft(program, team_size=3, **said)


# Two who are one


def test_who_was_two_people_goes_on_and_has_won_once(program):
    challenge = launch(program)
    make_wallet(program, "c2")
    other = join(challenge, "c2")
    record(order("A", "30", at=NOW + HOUR, buyer="c2"))
    measure(NOW + HOUR)
    kept, merged = Customer.objects.get(external_id="c1"), Customer.objects.get(external_id="c2")
    merge, _again = merge_customers(
        kept=kept, merged=merged, actor=SYSTEM, source="api", now=NOW + DAY
    )
    record(order("B", "20", at=NOW + DAY))
    measure(NOW + DAY)
    assert (fresh(other).membership, fresh(other).state) == (member(), State.WON)
    assert spendable(at=NOW + DAY) == 100
    undo_merge(merge=merge, actor=SYSTEM, source="api", now=NOW + 2 * DAY)
    measure(NOW + 2 * DAY)
    assert fresh(other).membership == member("c2")


def test_both_had_won_and_together_it_is_won_once_more_not_at_all(program):
    challenge = launch(program)
    make_wallet(program, "c2")
    for who in ("c1", "c2"):
        join(challenge, who)
    record(order("A", "60", at=NOW + HOUR, buyer="c2"))
    measure(NOW + HOUR)
    kept, merged = Customer.objects.get(external_id="c1"), Customer.objects.get(external_id="c2")
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="api", now=NOW + DAY)
    measure(NOW + DAY)
    assert spendable(at=NOW + DAY) == 100
    assert wins() == [(1, "won", 1)]


@pytest.mark.parametrize("first", ["c1", "c2"])
def test_what_was_won_by_whom_began_first_stays_won(program, first):
    challenge = launch(program)
    make_wallet(program, "c2")
    second = {"c1": "c2", "c2": "c1"}[first]
    entry = join(challenge, first)
    record(order("A", "60", at=NOW + HOUR, buyer=first))
    measure(NOW + HOUR)
    later = join(challenge, second, at=NOW + 2 * HOUR)
    kept, merged = Customer.objects.get(external_id="c1"), Customer.objects.get(external_id="c2")
    merge, _again = merge_customers(
        kept=kept, merged=merged, actor=SYSTEM, source="api", now=NOW + DAY
    )
    measure(NOW + DAY)
    assert (fresh(entry).membership, spendable(at=NOW + DAY)) == (member("c1"), 100)
    assert wins() == [(1, "won", 1)]
    undo_merge(merge=merge, actor=SYSTEM, source="api", now=NOW + 2 * DAY)
    measure(NOW + 2 * DAY)
    assert [fresh(item).membership for item in (entry, later)] == [member(first), member(second)]
    assert wins(entry=entry) == [(1, "won", 1)]


def test_of_days_of_their_own_what_was_won_goes_on(program):
    challenge = launch(program, days=2)
    make_wallet(program, "c2")
    won = join(challenge, "c2")
    record(order("A", "60", at=NOW + HOUR, buyer="c2"))
    measure(NOW + HOUR)
    join(challenge, "c1", at=NOW + 3 * DAY)
    kept, merged = Customer.objects.get(external_id="c1"), Customer.objects.get(external_id="c2")
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="api", now=NOW + 4 * DAY)
    measure(NOW + 4 * DAY)
    assert (fresh(won).membership, wins()) == (member("c1"), [(1, "won", 1)])


# The demonstration


def test_the_demonstration_has_challenges_that_are_on_and_made_once():
    club = make_program(at=day(-900))
    for number in range(12):
        make_wallet(club, f"d{number}", at=day(-800))
    for _again in range(2):
        show_challenges(club)
    rows = Campaign.objects.filter(program=club).order_by("pk")
    assert [row.status for row in rows] == ["live", "live", "live", "draft"]
    assert ChallengeEntry.objects.filter(challenge__campaign__code="pantry-explorer").count() == 12
    assert ChallengeEntry.objects.filter(team__isnull=False).count() == 8
    assert ChallengeWin.objects.exists()
    assert BoardName.objects.count() == 6
    assert BoardScore.objects.exists()


def test_the_wallets_of_all_are_locked_before_the_first_is_given_anything(team, monkeypatch):
    done: list[object] = []
    real = (challenge_wins.lock_wallets, challenge_wins.record_activities)

    def lock(keys: list[int]) -> None:
        done.append(sorted(keys))
        real[0](keys)

    def give(*said: Any, **how: Any) -> Any:
        done.append("units")
        return real[1](*said, **how)

    monkeypatch.setattr(challenge_wins, "lock_wallets", lock)
    monkeypatch.setattr(challenge_wins, "record_activities", give)
    record(order("A", "50", at=NOW + 2 * HOUR))
    measure_customers([member().customer_id], now=NOW + 2 * HOUR)
    wallets = Wallet.objects.filter(account__in=[entry.membership.account_id for entry in team])
    assert done == [sorted(wallets.values_list("pk", flat=True)), "units", "units", "units"]


def test_who_is_erased_leaves_no_name_of_a_team_that_they_made(team):
    made = team[0].team
    erase_customer_details(customer=member("c2").customer, actor=SYSTEM)
    made.refresh_from_db()
    assert made.name == "The Beans"
    erase_customer_details(customer=member().customer, actor=SYSTEM)
    made.refresh_from_db()
    assert made.name == made.code
