"""How many take part in challenges, how many are where in journeys, and whom broadcasts and
experiments are for, is kept by the database, whoever writes."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import (
    BroadcastTally,
    ChallengeEntry,
    ChallengeTally,
    ExperimentTally,
    JourneyTally,
    Passage,
)
from campaigns.selectors.broadcasts import Progress, progress_of
from campaigns.selectors.challenge_results import challenge_result
from campaigns.selectors.challenges import challenges, with_counts
from campaigns.selectors.experiments import members_by_arm
from campaigns.selectors.journey_results import leavers, people_per_step
from campaigns.services.challenges import leave_challenge
from loyalty.ledger.checks import check_rule
from loyalty.services.tallies import fold_tallies, recount_tallies
from tests.campaigns.broadcasts import (
    draw_alike,
    fresh,
    make_broadcast,
    make_club,
    run,
    schedule,
)
from tests.campaigns.challenges import join, launch, measure, program_of_challenges
from tests.campaigns.experiments import buyers, make_crowd, start
from tests.campaigns.factories import make_journey
from tests.loyalty.factories import NOW, make_wallet, order, record
from tests.rewards.factories import make_member

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
TAKING_PART = "as many take part in a challenge as are counted"
WHERE = "as many are where in a journey as are counted"
FOR_WHOM = "a broadcast is for as many as are counted"
IN_ARMS = "as many are in an arm of an experiment as are counted"


def wrong() -> list[str]:
    names = (TAKING_PART, WHERE, FOR_WHOM, IN_ARMS)
    return [name for name in names if check_rule(name, NOW) is not None]


def listed() -> list[tuple[int, int]]:
    return [(row.taking_part, row.done) for row in with_counts(challenges()).order_by("pk")]


def pass_through(journey, member, **values):
    given = {
        "state": "active", "step": "s1", "due_at": NOW, "occurrence": "", "entered_at": NOW,
        "version": journey.versions.get(),
    }  # fmt: skip
    return Passage.objects.create(journey=journey, membership=member, **(given | values))


def test_whoever_joins_does_and_leaves_a_challenge_is_counted() -> None:
    challenge = launch(program_of_challenges())
    join(challenge)
    assert listed() == [(1, 0)]
    record(order("A", "60", at=NOW + HOUR))
    measure(NOW + HOUR)
    assert listed() == [(1, 1)]
    make_wallet(challenge.campaign.program, "c2")
    other = join(challenge, "c2")
    leave_challenge(entry=other, now=NOW + HOUR)
    found = challenge_result(challenge)
    assert (found.taking_part, found.done, found.left) == (1, 1, 1)
    assert wrong() == []


def test_a_challenge_without_anybody_is_listed_with_nobody() -> None:
    launch(program_of_challenges())
    assert listed() == [(0, 0)]


def test_whoever_goes_on_in_a_journey_and_leaves_it_is_counted() -> None:
    first, second = make_member(0), make_member(0, "c2")
    journey = make_journey(first.program)
    passage = pass_through(journey, first)
    pass_through(journey, second)
    assert (people_per_step(journey), leavers(journey)) == ({"s1": 2}, {})
    Passage.objects.filter(pk=passage.pk).update(step="s2")
    assert people_per_step(journey) == {"s1": 1, "s2": 1}
    Passage.objects.filter(pk=passage.pk).update(state="done", left_at=NOW, due_at=None, why="goal")
    assert (people_per_step(journey), leavers(journey)) == ({"s1": 1}, {"goal": 1})
    assert wrong() == []


def test_they_are_folded_and_made_anew_with_the_others() -> None:
    journey = make_journey(make_member(0).program)
    pass_through(journey, make_member(0, "c2"))
    pass_through(journey, make_member(0, "c3"))
    fold_tallies()
    assert [(row.place, row.passages) for row in JourneyTally.objects.all()] == [("s1", 2)]
    JourneyTally.objects.update(passages=7)
    assert wrong() == [WHERE]
    assert recount_tallies() == 1
    assert (people_per_step(journey), wrong()) == ({"s1": 2}, [])


def test_whoever_a_broadcast_tells_keeps_aside_and_does_not_tell_is_counted() -> None:
    program = make_club([f"c{number}" for number in range(1, 9)])
    made = draw_alike(make_broadcast(program, holdout=40))
    schedule(made)
    run()
    found, rows = fresh(made), made.recipients
    aside = rows.filter(held_out=True).count()
    assert 0 < aside < 8
    assert progress_of(found) == Progress(audience=8 - aside, settled=8 - aside, aside=aside)
    assert wrong() == []


def test_whoever_is_drawn_into_an_arm_is_counted() -> None:
    experiment = start(make_crowd(40))
    drawn = {place: len(buyers(experiment, place)) for place in (0, 1)}
    assert members_by_arm(experiment) == drawn
    assert sum(drawn.values()) == 40
    assert wrong() == []


def test_what_is_counted_of_broadcasts_and_experiments_is_made_anew_with_the_others() -> None:
    experiment = start(make_crowd(40))
    made = schedule(make_broadcast(make_club(["d1", "d2"])))
    run()
    before = progress_of(fresh(made)), members_by_arm(experiment)
    BroadcastTally.objects.update(recipients=7)
    ExperimentTally.objects.update(members=7)
    assert wrong() == [FOR_WHOM, IN_ARMS]
    assert recount_tallies() == 4
    assert (progress_of(fresh(made)), members_by_arm(experiment)) == before
    assert wrong() == []


def test_the_self_check_finds_who_was_counted_and_is_not_there() -> None:
    challenge = launch(program_of_challenges())
    join(challenge)
    state = ChallengeEntry.State.OPEN
    ChallengeTally.objects.create(challenge=challenge, state=state, done=False, entries=1)
    assert wrong() == [TAKING_PART]
    assert recount_tallies() == 1
    assert listed() == [(1, 0)]


@pytest.mark.parametrize(
    "name", ["messages_backoffice:journey_list", "challenges_backoffice:challenge_list"]
)
def test_a_list_asks_as_often_for_many_as_for_one(manager: Client, name: str) -> None:
    program = program_of_challenges()

    def asked() -> int:
        manager.get(reverse(name))
        with CaptureQueriesContext(connection) as queries:
            assert manager.get(reverse(name)).status_code == 200
        return len(queries)

    launch(program)
    make_journey(program)
    one = asked()
    for _number in range(3):
        launch(program)
        make_journey(program)
    assert asked() == one
