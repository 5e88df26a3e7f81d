"""Sending what has happened: once if all goes well, again if not, never twice by two workers."""

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from campaigns import webhook_requests, webhook_schedule
from campaigns.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from campaigns.services import webhook_deliveries
from campaigns.services.webhook_deliveries import LEASE, claim
from campaigns.services.webhook_endpoints import create_endpoint, rotate_secret
from campaigns.webhook_schedule import GIVEN_UP_AFTER, WAITS, wait_after
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.campaigns.receiver import receiving
from tests.campaigns.webhooks import deliver, happened, make_due, make_endpoint, only

pytestmark = pytest.mark.django_db
State = WebhookDelivery.State


def attempts() -> list[tuple[int | None, str]]:
    return list(WebhookAttempt.objects.order_by("pk").values_list("status", "error"))


def test_what_has_happened_arrives_once_and_the_log_says_so(receiver):
    make_endpoint(receiver.url)
    assert happened("a", "b") == 2
    assert deliver() == 2
    assert deliver() == 0
    assert sorted(receiver.times.values()) == [1, 1]
    found = WebhookDelivery.objects.all()
    assert {(row.state, row.status, row.next_at) for row in found} == {("delivered", 200, None)}
    attempt = WebhookAttempt.objects.first()
    assert (attempt.status, attempt.error, attempt.body) == (200, "", "fine")
    first = receiver.got[0]
    assert first.path == "/hooks"
    assert first.headers["content-type"] == "application/json"
    assert set(first.message) == {"type", "timestamp", "sequence", "program", "data"}


def test_the_reference_client_verifies_what_is_sent(receiver):
    _endpoint, secret = create_endpoint(url=receiver.url, actor=SYSTEM, now=timezone.now())
    happened("a")
    deliver()
    got = receiver.got[0]
    assert Webhook(secret).verify(got.body, got.headers)["type"] == "customer.created"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(got.body + b" ", got.headers)


def test_while_a_secret_is_exchanged_both_verify_and_afterwards_the_new_one(receiver):
    now = timezone.now()
    endpoint, old = create_endpoint(url=receiver.url, actor=SYSTEM, now=now)
    new = rotate_secret(endpoint=endpoint, actor=SYSTEM, now=now, overlap_hours=24)
    happened("a")
    deliver()
    got = receiver.got[0]
    assert len(got.headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        assert Webhook(secret).verify(got.body, got.headers)
    endpoint.secrets.exclude(expires_at=None).update(expires_at=now - dt.timedelta(hours=1))
    happened("b")
    deliver()
    got = receiver.got[1]
    assert Webhook(new).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(got.body, got.headers)


def test_what_fails_is_sent_again_with_the_same_id_and_body():
    with receiving(answers=(500, 200)) as receiver:
        make_endpoint(receiver.url)
        happened("a")
        deliver()
        row = only()
        assert (row.state, row.status, row.tries) == ("waiting", 500, 1)
        assert dt.timedelta(seconds=4) < row.next_at - timezone.now() < dt.timedelta(seconds=6)
        assert deliver() == 0
        make_due()
        deliver()
    assert only().state == State.DELIVERED
    assert attempts() == [(500, ""), (200, "")]
    assert list(receiver.times.values()) == [2]
    assert receiver.got[0].body == receiver.got[1].body
    assert only().endpoint.failing_since is None


def test_the_waits_come_to_75_hours_and_then_it_has_failed():
    assert sum(WAITS, dt.timedelta()) == dt.timedelta(hours=75, minutes=35, seconds=5)
    for number, planned in enumerate(WAITS, start=1):
        found = [wait_after(number) for _ in range(50)]
        assert planned * 0.9 <= min(found) < max(found) <= planned * 1.1
    assert wait_after(len(WAITS) + 1) is None
    with receiving(answers=(503,)) as receiver:
        make_endpoint(receiver.url)
        happened("a")
        for _ in range(len(WAITS) + 1):
            assert only().state == State.WAITING
            make_due()
            deliver()
    assert (only().state, only().next_at) == (State.FAILED, None)
    assert list(receiver.times.values()) == [10]


def test_who_answers_410_is_told_nothing_more():
    with receiving(answers=(410,)) as receiver:
        endpoint = make_endpoint(receiver.url)
        happened("a")
        deliver()
        endpoint.refresh_from_db()
        assert (endpoint.enabled, endpoint.off_why) == (False, "gone")
        assert only().state == State.FAILED
        assert happened("b") == 0
        assert len(receiver.got) == 1
    assert AuditEntry.objects.filter(action="webhook.switched_off").count() == 1


def test_who_fails_for_five_days_is_switched_off_and_what_waits_can_be_sent_again_later():
    with receiving(answers=(500,)) as receiver:
        endpoint = make_endpoint(receiver.url)
        happened("a")
        deliver()
        endpoint.refresh_from_db()
        assert endpoint.failing_since is not None
        almost = timezone.now() - GIVEN_UP_AFTER + dt.timedelta(minutes=1)
        WebhookEndpoint.objects.update(failing_since=almost)
        happened("b")
        make_due()
        deliver()
        endpoint.refresh_from_db()
        assert endpoint.enabled
        WebhookEndpoint.objects.update(failing_since=timezone.now() - GIVEN_UP_AFTER)
        make_due()
        deliver()
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.off_why) == (False, "failing")
    assert {row.state for row in WebhookDelivery.objects.all()} == {State.CANCELED}


def test_one_that_arrives_ends_the_days_of_failing(receiver):
    endpoint = make_endpoint(receiver.url)
    WebhookEndpoint.objects.update(failing_since=timezone.now() - GIVEN_UP_AFTER)
    happened("a")
    deliver()
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.failing_since) == (True, None)


