"""What reviews of programs are told of promotions, challenges, journeys, games and surveys."""

import datetime as dt
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from campaigns.models import SurveyResponse
from campaigns.reviews import (
    campaign_uses,
    challenge_uses,
    did_answer,
    game_uses,
    journey_uses,
    opinions,
)
from campaigns.selectors.campaign_results import result_of
from campaigns.services.games import end_game
from campaigns.services.journeys import end_journey, pause_journey, resume_journey
from campaigns.services.survey_answers import answer_survey
from loyalty.models import InsightPoint, Membership, ReviewFinding
from loyalty.quarters import quarter_of
from loyalty.review_findings import findings_of
from loyalty.rules.calendar import end_of_day
from loyalty.selectors.program_reviews import facts_of
from loyalty.services.economics import Assumed, keep_assumptions
from loyalty.services.order_inputs import DiscountInput
from members.services.audit import SYSTEM
from tests.campaigns import campaigns, challenges, games, journeys
from tests.campaigns.surveys import make_survey, reply
from tests.loyalty.factories import (
    NOW,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)

pytestmark = pytest.mark.django_db
QUARTER = quarter_of(NOW.date())
LAST = QUARTER.last
HOUR = dt.timedelta(hours=1)


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
    later = quarter_of(LAST + dt.timedelta(days=1))
    (after,) = journey_uses(program, later, later.last)
    assert after.used == 0
    assert journey_uses(program, QUARTER.before, QUARTER.before.last) == []


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


def test_an_order_that_two_rules_of_a_promotion_gave_something_is_one_less_what_came_back():
    program = make_program(unit={"unit_value": "0.01"})
    make_wallet(program)
    offer = {"factor": 2, "reach": 50, "units": 100}
    campaigns.launch(program, "big-weekend", offer=offer, at=NOW)
    record(*(order(number, "100", at=NOW) for number in ("A1", "A2")))
    (found,) = campaign_uses(program, QUARTER, LAST)
    # A hundred for its amount and a hundred as a bonus, a cent each.
    assert (found.used, found.cost) == (2, Decimal(2))
    give_back(refund("R2", "100", of="A2", at=NOW + HOUR))
    (found,) = campaign_uses(program, QUARTER, LAST)
    assert (found.used, found.cost) == (1, Decimal(2))
    give_back(refund("R1", "100", of="A1", at=NOW + HOUR))
    (found,) = campaign_uses(program, QUARTER, LAST)
    assert (found.used, found.cost) == (0, None)


def test_what_comes_back_of_orders_of_an_earlier_quarter_takes_nothing_from_this_one():
    program = make_program(unit={"unit_value": "0.01"})
    make_wallet(program)
    later = QUARTER.last + dt.timedelta(days=10)
    ends = dt.datetime.combine(later, dt.time(12), dt.UTC)
    campaigns.launch(program, offer={"factor": 2}, at=NOW, ends_at=ends)
    record(order("A1", "900", at=NOW))
    record(order("A2", "100", at=ends - HOUR))
    give_back(refund("R1", "900", of="A1", at=ends - HOUR))
    (found,) = campaign_uses(program, quarter_of(later), later)
    assert (found.used, found.cost) == (1, Decimal(1))


def test_what_was_taken_off_is_told_of_orders_that_were_kept():
    program = make_program()
    make_wallet(program)
    campaigns.launch(program, "percent-off", at=NOW)
    for number in ("A", "B"):
        said = [DiscountInput("club", "campaign-spring", Decimal(10))]
        record(order(number, "90", discount_total=Decimal(10), discounts=said))
    (found,) = campaign_uses(program, QUARTER, LAST)
    assert (found.used, found.cost) == (2, Decimal(10))
    give_back(refund("R", "90", of="B", at=NOW + HOUR))
    (found,) = campaign_uses(program, QUARTER, LAST)
    assert (found.used, found.cost) == (1, Decimal(10))


