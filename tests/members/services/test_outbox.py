"""Events are delivered once each, in batches, by any number of workers, and never lost."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from members import outbox, tasks
from members.models import Customer, OutboxEvent
from members.outbox import Consumer, register_consumer
from members.services.outbox import (
    LEASE,
    deliver_waiting,
    prune_delivered,
    record_event,
    record_events,
)
from tests.factories import OutboxEventFactory

KIND = "test.happened"
Seen = list[list[int]]


@pytest.fixture(autouse=True)
def _own_subscriptions() -> Iterator[None]:
    known = dict(outbox._subscriptions)
    outbox._subscriptions.clear()
    yield
    outbox._subscriptions.clear()
    outbox._subscriptions.update(known)


@pytest.fixture
def seen() -> Seen:
    """The batches a consumer of `KIND` was given, as numbers."""
    batches: Seen = []

    def consume(events: Sequence[OutboxEvent]) -> None:
        batches.append([event.payload["number"] for event in events])

    register_consumer(KIND, consume)
    return batches


def numbered(count: int) -> None:
    record_events(KIND, [{"number": number} for number in range(count)])


@pytest.mark.django_db
def test_a_consumer_gets_the_events_of_its_kind_in_one_call(seen: Seen) -> None:
    numbered(3)
    record_event("something.else", {})
    assert deliver_waiting(100) == 4
    assert seen == [[0, 1, 2]]
    assert not OutboxEvent.objects.filter(delivered_at=None).exists()


@pytest.mark.django_db
def test_nothing_is_delivered_twice(seen: Seen) -> None:
    numbered(2)
    deliver_waiting(100)
    assert deliver_waiting(100) == 0
    assert seen == [[0, 1]]


@pytest.mark.django_db
def test_a_batch_is_no_larger_than_asked_for_and_oldest_first(seen: Seen) -> None:
    numbered(5)
    deliver_waiting(2)
    deliver_waiting(2)
    assert seen == [[0, 1], [2, 3]]


@pytest.mark.django_db
def test_delivery_takes_a_constant_number_of_queries(
    seen: Seen, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    numbered(50)
    # claim: update, select; deliver: savepoint, update, release
    with django_assert_num_queries(5):
        deliver_waiting(100)


@pytest.mark.django_db
def test_an_event_of_a_transaction_that_failed_never_was(seen: Seen) -> None:
    with transaction.atomic():
        record_event(KIND, {"number": 1})
        transaction.set_rollback(True)
    assert deliver_waiting(100) == 0


@pytest.mark.django_db
def test_one_bad_event_does_not_hold_up_its_batch() -> None:
    taken: list[int] = []

    def consume(events: Sequence[OutboxEvent]) -> None:
        for event in events:
            Customer.objects.create(external_id=f"{event.payload['number']}")
            if event.payload["number"] == 1:
                raise ValueError("no such thing")
        taken.extend(event.payload["number"] for event in events)

    register_consumer(KIND, consume)
    numbered(3)
    deliver_waiting(100)
    assert taken == [0, 2]
    # What the failed attempts wrote is gone with them.
    assert sorted(Customer.objects.values_list("external_id", flat=True)) == ["0", "2"]
    failed = OutboxEvent.objects.get(kind=KIND, delivered_at=None)
    assert (failed.attempts, failed.last_error) == (1, "ValueError: no such thing")


@pytest.mark.django_db
def test_failures_back_off_further_each_time_and_never_give_up() -> None:
    def consume(events: Sequence[OutboxEvent]) -> None:
        raise ValueError

    register_consumer(KIND, consume)
    event = OutboxEventFactory()
    waits = []
    for _ in range(14):
        OutboxEvent.objects.update(available_at=timezone.now())
        deliver_waiting(100)
        event.refresh_from_db()
        waits.append(round((event.available_at - timezone.now()).total_seconds()))
    assert waits[:4] == [10, 20, 40, 80]
    assert waits[-1] == 6 * 60 * 60
    assert event.delivered_at is None


@pytest.mark.django_db
def test_a_failed_event_is_delivered_once_its_consumer_works_again(seen: Seen) -> None:
    OutboxEventFactory(attempts=3, last_error="ValueError", payload={"number": 7})
    deliver_waiting(100)
    event = OutboxEvent.objects.get()
    assert seen == [[7]]
    assert event.delivered_at is not None
    assert event.last_error == ""


@pytest.mark.django_db
def test_what_a_dead_worker_had_claimed_comes_back_after_the_lease(seen: Seen) -> None:
    OutboxEventFactory(payload={"number": 1})
    OutboxEvent.objects.update(attempts=1, available_at=timezone.now() + LEASE)
    assert deliver_waiting(100) == 0
    OutboxEvent.objects.update(available_at=timezone.now() - timedelta(seconds=1))
    assert deliver_waiting(100) == 1
    assert seen == [[1]]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_share_the_events() -> None:
    lock, taken = threading.Lock(), []

    def consume(events: Sequence[OutboxEvent]) -> None:
        with lock:
            taken.extend(event.payload["number"] for event in events)

    register_consumer(KIND, consume)
    numbered(200)
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait()
        while deliver_waiting(20):
            pass
        connection.close()

    run_together(*[work] * 4)
    assert sorted(taken) == list(range(200))


@pytest.mark.django_db
def test_secrets_are_forgotten_once_delivered() -> None:
    register_consumer(KIND, lambda events: None, keeps_payload=False)
    record_event(KIND, {"code": "123456"})
    deliver_waiting(100)
    assert OutboxEvent.objects.get().payload == {}


@pytest.mark.django_db
def test_what_cannot_be_undone_is_delivered_one_by_one() -> None:
    sent: list[int] = []

    def consume(events: Sequence[OutboxEvent]) -> None:
        (event,) = events
        if event.payload["number"] == 1:
            raise ConnectionError
        sent.append(event.payload["number"])

    register_consumer(KIND, consume, singly=True)
    numbered(3)
    deliver_waiting(100)
    assert sent == [0, 2]


@pytest.mark.django_db
def test_several_consumers_of_a_kind_all_get_its_events() -> None:
    calls: list[str] = []

    def counting(name: str) -> Consumer:
        return lambda events: calls.append(name)

    one = counting("one")
    register_consumer(KIND, one)
    register_consumer(KIND, counting("other"))
    register_consumer(KIND, one)
    OutboxEventFactory()
    deliver_waiting(100)
    assert calls == ["one", "other"]


@pytest.mark.django_db
def test_only_what_was_delivered_a_month_ago_is_removed() -> None:
    now = timezone.now()
    old = OutboxEventFactory(delivered_at=now - timedelta(days=31))
    kept = [
        OutboxEventFactory(delivered_at=now - timedelta(days=29)),
        OutboxEventFactory(),
    ]
    assert prune_delivered(now) == 1
    assert set(OutboxEvent.objects.values_list("pk", flat=True)) == {event.pk for event in kept}
    assert old.pk not in {event.pk for event in kept}


@pytest.mark.django_db
def test_the_task_delivers_batch_after_batch(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "BATCH", 2)
    numbered(5)
    assert tasks.deliver_outbox() == 5
    assert seen == [[0, 1], [2, 3], [4]]
    assert tasks.deliver_outbox() == 0
    assert tasks.prune_outbox() == 0


@pytest.mark.django_db
def test_an_urgent_event_wakes_a_worker_when_it_commits(
    seen: Seen, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        record_event(KIND, {"number": 1}, urgent=True)
        assert seen == []
    assert seen == [[1]]


@pytest.mark.django_db
def test_without_a_broker_the_event_waits_for_the_next_delivery(
    seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.deliver_outbox, "apply_async", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        record_event(KIND, {"number": 1}, urgent=True)
    assert seen == []
    deliver_waiting(100)
    assert seen == [[1]]


def test_delivery_is_scheduled() -> None:
    from config.celery import app

    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert {tasks.deliver_outbox.name, tasks.prune_outbox.name} <= scheduled


def run_together(*acts: Callable[[], None]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