def test_a_redirect_is_not_followed(receiver):
    with receiving(answers=(302,), location=receiver.url) as other:
        make_endpoint(other.url)
        happened("a")
        deliver()
        assert len(other.got) == 1
    assert not receiver.got
    assert (only().state, only().status) == ("waiting", 302)


def test_who_is_slow_is_cut_off(monkeypatch):
    monkeypatch.setattr(webhook_requests, "READ_SECONDS", 0.3)
    with receiving(pause=1.0) as receiver:
        make_endpoint(receiver.url)
        happened("a")
        deliver()
    assert attempts() == [(None, "timed_out")]
    assert only().error == "timed_out"


def test_who_answers_drop_by_drop_is_cut_off_as_well(monkeypatch):
    monkeypatch.setattr(webhook_requests, "TOTAL_SECONDS", 0.5)
    import socket

    listener = socket.create_server(("127.0.0.1", 0))

    told = []

    def drip() -> None:
        connection, _address = listener.accept()
        try:
            while len(told) < 1_000:
                connection.send(b"HTTP/1.1 200 OK\r\nX-Slow: "[len(told) :][:1] or b"x")
                told.append(1)
                time.sleep(0.05)
        except OSError:
            pass
        connection.close()

    thread = threading.Thread(target=drip)
    thread.start()
    found = webhook_requests.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {})
    assert (found.status, found.error) == (None, "timed_out")
    thread.join()
    # It would have gone on for fifty seconds.
    assert len(told) < 1_000
    listener.close()


def test_nobody_there_is_a_failure_like_any_other():
    with receiving() as gone:
        url = gone.url
    make_endpoint(url)
    happened("a", "b")
    deliver()
    assert {error for _status, error in attempts()} == {"connection_failed: ConnectionRefusedError"}
    assert {row.state for row in WebhookDelivery.objects.all()} == {"waiting"}


def test_of_a_long_answer_only_the_beginning_is_kept():
    with receiving(text=b"\x00" + b"y" * 50_000) as receiver:
        make_endpoint(receiver.url)
        happened("a")
        deliver()
    attempt = WebhookAttempt.objects.get()
    assert len(attempt.body) == 1000
    assert "\x00" not in attempt.body


def test_one_that_does_not_answer_keeps_nobody_else_waiting(receiver, monkeypatch):
    monkeypatch.setattr(webhook_requests, "READ_SECONDS", 0.5)
    with receiving(pause=2.0) as silent:
        make_endpoint(silent.url)
        make_endpoint(receiver.url)
        happened(*(f"e{number}" for number in range(60)))
        deliver()
    assert len(receiver.got) == 60
    # Left alone for the rest of the run: what was not tried waits for the next one.
    assert WebhookDelivery.objects.filter(endpoint__url=silent.url, tries=0).count() > 0


def test_killed_between_sending_and_writing_down_it_is_sent_again_with_the_same_id(
    receiver, monkeypatch
):
    make_endpoint(receiver.url)
    happened("a")

    def die(*_args, **_how):
        raise KeyboardInterrupt

    monkeypatch.setattr(webhook_deliveries, "record", die)
    with pytest.raises(KeyboardInterrupt):
        deliver()
    monkeypatch.undo()
    assert (len(receiver.got), only().state, attempts()) == (1, "waiting", [])
    # Nobody takes it while the lease of the dead worker runs.
    assert deliver() == 0
    assert only().next_at > timezone.now() + LEASE - dt.timedelta(seconds=30)
    make_due()
    deliver()
    assert only().state == State.DELIVERED
    assert list(receiver.times.values()) == [2]


def test_what_came_too_late_from_a_lost_lease_does_not_undo_what_another_worker_did(receiver):
    make_endpoint(receiver.url)
    happened("a")
    late = claim(now=timezone.now())
    make_due()
    deliver()
    letter = webhook_deliveries._letter(late[0], timezone.now())
    outcome = webhook_requests.Outcome(5, status=500)
    webhook_deliveries.record([(letter, outcome)], now=timezone.now())
    assert (only().state, only().status) == (State.DELIVERED, 200)


def test_without_the_installations_key_nothing_goes_out_unsigned(receiver, settings):
    make_endpoint(receiver.url)
    happened("a")
    settings.SECRET_KEY = "another-key-altogether"
    deliver()
    assert (receiver.got, only().error) == ([], "no_secret")


def test_after_a_change_of_the_key_the_secret_is_the_same(receiver, settings):
    _endpoint, secret = create_endpoint(url=receiver.url, actor=SYSTEM, now=timezone.now())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-altogether"
    happened("a")
    deliver()
    got = receiver.got[0]
    assert Webhook(secret).verify(got.body, got.headers)


def test_a_wake_up_finds_a_task_of_this_name():
    from celery import current_app

    from campaigns.services.webhook_telling import TASK

    assert TASK in current_app.tasks
    assert webhook_schedule.JITTER == 0.1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_everything_once():
    with receiving(pause=0.002) as receiver:
        make_endpoint(receiver.url)
        happened(*(f"e{number}" for number in range(150)))
        WebhookDelivery.objects.filter(tries__gt=0).update(tries=0)

        def work(_number: int) -> int:
            try:
                return deliver()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as workers:
            sent = list(workers.map(work, range(2)))
    assert sum(sent) <= 150
    assert len(receiver.times) == 150
    assert set(receiver.times.values()) == {1}
    assert not WebhookDelivery.objects.exclude(state=State.DELIVERED).exists()
