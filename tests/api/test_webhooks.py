"""/event-types, /webhooks and /webhook-deliveries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from campaigns.models import WebhookDelivery, WebhookEndpoint
from members.models import IdempotencyRecord, Job
from members.services.job_runs import run_job
from tests.api.conftest import ApiClient, assert_problem, count_queries
from tests.campaigns.receiver import Receiver, receiving
from tests.campaigns.webhooks import deliver, happened, make_due, make_endpoint

URL = "https://shop.example/hooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def make(api: ApiClient, key: str = "k1", **body: Any) -> Any:
    return api.post("/webhooks", {"url": URL} | body, Idempotency_Key=key)


def test_the_catalog_has_every_type_with_a_schema_and_a_sample(api: ApiClient) -> None:
    found = {item["name"]: item for item in api.get("/event-types").json()["results"]}
    assert {"points.earned", "tier.changed", "webhook.ping"} <= found.keys()
    earned = found["points.earned"]
    assert earned["sample"]["type"] == "points.earned"
    assert "units" in earned["message_schema"]["properties"]["data"]["properties"]


def test_a_webhook_is_made_and_its_secret_is_in_the_answer_and_not_kept(api: ApiClient) -> None:
    response = make(api, types=["points.earned"], description="Shop")
    assert response.status_code == 201
    made = response.json()
    assert made["secret"].startswith("whsec_")
    assert (made["types"], made["enabled"], made["program"]) == (["points.earned"], True, None)
    assert made["secret"] not in str(IdempotencyRecord.objects.get().body)
    assert make(api, types=["points.earned"], description="Shop").json() == made
    read = api.get(f"/webhooks/{made['id']}").json()
    assert "secret" not in read
    assert read["url"] == URL
    assert api.get("/webhooks").json()["results"] == [read]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://shop.example/hooks"}, "url"),
        ({"url": "https://10.0.0.7/hooks"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "https://user:pass@shop.example/"}, "url"),
        ({"url": "https://shop.example/#there"}, "url"),
        ({"url": "ftp://shop.example/"}, "url"),
        ({"types": ["points.stolen"]}, "types"),
        ({"program": "nowhere"}, "program"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    api: ApiClient, body: dict[str, Any], field: str
) -> None:
    response = make(api, **body)
    assert response.status_code == 422
    assert [item["field"] for item in response.json()["errors"]] == [field]
    assert not WebhookEndpoint.objects.exists()


def test_it_is_changed_switched_off_and_on_and_deleted(api: ApiClient, program: Any) -> None:
    path = f"/webhooks/{make(api).json()['id']}"
    changed = api.patch(path, {"program": "beans", "description": "Beans", "enabled": False}).json()
    assert (changed["program"], changed["enabled"], changed["off_why"]) == (
        "beans", False, "by_hand"
    )  # fmt: skip
    assert api.patch(path, {"enabled": True}).json()["enabled"]
    assert api.patch(path, {"program": None}).json()["program"] is None
    assert api.request("DELETE", path).status_code == 204
    assert_problem(api.get(path), 404, "not_found")


def test_another_secret_signs_beside_the_one_before(api: ApiClient, receiver: Receiver) -> None:
    made = make(api, url=receiver.url).json()
    path = f"/webhooks/{made['id']}/secret"
    new = api.post(path, {"overlap_hours": 24}, Idempotency_Key="r1").json()["secret"]
    assert api.post(path, {"overlap_hours": 24}, Idempotency_Key="r1").json()["secret"] == new
    happened("a")
    deliver()
    for secret in (made["secret"], new):
        assert Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)
    assert api.post(path, {"overlap_hours": 5}, Idempotency_Key="r2").status_code == 422


def test_a_test_is_sent_and_the_log_says_what_came_back(api: ApiClient, receiver: Receiver) -> None:
    made = make(api, url=receiver.url, types=["tier.changed"]).json()
    response = api.post(f"/webhooks/{made['id']}/ping")
    assert response.status_code == 202
    assert (response.json()["type"], response.json()["state"]) == ("webhook.ping", "waiting")
    deliver()
    found = api.get(f"/webhook-deliveries/{response.json()['id']}").json()
    assert (found["state"], found["status"], found["attempts"]) == ("delivered", 200, 1)
    assert found["log"][0]["body"] == "fine"
    assert found["message"]["data"] == {"endpoint": made["id"]}
    assert found["message_id"] == receiver.got[0].id


def test_the_log_is_filtered(api: ApiClient) -> None:
    one, other = make_endpoint(URL), make_endpoint(f"{URL}/other", types=["tier.changed"])
    happened("a", "b")
    WebhookDelivery.objects.filter(event__key="b").update(
        state="failed", next_at=None, finished_at=timezone.now()
    )

    def count(query: str) -> int:
        return len(api.get(f"/webhook-deliveries?{query}").json()["results"])

    assert count("") == 2
    assert count("state=failed") == 1
    assert count("type=customer.created&state=waiting") == 1
    assert count("type=tier.changed") == 0
    assert (count(f"webhook={one.public_id}"), count(f"webhook={other.public_id}")) == (2, 0)
    unknown = "webhook=9d0e6c5e-2b7f-4a43-8a55-6a3a4be3a0f2"
    assert_problem(api.get(f"/webhook-deliveries?{unknown}"), 422, "invalid_request", "webhook")


def test_one_that_arrived_is_sent_again_under_the_same_id(
    api: ApiClient, receiver: Receiver
) -> None:
    make_endpoint(receiver.url)
    happened("a")
    deliver()
    path = f"/webhook-deliveries/{WebhookDelivery.objects.get().public_id}/replay"
    assert api.post(path).status_code == 202
    deliver()
    assert list(receiver.times.values()) == [2]
    WebhookEndpoint.objects.update(enabled=False, off_why="by_hand", off_at=timezone.now())
    assert api.post(path).status_code == 409


def test_all_that_failed_is_sent_again_by_a_job(api: ApiClient) -> None:
    with receiving(answers=(500, 500, 500, 200)) as receiver:
        endpoint = make_endpoint(receiver.url)
        happened("a", "b", "c")
        WebhookDelivery.objects.update(tries=10)
        make_due()
        deliver()
        assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"failed"}
        body = {"since": (timezone.now() - dt.timedelta(hours=1)).isoformat()}
        response = api.post(f"/webhooks/{endpoint.public_id}/replay", body)
        assert (response.status_code, response.json()["total"]) == (202, 3)
        run_job(Job.objects.get().pk)
        deliver()
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert set(receiver.times.values()) == {2}
    assert Job.objects.get().result == {"replayed": 3}
    assert api.post(f"/webhooks/{endpoint.public_id}/replay", body).status_code == 409


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/webhooks"), ("PATCH", "/webhooks/{id}"), ("DELETE", "/webhooks/{id}"),
        ("POST", "/webhooks/{id}/ping"), ("POST", "/webhooks/{id}/secret"),
        ("POST", "/webhooks/{id}/replay"),
    ],
)  # fmt: skip
def test_who_may_only_read_changes_nothing(key_with: Any, method: str, path: str) -> None:
    reader = key_with("webhooks:read")
    endpoint = make_endpoint(URL)
    response = reader.request(method, path.format(id=endpoint.public_id), {})
    assert_problem(response, 403, "insufficient_scope")
    assert reader.get(f"/webhooks/{endpoint.public_id}").status_code == 200


def test_another_key_reads_nothing_of_it(key_with: Any) -> None:
    for path in ("/event-types", "/webhooks", "/webhook-deliveries"):
        assert_problem(key_with("orders:read").get(path), 403, "insufficient_scope")


def test_a_page_of_the_log_costs_as_many_queries_with_many_rows(api: ApiClient) -> None:
    make_endpoint(URL)
    happened("a")
    few = count_queries(lambda: api.get("/webhook-deliveries"))
    happened(*(f"e{number}" for number in range(20)))
    assert count_queries(lambda: api.get("/webhook-deliveries")) == few
