"""/customers/{id}/messages and /customers/{id}/consents."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from campaigns.models import ConsentChange
from members.models import AuditEntry
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.factories import tell
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def test_what_a_customer_was_told_is_listed_with_what_became_of_it(api: ApiClient) -> None:
    ana = CustomerFactory()
    for number in range(3):
        tell(ana, str(number), channels=("email", "inbox"))
    tell(CustomerFactory(), "other")
    page = api.get(f"/customers/{ana.public_id}/messages?limit=2").json()
    assert [item["occasion"] for item in page["results"]] == ["gift", "gift"]
    first = page["results"][0]
    assert (first["topic"], first["language"], first["membership"]) == ("points", "en", None)
    states = {row["channel"]: row["state"] for row in first["deliveries"]}
    assert states == {"email": "queued", "inbox": "sent"}
    assert "text" not in first["deliveries"][0]
    following = api.get(page["next"].split("/api/v1", 1)[1]).json()
    assert len(following["results"]) == 1


def test_consents_are_read_and_noted(api: ApiClient) -> None:
    ana = CustomerFactory()
    path = f"/customers/{ana.public_id}/consents"
    assert api.get(path).json() == {
        "consents": [
            {"channel": "email", "topic": "points", "said": "", "wanted": True},
            {"channel": "email", "topic": "offers", "said": "", "wanted": False},
            {"channel": "email", "topic": "surveys", "said": "", "wanted": False},
            {"channel": "email", "topic": "community", "said": "", "wanted": False},
            {"channel": "email", "topic": "tracking", "said": "", "wanted": True},
        ]
    }
    body = {
        "consents": [
            {"channel": "email", "topic": "offers", "wanted": True},
            {"channel": "email", "topic": "points", "wanted": False},
        ]
    }
    for _time in range(2):
        answer = api.patch(path, body)
        assert answer.status_code == 200
    assert [(item["said"], item["wanted"]) for item in answer.json()["consents"]] == [
        ("denied", False), ("granted", True), ("", False), ("", False), ("", True),
    ]  # fmt: skip
    assert ConsentChange.objects.count() == 2
    assert AuditEntry.objects.get(action="consent.changed").actor_label.startswith("API key")


@pytest.mark.parametrize(
    ("item", "field", "code"),
    [
        ({"channel": "email", "topic": "nothing"}, "consents.topic", "not_found"),
        ({"channel": "pigeon", "topic": "offers"}, "consents.channel", "not_found"),
        ({"channel": "email", "topic": "orders"}, "consents.topic", "always_told"),
    ],
)
def test_what_there_is_nothing_to_say_about_is_refused(
    api: ApiClient, item: dict[str, str], field: str, code: str
) -> None:
    path = f"/customers/{CustomerFactory().public_id}/consents"
    answer = api.patch(path, {"consents": [item | {"wanted": True}]})
    assert_problem(answer, 422, "invalid_request", field)
    assert answer.json()["errors"][0]["code"] == code


def test_a_customer_that_there_is_not_has_none(api: ApiClient) -> None:
    for what in ("messages", "consents"):
        assert_problem(api.get(f"/customers/{uuid.uuid4()}/{what}"), 404, "not_found")


def test_each_needs_its_scope(key_with: Callable[..., ApiClient]) -> None:
    path = f"/customers/{CustomerFactory().public_id}"
    reader = key_with("messages:read", "consents:read")
    assert reader.get(f"{path}/messages").status_code == 200
    assert reader.get(f"{path}/consents").status_code == 200
    body = {"consents": [{"channel": "email", "topic": "offers", "wanted": True}]}
    assert_problem(reader.patch(f"{path}/consents", body), 403, "insufficient_scope")
    assert_problem(key_with("customers:read").get(f"{path}/messages"), 403, "insufficient_scope")


def test_topics_of_ones_own_are_made_and_changed(api: ApiClient) -> None:
    body = {"code": "events", "name": "Events", "sentence": "Tastings.", "asked_at_join": True}
    made = api.post("/message-topics", body)
    assert (made.status_code, made.json()["own"]) == (201, True)
    assert api.post("/message-topics", body | {"name": "Markets"}).status_code == 200
    listed = api.get("/message-topics").json()["results"]
    assert [item["code"] for item in listed] == [
        "points", "offers", "surveys", "community", "events",
    ]  # fmt: skip
    assert listed[-1]["name"] == "Markets"
    taken = api.post("/message-topics", body | {"code": "offers"})
    assert_problem(taken, 409, "conflict", "code")
