"""A message is written once, in the right language, and told at once where it is read here."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.models import Delivery, Message, MessageTemplate
from campaigns.ready_texts import ready_text
from campaigns.services.policies import set_occasion
from campaigns.services.retries import send_again
from campaigns.services.told_rewards import GIFT
from members.errors import DomainError
from members.models import Merchant
from members.services.audit import SYSTEM
from members.services.merchants import update_merchant
from tests.campaigns.factories import states, switch_on, tell, write
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def test_the_same_told_again_is_written_once() -> None:
    ana = CustomerFactory()
    assert tell(ana, "one") is not None
    assert tell(ana, "one") is None
    assert tell(ana, "two") is not None
    assert Message.objects.count() == Delivery.objects.count() == 2


def test_what_is_read_here_is_told_at_once_and_in_words() -> None:
    tell(CustomerFactory(), channels=("email", "inbox"), gift="5 Beans")
    assert states() == [("queued", ""), ("sent", "")]
    inbox = Delivery.objects.get(channel="inbox")
    assert (inbox.subject, inbox.text) == ("You were given 5 Beans", "From Noah.")


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_that_write_the_same_at_once_one_does() -> None:
    ana = CustomerFactory()
    switch_on("gift", "inbox")
    start, errors = threading.Barrier(4), []

    def write_it() -> None:
        try:
            start.wait()
            for number in range(20):
                tell(ana, f"gift {number}", channels=("inbox",))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=write_it) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not errors
    assert Message.objects.count() == Delivery.objects.count() == 20


@pytest.mark.parametrize(
    ("locale", "merchant", "subject"),
    [
        ("ms-MY", "en", "Hadiah"), ("ms", "en", "Hadiah"), ("el", "ms", "Hadiah"),
        ("el", "en", "You were given 5 Beans"), ("", "ms", "Hadiah"), ("en", "ms", "A present"),
        ("pt-BR", "de", "A present"),
    ],
)  # fmt: skip
def test_the_language_falls_back_to_the_next_one(
    locale: str, merchant: str, subject: str, settings: Any
) -> None:
    settings.LANGUAGES = [("en", "English")]
    Merchant.objects.update_or_create(pk=1, defaults={"name": "Oak", "locale": merchant})
    write("gift", "Hadiah", "Untuk anda: {{ gift }}", locale="ms")
    if subject == "A present":
        write("gift", "A present", "For you: {{ gift }}", locale="en")
    tell(CustomerFactory(locale=locale), channels=("inbox",), gift="5 Beans")
    assert Delivery.objects.get().subject == subject


@pytest.mark.parametrize(
    ("locale", "merchant", "told"),
    [
        ("el-CY", "en", "el"), ("zh-CN", "en", "zh-hans"), ("ms", "el", "ms"), ("fr", "el", "el"),
        ("en", "el", "en"),
    ],
)  # fmt: skip
def test_ready_made_words_of_the_reader_s_language_come_before_words_of_another(
    locale: str, merchant: str, told: str, settings: Any
) -> None:
    settings.LANGUAGES = [("en", "English"), ("el", "Greek"), ("zh-hans", "Chinese")]
    Merchant.objects.update_or_create(pk=1, defaults={"name": "Oak", "locale": merchant})
    write("gift", "Hadiah", "Untuk anda: {{ gift }}", locale="ms")
    write("gift", "Un cadeau", "Pour vous : {{ gift }}", locale="it")
    tell(CustomerFactory(locale=locale), channels=("inbox",), gift="5 Beans")
    ready = ready_text("gift", "inbox", told)
    assert ready is not None
    subject = "Hadiah" if told == "ms" else ready.subject.replace("{{ gift }}", "5 Beans")
    delivery = Delivery.objects.select_related("message").get()
    assert (delivery.message.locale, delivery.subject) == (told, subject)


@pytest.mark.parametrize(("locale", "told"), [("ms", "el"), ("en", "en"), ("", "el")])
def test_nobody_is_told_in_a_language_that_the_merchant_does_not_offer(
    locale: str, told: str
) -> None:
    update_merchant(actor=SYSTEM, changes={"languages": ["en", "el"], "locale": "el"})
    write("gift", "Hadiah", "Untuk anda: {{ gift }}", locale="ms")
    tell(CustomerFactory(locale=locale), channels=("inbox",), gift="5 Beans")
    assert Delivery.objects.select_related("message").get().message.locale == told


def test_what_was_switched_on_later_is_on_since_then_only() -> None:
    first = switch_on("gift")
    again = switch_on("gift", "inbox")
    assert again.since == first.since
    set_occasion(
        occasion=GIFT, is_on=False, channels=["inbox"], topic="points", actor=SYSTEM,
        now=first.since,
    )  # fmt: skip
    assert switch_on("gift").since > first.since


@pytest.mark.parametrize(
    ("channels", "topic"), [((), "points"), (("pigeon",), "points"), (("email",), "orders")]
)
def test_an_occasion_is_told_by_ways_and_as_topics_that_there_are(
    channels: tuple[str, ...], topic: str
) -> None:
    with pytest.raises(DomainError):
        set_occasion(
            occasion=GIFT, is_on=True, channels=channels, topic=topic, actor=SYSTEM,
            now=CustomerFactory().created_at,
        )  # fmt: skip


def test_words_that_cannot_be_put_together_any_more_hold_up_nothing_else() -> None:
    template = MessageTemplate.objects.create(occasion="gift", channel="inbox", locale="en")
    template.versions.create(number=1, subject="{{ broken", body="x", created_at=timezone.now())
    tell(CustomerFactory(), channels=("email", "inbox"))
    assert states() == [("queued", ""), ("failed", "wording")]
    with pytest.raises(DomainError):
        send_again(delivery=Delivery.objects.get(channel="inbox"), actor=SYSTEM, now=timezone.now())
