"""/games, playing below /me, and what everybody may look up."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Game, GameDraw, GamePlay
from campaigns.services.game_seeds import rotate_seed
from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from tests.api.conftest import BASE, ApiClient, assert_problem
from tests.campaigns.games import draft_game, live_game, sure
from tests.loyalty.factories import order, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all", "undone_when_refused")]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def own(key_with: Callable[..., ApiClient], membership: Membership) -> ApiClient:
    body = {"customer": {"external_id": "C-1"}}
    token = key_with("member_tokens:write").post("/member-tokens", body).json()["token"]
    return ApiClient(token)


def live(program: Program, **said: Any) -> Game:
    return live_game(program, at=timezone.now() - HOUR, **said)


def test_games_are_read_with_what_they_brought(
    key_with: Callable[..., ApiClient], program: Program, membership: Membership, own: ApiClient
) -> None:
    api, game = key_with("campaigns:read"), live(program, prizes=sure())
    path = f"/me/memberships/{membership.public_id}/games/{game.public_id}/play"
    own.post(path, {}, Idempotency_Key="one")
    found = api.get(f"/games/{game.public_id}").json()
    assert (found["status"], found["kind"], found["code"]) == ("live", "wheel", "spring-wheel")
    assert api.get(f"/games?program={program.code}").json()["results"] == [found]
    result = api.get(f"/games/{game.public_id}/results").json()
    assert (result["plays"], result["players"], result["units"]) == (1, 1, "10")
    assert [(item["prize"], item["won"]) for item in result["prizes"]] == [
        ("prize", 1), ("none", 0)
    ]  # fmt: skip


def test_reading_games_takes_the_scope(
    key_with: Callable[..., ApiClient], program: Program
) -> None:
    game = draft_game(program)
    for path in ("/games", f"/games/{game.public_id}", f"/games/{game.public_id}/results"):
        assert_problem(key_with("programs:read").get(path), 403, "insufficient_scope")
    unknown = "/games/00000000-0000-4000-8000-000000000000"
    assert_problem(key_with("campaigns:read").get(unknown), 404, "not_found")


def test_a_member_plays_and_the_same_key_is_the_same_draw(
    program: Program, membership: Membership, own: ApiClient
) -> None:
    game = live(program, free_plays=2, prizes=sure())
    mine = f"/me/memberships/{membership.public_id}"
    [found] = own.get(f"{mine}/games").json()["results"]
    assert found["plays"] == {"now": 2, "granted": 0, "free": 2, "ends_at": None}
    assert found["odds"][0]["percent"] == "100.00"
    path = f"{mine}/games/{game.public_id}/play"
    assert_problem(own.post(path, {}), 400, "idempotency_key_required")
    first = own.post(path, {"nonce": "7"}, Idempotency_Key="k")
    again = own.post(path, {"nonce": "7"}, Idempotency_Key="k")
    assert first.status_code == 200
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    body = first.json()
    assert body["plays"]["now"] == 1
    assert (body["draw"]["prize"], body["draw"]["units"]) == ("prize", "10")
    assert GameDraw.objects.get().nonce == "7"
    own.post(path, {}, Idempotency_Key="l")
    refused = own.post(path, {}, Idempotency_Key="m")
    assert_problem(refused, 409, "no_play_left")
    wrong = own.post(path, {"nonce": "abc"}, Idempotency_Key="n")
    assert wrong.status_code == 422
    draws = own.get(f"{mine}/game-draws").json()["results"]
    assert [item["id"] for item in draws][-1] == body["draw"]["id"]


def test_a_member_buys_a_play_once(
    program: Program, membership: Membership, own: ApiClient
) -> None:
    game = live(program, free_plays=0, free_each="", price=5)
    record(order("A", "100", buyer="C-1", at=timezone.now(), currency=program.currency))
    path = f"/me/memberships/{membership.public_id}/games/{game.public_id}/purchases"
    for _ in range(2):
        answer = own.post(path, Idempotency_Key="k")
        assert (answer.status_code, answer.json()["granted"]) == (201, 1)
    assert GamePlay.objects.count() == 1
    free = live(program, name="Free")
    path = f"/me/memberships/{membership.public_id}/games/{free.public_id}/purchases"
    assert_problem(own.post(path, Idempotency_Key="l"), 409, "not_sold")


def test_everybody_reads_odds_and_works_a_draw_out_again(
    client: Client, program: Program, membership: Membership, own: ApiClient
) -> None:
    game = live(program)
    path = f"/me/memberships/{membership.public_id}/games/{game.public_id}/play"
    made = own.post(path, {}, Idempotency_Key="k").json()["draw"]

    def read(path: str, status: int = 200) -> Any:
        answer = client.get(f"{BASE}{path}")
        assert answer.status_code == status
        return json.loads(answer.content)

    odds = read(f"/storefront/games/{game.public_id}")
    assert (odds["total"], odds["odds_hash"], odds["revealed"]) == (100, game.odds_hash, [])
    before = read(f"/storefront/game-draws/{made['id']}")
    assert (before["seed"], before["holds"]) == ("", True)
    assert before["commitment"] == odds["commitment"]
    rotate_seed(game=game, actor=SYSTEM, now=timezone.now())
    after = read(f"/storefront/game-draws/{made['id']}")
    assert after["holds"] is True
    assert {check["code"] for check in after["checks"]} >= {"commitment", "proof", "prize"}
    [seed] = read(f"/storefront/games/{game.public_id}")["revealed"]
    assert (seed["seed"], seed["commitment"]) == (after["seed"], odds["commitment"])
    read(f"/storefront/games/{draft_game(program, name='Draft').public_id}", 404)
    read(f"/storefront/game-draws/{game.public_id}", 404)


def test_a_game_of_another_program_or_that_is_over_is_not_there(
    program: Program, membership: Membership, own: ApiClient
) -> None:
    path = f"/me/memberships/{membership.public_id}/games/{draft_game(program).public_id}/play"
    assert_problem(own.post(path, {}, Idempotency_Key="k"), 404, "not_found")
