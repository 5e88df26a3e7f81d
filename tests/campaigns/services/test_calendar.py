"""What the calendar shows of each kind, what gets in each other's way, and what is moved on it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client

from campaigns.models import Campaign, Season
from campaigns.selectors.calendar import Span, conflicts_in, entries
from campaigns.selectors.calendar.of_loyalty import expiry_days
from campaigns.services.calendar_moves import (
    Times,
    find_entry,
    move_entry,
    moved_by,
    preview_move,
    times_of,
)
from campaigns.services.seasons import SeasonTerms, plan_quarter, save_season
from loyalty.models import EarningRule, EarningRuleVersion, Partner
from loyalty.partner_definitions import PartnerDefinition
from loyalty.selectors.rules import all_judged_rows, campaign_rows, rule_rows
from loyalty.services.partner_settlements import close_month
from loyalty.services.partners import create_partner
from loyalty.services.rules import set_four_eyes
from loyalty.unit_definitions import ExpiryDefinition
from members.errors import ConflictError, DomainError
from members.models import StaffMember
from members.services.audit import SYSTEM, Actor
from rewards.event_definitions import EventDefinition
from rewards.services.access_windows import WindowTerms, save_window
from rewards.services.events import create_event
from tests.campaigns.campaigns import DAY, draft, launch
from tests.campaigns.challenges import draft as draft_challenge
from tests.campaigns.community import make_post
from tests.campaigns.experiments import start as start_experiment
from tests.campaigns.games import draft_game
from tests.campaigns.referrals import brought_friend
from tests.campaigns.surveys import make_survey
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import NOW, make_program
from tests.rewards.factories import offer
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
MONTH = Span(dt.date(2024, 3, 1), dt.date(2024, 3, 31))
SOON = {"starts_at": NOW + DAY, "ends_at": NOW + 3 * DAY}


def make_world():
    expiry = {"kind": "end_of_period", "period": "quarter", "length": 1}
    return make_program(unit={"unit_value": "0.01", "expiry": expiry},
                        earning_rules=[{"name": "Base"}])  # fmt: skip


made_once = shared(make_world)


@pytest.fixture
def program(made_once, db):
    return anew(made_once)


def shown(program, span=MONTH, **how):
    return {(item.kind, item.title) for item in entries([program], span, NOW, **how)}


def test_every_kind_is_on_it(program):
    draft(program, name="Weekend", tells=["begun"], **SOON)
    draft_challenge(program, name="Coffee", **SOON)
    draft_game(program, name="Wheel", **SOON)
    make_survey(program, title="Taste", live=False, opens_at=NOW, closes_at=NOW + 5 * DAY)
    brought_friend(program)
    save_season(program=program, actor=SYSTEM,
                terms=SeasonTerms("Easter", "easter", shift=-2, days=4))  # fmt: skip
    terms = WindowTerms("Sale", NOW + 9 * DAY, opens_at=NOW + 5 * DAY)
    save_window(program=program, code="sale", terms=terms, actor=SYSTEM)
    offer(program, name="Mug", starts_at=NOW, ends_at=NOW + 8 * DAY)
    create_event(program=program, actor=SYSTEM, live=True, definition=EventDefinition(
        code="tasting", name="Tasting", place="Athens", price=0, seats=10,
        starts_at=NOW + 6 * DAY, ends_at=NOW + 7 * DAY))  # fmt: skip
    assert shown(program) == {
        ("promotion", "Weekend"), ("message", "Told that it has begun: Weekend"),
        ("challenge", "Coffee"), ("game", "Wheel"), ("survey", "Taste"),
        ("season", "Easter"), ("opening", "Sale"), ("reward", "Mug"), ("event", "Tasting"),
        ("rule", "Base"), ("expiry", "Last day of points"), ("referral", "Bring a friend"),
    }  # fmt: skip
    offer(program, "early", name="First apples", window="sale")
    [sale] = entries([program], MONTH, NOW, kinds={"opening"})
    assert sale.note == "1 reward comes with it"
    assert shown(program, kinds={"game"}) == {("game", "Wheel")}
    assert ("promotion", "Weekend") not in shown(
        program, Span(dt.date(2024, 4, 1), dt.date(2024, 4, 30))
    )
    client = Client()
    client.force_login(StaffMemberFactory(role=StaffMember.Role.ANALYST).user)
    for entry in entries([program], MONTH, NOW):
        answer = client.get(entry.url, follow=True)
        assert answer.status_code == 200, f"{entry.title} leads where analysts may not look"


def test_posts_experiments_and_settlements_are_on_it(program):
    make_post(program, at=NOW, title="Loaves", publish_at=NOW + 2 * DAY, by_message=True)
    make_post(program, at=NOW, title="Rye")
    make_post(program, at=None, title="A draft")
    start_experiment(program)
    rate = {"wallet_type": "points", "from_on": "2024-01-10", "issued": "0.01", "taken_in": "0.01"}
    said = {"code": "bakery", "name": "Bakery", "since": "2024-01-10", "rates": [rate]}
    create_partner(program=program, definition=PartnerDefinition.model_validate(said),
                   actor=SYSTEM, now=NOW)  # fmt: skip
    found = entries([program], MONTH, NOW, kinds={"post", "message", "experiment", "settlement"})
    assert {(item.kind, item.title, item.first.isoformat()) for item in found} == {
        ("post", "Loaves", "2024-03-17"), ("message", "Told: Loaves", "2024-03-17"),
        ("post", "Rye", "2024-03-15"), ("experiment", "Triple or not", "2024-03-15"),
        ("settlement", "Bakery: settlement of February 2024", "2024-03-01"),
    }  # fmt: skip
    [experiment] = [item for item in found if item.kind == "experiment"]
    assert (experiment.state, experiment.last) == ("running", dt.date(2024, 3, 29))
    client = Client()
    client.force_login(StaffMemberFactory(role=StaffMember.Role.ANALYST).user)
    assert {client.get(item.url).status_code for item in found} == {200}
    # The first month begins as the partner does, within it.
    close_month(partner=Partner.objects.get(), actor=SYSTEM, now=NOW)
    january = entries(
        [program], Span(dt.date(2024, 2, 1), dt.date(2024, 2, 29)), NOW, kinds={"settlement"}
    )
    assert [item.state for item in january] == ["open"]
    # Nothing is settled of months before the partner came.
    year = Span(dt.date(2024, 1, 1), dt.date(2024, 12, 31))
    assert len(entries([program], year, NOW, kinds={"settlement"})) == 11


def test_the_number_of_queries_does_not_grow(program, django_assert_max_num_queries):
    for number in range(6):
        draft(program, name=f"Weekend {number}", **SOON)
        draft_game(program, name=f"Wheel {number}", **SOON)
    with django_assert_max_num_queries(45):
        found = entries([program], MONTH, NOW)
        conflicts_in([program], found, NOW)


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ({"kind": "end_of_period", "period": "month", "length": 0}, [31]),
        ({"kind": "fixed_date", "month_day": "03-12"}, [12]),
        ({"kind": "fixed_date", "month_day": "06-30"}, []),
        ({"kind": "months", "length": 12}, []),
    ],
)  # fmt: skip
def test_days_on_which_units_expire(said, days):
    assert [day.day for day in expiry_days(ExpiryDefinition(**said), MONTH)] == days


def test_two_multipliers_at_once_conflict_and_say_what_becomes_of_them(program):
    launch(program, name="Weekend", **SOON)
    draft(program, name="Night", template="flash", **SOON)
    draft(program, name="Later", starts_at=NOW + 5 * DAY, ends_at=NOW + 6 * DAY)
    found = conflicts_in([program], entries([program], MONTH, NOW), NOW)
    [conflict] = found
    assert conflict.kind == "rules"
    keys = {str(row.public_id) for row in Campaign.objects.exclude(name="Later")}
    assert conflict.keys == keys
    assert "Night" in conflict.message
    assert "Weekend" in conflict.message


def test_three_messages_in_a_week_to_the_same_people_conflict(program):
    vips = {"field": "customer.tags", "op": "has_any", "value": ["vip"]}
    draft(program, "nth-order", name="One", tells=["begun"], audience=vips, **SOON)
    draft(program, "nth-order", name="Two", tells=["begun"], **SOON)
    found = conflicts_in([program], entries([program], MONTH, NOW), NOW)
    assert [item for item in found if item.kind == "messages"] == []
    draft(program, "nth-order", name="Three", tells=["begun"],
          starts_at=NOW + 7 * DAY, ends_at=NOW + 9 * DAY)  # fmt: skip
    found = conflicts_in([program], entries([program], MONTH, NOW), NOW)
    [crowd] = [item for item in found if item.kind == "messages"]
    assert "3 messages in a week from 16 Mar" in crowd.message


def test_a_quarter_whose_budgets_are_more_than_it_has_conflicts(program):
    plan_quarter(program=program, year=2024, quarter=1, aim="", revenue=None,
                 budget=Decimal(100), actor=SYSTEM)  # fmt: skip
    draft(program, name="One", budget_money=60, **SOON)
    later = {"starts_at": NOW + 5 * DAY, "ends_at": NOW + 6 * DAY}
    draft(program, name="Two", budget_units=4000, **later)
    found = conflicts_in([program], entries([program], MONTH, NOW), NOW)
    assert [item for item in found if item.kind == "budget"] == []
    draft(program, name="Three", budget_money=1, **later)
    [budget] = [item for item in conflicts_in([program], entries([program], MONTH, NOW), NOW)
                if item.kind == "budget"]  # fmt: skip
    assert len(budget.keys) == 3
    assert "101.00" in budget.message


def test_budgets_of_a_quarter_are_those_of_all_of_its_months(program):
    """Whichever of them is looked at."""
    plan_quarter(program=program, year=2024, quarter=1, aim="", revenue=None,
                 budget=Decimal(100), actor=SYSTEM)  # fmt: skip
    draft(program, name="One", budget_money=60, **SOON)
    early = dt.datetime(2024, 2, 3, tzinfo=dt.UTC)
    draft(program, name="Two", budget_money=50, starts_at=early, ends_at=early + DAY)
    draft(program, name="Other quarter", budget_money=50, starts_at=NOW + 40 * DAY,
          ends_at=NOW + 41 * DAY)  # fmt: skip
    found = entries([program], MONTH, NOW)
    [budget] = [item for item in conflicts_in([program], found, NOW) if item.kind == "budget"]
    assert "110.00" in budget.message
    assert budget.keys == {str(Campaign.objects.get(name="One").public_id)}


def test_a_reward_with_a_stock_that_two_give_conflicts(program):
    offer(program, code="mug", name="Mug", stock=5)
    prize = {"code": "mug", "kind": "reward", "name": "Mug", "weight": 1, "reward": "mug"}
    rest = {"code": "none", "kind": "nothing", "name": "Next", "weight": 9, "catches": True}
    draft_game(program, name="Wheel", prizes=[prize, rest], **SOON)
    draft_challenge(program, name="Coffee", units=None, reward="mug", **SOON)
    [conflict] = conflicts_in([program], entries([program], MONTH, NOW), NOW)
    assert conflict.kind == "stock"
    assert "5 are left" in conflict.message


def test_a_surprise_and_a_challenge_that_give_of_one_stock_conflict(program):
    offer(program, code="mug", name="Mug", stock=5)
    draft_challenge(program, name="Coffee", units=None, reward="mug", **SOON)
    draft(program, "surprise", name="A treat", offer={"reward": "mug"}, **SOON)
    draft(program, "surprise", name="No end of it", offer={"reward": "tea"}, **SOON)
    [conflict] = conflicts_in([program], entries([program], MONTH, NOW), NOW)
    assert (conflict.kind, len(conflict.keys)) == ("stock", 2)
    assert "A treat" in conflict.message


def entry_of(kind, row):
    return find_entry(kind, str(row.public_id), NOW)


def test_a_draft_moves_with_its_teaser_and_back(program):
    row = draft(program, teased_at=NOW + dt.timedelta(hours=12), teaser="Soon", **SOON)
    before = entry_of("promotion", row)
    times = moved_by(before, dt.date(2024, 3, 20))
    move_entry(entry=before, times=times, actor=SYSTEM, now=NOW)
    row.refresh_from_db()
    assert (row.starts_at, row.ends_at) == (NOW + 5 * DAY, NOW + 7 * DAY)
    assert row.teased_at == NOW + 4 * DAY + dt.timedelta(hours=12)
    move_entry(entry=entry_of("promotion", row), times=times_of(before), actor=SYSTEM, now=NOW)
    row.refresh_from_db()
    assert (row.starts_at, row.ends_at) == (SOON["starts_at"], SOON["ends_at"])


def test_what_is_planned_stays_planned_and_its_rules_count_then(program):
    row = launch(program, at=NOW, **SOON)
    times = Times(NOW + 8 * DAY, NOW + 9 * DAY)
    move_entry(entry=entry_of("promotion", row), times=times, actor=SYSTEM, now=NOW)
    row.refresh_from_db()
    assert (row.status, row.starts_at) == ("scheduled", times.starts_at)
    version = EarningRuleVersion.objects.filter(rule__source=row.source).latest("number")
    assert (version.starts_at, version.ends_at) == (times.starts_at, times.ends_at)


def test_where_a_second_person_publishes_whoever_moves_it_does_not(program):
    author, other = (Actor.of_user(StaffMemberFactory().user) for _ in range(2))
    row = launch(program, at=NOW, **SOON)
    set_four_eyes(program=program, on=True, actor=other)
    with pytest.raises(ConflictError) as refused:
        move_entry(entry=entry_of("promotion", row), times=Times(NOW + 8 * DAY, NOW + 9 * DAY),
                   actor=author, now=NOW)  # fmt: skip
    assert refused.value.code == "second_person"
    row.refresh_from_db()
    assert (row.status, row.starts_at) == ("scheduled", SOON["starts_at"])


def test_what_has_begun_is_not_moved_nor_is_anything_moved_to_the_past(program):
    live = launch(program)
    with pytest.raises(ConflictError):
        move_entry(entry=entry_of("promotion", live), times=Times(NOW + DAY, NOW + 2 * DAY),
                   actor=SYSTEM, now=NOW)  # fmt: skip
    planned = entry_of("promotion", draft(program, **SOON))
    with pytest.raises(DomainError) as refused:
        move_entry(entry=planned, times=Times(NOW - DAY, NOW + DAY), actor=SYSTEM, now=NOW)
    assert refused.value.errors[0].field == "starts_at"
    with pytest.raises(DomainError) as refused:
        move_entry(entry=planned, times=Times(NOW + DAY, NOW + DAY), actor=SYSTEM, now=NOW)
    assert refused.value.errors[0].field == "ends_at"


def test_the_preview_says_what_it_would_meet_and_writes_nothing(program):
    launch(program, name="Weekend", **SOON)
    row = draft(program, name="Night", template="flash", starts_at=NOW + 10 * DAY,
                ends_at=NOW + 11 * DAY)  # fmt: skip
    entry = entry_of("promotion", row)
    there = preview_move(entry, Times(NOW + DAY, NOW + 2 * DAY), NOW)
    assert len(there.comes) == 1
    assert there.goes == []
    elsewhere = preview_move(entry, Times(NOW + 12 * DAY, NOW + 13 * DAY), NOW)
    assert (elsewhere.comes, elsewhere.stays) == ([], [])
    row.refresh_from_db()
    assert row.starts_at == NOW + 10 * DAY
    planned = Campaign.objects.get(name="Weekend")
    move_entry(entry=entry, times=Times(NOW + DAY, NOW + 2 * DAY), actor=SYSTEM, now=NOW)
    away = preview_move(entry_of("promotion", planned), Times(NOW + 20 * DAY, NOW + 21 * DAY), NOW)
    assert len(away.goes) == 1


def test_the_other_kinds_move_too(program):
    to = Times(NOW + 20 * DAY, NOW + 22 * DAY)
    challenge = draft_challenge(program, **SOON).campaign
    game = draft_game(program, **SOON)
    survey = make_survey(program, live=False, opens_at=NOW + DAY, closes_at=NOW + 5 * DAY)
    event = create_event(program=program, actor=SYSTEM, definition=EventDefinition(
        code="tasting", name="Tasting", place="Athens", price=0, seats=10,
        opens_at=NOW + DAY, starts_at=NOW + 6 * DAY, ends_at=NOW + 7 * DAY))  # fmt: skip
    for kind, row in (("challenge", challenge), ("game", game), ("survey", survey),
                      ("event", event)):  # fmt: skip
        move_entry(entry=entry_of(kind, row), times=to, actor=SYSTEM, now=NOW)
        row.refresh_from_db()
        moved = entry_of(kind, row)
        assert (moved.starts_at, moved.ends_at) == (to.starts_at, to.ends_at), kind
    event.reward.refresh_from_db()
    assert event.reward.starts_at == NOW + 15 * DAY


def test_a_sale_that_moves_moves_for_all_who_come_earlier(program):
    terms = WindowTerms("Sale", NOW + 9 * DAY, opens_at=NOW + 5 * DAY, skus=("A",))
    row = save_window(program=program, code="sale", terms=terms, actor=SYSTEM)
    move_entry(entry=entry_of("opening", row), times=Times(NOW + 7 * DAY, NOW + 11 * DAY),
               actor=SYSTEM, now=NOW)  # fmt: skip
    row.refresh_from_db()
    assert (row.opens_at, row.closes_at, row.skus) == (NOW + 7 * DAY, NOW + 11 * DAY, ["A"])


def test_a_season_moves_in_its_year_alone(program):
    terms = SeasonTerms("Spring", "day", month=3, day=20, days=5)
    season = save_season(program=program, terms=terms, actor=SYSTEM)
    entry = find_entry("season", f"{season.public_id}-2024", NOW)
    move_entry(entry=entry, times=moved_by(entry, dt.date(2024, 3, 24)), actor=SYSTEM, now=NOW)
    found = {
        item.first for item in entries([program], Span(dt.date(2024, 1, 1), dt.date(2025, 12, 31)),
                                       NOW, {"season"})
    }  # fmt: skip
    assert found == {dt.date(2024, 3, 24), dt.date(2025, 3, 20)}
    assert Season.objects.get().day == 20


def test_rules_are_read_at_once_as_one_after_the_other(program, django_assert_num_queries):
    launch(program, name="Weekend", **SOON)
    wallet_type = program.wallet_types.get()
    for source in ("", "campaign:gone", "tiers:1"):
        code = source.replace(":", "-") or "unwritten"
        EarningRule.objects.create(
            program=program, wallet_type=wallet_type, code=code, name=code, source=source
        )
    # First of all in order of evaluation, and yet after what people write.
    EarningRule.objects.filter(source="").update(position=9)
    EarningRule.objects.filter(source__startswith="campaign:").update(position=0)
    apart = [*rule_rows(program, NOW), *campaign_rows(program, NOW)]
    assert [row.rule.source[:9] for row in apart] == ["", "", "campaign:"]
    with django_assert_num_queries(2):
        assert all_judged_rows(program, NOW) == apart
