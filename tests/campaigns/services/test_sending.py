"""Each message is sent once, or visibly failed or uncertain; nothing is lost."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core import mail
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from campaigns.channels import HandOverError, Letter, UnclearError, channel_named, register_channel
from campaigns.models import Delivery
from campaigns.services.blocked_addresses import block_address
from campaigns.services.policies import set_policy
from campaigns.services.retries import send_again
from campaigns.services.sending import LEASE, note_interrupted, send_waiting
from members.errors import DomainError
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, states, tell, write
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


class Provider:
    """A provider that answers as a test wants; `taken` are the letters that it took."""

    def __init__(self) -> None:
        self.taken: list[Letter] = []
        self.answer: Callable[[Letter], str] = lambda letter: f"ref-{letter.name}"

    def hand_over(self, letter: Letter) -> str:
        reference = self.answer(letter)
        self.taken.append(letter)
        return reference


@pytest.fixture
def provider() -> Iterator[Provider]:
    known, fake = channel_named("email"), Provider()
    assert known is not None

    @contextmanager
    def line() -> Iterator[Provider]:
        yield fake

    register_channel(type(known)(known.key, known.label, known.icon, True, known.address, line))
    yield fake
    register_channel(known)


def fails(error: Exception) -> Callable[[Letter], str]:
    def answer(_letter: Letter) -> str:
        raise error

    return answer


def test_where_nothing_waits_no_provider_is_looked_at(django_assert_num_queries: Any) -> None:
    """One for what was interrupted, one for which ways anything waits for."""
    with django_assert_num_queries(2):
        assert send() == 0


def test_a_message_is_sent_once() -> None:
    tell(CustomerFactory(email="ana@example.com", given_name="Ana"), gift="5 Beans")
    assert send() == 1
    assert send() == 0
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == (["ana@example.com"], "You were given 5 Beans")
    assert "Hello Ana" in str(sent.body)
    assert "5 Beans" in sent.alternatives[0][0]  # type: ignore[attr-defined]
    assert states() == [("sent", "")]


def test_it_says_how_to_get_no_more_of_it() -> None:
    tell(CustomerFactory())
    send()
    [sent] = mail.outbox
    stop = sent.extra_headers["List-Unsubscribe"]
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert stop.startswith("<http")
    assert stop.strip("<>") in str(sent.body)


def test_what_belongs_to_an_order_cannot_be_declined() -> None:
    tell(CustomerFactory(), code="reward_issued")
    send()
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers


def send_with_three_workers(*, at_once: int) -> None:
    start, errors = threading.Barrier(3), []

    def work() -> None:
        try:
            start.wait()
            while send_waiting(limit=at_once):
                pass
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not errors


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_message_once(provider: Provider) -> None:
    for number in range(60):
        tell(CustomerFactory(), str(number))
    send_with_three_workers(at_once=7)
    counts = Counter(letter.name for letter in provider.taken)
    assert len(counts) == 60
    assert set(counts.values()) == {1}
    assert set(states()) == {("sent", "")}


class Killed(BaseException):
    """As a worker that is killed: nothing after it runs."""


def test_a_kill_while_it_is_handed_over_leaves_it_uncertain(provider: Provider) -> None:
    tell(CustomerFactory(), at=NOON)
    provider.answer = fails(Killed())  # type: ignore[arg-type]
    with pytest.raises(Killed):
        send(NOON)
    assert states() == [("sending", "")]
    provider.answer = lambda letter: "x"
    send(NOON + LEASE - dt.timedelta(seconds=1))
    assert states() == [("sending", "")]
    send(NOON + LEASE)
    assert states() == [("uncertain", "interrupted")]
    send(NOON + 10 * LEASE)
    assert not provider.taken


def test_a_kill_leaves_those_that_were_not_begun_to_others(provider: Provider) -> None:
    for number in range(3):
        tell(CustomerFactory(), str(number), at=NOON)
    provider.answer = fails(Killed())  # type: ignore[arg-type]
    with pytest.raises(Killed):
        send(NOON)
    provider.answer = lambda letter: "x"
    assert send(NOON + LEASE / 2) == 0
    assert send(NOON + LEASE) == 2
    assert Counter(state for state, _reason in states()) == {"uncertain": 1, "sent": 2}


def test_a_worker_that_was_only_slow_says_so_later(provider: Provider) -> None:
    tell(CustomerFactory(), at=NOON)

    def slow(letter: Letter) -> str:
        note_interrupted(now=NOON + LEASE)
        assert states() == [("uncertain", "interrupted")]
        return "x"

    provider.answer = slow
    send(NOON)
    assert states() == [("sent", "")]


def test_of_what_a_dead_worker_had_begun_it_is_sent_again_where_it_is_known_by_its_name() -> None:
    for number in range(2):
        tell(CustomerFactory(), str(number), at=NOON)
    mail, call = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=call.pk).update(channel="webhook")
    Delivery.objects.update(state="sending", handed_over_at=NOON, available_at=NOON)
    assert note_interrupted(now=NOON - dt.timedelta(seconds=1)) == 0
    assert note_interrupted(now=NOON) == 2
    mail.refresh_from_db()
    call.refresh_from_db()
    assert (mail.state, mail.reason, mail.handed_over_at) == ("uncertain", "interrupted", NOON)
    assert (call.state, call.reason, call.handed_over_at) == ("queued", "", None)


def test_while_the_provider_is_down_it_is_tried_ever_more_seldom(provider: Provider) -> None:
    tell(CustomerFactory(), at=NOON)
    provider.answer = fails(HandOverError("no_provider", "ConnectionRefusedError", later=True))
    waits, now = [], NOON
    for _ in range(9):
        assert send(now) == 1
        row = Delivery.objects.get()
        assert (row.state, row.reason) == ("queued", "no_provider")
        assert send(row.available_at - dt.timedelta(seconds=1)) == 0
        waits.append((row.available_at - now).total_seconds())
        now = row.available_at
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3840, 7200]
    provider.answer = lambda letter: "x"
    send(now)
    assert states() == [("sent", "")]


def test_after_days_it_is_given_up_visibly(provider: Provider) -> None:
    tell(CustomerFactory(), at=NOON)
    provider.answer = fails(HandOverError("no_provider", "down", later=True))
    send(NOON + dt.timedelta(days=3, hours=1))
    assert states() == [("failed", "gave_up")]


def test_an_address_that_does_not_exist_is_not_written_to_again(provider: Provider) -> None:
    ana = CustomerFactory(email="Ana@example.com")
    tell(ana, "one")
    provider.answer = fails(
        HandOverError("address_refused", "550 no such user", later=False, lasting=True)
    )
    send()
    tell(ana, "two")
    send()
    assert states() == [("failed", "address_refused"), ("suppressed", "address_blocked")]


def test_where_the_line_broke_nobody_knows_and_people_decide(provider: Provider) -> None:
    tell(CustomerFactory())
    provider.answer = fails(UnclearError("SMTPServerDisconnected"))
    send()
    assert states() == [("uncertain", "unclear")]
    provider.answer = lambda letter: "x"
    send(timezone.now() + dt.timedelta(days=1))
    assert states() == [("uncertain", "unclear")]
    send_again(delivery=Delivery.objects.get(), actor=SYSTEM, now=timezone.now())
    send(timezone.now() + dt.timedelta(seconds=1))
    assert states() == [("sent", "")]


def test_only_what_failed_or_is_uncertain_is_sent_again() -> None:
    tell(CustomerFactory())
    send()
    with pytest.raises(DomainError):
        send_again(delivery=Delivery.objects.get(), actor=SYSTEM, now=timezone.now())
    assert len(mail.outbox) == 1


def test_words_that_were_saved_are_used_by_what_waits() -> None:
    tell(CustomerFactory())
    body = "<mj-section><mj-column><mj-text>Mine: {{ gift }}</mj-text></mj-column></mj-section>"
    version = write("gift", "For you", body, channel="email")
    send()
    assert mail.outbox[0].subject == "For you"
    assert "Mine: 50 Beans" in str(mail.outbox[0].body)
    assert Delivery.objects.get().version == version


def test_who_has_no_address_is_not_sent_anything() -> None:
    tell(CustomerFactory(email=""))
    send()
    assert states() == [("suppressed", "no_address")]


def test_an_address_is_the_same_however_it_is_written() -> None:
    ana = CustomerFactory(email="Ana@Example.com")
    block_address(channel="email", address="ana@example.COM", reason="complained", now=NOON)
    tell(ana, code="reward_issued")
    send()
    assert states() == [("suppressed", "address_blocked")]


def test_old_news_is_not_sent() -> None:
    tell(CustomerFactory(), at=NOON)
    send(NOON + dt.timedelta(days=8))
    assert states() == [("suppressed", "too_late")]


def test_nothing_is_sent_in_quiet_hours_by_the_clock_of_the_customer() -> None:
    set_policy(changes={"quiet_from": dt.time(21), "quiet_until": dt.time(8)}, actor=SYSTEM)
    # Athens is two hours ahead of UTC, and put its clock forward in that night.
    night = dt.datetime(2026, 3, 28, 21, tzinfo=dt.UTC)
    tell(CustomerFactory(country="GR"), at=night)
    send(night)
    row = Delivery.objects.get()
    assert (row.state, row.reason) == ("queued", "quiet")
    assert row.available_at == dt.datetime(2026, 3, 29, 5, tzinfo=dt.UTC)
    assert send(row.available_at - dt.timedelta(minutes=1)) == 0
    assert send(row.available_at) == 1
    assert states() == [("sent", "")]


def test_what_belongs_to_an_order_is_sent_at_any_hour() -> None:
    set_policy(changes={"quiet_from": dt.time(21), "quiet_until": dt.time(8)}, actor=SYSTEM)
    night = dt.datetime(2026, 3, 28, 23, tzinfo=dt.UTC)
    tell(CustomerFactory(country="GR"), code="reward_issued", at=night)
    send(night)
    assert states() == [("sent", "")]


def test_nobody_gets_more_than_the_cap_and_what_matters_more_comes_first() -> None:
    set_policy(changes={"cap": 2, "cap_days": 7}, actor=SYSTEM)
    ana = CustomerFactory()
    # By priority: what expires, then a gift, then another tier.
    for number, code in enumerate(("tier_up", "gift", "expiring", "gift")):
        tell(ana, str(number), code=code, at=NOON, amount="5", first_day="today")
    tell(ana, "code", code="reward_issued", at=NOON)
    send(NOON)
    found = dict(
        Delivery.objects.values_list("message__occurrence", "state").order_by("message_id")
    )
    assert found == {
        "0": "suppressed", "1": "sent", "2": "sent", "3": "suppressed", "code": "sent",
    }  # fmt: skip
    tell(ana, "later", at=NOON + dt.timedelta(days=7, hours=1))
    send(NOON + dt.timedelta(days=7, hours=1))
    assert Delivery.objects.get(message__occurrence="later").state == "sent"


def test_a_place_is_kept_for_what_waits_and_matters_more() -> None:
    set_policy(changes={"cap": 1}, actor=SYSTEM)
    ana = CustomerFactory()
    tell(ana, "expires", code="expiring", at=NOON + HOUR, amount="5", first_day="today")
    tell(ana, "gift", at=NOON)
    send(NOON)
    send(NOON + HOUR)
    assert dict(Delivery.objects.values_list("message__occurrence", "state")) == {
        "expires": "sent", "gift": "suppressed",
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_exceed_the_cap(provider: Provider) -> None:
    set_policy(changes={"cap": 3}, actor=SYSTEM)
    ana = CustomerFactory()
    for number in range(12):
        tell(ana, str(number))
    send_with_three_workers(at_once=1)
    assert Counter(states()) == {("sent", ""): 3, ("suppressed", "cap"): 9}


def test_the_database_lets_no_delivery_go_back() -> None:
    tell(CustomerFactory())
    send()
    row: Any = Delivery.objects.get()
    row.state = "queued"
    with pytest.raises(ProgrammingError, match="transition"), transaction.atomic():
        row.save()
