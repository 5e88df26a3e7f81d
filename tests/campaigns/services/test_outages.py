"""While a provider is down what waits for it stays as it is; one now and then finds out."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.test import Client

from campaigns.channels import HandOverError, Letter, UnclearError, channel_named, register_channel
from campaigns.models import ChannelOutage, Delivery
from campaigns.services.blocked_addresses import block_address
from campaigns.services.outages import pause_after
from campaigns.services.sending import LEASE
from tests.campaigns.factories import send, states, tell_many
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


class Provider:
    """`error`: what it says to each letter; none: it takes it."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.tried = 0

    def hand_over(self, letter: Letter) -> str:
        self.tried += 1
        if self.error is not None:
            raise self.error
        return "taken"


@pytest.fixture
def provider() -> Iterator[Provider]:
    known, fake = channel_named("email"), Provider()
    assert known is not None

    @contextmanager
    def line() -> Iterator[Provider]:
        yield fake

    register_channel(type(known)(known.key, known.label, known.icon, True, known.address, line))
    tell_many([CustomerFactory() for _ in range(15)], now=NOON)
    yield fake
    register_channel(known)


DOWN = HandOverError("no_provider", "ConnectionRefusedError", later=True, outage=True)


def test_one_finds_out_and_the_others_wait_as_they_are(provider: Provider) -> None:
    provider.error = DOWN
    send(NOON)
    assert provider.tried == 1
    assert states() == [("queued", "no_provider"), *[("queued", "")] * 14]
    assert send(NOON) == 1
    assert send(NOON) == 0
    assert provider.tried == 2
    assert send(NOON + dt.timedelta(seconds=15)) == 1
    assert ChannelOutage.objects.get().retry_at == NOON + dt.timedelta(seconds=45)


def test_when_it_is_back_all_are_sent_at_once(provider: Provider) -> None:
    provider.error = DOWN
    for _ in range(2):
        send(NOON)
    provider.error = None
    send(NOON + dt.timedelta(minutes=1))
    assert states() == [("sent", "")] * 15
    assert not ChannelOutage.objects.exists()


def test_where_the_line_breaks_few_are_uncertain(provider: Provider) -> None:
    provider.error = UnclearError("TimeoutError")
    for minute in range(3):
        send(NOON + dt.timedelta(minutes=minute))
    assert states().count(("uncertain", "unclear")) == 3
    provider.error = None
    send(NOON + dt.timedelta(minutes=10))
    assert states().count(("sent", "")) == 12


def test_nothing_due_leaves_the_turn_to_the_next(provider: Provider) -> None:
    provider.error = UnclearError("TimeoutError")
    send(NOON)
    Delivery.objects.filter(state="queued").update(available_at=NOON + LEASE)
    assert send(NOON) == 0
    assert ChannelOutage.objects.get().retry_at == NOON


def test_one_that_was_not_handed_over_ends_no_outage(provider: Provider) -> None:
    provider.error = DOWN
    send(NOON)
    following = Delivery.objects.filter(reason="").order_by("pk")[0]
    address = following.message.customer.email
    block_address(channel="email", address=address, reason="bounced", now=NOON)
    assert send(NOON) == 2
    assert provider.tried == 2
    assert ChannelOutage.objects.get().failures == 2
    assert Counter(states()) == {
        ("suppressed", "address_blocked"): 1, ("queued", "no_provider"): 2, ("queued", ""): 12,
    }  # fmt: skip


def test_a_refusal_of_one_shows_that_it_is_back(provider: Provider) -> None:
    provider.error = DOWN
    send(NOON)
    provider.error = HandOverError("address_refused", "550 no such user", later=False)
    send(NOON)
    assert not ChannelOutage.objects.exists()


def test_a_refusal_of_one_is_no_outage(provider: Provider) -> None:
    provider.error = HandOverError("refused", "451 Try later", later=True)
    send(NOON)
    assert provider.tried == 15
    assert not ChannelOutage.objects.exists()


def test_it_is_tried_ever_more_seldom_and_every_five_minutes_at_last() -> None:
    pauses = [pause_after(failures).total_seconds() for failures in range(1, 9)]
    assert pauses == [0, 15, 30, 60, 120, 240, 300, 300]


def test_staff_see_it(provider: Provider, manager: Client) -> None:
    provider.error = DOWN
    send(NOON)
    for address in ("/backoffice/messages/", "/backoffice/messages/sent/"):
        assert "nothing has been taken since" in manager.get(address).content.decode()
