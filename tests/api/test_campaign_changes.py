"""Writing promotions over the API: drafts, what becomes of them, their codes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from loyalty.models import Program
from loyalty.services.rules import set_four_eyes
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("beans_for_all", "undone_when_refused"),
]
DAY = dt.timedelta(days=1)


@pytest.fixture
def writer(key_with: Callable[..., ApiClient]) -> ApiClient:
    return key_with("campaigns:read", "campaigns:write")


def said(program: Program, **more: Any) -> dict[str, Any]:
    now = timezone.now()
    return {
        "program": program.code, "template": "points-weekend", "name": "Spring", "title": "Spring",
        "offer": {"factor": "3"}, "budget_units": "500", "holdout": 0,
        "starts_at": (now - DAY).isoformat(), "ends_at": (now + DAY).isoformat(),
    } | more  # fmt: skip


def test_a_promotion_is_written_published_paused_and_ended(
    writer: ApiClient, program: Program
) -> None:
    made = writer.post("/campaigns", said(program), Idempotency_Key="one")
    assert made.status_code == 201
    found = made.json()
    assert (found["status"], found["code"], found["revision"]) == ("draft", "spring", 0)
    assert found["definition"]["offer"] == {"factor": "3"}
    path = f"/campaigns/{found['id']}"
    for act, status in (
        ("publish", "live"), ("pause", "paused"), ("pause", "paused"), ("resume", "live"),
        ("resume", "live"), ("end", "ended"), ("end", "ended"),
    ):  # fmt: skip
        answered = writer.post(f"{path}/{act}", None)
        assert (answered.status_code, answered.json()["status"]) == (200, status)
    assert_problem(writer.post(f"{path}/publish", None), 409, "campaign_state")


def test_a_repeated_request_makes_one_draft(writer: ApiClient, program: Program) -> None:
    body = said(program)
    first = writer.post("/campaigns", body, Idempotency_Key="same").json()
    assert writer.post("/campaigns", body, Idempotency_Key="same").json()["id"] == first["id"]
    assert Campaign.objects.count() == 1
    other = said(program, name="Other")
    assert_problem(
        writer.post("/campaigns", other, Idempotency_Key="same"), 422, "idempotency_key_reused"
    )


def test_a_draft_is_changed_by_who_has_read_it_last(writer: ApiClient, program: Program) -> None:
    found = writer.post("/campaigns", said(program)).json()
    path = f"/campaigns/{found['id']}"
    changed = writer.put(path, found["definition"] | {"title": "Summer", "revision": 0}).json()
    assert (changed["title"], changed["revision"]) == ("Summer", 1)
    same = writer.put(path, changed["definition"] | {"revision": 0}).json()
    assert same["revision"] == 1
    late = found["definition"] | {"title": "Winter", "revision": 0}
    assert_problem(writer.put(path, late), 409, "changed_meanwhile")
    assert writer.request("DELETE", path).status_code == 204
    assert_problem(writer.get(path), 404, "not_found")


def test_what_is_planned_is_taken_back(writer: ApiClient, program: Program) -> None:
    later = timezone.now() + DAY
    times = {"starts_at": later.isoformat(), "ends_at": (later + DAY).isoformat()}
    path = f"/campaigns/{writer.post('/campaigns', said(program, **times)).json()['id']}"
    assert writer.post(f"{path}/publish", None).json()["status"] == "scheduled"
    assert_problem(writer.put(path, said(program)), 422, "invalid_request", "program")
    assert writer.post(f"{path}/withdraw", None).json()["status"] == "draft"


def test_codes_are_made_added_and_listed(writer: ApiClient, program: Program) -> None:
    body = said(program, codes={"kind": "single"})
    path = f"/campaigns/{writer.post('/campaigns', body).json()['id']}"
    assert_problem(writer.post(f"{path}/publish", None), 422, "invalid_request", "code_kind")
    assert writer.post(f"{path}/codes", {"number": 3}).json() == {"added": 3}
    added = writer.post(f"{path}/codes", {"codes": ["ABCD-1", "ABCD-1"]})
    assert (added.status_code, added.json()) == (201, {"added": 1})
    assert_problem(writer.post(f"{path}/codes", {}), 422, "invalid_request", "number")
    rows = writer.get(f"{path}/codes").json()["results"]
    assert rows[-1] == {"code": "ABCD-1", "uses": 0, "most_uses": 1}
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"template": "moon"}, "template"), ({"offer": {"factor": "1"}}, "offer.factor"),
        ({"program": "moon"}, "program"), ({"surprise": 1}, "surprise"),
        ({"holdout": 80}, "holdout"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    writer: ApiClient, program: Program, wrong: dict[str, Any], field: str
) -> None:
    answered = writer.post("/campaigns", said(program) | wrong)
    assert_problem(answered, 422, "invalid_request", field)


def test_it_takes_the_scope_and_no_key_is_a_second_person(
    writer: ApiClient, key_with: Callable[..., ApiClient], program: Program
) -> None:
    reader = key_with("campaigns:read")
    assert_problem(reader.post("/campaigns", said(program)), 403, "insufficient_scope")
    path = f"/campaigns/{writer.post('/campaigns', said(program)).json()['id']}"
    assert_problem(reader.put(path, {}), 403, "insufficient_scope")
    assert_problem(reader.get(f"{path}/codes"), 403, "insufficient_scope")
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    assert_problem(writer.post(f"{path}/publish", None), 403, "second_person")
