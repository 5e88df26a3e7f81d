"""/journeys: read, who is where, led in and out by the shop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from campaigns.models import Journey, Passage
from campaigns.services.journey_steps import take_due
from campaigns.services.journeys import publish_journey
from loyalty.models import Membership, Program
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.factories import make_journey
from tests.loyalty.factories import NOW, make_program, make_wallet

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("beans_for_all", "undone_when_refused"),
]


@pytest.fixture
def journey(membership: Membership) -> Journey:
    found = make_journey(membership.program)
    body = {**found.versions.get().body, "holdout": 0}
    found.versions.update(body=body)
    return publish_journey(journey=found, actor=SYSTEM, now=NOW)


def test_a_journey_is_read_with_what_is_in_force(
    key_with: Callable[..., ApiClient], journey: Journey
) -> None:
    api = key_with("journeys:read")
    draft = make_journey(journey.program, "win-back")
    [second, first] = api.get("/journeys").json()["results"]
    assert (first["name"], first["state"], second["state"]) == (journey.name, "live", "draft")
    one = api.get(f"/journeys/{journey.public_id}").json()
    assert one["version"] == 1
    assert one["definition"]["steps"][0]["kind"] == "message"
    assert api.get(f"/journeys/{draft.public_id}").json()["definition"] == {}
    assert_problem(api.get(f"/journeys/{journey.program.revision:032x}"), 404, "not_found")


def test_a_journey_is_written_put_live_paused_and_ended(
    key_with: Callable[..., ApiClient], program: Program
) -> None:
    api = key_with("journeys:read", "journeys:write")
    told = {"key": "s1", "kind": "message", "message": "getting_started", "channels": ["inbox"]}
    body = {"program": program.code, "name": "Hello", "trigger": "joined",
            "definition": {"holdout": 0, "steps": []}}  # fmt: skip
    made = api.post("/journeys", body)
    assert (made.status_code, made.json()["state"]) == (201, "draft")
    path = f"/journeys/{made.json()['id']}"
    assert_problem(api.post(f"{path}/publish"), 422, "invalid_request", "steps")
    assert_problem(api.post(f"{path}/pause"), 409, "journey_state")
    written = api.request("PUT", path, {"name": "Hi", "definition": {"steps": [told]}}).json()
    assert (written["name"], written["draft"]["steps"][0]["key"]) == ("Hi", "s1")
    for step, state in (
        ("publish", "live"), ("publish", "live"), ("pause", "paused"), ("pause", "paused"),
        ("resume", "live"), ("end", "ended"), ("end", "ended"),
    ):  # fmt: skip
        assert api.post(f"{path}/{step}").json()["state"] == state
    assert api.get(path).json()["version"] == 1
    assert api.get(path).json()["draft"] is None
    assert_problem(api.post(f"{path}/publish"), 409, "journey_state")
    assert_problem(api.request("PUT", path, {"definition": {}}), 409, "journey_state")
    done = AuditEntry.objects.filter(action__startswith="journey.").values_list("action", flat=True)
    assert [done.filter(action=f"journey.{act}").count() for act in ("paused", "ended")] == [1, 1]
    reader = key_with("journeys:read")
    for step in ("publish", "pause", "resume", "end"):
        assert_problem(reader.post(f"{path}/{step}"), 403, "insufficient_scope")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"program": "none"}, "program"), ({"name": " "}, "name"), ({"trigger": "none"}, "trigger"),
        ({"definition": {"holdout": 99}}, "definition.holdout"),
        ({"definition": {"audience": {"field": "no.such"}}}, "definition.steps"),
    ],
)  # fmt: skip
def test_a_journey_that_cannot_be_one_is_refused_at_its_field(
    key_with: Callable[..., ApiClient], program: Program, wrong: dict[str, Any], field: str
) -> None:
    body = {"program": program.code, "name": "Hello", "trigger": "joined",
            "definition": {"steps": []}} | wrong  # fmt: skip
    answer = key_with("journeys:write").post("/journeys", body)
    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == [field]
    assert not Journey.objects.exists()


def test_a_member_is_led_in_once_and_out_again(
    key_with: Callable[..., ApiClient], journey: Journey, membership: Membership
) -> None:
    api = key_with("journeys:read", "journeys:write")
    path, body = f"/journeys/{journey.public_id}", {"membership": str(membership.public_id)}
    began = api.post(f"{path}/members", body)
    assert (began.status_code, began.json()["state"]) == (201, "active")
    again = api.post(f"{path}/members", body)
    assert (again.status_code, again.json()) == (200, began.json())
    take_due()
    figures = api.get(f"{path}/figures").json()
    assert (figures["people"], sum(figures["steps"].values())) == (1, 1)
    assert figures["orders"] is None
    under_way = api.get(f"{path}/members?state=active").json()["results"]
    assert [item["membership"] for item in under_way] == [str(membership.public_id)]
    for _again in range(2):
        left = api.post(f"{path}/members/{membership.public_id}/leave").json()["results"]
        assert [(item["state"], item["why"]) for item in left] == [("done", "taken_out")]
    assert api.get(f"{path}/members?state=active").json()["results"] == []
    assert Passage.objects.count() == 1
    actions = AuditEntry.objects.filter(action__startswith="journey.").order_by("pk")
    assert list(actions.values_list("action", flat=True))[-2:] == [
        "journey.led_in", "journey.taken_out",
    ]  # fmt: skip
    # It begins once for ever, whoever leads in.
    assert_problem(api.post(f"{path}/members", body), 409, "may_not_begin", "membership")


def test_who_may_not_is_refused(
    key_with: Callable[..., ApiClient], journey: Journey, membership: Membership
) -> None:
    api = key_with("journeys:write")
    path = f"/journeys/{journey.public_id}/members"
    elsewhere = make_wallet(make_program("other"), "c9").account.membership
    other = {"membership": str(elsewhere.public_id)}
    assert_problem(api.post(path, other), 422, "invalid_request", "membership")
    Journey.objects.filter(pk=journey.pk).update(status="paused")
    mine = {"membership": str(membership.public_id)}
    assert_problem(api.post(path, mine), 409, "journey_state")
    assert_problem(key_with("journeys:read").post(path, mine), 403, "insufficient_scope")
    assert_problem(key_with("surveys:read").get("/journeys"), 403, "insufficient_scope")
