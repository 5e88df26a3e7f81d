"""Experiments over the API: written, planned, started, read, ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from campaigns.models import Experiment
from loyalty.models import Program
from loyalty.services.rules import set_four_eyes
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.factories import switch_on

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("beans_for_all", "undone_when_refused"),
]


@pytest.fixture
def writer(key_with: Callable[..., ApiClient]) -> ApiClient:
    return key_with("campaigns:read", "campaigns:write")


def said(writer: ApiClient, program: Program, **more: Any) -> dict[str, Any]:
    """With the draft of what its second arm gets."""
    draft = {"program": program.code, "template": "points-weekend", "name": "Triple",
             "title": "Triple", "offer": {"factor": "3"}}  # fmt: skip
    code = writer.post("/campaigns", draft).json()["code"]
    return {
        "program": program.code, "name": "Triple or not", "question": "Is more better?",
        "weeks": 2, "arms": [{"name": "As it is", "share": 50},
                             {"name": "Triple", "share": 50, "promotion": code}],
    } | more  # fmt: skip


def test_an_experiment_is_written_started_read_and_ended(
    writer: ApiClient, program: Program
) -> None:
    made = writer.post("/experiments", said(writer, program), Idempotency_Key="one")
    assert made.status_code == 201
    found = made.json()
    assert (found["status"], found["code"], found["verdict"]) == ("draft", "triple-or-not", "")
    path = f"/experiments/{found['id']}"
    assert_problem(writer.get(f"{path}/results"), 409, "experiment_state")
    assert writer.get(f"{path}/plan").json()["weeks"] is None
    changed = writer.put(path, found["definition"] | {"smallest": 30, "revision": 0}).json()
    assert changed["definition"]["smallest"] == 30
    late = found["definition"] | {"smallest": 40, "revision": 0}
    assert_problem(writer.put(path, late), 409, "changed_meanwhile")
    started = writer.post(f"{path}/start", None, Idempotency_Key="two").json()
    assert started["status"] == "running"
    assert writer.post(f"{path}/start", None, Idempotency_Key="two").json() == started
    assert_problem(writer.post(f"{path}/start", None), 409, "experiment_state")
    results = writer.get(f"{path}/results").json()
    assert [arm["name"] for arm in results["arms"]] == ["As it is", "Triple"]
    assert (results["measure"], results["arms"][0]["difference"]) == ("revenue", None)
    for _time in range(2):
        ended = writer.post(f"{path}/end", None).json()
        assert (ended["status"], ended["verdict"]) == ("ended", "early")
    listed = writer.get(f"/experiments?program={program.code}").json()["results"]
    assert [item["id"] for item in listed] == [found["id"]]
    assert_problem(writer.request("DELETE", path), 409, "experiment_state")


def test_the_words_of_a_message_are_compared(writer: ApiClient, program: Program) -> None:
    words = {"channel": "inbox", "locale": "en", "subject": "For you", "body": "{{ gift }}"}
    body = {
        "program": program.code, "name": "Warm or not", "question": "Is warmer better?",
        "weeks": 2, "compares": "messages", "message": "gift", "measure": "ordered",
        "arms": [{"name": "Nothing", "share": 50, "silent": True},
                 {"name": "Warm", "share": 50, "words": [words]}],
    }  # fmt: skip
    odd = {"name": "Warm", "share": 50, "words": [words | {"body": "{{ nothing }}"}]}
    refused = writer.post("/experiments", body | {"arms": [body["arms"][0], odd]})
    assert_problem(refused, 422, "template_invalid")
    found = writer.post("/experiments", body).json()
    assert found["definition"]["arms"][1]["words"] == [words]
    path = f"/experiments/{found['id']}"
    assert writer.put(path, found["definition"]).json()["revision"] == found["revision"]
    plan = writer.get(f"{path}/plan").json()
    assert (plan["rows"], plan["weeks"]) == ([], None)
    refused = writer.post(f"{path}/start", None)
    assert refused.json()["errors"][0]["field"] == "arms[1].words"
    switch_on("gift", "inbox")
    assert writer.post(f"{path}/start", None).json()["status"] == "running"
    assert [arm["members"] for arm in writer.get(f"{path}/results").json()["arms"]] == [0, 0]


def test_a_repeated_request_makes_one_draft(writer: ApiClient, program: Program) -> None:
    body = said(writer, program)
    first = writer.post("/experiments", body, Idempotency_Key="same").json()
    assert writer.post("/experiments", body, Idempotency_Key="same").json()["id"] == first["id"]
    assert Experiment.objects.count() == 1
    assert writer.request("DELETE", f"/experiments/{first['id']}").status_code == 204


def test_what_cannot_be_compared_is_refused(writer: ApiClient, program: Program) -> None:
    body = said(writer, program)
    uneven = body | {"arms": [body["arms"][0] | {"share": 10}, body["arms"][1]]}
    assert_problem(writer.post("/experiments", uneven), 422, "invalid_request")
    unknown = [body["arms"][0], body["arms"][1] | {"promotion": "other"}]
    refused = writer.post("/experiments", body | {"arms": unknown})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "arms[1].promotion"
    assert_problem(writer.post("/experiments", body | {"program": "x"}), 422, "invalid_request")


def test_a_key_cannot_start_one_where_a_second_person_publishes(
    writer: ApiClient, program: Program
) -> None:
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    found = writer.post("/experiments", said(writer, program)).json()
    assert_problem(writer.post(f"/experiments/{found['id']}/start", None), 403, "second_person")


def test_reading_alone_does_not_write(
    writer: ApiClient, program: Program, key_with: Callable[..., ApiClient]
) -> None:
    reader = key_with("campaigns:read")
    refused = reader.post("/experiments", said(writer, program))
    assert_problem(refused, 403, "insufficient_scope")
    assert reader.get("/experiments").json()["results"] == []
