"""Members play on their own page, without JavaScript and without anything that has to move; and
everybody can look how something was drawn."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.models import Game, GameDraw, GamePlay
from campaigns.services.game_seeds import rotate_seed
from campaigns.services.games import end_game
from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from tests.campaigns.games import draft_game, live_game, sure
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program, order, record, spendable
from tests.rewards.factories import make_member
from tests.sharing import anew, shared
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


made_once = shared(
    lambda: make_program(at=timezone.now() - dt.timedelta(days=9), unit={"unit_value": "0.01"})
)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def ana(club: Program) -> Membership:
    CustomerFactory(external_id="ana", with_user=True)
    return make_member(0, "ana", club)


@pytest.fixture
def client_of_ana(ana: Membership) -> Client:
    return signed_in(ana.customer.user)


def live(program: Program, **said: Any) -> Game:
    return live_game(program, at=timezone.now() - HOUR, **said)


def own(member: Membership, game: Game) -> str:
    return reverse("games_account:game", args=[member.public_id, game.public_id])


def page_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def form_of(html: str) -> str:
    found = re.search(r'name="form" value="([0-9a-f-]+)"', html)
    assert found is not None
    return found.group(1)


def test_a_member_is_led_to_the_game_plays_and_sees_what_came_of_it(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    game = live(club, free_plays=2, prizes=sure())
    address = own(ana, game)
    home = page_of(client_of_ana, reverse("mypage:home"))
    assert address in home
    assert "2 plays are waiting for you" in home
    html = page_of(client_of_ana, address)
    assert "2 plays left" in html
    assert "2 free plays every day" in html
    sent = {"form": form_of(html), "act": "play", "nonce": "42"}
    first, again = (client_of_ana.post(address, sent) for _ in range(2))
    assert first.status_code == 302
    assert first["Location"] == again["Location"]
    draw = GameDraw.objects.get()
    assert (draw.nonce, spendable("ana", timezone.now())) == ("42", 10)
    shown = page_of(client_of_ana, first["Location"])
    assert 'data-announce="You have won: 10 points"' in shown
    assert "1 play left" in shown
    assert reverse("games:draw", args=[draw.public_id]) in shown
    listed = page_of(client_of_ana, reverse("games_account:games"))
    assert "You have won: 10 points" in listed


def test_more_games_ask_no_more_queries(
    club: Program, ana: Membership, client_of_ana: Client
) -> None:
    def asked(address: str) -> int:
        page_of(client_of_ana, address)
        with CaptureQueriesContext(connection) as queries:
            page_of(client_of_ana, address)
        return len(queries)

    live(club, daily_plays=3)
    live(club, name="One to buy", free_plays=0, free_each="", price=1)
    pages = [reverse(name) for name in ("mypage:home", "mypage:earn", "games_account:games")]
    before = [asked(address) for address in pages]
    for number in range(3):
        live(club, name=f"Wheel {number}", daily_plays=number + 1)
        live(club, name=f"{number} to buy", free_plays=0, free_each="", price=1)
    assert [asked(address) for address in pages] == before


@pytest.mark.parametrize("kind", Game.Kind.values)
def test_each_kind_of_game_shows_its_odds_and_its_outcome(
    client_of_ana: Client, ana: Membership, club: Program, kind: str
) -> None:
    game = live(club, kind=kind)
    address = own(ana, game)
    html = page_of(client_of_ana, address)
    for words in (">10%<", ">30%<", ">20%<", ">40%<", "“Next time” is given instead"):
        assert words in html
    assert game.seeds.get().commitment in html
    client_of_ana.post(address, {"form": form_of(html), "act": "play"})
    outcome = page_of(client_of_ana, f"{address}?draw={GameDraw.objects.get().public_id}")
    assert f"game-{kind} is-fresh" in outcome


@pytest.mark.django_db(transaction=True)
def test_a_play_is_bought_once_and_refused_with_a_reason(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    game = live(club, free_plays=0, free_each="", price=40)
    record(order(total="50", buyer="ana", at=timezone.now() - HOUR))
    address = own(ana, game)
    html = page_of(client_of_ana, address)
    assert "Buy a play for 40 points" in html
    assert "Buy a play for 40 points" in page_of(client_of_ana, reverse("games_account:games"))
    for _ in range(2):
        client_of_ana.post(address, {"form": form_of(html), "act": "buy"})
    assert GamePlay.objects.count() == 1
    assert spendable("ana", timezone.now()) == 10
    fresh = form_of(page_of(client_of_ana, address))
    answer = client_of_ana.post(address, {"form": fresh, "act": "buy"}, follow=True)
    assert "10 points" in answer.content.decode()
    assert GamePlay.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "said"),
    [({"form": "", "act": "play"}, "open the page again"),
     ({"act": "play", "nonce": "abc"}, "At most 18 digits"),
     ({"act": "buy"}, "are not sold")],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_used(
    client_of_ana: Client, ana: Membership, club: Program, sent: dict[str, str], said: str
) -> None:
    address = own(ana, live(club))
    html = page_of(client_of_ana, address)
    answer = client_of_ana.post(address, {"form": form_of(html)} | sent, follow=True)
    assert said in answer.content.decode()
    assert not GamePlay.objects.exists()


def test_what_is_not_theirs_is_not_there(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    page_of(client_of_ana, own(ana, draft_game(club)), 404)
    other = make_member(0, "other", club)
    page_of(client_of_ana, own(other, live(club, name="Other")), 404)
    some = live(club, name="Some", audience={"field": "customer.country", "op": "is",
                                             "value": "GR"})  # fmt: skip
    page_of(client_of_ana, own(ana, some), 404)
    assert "Games" in page_of(client_of_ana, reverse("games_account:games"))


def test_after_its_end_the_game_and_what_was_drawn_can_still_be_seen(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    game = live(club, prizes=sure())
    address = own(ana, game)
    client_of_ana.post(address, {"form": form_of(page_of(client_of_ana, address)), "act": "play"})
    end_game(game=game, actor=SYSTEM, now=timezone.now())
    html = page_of(client_of_ana, address)
    assert "This game cannot be played now." in html
    assert 'value="play"' not in html
    assert "You have won: 10 points" in html


def test_everybody_can_look_how_something_was_drawn(
    client: Client, client_of_ana: Client, ana: Membership, club: Program
) -> None:
    game = live(club)
    address = own(ana, game)
    client_of_ana.post(address, {"form": form_of(page_of(client_of_ana, address)), "act": "play"})
    draw = GameDraw.objects.get()
    proof = reverse("games:draw", args=[draw.public_id])
    before = page_of(client, proof)
    assert "Not revealed yet" in before
    assert draw.seed.commitment in before
    rotate_seed(game=game, actor=SYSTEM, now=timezone.now())
    draw.seed.refresh_from_db()
    after = page_of(client, proof)
    assert "All of it holds" in after
    assert f"hexkey:{draw.seed.revealed}" in after
    public = page_of(client, reverse("games:game", args=[game.public_id]))
    assert draw.seed.revealed in public
    assert game.odds_hash in public
    page_of(client, reverse("games:game", args=[draft_game(club, name="Draft").public_id]), 404)
    page_of(client, reverse("games:draw", args=[game.public_id]), 404)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_game_is_played_in_the_browser_by_keyboard_and_without_motion(
    page: Page, live_server: Any, assert_no_axe_violations: Any
) -> None:
    program = make_program(at=timezone.now() - dt.timedelta(days=9))
    CustomerFactory(external_id="ana", with_user=True)
    ana = make_member(0, "ana", program)
    game = live(program, prizes=sure())
    client = signed_in(ana.customer.user)
    cookie = client.cookies["sessionid"]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.emulate_media(reduced_motion="reduce")
    page.goto(live_server.url + own(ana, game))
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Spin the wheel").press("Enter")
    result = page.get_by_role("heading", name="You have won: 10 points")
    expect(result).to_be_visible()
    expect(result).to_be_focused()
    expect(page.locator(".game-spin")).to_have_css("animation-name", "none")
    assert_no_axe_violations(page)
    page.get_by_role("link", name="How this was drawn").click()
    expect(page.get_by_role("heading", name="How this was drawn")).to_be_visible()
    assert_no_axe_violations(page)
