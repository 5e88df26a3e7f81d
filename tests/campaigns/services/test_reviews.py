"""What reviews of programs are told of promotions, challenges, journeys, games and surveys."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from campaigns.reviews import (
    campaign_uses,
    challenge_uses,
    game_uses,
    journey_uses,
    opinions,
)
from loyalty.models import InsightPoint, Membership
from loyalty.quarters import quarter_of
from loyalty.services.economics import Assumed, keep_assumptions
from members.services.audit import SYSTEM
from tests.campaigns import campaigns, challenges, games, journeys
from tests.campaigns.surveys import make_survey, reply
from tests.loyalty.factories import NOW, make_program, make_wallet, order, record

pytestmark = pytest.mark.django_db
QUARTER = quarter_of(NOW.date())
LAST = QUARTER.last


def test_a_promotion_is_told_by_what_its_rules_brought_and_what_each_order_cost():
    program = make_program(unit={"unit_value": "0.01"})
    make_wallet(program)
    campaigns.launch(program, offer={"factor": 3}, at=NOW)
    record(order("A1", "100", at=NOW), order("A2", "300", at=NOW + dt.timedelta(hours=1)))
    (found,) = campaign_uses(program, QUARTER, LAST)
    assert (found.name, found.used, found.measured, found.limit) == ("Spring", 2, False, None)
    # Two hundred and six hundred units more, a cent each, with two orders.
    assert found.cost == Decimal(4)
    InsightPoint.objects.create(
        program=program, metric="average_order", month=dt.date(2024, 3, 1), day=LAST, value=20
    )
    assumed = Assumed(
        margin=Decimal(10),
        spend_without=None,
        administration=Decimal(0),
        platform_fee=Decimal(0),
        support=Decimal(0),
        messaging=Decimal(0),
    )
    keep_assumptions(program=program, assumed=assumed, actor=SYSTEM, now=NOW)
    (found,) = campaign_uses(program, QUARTER, LAST)
    assert found.limit == Decimal(2)
    assert campaign_uses(program, QUARTER.before, QUARTER.before.last) == []


def test_a_promotion_that_nobody_had_anything_of_was_used_by_nobody():
    program = make_program()
    campaigns.launch(program, at=NOW)
    (found,) = campaign_uses(program, QUARTER, LAST)
    assert (found.used, found.cost) == (0, None)
    # Within them it was over, so that it was there for a week alone says nothing for it.
    assert (found.days, found.ended) == (8, True)


def test_a_challenge_is_told_by_who_began_it_and_is_no_promotion():
    program = challenges.program_of_challenges()
    challenge = challenges.launch(program)
    (found,) = challenge_uses(program, QUARTER, LAST)
    assert (found.name, found.used) == ("Coffee week", 0)
    challenges.join(challenge)
    (found,) = challenge_uses(program, QUARTER, LAST)
    assert found.used == 1
    assert campaign_uses(program, QUARTER, LAST) == []


def test_a_journey_is_told_by_who_came_into_it():
    program = make_program()
    wallet = make_wallet(program)
    member = Membership.objects.select_related("program", "customer").get(account=wallet.account_id)
    journey = journeys.live(member, journeys.WAIT)
    (found,) = journey_uses(program, QUARTER, LAST)
    assert (found.used, found.days) == (0, 17)
    journeys.begin(journey, member)
    (found,) = journey_uses(program, QUARTER, LAST)
    assert found.used == 1
    (before,) = journey_uses(program, QUARTER.before, QUARTER.before.last)
    assert before.used == 0


def test_a_game_is_told_by_who_played():
    program = make_program()
    make_wallet(program)
    game = games.live_game(program)
    (found,) = game_uses(program, QUARTER, LAST)
    assert found.used == 0
    games.play(game, games.member())
    (found,) = game_uses(program, QUARTER, LAST)
    assert found.used == 1


def test_opinions_are_scores_with_their_counts_and_never_what_somebody_wrote():
    program = make_program()
    survey = make_survey(program)
    for number, given in enumerate((10, 10, 9, 3), 1):
        wallet = make_wallet(program, f"m{number}")
        member = Membership.objects.select_related("program", "customer").get(
            account=wallet.account_id
        )
        reply(survey, member, given, stars=["4"], words=["My name is Ana"])
    today = timezone.now().astimezone(program.zone).date()
    found = {item.question: item for item in opinions(program, quarter_of(today), today)}
    nps, stars = found["Would you recommend us?"], found["How was it?"]
    assert (nps.scale, nps.score, nps.answers) == ("nps", Decimal("50.0"), 4)
    assert (stars.scale, stars.score, stars.most) == ("mean", Decimal("4.0"), 5)
    assert len(found) == 2
    assert "Ana" not in repr(found)
    assert opinions(program, quarter_of(today).before, quarter_of(today).before.last) == []
