"""Lists of promotions, challenges, games and surveys, narrowed by a name and by their state."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.text import slugify

from campaigns.models import Campaign, Game, Survey
from campaigns.selectors.campaigns import promotions, status_at
from campaigns.selectors.games import games
from campaigns.selectors.games import status_at as game_status_at
from campaigns.selectors.standing import STATES, standing
from campaigns.services.campaigns import pause_campaign
from campaigns.services.games import pause_game
from campaigns.services.surveys import end_survey, pause_survey
from loyalty.models import Program
from members.models import User
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import DAY
from tests.campaigns.campaigns import draft as draft_campaign
from tests.campaigns.campaigns import launch as launch_campaign
from tests.campaigns.challenges import draft as draft_challenge
from tests.campaigns.games import draft_game, live_game
from tests.campaigns.surveys import make_survey
from tests.loyalty.factories import NOW, make_program
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
LISTS = ("campaigns_backoffice:campaign_list", "challenges_backoffice:challenge_list",
         "games_backoffice:game_list", "surveys_backoffice:survey_list")  # fmt: skip


made_once = shared(lambda: make_program(unit={"unit_value": "0.01"}))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def make_of(address: str) -> Callable[..., Any]:
    return {
        LISTS[0]: draft_campaign, LISTS[1]: draft_challenge, LISTS[2]: draft_game,
        LISTS[3]: draft_survey,
    }[address]  # fmt: skip


def draft_survey(program: Program, name: str) -> Survey:
    return make_survey(program, live=False, code=slugify(name), title=name)


def test_a_survey_is_found_by_the_state_that_its_row_shows(manager: Client, club: Program) -> None:
    draft_survey(club, "Draft")
    for name in ("Live", "Paused", "Ended"):
        make_survey(club, code=name.lower(), title=name)
    pause_survey(survey=Survey.objects.get(title="Paused"), actor=SYSTEM)
    end_survey(survey=Survey.objects.get(title="Ended"), actor=SYSTEM, now=NOW)
    for name in ("Draft", "Live", "Paused", "Ended"):
        assert listed(manager, LISTS[3], state=name.lower()) == [name]
    assert len(listed(manager, LISTS[3], state="waiting")) == 4


def listed(client: Client, address: str, **asked: str) -> list[str]:
    answer = client.get(reverse(address), asked)
    assert answer.status_code == 200
    return re.findall(r'class="row-link"[^>]*>([^<]+)<', answer.content.decode())


@pytest.mark.parametrize("address", LISTS)
def test_a_list_is_narrowed_by_a_name_and_by_a_state(
    manager: Client, club: Program, address: str
) -> None:
    for name in ("Winter one", "Summer two", "Winter three"):
        make_of(address)(club, name=name)
    assert listed(manager, address) == ["Winter three", "Summer two", "Winter one"]
    assert listed(manager, address, sort="name") == ["Summer two", "Winter one", "Winter three"]
    assert listed(manager, address, q="winter") == ["Winter three", "Winter one"]
    assert len(listed(manager, address, state="draft")) == 3
    assert listed(manager, address, state="live") == []
    assert len(listed(manager, address, state="nonsense", q="\x00")) == 3
    page = manager.get(reverse(address), {"q": "autumn"}).content.decode()
    assert "Try a part of its name, or another state." in page
    assert 'value="autumn"' in page


@pytest.mark.parametrize("address", LISTS)
def test_a_narrowed_list_asks_as_often_for_many_as_for_few(
    manager: Client, club: Program, address: str, django_assert_max_num_queries: Any
) -> None:
    make_of(address)(club, name="Winter 0")
    asked = {"q": "winter", "state": "draft"}
    with django_assert_max_num_queries(25) as few:
        assert len(listed(manager, address, **asked)) == 1
    for number in range(1, 6):
        make_of(address)(club, name=f"Winter {number}")
    with django_assert_max_num_queries(len(few)):
        assert len(listed(manager, address, **asked)) == 6


def test_the_condition_says_of_each_what_its_state_says(club: Program) -> None:
    asker = User.objects.create(email="asker@example.com")
    asked = {"asked_at": NOW, "asked_by": asker}
    Campaign.objects.filter(pk=draft_campaign(club, name="Asked").pk).update(**asked)
    Game.objects.filter(pk=draft_game(club, name="Asked").pk).update(**asked)
    draft_campaign(club, name="Draft")
    draft_game(club, name="Draft")
    begun = launch_campaign(club, name="Begun", at=NOW)
    launch_campaign(club, name="Planned", starts_at=NOW + HOUR)
    launch_campaign(club, name="Unseen by the clock")
    stopped = launch_campaign(club, name="Stopped", at=NOW)
    pause_campaign(campaign=stopped, actor=SYSTEM, now=NOW)
    times = {"starts_at": NOW - HOUR, "ends_at": NOW + 7 * DAY}
    live_game(club, name="Played", **times)
    live_game(club, name="Without an end")
    live_game(club, name="Planned", at=NOW - DAY, **times)
    pause_game(game=live_game(club, name="Stopped", **times), actor=SYSTEM)
    assert begun.status == "live"
    seen: set[str] = set()
    for now in (NOW - 2 * HOUR, NOW, NOW + 8 * DAY):
        for found, stands, how in (
            (promotions(), status_at, {}),
            (games(), game_status_at, {"begins_by_itself": False}),
        ):
            expected = {
                row.pk: "waiting" if row.asked_at else str(stands(row, now)) for row in found
            }
            said = [
                (row.pk, str(state))
                for state in STATES
                for row in found.filter(standing(state, now, **how))
            ]
            assert sorted(said) == sorted(expected.items())
            seen |= set(expected.values())
    assert seen == {str(state) for state in STATES}
