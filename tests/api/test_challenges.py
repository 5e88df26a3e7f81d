"""/challenges, and a member's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone, translation

from campaigns.challenge_cards import challenge_card
from campaigns.models import Challenge, ChallengeEntry, ChallengeForecast
from campaigns.selectors.challenges import open_to
from campaigns.services.campaigns import end_campaign
from campaigns.services.challenge_forecasts import KIND
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import join_challenge
from loyalty.models import Membership, Program
from members.errors import ConflictError
from members.models import Customer
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.challenges import launch
from tests.loyalty.factories import order, record

pytestmark = pytest.mark.usefixtures("beans_for_all")

DAY = dt.timedelta(days=1)
Keys = Callable[..., ApiClient]


def said(club: Program, **changes: object) -> dict[str, object]:
    now = timezone.now()
    return {
        "program": club.code, "name": "Coffee week", "title": "Five coffees",
        "steps": [{"kind": "count", "number": 5, "only": {"categories": ["Coffee"]}}],
        "units": "50", "starts_at": now.isoformat(), "ends_at": (now + 7 * DAY).isoformat(),
    } | changes  # fmt: skip


def own(key_with: Keys) -> ApiClient:
    body = {"customer": {"external_id": "C-1"}}
    return ApiClient(key_with("member_tokens:write").post("/member-tokens", body).json()["token"])


def test_a_challenge_is_written_changed_published_paused_and_ended(
    key_with: Keys, program: Program
) -> None:
    api = key_with("campaigns:read", "campaigns:write")
    made = api.post("/challenges", said(program))
    assert made.status_code == 201
    found = made.json()
    assert (found["status"], found["code"], found["units"]) == ("draft", "coffee-week", "50")
    assert "Order 5 times: category Coffee." in found["sentences"]
    path = f"/challenges/{found['id']}"
    body = said(program, times=2)
    del body["program"]
    assert api.put(path, body).json()["times"] == 2
    states = [api.post(f"{path}/{act}", {}).json()["status"]
              for act in ("publish", "pause", "resume", "end", "end")]  # fmt: skip
    assert states == ["live", "paused", "live", "ended", "ended"]
    assert api.get(path).json()["status"] == "ended"
    assert api.get(f"/challenges?program={program.code}").json()["results"][0]["id"] == found["id"]
    assert api.get("/campaigns").json()["results"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"program": "moon"}, "program"),
        ({"units": None}, "units"),
        ({"reward": "moon"}, "reward"),
        ({"team_size": 3, "days": 4}, "team_size"),
        ({"audience": {"field": "moon", "op": "is", "value": 1}}, "audience"),
        ({"times": 0}, "times"),
        ({"steps": []}, "steps"),
    ],
)
def test_a_challenge_that_cannot_be_meant_names_the_field(
    key_with: Keys, program: Program, changes: dict[str, object], field: str
) -> None:
    answer = key_with("campaigns:write").post("/challenges", said(program, **changes))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)


def test_one_that_is_live_is_not_changed(key_with: Keys, program: Program) -> None:
    now = timezone.now()
    challenge = launch(program, at=now, starts_at=now, ends_at=now + DAY)
    body = said(program)
    del body["program"]
    path = f"/challenges/{challenge.campaign.public_id}"
    assert_problem(key_with("campaigns:write").put(path, body), 409, "campaign_state")


def test_writing_takes_the_scope(key_with: Keys, program: Program) -> None:
    refused = key_with("campaigns:read").post("/challenges", said(program))
    assert_problem(refused, 403, "insufficient_scope")


def test_it_is_given_to_a_member_once_for_a_time(
    key_with: Keys, program: Program, membership: Membership
) -> None:
    now = timezone.now()
    challenge = launch(program, at=now, starts_at=now, ends_at=now + 9 * DAY, days=3)
    api = key_with("campaigns:read", "campaigns:write")
    path = f"/challenges/{challenge.campaign.public_id}"
    body = {"membership": str(membership.public_id), "at": timezone.now().isoformat()}
    first, again = api.post(f"{path}/entries", body), api.post(f"{path}/entries", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    record(order("A", "60", buyer="C-1", at=timezone.now(), currency=program.currency))
    measure_customers([membership.customer_id], now=timezone.now())
    (entry,) = api.get(f"{path}/entries").json()["results"]
    assert (entry["state"], entry["rounds"]) == ("won", 1)
    result = api.get(f"{path}/results").json()
    assert (result["taking_part"], result["done"], result["wins"]) == (1, 1, 1)
    assert result["units"] == "100"


def test_a_member_joins_sees_how_far_they_are_and_leaves(
    key_with: Keys, program: Program, membership: Membership
) -> None:
    now = timezone.now()
    challenge = launch(program, at=now, starts_at=now, ends_at=now + DAY, badge="Coffee lover")
    api, path = own(key_with), f"/me/memberships/{membership.public_id}/challenges"
    (found,) = api.get(path).json()["results"]
    assert (found["may_join"], found["percent"], found["brings"]) == (
        True, 0, ["100\xa0Beans", "the badge “Coffee lover”"],
    )  # fmt: skip
    mine = f"{path}/{challenge.campaign.public_id}"
    assert api.post(f"{mine}/join", {}).status_code == 201
    record(order("A", "20", buyer="C-1", at=timezone.now(), currency=program.currency))
    (found,) = api.get(path).json()["results"]
    assert (found["may_leave"], found["percent"]) == (True, 40)
    assert found["steps"][0]["reached"].endswith("50.00")
    assert api.post(f"{mine}/leave", {}).status_code == 204
    assert ChallengeEntry.objects.get().state == "left"


def test_a_member_begins_a_team_and_reads_its_code(
    key_with: Keys, program: Program, membership: Membership
) -> None:
    now = timezone.now()
    challenge = launch(program, at=now, starts_at=now, ends_at=now + DAY, team_size=4)
    api = own(key_with)
    path = f"/me/memberships/{membership.public_id}/challenges/{challenge.campaign.public_id}/join"
    refused = api.post(path, {"team_code": "NOPE"})
    assert refused.json()["errors"][0]["field"] == "team_code"
    team = api.post(path, {"team_name": "Beans"}).json()["team"]
    assert (team["name"], team["members"], team["most"]) == ("Beans", 1, 4)


def test_what_is_of_another_program_or_a_draft_is_not_there(
    key_with: Keys, program: Program, membership: Membership
) -> None:
    api = own(key_with)
    unknown = "00000000-0000-4000-8000-000000000000"
    path = f"/me/memberships/{membership.public_id}/challenges/{unknown}"
    assert_problem(api.post(f"{path}/join", {}), 404, "not_found")
    assert_problem(api.post(f"{path}/leave", {}), 404, "not_found")


def test_what_is_theirs_is_in_their_language_and_errors_in_that_of_the_request(
    key_with: Keys, program: Program, membership: Membership
) -> None:
    now = timezone.now()
    challenge = launch(program, at=now, starts_at=now, ends_at=now + DAY)
    Customer.objects.filter(pk=membership.customer_id).update(locale="el")
    path = f"/me/memberships/{membership.public_id}/challenges"
    api = own(key_with)
    texts = {
        language: api.get(path, **{"Accept-Language": language}).json()["results"][0]["steps"][0]
        for language in ("en", "ms", "el")
    }
    assert texts["en"] == texts["ms"] == texts["el"]
    with translation.override("el"):
        card = challenge_card(open_to(membership, now)[0], now)
        assert texts["en"]["text"] == card.steps[0].text
    end_campaign(campaign=challenge.campaign, actor=SYSTEM, now=now)
    refused = api.post(f"{path}/{challenge.campaign.public_id}/join", {})
    assert_problem(refused, 409, "challenge_closed")
    with translation.override("en"):
        assert refused.json()["detail"] == str(_closed_words(challenge, membership, now))


def _closed_words(challenge: Challenge, membership: Membership, now: dt.datetime) -> object:
    with pytest.raises(ConflictError) as refused:
        join_challenge(challenge=challenge, membership=membership, now=now)
    return refused.value.message


def test_a_member_reads_the_leaderboard_and_is_seen_or_not(
    key_with: Keys, program: Program, membership: Membership
) -> None:
    now = timezone.now()
    challenge = launch(program, at=now, starts_at=now, ends_at=now + DAY)
    api, path = own(key_with), f"/me/memberships/{membership.public_id}/leaderboard"
    assert api.get(path).json() == {"places": [], "own": None, "name": "", "may_choose": True}
    refused = api.put(path, {"name": "x"})
    assert refused.json()["errors"][0]["field"] == "name"
    assert api.put(path, {"name": "Night Owl"}).json()["name"] == "Night Owl"
    mine = f"/me/memberships/{membership.public_id}/challenges"
    api.post(f"{mine}/{challenge.campaign.public_id}/join", {})
    record(order("A", "60", buyer="C-1", at=timezone.now(), currency=program.currency))
    measure_customers([membership.customer_id], now=timezone.now())
    [place] = api.get(f"{path}?period=ever").json()["places"]
    assert place == {"rank": 1, "name": "Night Owl", "score": 1, "own": True}
    [place] = api.get(f"{path}?challenge={challenge.campaign.public_id}").json()["places"]
    assert place["score"] == 100
    assert api.get(mine).json()["level"] == {
        "done": 1, "number": 1, "name": "Starter", "icon": "leaf", "next_at": 3,
    }  # fmt: skip
    assert api.request("DELETE", path).status_code == 204
    assert api.get(path).json()["places"] == []


def test_levels_are_read_written_and_the_standard_ones_again(
    key_with: Keys, program: Program, membership: Membership
) -> None:
    api = key_with("campaigns:read", "campaigns:write")
    path = f"/programs/{program.code}/challenge-levels"
    before = api.get(path).json()
    assert before["standard"] is True
    assert before["levels"][0] == {
        "number": 1, "needs": 1, "name": "Starter", "icon": "leaf", "texts": {},
    }  # fmt: skip
    said = {"needs": 2, "name": "Host", "icon": "heart", "texts": {"ms": "Tuan rumah"}}
    body = {"levels": [said, {"needs": 1, "name": "Guest"}]}
    written = api.put(path, body).json()
    assert written == api.put(path, body).json()
    assert [item["name"] for item in written["levels"]] == ["Guest", "Host"]
    assert written["levels"][1] == said | {"number": 2}
    mine = f"/me/memberships/{membership.public_id}/challenges"
    assert own(key_with).get(mine).json()["level"]["next_at"] == 1
    refused = api.put(path, {"levels": [said, said | {"name": "Other"}]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "levels[1].needs")
    refused = api.put(path, {"levels": [said | {"icon": "skull"}]})
    assert refused.json()["errors"][0]["field"].startswith("levels[0].icon")
    assert api.put(path, {"levels": []}).json() == before
    assert api.get("/programs/nobody/challenge-levels").status_code == 404
    assert key_with("campaigns:read").put(path, body).status_code == 403


def test_it_is_forecast_and_read_once_it_is_counted(
    key_with: Keys, program: Program, membership: Membership
) -> None:
    api = key_with("campaigns:write", "backtests:read", "backtests:write")
    now = timezone.now()
    orders = [order(f"O{number}", "20", buyer="C-1", at=now - number * DAY) for number in (2, 3, 4)]
    Membership.objects.filter(pk=membership.pk).update(enrolled_at=now - 90 * DAY)
    record(*orders)
    body = said(program, steps=[{"kind": "count", "number": 2}])
    path = f"/challenges/{api.post('/challenges', body).json()['id']}/forecast"
    assert (api.get(path).json()["state"], api.get(path).json()["cost"]) == ("none", None)
    asked = api.post(path, {})
    assert (asked.status_code, ChallengeForecast.objects.get().job.kind) == (202, KIND)
    found = api.get(path).json()
    assert (found["state"], found["at_most"]) == ("done", True)
    [stretch] = found["stretches"]
    assert (stretch["wins"], stretch["members"], stretch["units"]) == (1, 1, "50")
    assert found["cost"] == found["least"] == found["most"] == stretch["cost"]
    team = api.post("/challenges", said(program, name="Team", team_size=3)).json()["id"]
    assert_problem(api.post(f"/challenges/{team}/forecast", {}), 422, "not_replayed")
    assert key_with("campaigns:read").get(path).status_code == 403
