"""/surveys, and what members answer below /me."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Survey, SurveyResponse
from loyalty.models import Membership, Program
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.surveys import QUESTIONS, make_survey, reply
from tests.loyalty.factories import make_program, make_wallet

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("beans_for_all", "undone_when_refused"),
]


@pytest.fixture
def me(key_with: Callable[..., ApiClient], membership: Membership) -> ApiClient:
    shop = key_with("member_tokens:write")
    body = {"customer": {"external_id": "C-1"}}
    return ApiClient(shop.post("/member-tokens", body).json()["token"])


def body(of: Program, **more: Any) -> dict[str, Any]:
    said = {"program": of.code, "code": "spring", "title": "Spring", "questions": QUESTIONS}
    return said | more


def test_a_survey_is_written_asked_and_ended(
    key_with: Callable[..., ApiClient], program: Program, membership: Membership
) -> None:
    api = key_with("surveys:read", "surveys:write")
    made = api.post("/surveys", body(program, anonymous=True, closes_at="2099-01-01T00:00:00Z"))
    assert made.status_code == 201
    path = f"/surveys/{made.json()['id']}"
    assert_problem(api.post("/surveys", body(program)), 409, "conflict", "code")
    # The link says when it was made.
    told, said = made.json(), api.get(path).json()
    assert said.pop("link").startswith("http")
    assert told.pop("link").startswith("http")
    assert said == told
    assert [item["code"] for item in api.get("/surveys").json()["results"]] == ["spring"]
    for step, state in (("publish", "live"), ("publish", "live"), ("end", "ended")):
        assert api.post(f"{path}/{step}").json()["state"] == state
    assert_problem(api.post(f"{path}/publish"), 409, "survey_ended")
    assert_problem(api.post(f"{path}/pause"), 409, "survey_state")
    link = api.post(f"{path}/links", {"membership": str(membership.public_id)}).json()
    assert "/surveys/" in link["url"]
    elsewhere = make_wallet(make_program("other"), "c9").account.membership
    refused = api.post(f"{path}/links", {"membership": str(elsewhere.public_id)})
    assert_problem(refused, 422, "invalid_request", "membership")


def test_a_survey_that_is_paused_is_asked_of_nobody_until_it_goes_on(
    key_with: Callable[..., ApiClient], membership: Membership, me: ApiClient
) -> None:
    api = key_with("surveys:read", "surveys:write")
    survey = make_survey(membership.program)
    path, mine = f"/surveys/{survey.public_id}", f"/me/memberships/{membership.public_id}/surveys"
    assert len(me.get(mine).json()["results"]) == 1
    for _again in range(2):
        assert api.post(f"{path}/pause").json()["state"] == "paused"
    assert me.get(mine).json()["results"] == []
    refused = me.post(f"{mine}/{survey.public_id}/answers", {"answers": {"recommend": 9}})
    assert refused.status_code in (404, 409, 422)
    assert not SurveyResponse.objects.exists()
    assert_problem(api.post(f"{path}/publish"), 409, "survey_paused")
    for _again in range(2):
        assert api.post(f"{path}/resume").json()["state"] == "live"
    assert len(me.get(mine).json()["results"]) == 1
    api.post(f"{path}/pause")
    assert api.post(f"{path}/end").json()["state"] == "ended"
    reader = key_with("surveys:read")
    for step in ("pause", "resume"):
        assert_problem(reader.post(f"{path}/{step}"), 403, "insufficient_scope")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"program": "none"}, "program"), ({"activity": "none"}, "activity"),
        ({"when": {"field": "no.such"}}, "when"), ({"closes_at": "soon"}, "closes_at"),
        ({"opens_at": "2026-03-02T10:00:00Z", "closes_at": "2026-03-01T10:00:00Z"}, "closes_at"),
        ({"questions": [QUESTIONS[0], QUESTIONS[0]]}, "questions"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    key_with: Callable[..., ApiClient], program: Program, wrong: dict[str, Any], field: str
) -> None:
    answer = key_with("surveys:write").post("/surveys", body(program, **wrong))
    assert_problem(answer, 422, "invalid_request", field)


def test_each_call_wants_its_scope(
    key_with: Callable[..., ApiClient], program: Program, membership: Membership
) -> None:
    survey = make_survey(program)
    path = f"/surveys/{survey.public_id}"
    writer, reader = key_with("surveys:write"), key_with("surveys:read")
    for address in ("/surveys", path, f"{path}/results", f"{path}/responses"):
        assert writer.get(address).status_code == 403
        assert reader.get(address).status_code == 200
    assert reader.post("/surveys", body(program)).status_code == 403
    assert reader.post(f"{path}/end").status_code == 403
    asked = {"membership": str(membership.public_id)}
    assert reader.post(f"{path}/links", asked).status_code == 403
    assert writer.post(f"{path}/links", asked).status_code == 200


def test_results_and_answers_are_read(
    key_with: Callable[..., ApiClient], program: Program, membership: Membership
) -> None:
    survey, api = make_survey(program), key_with("surveys:read")
    reply(survey, membership, words=["More bread"])
    results = api.get(f"/surveys/{survey.public_id}/results").json()
    assert (results["answered"], results["members"]) == (1, 1)
    assert results["questions"][0]["score"] == {"count": 1, "value": 100.0}
    [response] = api.get(f"/surveys/{survey.public_id}/responses").json()["results"]
    assert response["membership"] == str(membership.public_id)
    assert response["answers"][1]["text"] == "More bread"


def test_a_member_answers_once(me: ApiClient, membership: Membership, program: Program) -> None:
    survey = make_survey(program, thanks="Thanks!")
    at = f"/me/memberships/{membership.public_id}/surveys"
    [found] = me.get(at).json()["results"]
    assert (found["code"], found["questions"][0]["choices"][10]["code"]) == ("spring", "10")
    path = f"{at}/{survey.public_id}/answers"
    wrong = me.post(path, {"answers": {"recommend": ["99"]}})
    assert_problem(wrong, 422, "invalid_request", "answers.recommend")
    said = {"answers": {"recommend": ["9"], "wish": ["bread"]}}
    first, again = me.post(path, said), me.post(path, {"answers": {"recommend": ["1"]}})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["thanks"] == "Thanks!"
    assert SurveyResponse.objects.get().via == "api"
    assert me.get(at).json()["results"] == []


def test_a_member_sees_only_what_is_theirs(
    me: ApiClient, membership: Membership, program: Program
) -> None:
    survey = make_survey(program)
    other = make_wallet(program, "c9").account.membership
    at = f"/me/memberships/{other.public_id}/surveys"
    assert_problem(me.get(at), 404, "not_found")
    said = {"answers": {"recommend": ["9"]}}
    assert_problem(me.post(f"{at}/{survey.public_id}/answers", said), 404, "not_found")
    draft = make_survey(program, code="draft", live=False)
    mine = f"/me/memberships/{membership.public_id}/surveys"
    assert_problem(me.post(f"{mine}/{draft.public_id}/answers", said), 404, "not_found")
    Survey.objects.filter(pk=survey.pk).update(closes_at=timezone.now())
    assert_problem(me.post(f"{mine}/{survey.public_id}/answers", said), 409, "survey_closed")
