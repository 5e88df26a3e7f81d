"""The screens of games: begun from a template, written, published, read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.game_templates import TEMPLATES
from campaigns.models import Game, GameSeed
from campaigns.services.guest_plays import play_as_guest
from loyalty.models import Program
from loyalty.services.rules import set_four_eyes
from members.services.audit import SYSTEM
from tests.campaigns.games import draft_game, live_game, play, sure
from tests.loyalty.factories import make_program
from tests.rewards.factories import make_member
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


made_once = shared(lambda: make_program(unit={"unit_value": "0.01"}))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def url(name: str, *args: Any) -> str:
    return reverse(f"games_backoffice:{name}", args=args)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def filled(*prizes: dict[str, str], **more: str) -> dict[str, str]:
    """The form with these prizes."""
    sent = {"name": "Wheel", "kind": "wheel", "title": "Spin", "free_plays": "1",
            "free_each": "day", "audience": "", "prizes-TOTAL_FORMS": str(len(prizes)),
            "prizes-INITIAL_FORMS": "0"}  # fmt: skip
    for number, prize in enumerate(prizes):
        sent |= {f"prizes-{number}-{name}": value for name, value in prize.items()}
    return sent | more


WON = {"name": "50 points", "kind": "units", "weight": "30", "units": "50", "stock": "9",
       "ORDER": "2"}  # fmt: skip
LOST = {"name": "Next time", "kind": "nothing", "weight": "70", "catches": "on", "ORDER": "1"}


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_template_makes_a_draft_that_can_be_published(
    manager: Client, club: Program, template: str
) -> None:
    assert str(TEMPLATES[template].label) in page(manager, url("game_gallery"))
    manager.post(url("game_create"), {"program": club.code, "template": template})
    game = Game.objects.get()
    page(manager, url("game_edit", game.public_id))
    shown = page(manager, url("game", game.public_id))
    assert "A play costs, by its odds" in shown
    manager.post(url("game_state", game.public_id), {"do": "publish"})
    game.refresh_from_db()
    assert game.status == Game.Status.LIVE
    assert GameSeed.objects.get().commitment in page(manager, url("game", game.public_id))


def test_a_game_is_written_with_its_prizes_in_their_order(manager: Client, club: Program) -> None:
    game = draft_game(club, prizes=[])
    edit = url("game_edit", game.public_id)
    more = {"order_plays": "2", "order_least": "25", "joined_plays": "1", "budget_units": "500",
            "play_days": "14", "price": "20"}  # fmt: skip
    assert manager.post(edit, filled(WON, LOST, {"name": ""}, **more)).status_code == 302
    game.refresh_from_db()
    prizes = list(game.prizes.values_list("code", "kind", "weight", "stock", "catches"))
    assert prizes == [
        ("next-time", "nothing", 70, None, True), ("50-points", "units", 30, 9, False)
    ]  # fmt: skip
    assert game.earning == [
        {"on": "order", "plays": 2, "least": "25"}, {"on": "joined", "plays": 1}
    ]  # fmt: skip
    assert (game.budget_units, game.play_days, game.price) == (500, 14, 20)
    shown = page(manager, url("game", game.public_id))
    assert "2 plays for each order from $25.00 on" in shown
    assert "$0.15" in shown  # 30 of 100 times 50 points of a cent


@pytest.mark.parametrize(
    ("prizes", "more", "said"),
    [
        ([WON | {"weight": ""}, LOST], {}, "Say how likely it is."),
        ([WON | {"units": ""}, LOST], {}, "Say how many."),
        ([WON | {"catches": "on"}, LOST], {}, "This has to be nothing"),
        ([LOST, LOST | {"ORDER": "2"}], {}, "One prize alone catches the others."),
        ([WON, LOST], {"free_each": ""}, "say how many, and how often"),
        ([WON, LOST], {"starts_at": "2030-01-02T10:00", "ends_at": "2030-01-01T10:00"},
         "It has to end after it begins."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_saved(
    manager: Client, club: Program, prizes: list[dict[str, str]], more: dict[str, str], said: str
) -> None:
    game = draft_game(club)
    answer = manager.post(url("game_edit", game.public_id), filled(*prizes, **more))
    assert answer.status_code == 422
    assert said.lower() in answer.content.decode().lower()
    game.refresh_from_db()
    assert (game.title, game.prizes.count()) == ("Spin for points", 4)


def test_what_is_missing_is_said_on_its_page(manager: Client, club: Program) -> None:
    game = draft_game(club, prizes=[], free_plays=0, free_each="")
    shown = page(manager, url("game", game.public_id))
    assert "There have to be two prizes or more." in shown
    assert "Nobody can come to a play" in shown
    answer = manager.post(url("game_state", game.public_id), {"do": "publish"}, follow=True)
    assert "There have to be two prizes or more." in answer.content.decode()
    game.refresh_from_db()
    assert game.status == Game.Status.DRAFT


def test_ten_thousand_plays_are_tried_out_and_nothing_is_given(
    manager: Client, club: Program
) -> None:
    game = draft_game(club, prizes=sure(stock=25))
    shown = page(manager, url("game", game.public_id) + "?trial=1")
    assert "9,975" in shown  # after the stock of 25 all others get the one that catches
    assert "$2.50" in shown
    assert not game.draws.exists()


def test_a_live_game_is_paused_goes_on_is_revealed_and_ended(
    manager: Client, club: Program
) -> None:
    game, maya = live_game(club, prizes=sure(), budget_units=100), make_member(0, "c1", club)
    play(game, maya)
    shown = page(manager, url("game", game.public_id))
    assert "10 / 100" in shown
    assert "$0.10" in shown
    state = url("game_state", game.public_id)
    for do, status in (("pause", "paused"), ("resume", "live"), ("reveal", "live")):
        manager.post(state, {"do": do})
        game.refresh_from_db()
        assert game.status == status
    assert GameSeed.objects.exclude(revealed="").count() == 1
    manager.post(state, {"do": "end"})
    assert "Somebody ended it" in page(manager, url("game", game.public_id))
    edit = manager.get(url("game_edit", game.public_id), follow=True)
    assert "Copy it instead." in edit.content.decode()
    manager.post(url("game_act", game.public_id), {"act": "copy"})
    copied = Game.objects.get(status="draft")
    manager.post(url("game_act", copied.public_id), {"act": "delete"})
    assert Game.objects.count() == 1
    assert game.name in page(manager, url("game_list"))


def test_members_read_it_in_another_language(manager: Client, club: Program) -> None:
    game = draft_game(club, prizes=sure())
    texts = url("game_texts", game.public_id) + "?language=el"
    assert "10 points" in page(manager, texts)
    manager.post(texts, {"title": "Dreh am Rad", "p-prize": "10 Punkte", "p-none": ""})
    game.refresh_from_db()
    assert game.texts["el"]["title"] == "Dreh am Rad"
    assert game.prizes.get(code="prize").texts == {
        "el": "10 Punkte",
    }


def test_with_four_eyes_one_asks_and_another_one_publishes(
    client_of: Callable[[str], Client], club: Program
) -> None:
    set_four_eyes(program=club, on=True, actor=SYSTEM)
    writer, other = client_of("marketing_manager"), client_of("administrator")
    writer.post(url("game_create"), {"program": club.code, "template": "daily-wheel"})
    game = Game.objects.get()
    state, act = url("game_state", game.public_id), url("game_act", game.public_id)
    writer.post(state, {"do": "publish"})
    writer.post(act, {"act": "ask"})
    assert "asks for somebody to publish it" in page(other, url("game", game.public_id))
    other.post(state, {"do": "send_back", "note": "Too dear"})
    assert "Sent back: Too dear" in page(writer, url("game", game.public_id))
    writer.post(act, {"act": "ask"})
    other.post(state, {"do": "publish"})
    game.refresh_from_db()
    assert game.status == Game.Status.LIVE


def test_the_list_takes_as_many_queries_for_many_games_as_for_one(
    manager: Client, club: Program, django_assert_max_num_queries: Any
) -> None:
    draft_game(club)
    page(manager, url("game_list"))
    for number in range(6):
        draft_game(club, name=f"Game {number}")
    with django_assert_max_num_queries(15):
        page(manager, url("game_list"))


def test_what_a_prize_is_called_makes_its_code_whatever_signs_are_in_it(
    manager: Client, club: Program
) -> None:
    game = draft_game(club, prizes=[])
    edit = url("game_edit", game.public_id)
    prizes = (WON | {"name": "half_price"}, LOST | {"name": "残念"})
    assert manager.post(edit, filled(*prizes)).status_code == 302
    assert set(game.prizes.values_list("code", flat=True)) == {"half-price", "prize"}
    assert manager.post(edit, filled(WON | {"code": "Half_Price"}, LOST)).status_code == 422


def test_a_planned_game_is_taken_back_changed_planned_again_and_deleted(
    manager: Client, club: Program
) -> None:
    later = timezone.now() + dt.timedelta(days=2)
    game = draft_game(club, starts_at=later)
    state, seeds = url("game_state", game.public_id), GameSeed.objects.order_by("number")
    for do, status in (("publish", "scheduled"), ("withdraw", "draft"), ("withdraw", "draft"),
                       ("publish", "scheduled"), ("withdraw", "draft")):  # fmt: skip
        if do == "withdraw" and status == "draft" and game.status == "scheduled":
            assert "Take it back" in page(manager, url("game", game.public_id))
        manager.post(state, {"do": do})
        game.refresh_from_db()
        assert game.status == status
    assert [bool(seed.revealed) for seed in seeds] == [True, True]
    assert manager.post(url("game_edit", game.public_id), filled(WON, LOST)).status_code == 302
    manager.post(url("game_act", game.public_id), {"act": "delete"})
    assert not Game.objects.exists()


def test_the_seed_that_was_meant_is_revealed_once_however_often_it_is_clicked(
    manager: Client, club: Program
) -> None:
    game = live_game(club)
    play(game, make_member(0, "m0", club))
    [meant] = re.findall(
        r'name="commitment" value="([0-9a-f]+)"', page(manager, url("game", game.public_id))
    )
    for _click in range(2):
        manager.post(url("game_state", game.public_id), {"do": "reveal", "commitment": meant})
    assert list(GameSeed.objects.exclude(revealed="").values_list("commitment")) == [(meant,)]


def test_ready_prizes_say_what_the_units_of_the_program_are_called(manager: Client) -> None:
    club = make_program(unit={"singular": "bean", "plural": "beans"})
    manager.post(url("game_create"), {"program": club.code, "template": "daily-wheel"})
    names = [name.replace("\xa0", " ") for name in
             Game.objects.get().prizes.values_list("name", flat=True)]  # fmt: skip
    assert names[:2] == ["500 beans", "50 beans"]


def test_guests_are_let_in_by_the_form_and_counted(manager: Client, club: Program) -> None:
    game = draft_game(club)
    edit = url("game_edit", game.public_id)
    manager.post(edit, filled(WON, LOST, guests="on", claim_hours="6"))
    manager.post(url("game_state", game.public_id), {"do": "publish"})
    game.refresh_from_db()
    assert (game.guests, game.claim_hours) == (True, 6)
    play_as_guest(game=game, browser=b"one", nonce="", now=timezone.now())
    shown = page(manager, url("game", game.public_id))
    assert "Guests who played" in shown
    assert reverse("games:guest", args=[game.public_id]) in shown
    some = {"audience": '{"field": "customer.tags", "op": "has_any", "value": ["vip"]}'}
    other = url("game_edit", draft_game(club).public_id)
    refused = manager.post(other, filled(WON, LOST, guests="on", **some))
    assert refused.status_code == 422
    assert "nobody knows whether" in refused.content.decode()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_what_is_asked_before_something_is_done_says_what_and_why(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    assert_no_axe_violations: Callable[..., None],
) -> None:  # fmt: skip
    """By the words of the button that was pressed, where a form has no others."""
    game = draft_game(club)
    shown = sign_in("marketing_manager")
    shown.goto(f"{live_server.url}{url('game', game.public_id)}")
    asked = (
        ("Publish", "Its prizes and odds stay as they are from then on.", "Live"),
        ("Pause", "Nobody can play until you go on.", "Paused"),
        ("End it", "What was won stays won; what unused plays cost is given back.", "Ended"),
    )
    for button, why, becomes in asked:
        if button == "End it":
            shown.get_by_label("More about this game").click()
        shown.get_by_role("button", name=button).click()
        question = shown.get_by_role("alertdialog", name=button)
        expect(question).to_contain_text(why)
        assert_no_axe_violations(shown)
        question.get_by_role("button", name=button).click()
        expect(shown.get_by_role("main").get_by_text(becomes, exact=True).first).to_be_visible()
