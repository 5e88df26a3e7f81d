"""Sending again, forgetting, and the demonstration's webhook."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from campaigns.demo.webhooks import show_webhook
from campaigns.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from campaigns.services import webhook_replays
from campaigns.services.webhook_endpoints import MOST_ENDPOINTS, create_endpoint, switch_on
from campaigns.services.webhook_replays import prune_webhooks, run_replay, start_replay
from members.errors import ConflictError
from members.models import EventWish, Job
from members.services.audit import SYSTEM
from tests.campaigns.webhooks import deliver, happened, make_endpoint, only
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.django_db
URL = "https://shop.example/hooks"
LONG_AGO = timezone.now() - dt.timedelta(days=31)


def all_failed() -> None:
    WebhookDelivery.objects.update(state="failed", next_at=None, finished_at=timezone.now())


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True))


def test_a_job_that_was_cut_off_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(webhook_replays, "PIECE", 2)
    endpoint = make_endpoint(URL)
    happened(*"abcde")
    all_failed()
    job = start_replay(endpoint=endpoint, since=LONG_AGO, actor=SYSTEM)
    begin_anew = webhook_replays._begin_anew

    def die(ids, now):
        if len(states()) - states().count("failed") == 2:
            raise KeyboardInterrupt
        begin_anew(ids, now)

    monkeypatch.setattr(webhook_replays, "_begin_anew", die)
    with pytest.raises(KeyboardInterrupt):
        run_replay(job.pk)
    assert states().count("waiting") == 2
    monkeypatch.setattr(webhook_replays, "_begin_anew", begin_anew)
    Job.objects.filter(pk=job.pk).update(state="queued", worker="")
    run_replay(job.pk)
    assert states() == ["waiting"] * 5
    assert Job.objects.get(pk=job.pk).result == {"replayed": 5}


def test_what_failed_before_is_left_and_one_that_is_off_is_refused():
    endpoint = make_endpoint(URL)
    happened("a", at=LONG_AGO)
    all_failed()
    with pytest.raises(ConflictError):
        start_replay(endpoint=endpoint, since=timezone.now(), actor=SYSTEM)
    WebhookEndpoint.objects.update(enabled=False, off_why="by_hand", off_at=timezone.now())
    endpoint.refresh_from_db()
    with pytest.raises(ConflictError):
        start_replay(endpoint=endpoint, since=LONG_AGO, actor=SYSTEM)


def test_after_thirty_days_an_event_is_forgotten_with_all_that_became_of_it(receiver):
    make_endpoint(receiver.url)
    happened("a", at=LONG_AGO)
    happened("b")
    deliver()
    assert prune_webhooks(now=timezone.now()) == 1
    assert [event.key for event in WebhookEvent.objects.all()] == ["b"]
    assert (WebhookDelivery.objects.count(), WebhookAttempt.objects.count()) == (1, 1)


def test_what_was_told_in_the_moment_of_switching_off_is_canceled():
    make_endpoint(URL)
    happened("a")
    WebhookEndpoint.objects.update(enabled=False, off_why="by_hand", off_at=timezone.now())
    prune_webhooks(now=timezone.now())
    assert only().state == "canceled"


def test_the_demonstration_has_one_that_is_off():
    program = make_program()
    for _again in range(2):
        show_webhook(program)
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.enabled, endpoint.off_why) == (False, "by_hand")
    assert not EventWish.objects.exists()
    switch_on(endpoint=endpoint, actor=SYSTEM)
    assert EventWish.objects.count() == 3


def test_there_are_no_more_than_can_be_asked_about():
    now = timezone.now()
    for number in range(MOST_ENDPOINTS):
        WebhookEndpoint.objects.create(url=f"{URL}/{number}", created_at=now)
    with pytest.raises(ConflictError):
        create_endpoint(url=URL, actor=SYSTEM, now=now)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://shop.example"}, {"enabled": False}, {"off_why": "gone"},
        {"enabled": False, "off_why": "bored", "off_at": LONG_AGO},
    ],
)  # fmt: skip
def test_the_database_guards_endpoints(changes):
    make_endpoint(URL)
    with pytest.raises(IntegrityError), transaction.atomic():
        WebhookEndpoint.objects.update(**changes)


@pytest.mark.parametrize(
    "changes", [{"state": "delivered"}, {"next_at": None}, {"state": "lost", "next_at": None}]
)
def test_the_database_guards_deliveries(changes):
    make_endpoint(URL)
    happened("a")
    with pytest.raises(IntegrityError), transaction.atomic():
        WebhookDelivery.objects.update(**changes)


def test_what_was_told_never_changes():
    make_endpoint(URL)
    happened("a")
    with pytest.raises(DatabaseError), transaction.atomic():
        WebhookEvent.objects.update(type="points.spent")
