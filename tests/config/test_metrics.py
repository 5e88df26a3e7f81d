"""What Prometheus reads at /metrics, and who may."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config.backups.backup import backups_folder
from members.gauges import gauges
from members.models import Job, OutboxEvent
from tests.chromium import PROJECT

TOKEN = "a-long-random-text"


@pytest.fixture
def _with_token(settings: Any, tmp_path: Any) -> None:
    settings.METRICS_TOKEN, settings.VAR_DIR = TOKEN, tmp_path


def ask(client: Client, token: str = TOKEN) -> Any:
    return client.get("/metrics", headers={"authorization": f"Bearer {token}", "host": "10.1.2.3"})


def samples(client: Client) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = ask(client)
    assert answer.status_code == 200
    return dict(_read(answer.text))


def _read(text: str) -> Iterator[tuple[tuple[str, tuple[str, ...]], float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield (sample.name, tuple(sample.labels.values())), sample.value


@pytest.mark.django_db
def test_without_a_token_in_the_settings_there_is_no_such_page(client: Client) -> None:
    asked = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert asked.status_code == 404


@pytest.mark.django_db
@pytest.mark.usefixtures("_with_token")
@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer other", f"Basic {TOKEN}", f"Bearer{TOKEN}"]
)
def test_who_does_not_have_it_reads_nothing(client: Client, given: str) -> None:
    answer = client.get("/metrics", headers={"authorization": given})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.django_db
@pytest.mark.usefixtures("_with_token")
def test_requests_are_counted_by_the_pattern_of_their_address(client: Client) -> None:
    client.get("/me/")
    before = samples(client)
    client.get("/me/")
    client.get("/backoffice/customers/0b9d5b3f-8a3f-4d5e-8c4e-0123456789ab/")
    after = samples(client)
    counted = {
        labels[1]: value - before.get((name, labels), 0.0)
        for (name, labels), value in after.items()
        if name == "setia_http_request_seconds_count"
    }
    assert counted["/me/"] == 1
    [pattern] = [route for route, value in counted.items() if "customers/<uuid" in route and value]
    assert counted[pattern] == 1
    assert "0b9d5b3f" not in ask(client).text


@pytest.mark.django_db
@pytest.mark.usefixtures("_with_token")
def test_queues_are_told_with_the_age_of_what_waits_longest(client: Client) -> None:
    before = samples(client)
    late = timezone.now() - dt.timedelta(minutes=10)
    event = OutboxEvent.objects.create(kind="x.y")
    OutboxEvent.objects.filter(pk=event.pk).update(available_at=late)
    Job.objects.create(kind="x", label="X", fingerprint="1", state=Job.State.FAILED)
    found = samples(client)
    assert found["setia_outbox_waiting", ()] == before["setia_outbox_waiting", ()] + 1
    assert found["setia_outbox_oldest_seconds", ()] >= 600
    assert found["setia_jobs", ("failed",)] == before["setia_jobs", ("failed",)] + 1


@pytest.mark.django_db
@pytest.mark.usefixtures("_with_token")
def test_a_backup_is_as_old_as_the_last_one_is(client: Client) -> None:
    assert ("setia_backup_seconds", ()) not in samples(client)
    backups_folder().mkdir(parents=True)
    (backups_folder() / "setia-20260101T000000Z.dump").write_bytes(b"")
    assert 0 <= samples(client)["setia_backup_seconds", ()] < 60


@pytest.mark.django_db
@pytest.mark.usefixtures("_with_token")
def test_all_that_is_told_is_in_the_document_and_nothing_else(client: Client) -> None:
    document = (PROJECT / "docs" / "operations.md").read_text()
    part = document.partition("### Metrics")[2].partition("### Logs")[0]
    told = set(re.findall(r"`(setia_\w+)`", part))
    assert {gauge.name for gauge in gauges()} | {
        "setia_http_request_seconds", "setia_backup_seconds",
    } == told  # fmt: skip


@pytest.mark.django_db
@pytest.mark.usefixtures("_with_token")
def test_asking_costs_a_query_or_two_for_each_queue(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        ask(client)
    assert len(queries) <= 2 * len(gauges())


@pytest.mark.django_db
@pytest.mark.usefixtures("_with_token")
def test_what_a_client_makes_up_is_no_series_of_its_own(client: Client) -> None:
    client.generic("FROBNICATE", "/accounts/login/")
    assert "FROBNICATE" not in ask(client).text
    assert 'method="other"' in ask(client).text
