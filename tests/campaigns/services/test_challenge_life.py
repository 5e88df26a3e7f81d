"""Challenges: drafts, what is planned, pauses and ends, and what members see of them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext
from pydantic import ValidationError

from campaigns.campaign_definitions import CampaignTexts
from campaigns.challenge_definitions import definition_of_challenge
from campaigns.demo.challenges import show_challenges
from campaigns.models import (
    BoardName,
    BoardScore,
    Campaign,
    Challenge,
    ChallengeEntry,
    ChallengeWin,
)
from campaigns.selectors.challenges import open_to
from campaigns.services.campaigns import (
    end_campaign,
    pause_campaign,
    publish_campaign,
    resume_campaign,
)
from campaigns.services.challenge_clock import KIND
from campaigns.services.challenges import change_challenge, copy_challenge
from loyalty.models import ActivityType, Membership, Program
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.errors import ConflictError, DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.challenges import (
    DAY,
    SPEND,
    draft,
    fresh,
    join,
    launch,
    measure,
    member,
    program_of_challenges,
)
from tests.campaigns.factories import work
from tests.loyalty.factories import (
    NOW,
    day,
    enroll_all,
    line,
    make_program,
    make_wallet,
    order,
    record,
    spendable,
)
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
HOUR = dt.timedelta(hours=1)
State = ChallengeEntry.State


made_once = shared(program_of_challenges)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


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


def test_what_is_bought_while_somebody_is_away_does_not_count(program):
    entry = join(launch(program))
    suspend_membership(membership=member(), reason="x", actor=SYSTEM, now=NOW + HOUR)
    record(order("A", "40", at=NOW + 2 * HOUR))
    resume_membership(membership=member(), reason="back", actor=SYSTEM, now=NOW + 3 * HOUR)
    record(order("B", "10", at=NOW + 4 * HOUR))
    measure(NOW + 4 * HOUR)
    (found,) = open_to(member(), NOW + 4 * HOUR)
    assert (fresh(entry).percent, found.progress.percent) == (20, 20)


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


# The demonstration


def test_the_demonstration_has_challenges_that_are_on_and_made_once():
    club = make_program("shop", at=day(-900))
    enroll_all(club, (f"d{number}" for number in range(12)), day(-800))
    for _again in range(2):
        show_challenges(club)
    rows = Campaign.objects.filter(program=club).order_by("pk")
    assert [row.status for row in rows] == ["live", "live", "live", "draft"]
    assert ChallengeEntry.objects.filter(challenge__campaign__code="pantry-explorer").count() == 12
    assert ChallengeEntry.objects.filter(team__isnull=False).count() == 8
    assert ChallengeWin.objects.exists()
    assert BoardName.objects.count() == 6
    assert BoardScore.objects.exists()
