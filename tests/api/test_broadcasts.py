"""/broadcasts: written, scheduled once, read with results, stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from campaigns.models import Broadcast, Message
from loyalty.models import Membership, Program
from members import slow_figures
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.broadcasts import make_broadcast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
# Whom a broadcast reaches is worked out after the commit.
committing = pytest.mark.django_db(transaction=True)
WORDS = [{"channel": "inbox", "language": "en", "subject": "Spring", "body": "Hello."}]


def body(program: Program | None, **more: Any) -> dict[str, Any]:
    said = {"name": "Spring", "channels": ["inbox"], "topic": "points", "words": WORDS}
    return {"program": program.code if program else None, **said, **more}


@pytest.fixture
def api(key_with: Callable[..., ApiClient]) -> ApiClient:
    return key_with("broadcasts:read", "broadcasts:write")


@committing
def test_one_is_written_sent_and_read_with_its_results(
    api: ApiClient, membership: Membership
) -> None:
    made = api.post("/broadcasts", body(membership.program))
    assert (made.status_code, made.json()["state"]) == (201, "draft")
    path = f"/broadcasts/{made.json()['id']}"
    reach = api.get(f"{path}/reach").json()
    assert (reach["audience"], reach["told"], reach["by_way"]) == (1, 1, {"inbox": 1})
    sent = api.post(f"{path}/schedule", {})
    assert sent.status_code == 200
    # A worker is at hand, so it has gone out.
    assert api.get(path).json()["state"] == "sent"
    results = api.get(f"{path}/results").json()
    assert (results["audience"], results["settled"], results["total"]["sent"]) == (1, 1, 1)
    assert (results["aside"], results["orders"]) == (0, None)
    assert Message.objects.count() == 1
    assert [row["name"] for row in api.get("/broadcasts").json()["results"]] == ["Spring"]
    assert_problem(api.post(f"{path}/withdraw"), 409, "broadcast_state")


def test_whoever_asks_for_the_reach_of_very_many_asks_again(
    api: ApiClient, membership: Membership, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/broadcasts/{make_broadcast(membership.program).public_id}/reach"
    monkeypatch.setattr(slow_figures, "_hand_over", lambda *_asked: None)
    settings.FIGURES_PATIENCE = (0, 0)
    waiting = api.get(path)
    assert (waiting.status_code, waiting.json()["as_of"]) == (202, None)
    settings.FIGURES_PATIENCE = (0, 60_000)
    counted = api.get(path)
    assert (counted.status_code, counted.json()["told"]) == (200, 1)
    assert counted.json()["as_of"]


@committing
def test_whoever_asks_what_a_broadcast_to_very_many_brought_asks_again(
    api: ApiClient, membership: Membership, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/broadcasts/{make_broadcast(membership.program).public_id}"
    api.post(f"{path}/schedule", {})
    monkeypatch.setattr(slow_figures, "_hand_over", lambda *_asked: None)
    settings.FIGURES_PATIENCE = (0, 0)
    waiting = api.get(f"{path}/results")
    assert (waiting.status_code, waiting.json()["as_of"]) == (202, None)
    assert (waiting.json()["audience"], waiting.json()["total"]) == (1, None)
    settings.FIGURES_PATIENCE = (0, 60_000)
    counted = api.get(f"{path}/results")
    assert (counted.status_code, counted.json()["total"]["sent"]) == (200, 1)
    assert counted.json()["as_of"]


def test_one_key_makes_one(api: ApiClient, program: Program) -> None:
    for _again in range(2):
        answer = api.post("/broadcasts", body(program), Idempotency_Key="spring")
        assert answer.status_code == 201
    assert Broadcast.objects.count() == 1


def test_what_is_scheduled_is_taken_back_and_changed(api: ApiClient, program: Program) -> None:
    path = f"/broadcasts/{api.post('/broadcasts', body(program)).json()['id']}"
    time = {"send_at": "2099-03-02T09:00:00Z", "by_member_clock": True}
    for _again in range(2):
        answer = api.post(f"{path}/schedule", time).json()
        assert (answer["state"], answer["by_member_clock"]) == ("scheduled", True)
    change = body(program, name="Summer")
    del change["program"]
    assert_problem(api.request("PUT", path, change), 409, "broadcast_state")
    assert api.post(f"{path}/withdraw").json()["state"] == "draft"
    changed = api.request("PUT", path, change)
    assert changed.json()["name"] == "Summer"
    assert_problem(api.post(f"{path}/pause"), 409, "broadcast_state")
    assert_problem(api.post(f"{path}/schedule", {"send_at": "2020-01-01T00:00:00Z"}), 422,
                   "invalid_request", "send_at")  # fmt: skip


def test_what_cannot_be_is_refused_by_field(api: ApiClient, program: Program) -> None:
    for wrong, field in (
        ({"program": "nothing"}, "program"), ({"topic": "orders"}, "topic"),
        ({"holdout": 90}, "holdout"), ({"channels": []}, "channels"),
    ):  # fmt: skip
        answer = api.post("/broadcasts", body(program) | wrong)
        assert_problem(answer, 422, "invalid_request", field)
    said = [{**WORDS[0], "body": "{{ secret }}"}]
    assert api.post("/broadcasts", body(program, words=said)).status_code == 422
    assert Broadcast.objects.count() == 0


def test_reading_is_another_scope_than_writing(
    key_with: Callable[..., ApiClient], program: Program
) -> None:
    reader, path = key_with("broadcasts:read"), f"/broadcasts/{make_broadcast(program).public_id}"
    assert reader.get(path).status_code == 200
    assert_problem(reader.post(f"{path}/schedule", {}), 403, "insufficient_scope")
    assert_problem(key_with("messages:read").get(path), 403, "insufficient_scope")


def test_it_is_paused_gone_on_with_and_stopped(api: ApiClient, membership: Membership) -> None:
    row = make_broadcast(membership.program)
    path = f"/broadcasts/{row.public_id}"
    at = "2026-03-02T12:00:00Z"
    Broadcast.objects.filter(pk=row.pk).update(status="scheduled", send_at=at, begins_at=at)
    Broadcast.objects.filter(pk=row.pk).update(status="sending", begun_at=at)
    for step, state in (
        ("pause", "paused"), ("pause", "paused"), ("stop", "stopped"), ("stop", "stopped"),
    ):  # fmt: skip
        assert api.post(f"{path}/{step}").json()["state"] == state
    assert_problem(api.post(f"{path}/resume"), 409, "broadcast_state")
