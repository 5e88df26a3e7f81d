"""/challenges, and a member's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from campaigns.models import ChallengeEntry
from campaigns.services.challenge_progress import measure_customers
from loyalty.models import Membership, Program
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.challenges import launch
from tests.loyalty.factories import order, record

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
