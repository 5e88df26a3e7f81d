"""What templates of programs say of games, friends, good deeds, partners and experiences: read by
the applications that have them, explained, and nothing before the program is live."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Game, Post, ReferralProgram
from campaigns.selectors.games import playable_games
from loyalty.definitions import ProgramDefinition
from loyalty.models import Activity, ActivityType, Pledge, Program
from loyalty.partner_definitions import PartnerDefinition
from loyalty.program_templates.kinds import build, read_answers
from loyalty.program_templates.registry import template_named
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from loyalty.template_words import in_brief, in_full
from members.errors import DomainError
from members.services.audit import SYSTEM
from rewards.models import ContentItem, Event, Reward
from rewards.services.eligibility import offers_for
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import NOW
from tests.loyalty.planning import member

pytestmark = pytest.mark.django_db
NEW = ("pledge", "games", "referrals", "coalition", "experiences")
NAMED = {"program_name": "Club", "code": "club", "currency": "USD"}


def drafted(code: str, **said: Any) -> ProgramDefinition:
    template = template_named(code)
    assert template is not None
    return build(template, read_answers(template, {**NAMED, **said}))


def made(code: str, *, live: bool = True, **said: Any) -> Program:
    definition = drafted(code, **said)
    definition = definition.model_copy(update={"status": "live" if live else "draft"})
    return apply_definition(definition, actor=SYSTEM, now=NOW).program


def refused(code: str, **said: Any) -> list[str]:
    with pytest.raises(DomainError) as caught:
        drafted(code, **said)
    return [error.field for error in caught.value.errors]


def words(code: str, **said: Any) -> str:
    program = drafted(code, **said)
    sections = [sentence for section in in_full(program) for sentence in section.sentences]
    return "\n".join([*in_brief(program), *sections]).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("code", NEW)
def test_nothing_of_it_counts_before_the_program_is_live(code: str) -> None:
    program = made(code, live=False)
    assert not playable_games(NOW).exists()
    terms = reverse("programs:terms", args=[program.code])
    assert Client().get(terms).status_code == 404
    live = definition_of(program, NOW).model_copy(update={"status": "live"})
    apply_definition(live, actor=SYSTEM, now=NOW)
    assert playable_games(NOW).exists() == (code == "games")
    assert Client().get(terms).status_code == 200


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("games", "Spin and win: 1 free play every day."),
        ("referrals", "Who brings a friend gets: 10% of the first purchase in points."),
        ("experiences", "A look behind the scenes: 500 points."),
    ],
)
def test_whoever_takes_it_live_reads_what_begins_with_it(code: str, says: str) -> None:
    program = made(code, live=False)
    user = StaffMemberFactory(role="marketing_manager").user
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("loyalty_backoffice:program_publish", args=[program.code]))
    assert says in page.content.decode().replace("\N{NO-BREAK SPACE}", " ")


class TestGame:
    def test_chances_are_weights_and_the_rest_wins_nothing(self) -> None:
        prizes = [{"units": 50, "percent": "0.25"}, {"units": 10, "percent": 20}]
        made("games", prizes=prizes, prize_reward="1.5", game_kind="scratch")
        game = Game.objects.get()
        found = [(prize.name, prize.weight) for prize in game.prizes.all()]
        assert found == [
            ("50\N{NO-BREAK SPACE}points", 25), ("10\N{NO-BREAK SPACE}points", 2000),
            ("$5.00 off", 150), ("Better luck next time", 7825),
        ]  # fmt: skip
        assert (game.status, game.kind, game.free_each) == ("live", "scratch", "day")
        assert game.prizes.get(code="reward").reward == Reward.objects.get()

    @pytest.mark.parametrize(
        ("plays", "expected"),
        [
            ("week", (None, 1, "week", [])),
            ("bought", (Decimal(30), 0, "", [])),
            ("order", (None, 0, "", [{"on": "order", "least": "25", "plays": 1}])),
        ],
    )
    def test_members_come_to_plays_as_was_answered(self, plays: str, expected: Any) -> None:
        made("games", game_plays=plays, game_price=30, game_least=25)
        game = Game.objects.get()
        assert (game.price, game.free_plays, game.free_each, game.earning) == expected

    def test_what_comes_to_a_hundred_leaves_nothing_that_catches(self) -> None:
        prizes = [{"units": 5, "percent": 60}, {"units": 1, "percent": 39}]
        assert refused("games", prizes=prizes, prize_reward=1) == ["prize_reward"]

    def test_it_says_how_likely_what_is_and_what_a_play_costs(self) -> None:
        text = words("games", prizes=[{"units": 100, "percent": 10}], prize_reward=1)
        assert "Spin and win: 1 free play every day." in text
        assert "100 points (10%), $5.00 off (1%)" in text
        # A hundred points are worth five: ten percent of that, and one of the reward's price.
        assert "A play costs you $0.55 on average." in text


class TestFriends:
    def test_both_sides_get_what_was_answered(self) -> None:
        made("referrals", advocate_gift="reward", friend_gift="percent", friend_percent=15,
             further_percent=2, further_months=6, friend_least=40, friend_wait_days=7)  # fmt: skip
        row = ReferralProgram.objects.get()
        terms = row.terms.get()
        assert (row.status, terms.body) == ("live", {
            "advocate": {"kind": "reward", "reward": "first"},
            "friend": {"kind": "percent", "percent": "15"},
            "advocate_further": {"percent": "2", "months": 6},
            "least": "40", "wait_days": 7,
        })  # fmt: skip

    def test_what_is_worth_nothing_is_no_gift(self) -> None:
        assert refused("referrals", reward_worth=0) == ["advocate_gift"]

    def test_it_says_what_both_get(self) -> None:
        text = words("referrals", further_percent=2, further_months=6)
        assert "Who brings a friend gets: 10% of the first purchase in points." in text
        assert "The friend gets: 100 points." in text
        assert "For 6 months, 2% of what the friend buys further." in text


class TestPledge:
    def test_a_thing_for_each_order_from_so_much_and_no_more_than_so_many(self) -> None:
        made("pledge", pledge_things=2, pledge_least=20, pledge_budget=500, thing_price="1.50")
        pledge = Pledge.objects.get()
        assert (pledge.status, pledge.name, pledge.event) == ("live", "2 trees for each order",
                                                              "order")  # fmt: skip
        assert (pledge.amount, pledge.least, pledge.budget, pledge.starts_at) == (2, 20, 500, NOW)
        assert pledge.charity.thing_price == Decimal("1.50")

    def test_a_name_with_capitals_keeps_them(self) -> None:
        made("pledge", thing_singular="UNICEF meal")
        assert Pledge.objects.get().name == "UNICEF meal for each order"

    def test_for_friends_it_has_terms_that_make_members_bring_some(self) -> None:
        made("pledge", pledge_event="friend", friend_units=30)
        pledge = Pledge.objects.get()
        assert pledge.activity_type == ActivityType.objects.get(code="friend-brought")
        assert ReferralProgram.objects.get().terms.get().body["friend"]["units"] == "30"
        assert not Activity.objects.exists()

    def test_it_begins_once_and_stays_where_a_file_says_nothing_of_it(self) -> None:
        made("pledge")
        later = NOW + dt.timedelta(days=3)
        again = drafted("pledge").model_copy(update={"status": "live"})
        assert apply_definition(again, actor=SYSTEM, now=later).changes == []
        assert Pledge.objects.get().starts_at == NOW

    def test_it_says_what_it_gives_and_costs(self) -> None:
        text = words("pledge", charity_name="Trees for All", thing_price=2, pledge_budget=100)
        assert "Trees for All gets 1 tree for each order." in text
        assert "One tree costs you $2.00." in text
        assert "In all at most 100 trees." in text


class TestPartners:
    def test_each_has_its_rates_from_its_first_day(self) -> None:
        rows = [{"name": "Corner Bakery", "issued": "0.02", "taken_in": "0.015"},
                {"name": "Пекарня", "issued": 0, "taken_in": 0}]  # fmt: skip
        program = made("coalition", partners=rows)
        first, second = definition_of(program, NOW).partners
        assert (first.code, first.since, second.code) == (
            "corner-bakery", NOW.date(), "partner-2",
        )  # fmt: skip
        [rate] = first.rates
        assert (rate.from_on, rate.issued, rate.taken_in) == (
            NOW.date(), Decimal("0.02"), Decimal("0.015"),
        )  # fmt: skip

    def test_a_rate_without_a_day_is_that_of_the_first_one_also_later(self) -> None:
        made("coalition")
        later = NOW + dt.timedelta(days=40)
        again = drafted("coalition").model_copy(update={"status": "live"})
        assert apply_definition(again, actor=SYSTEM, now=later).changes == []

    def test_two_rates_without_a_day_are_of_the_same_day(self) -> None:
        with pytest.raises(ValueError, match="two rates"):
            PartnerDefinition.model_validate(
                {"code": "a", "name": "A", "rates": [{"issued": 1}, {"issued": 2}]}
            )

    def test_it_says_who_pays_whom(self) -> None:
        text = words("coalition")
        assert "Members earn and spend at A partner of your choice as well." in text
        assert "pays you $1.20 for 100 points that are earned there" in text


class TestExperiences:
    def test_seats_are_booked_until_the_event_begins_in_the_programs_own_evening(self) -> None:
        made("experiences", event_on="2030-05-17", event_seats=12, event_units=50,
             time_zone="Europe/Athens")  # fmt: skip
        event = Event.objects.get()
        assert event.starts_at == dt.datetime(2030, 5, 17, 15, tzinfo=dt.UTC)
        assert (event.reward.stock, event.reward.price) == (12, 50)
        assert event.reward.ends_at == event.starts_at

    def test_without_a_day_there_is_no_event_and_without_an_address_no_library(self) -> None:
        program = made("experiences", event_on=None)
        assert not Event.objects.exists()
        assert not ContentItem.objects.exists()
        assert Post.objects.get().state == Post.State.DRAFT
        ana = member(program, at=NOW)
        [offer] = offers_for(list(Reward.objects.all()), ana, NOW)
        assert offer.reward.kind == "experience"

    def test_the_library_has_what_an_address_was_given_for(self) -> None:
        made("experiences", content_link="https://shop.example/film", content_units=30)
        item = ContentItem.objects.get()
        assert (item.link, item.status, item.reward.price) == (
            "https://shop.example/film", "live", 30,
        )  # fmt: skip
        assert "The first chapter, in the library: 30 points." in words(
            "experiences", content_link="https://shop.example/film", content_units=30
        )

    def test_upper_tiers_get_in_earlier_and_the_highest_is_recognized(self) -> None:
        tiers = drafted("experiences").tiers
        assert tiers is not None
        kinds = [[benefit.kind for benefit in tier.benefits] for tier in tiers.tiers]
        assert kinds == [[], ["early_access"], ["early_access", "custom", "custom"]]

    def test_it_says_when_and_where(self) -> None:
        text = words("experiences", event_on="2030-05-17")
        assert "Members’ evening, May 17, 2030" in text
        assert "In our shop: free." in text
        assert "There are 20 seats; who comes later waits in line." in text