@pytest.mark.parametrize("template", ["points-weekend", "percent-off"])
def test_what_was_given_is_counted_up_to_the_day_that_is_looked_at(template):
    program = make_program(unit={"unit_value": "0.01"})
    make_wallet(program)
    campaign = campaigns.launch(program, template, at=NOW)
    until = end_of_day(NOW.date(), program.zone)
    off = {
        "discount_total": Decimal(10),
        "discounts": [DiscountInput("club", "campaign-spring", Decimal(10))],
    }
    for number, at in (("A", NOW), ("B", NOW + 2 * campaigns.DAY)):
        record(order(number, "90", at=at, **(off if template == "percent-off" else {})))
    then, now = result_of(campaign, until), result_of(campaign, NOW + 3 * campaigns.DAY)
    assert (then.given.orders, now.given.orders) == (1, 2)
    assert now.given.money == 2 * then.given.money > 0


def test_what_has_ended_since_is_told_of_the_quarters_in_which_it_was_live():
    program = make_program()
    wallet = make_wallet(program)
    member = Membership.objects.select_related("program", "customer").get(account=wallet.account_id)
    journey, game = journeys.live(member, journeys.WAIT), games.live_game(program)
    begin_again = QUARTER.last + dt.timedelta(days=40)
    over = dt.datetime.combine(begin_again, dt.time(12), dt.UTC)
    pause_journey(journey=journey, actor=SYSTEM)
    resume_journey(journey=journey, actor=SYSTEM, now=over - campaigns.DAY)
    end_journey(journey=journey, actor=SYSTEM, now=over)
    end_game(game=game, actor=SYSTEM, now=over)
    for uses in (journey_uses, game_uses):
        (then,) = uses(program, QUARTER, LAST)
        assert (then.used, then.days, then.ended) == (0, 17, False)
        later = quarter_of(begin_again)
        (ended,) = uses(program, later, later.last)
        assert (ended.used, ended.ended) == (0, True)
        after = quarter_of(later.last + campaigns.DAY)
        assert list(uses(program, after, after.last)) == []
        assert list(uses(program, QUARTER.before, QUARTER.before.last)) == []


def test_answers_without_a_scale_are_answers_of_members():
    program = make_program()
    today = timezone.now().astimezone(program.zone).date()
    quarter = quarter_of(today)
    words = [{"code": "words", "kind": "text", "text": "What do you miss?"}]
    survey = make_survey(program, questions=words, anonymous=True)
    asked = {"survey": survey, "locale": "en", "answered_at": timezone.now()}
    SurveyResponse.objects.create(membership=None, via="anonymous", form=uuid4(), **asked)
    assert not did_answer(program, quarter, today)
    wallet = make_wallet(program)
    member = Membership.objects.get(account=wallet.account_id)
    SurveyResponse.objects.create(membership=member, via="page", **asked)
    assert did_answer(program, quarter, today)
    assert not did_answer(program, quarter.before, quarter.before.last)
    assert opinions(program, quarter, today) == []
    told = facts_of(program, quarter, today, timezone.now())
    assert "said:nobody" not in {item.key for item in findings_of(told)}


def test_questions_with_the_longest_codes_are_told_apart():
    program = make_program()
    codes = ["q" * 63 + end for end in "ab"]
    questions = [
        {"code": code, "kind": "nps", "text": "Would you?", "required": False} for code in codes
    ]
    survey = make_survey(program, questions=questions)
    wallet = make_wallet(program)
    member = Membership.objects.select_related("program", "customer").get(account=wallet.account_id)
    answer_survey(
        survey=survey, membership=member, given={code: ["9"] for code in codes}, via="page",
        locale="en", now=timezone.now(),
    )  # fmt: skip
    today = timezone.now().astimezone(program.zone).date()
    found = opinions(program, quarter_of(today), today)
    assert len({item.key for item in found}) == 2
    room = ReviewFinding._meta.get_field("key").max_length or 0
    assert all(len(f"said:{item.key}") <= room for item in found)
