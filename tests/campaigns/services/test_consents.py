"""Nobody is told what they do not want, and what they said stays on record."""

import datetime as dt

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from campaigns.links import StopLink, stop_token
from campaigns.models import Consent, ConsentChange, Delivery
from campaigns.selectors.consents import choices_of
from campaigns.services.consents import choose_time_zone, set_consents
from campaigns.services.policies import set_policy
from members.errors import DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import update_customer
from members.services.merging import merge_customers, undo_merge
from tests.campaigns.factories import send, states, tell
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]


def say(customer: Customer, topic: str, yes: bool, source: str = "account") -> list[ConsentChange]:
    return set_consents(
        customer=customer, wanted={("email", topic): yes}, source=source, actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip


def offer(customer: Customer, occurrence: str = "offer") -> None:
    """A message about offers, for which a yes is needed."""
    tell(customer, occurrence, topic="offers")
    send()


def wanted(customer: Customer) -> dict[str, bool]:
    """Of the topics that these tests are about."""
    return {
        choice.topic.code: choice.wanted
        for choice in choices_of(customer)
        if choice.topic.code in ("points", "offers")
    }


def link_in(text: str, part: str) -> str:
    """The path of the first link with this part."""
    return next(
        "/" + word.split("/", 3)[3] for word in text.split() if f"/messages/{part}/" in word
    )


def test_offers_are_told_only_to_who_said_yes() -> None:
    ana, ben, cy = CustomerFactory(), CustomerFactory(), CustomerFactory()
    say(ben, "offers", True, "staff")
    say(cy, "offers", False)
    for number, one in enumerate((ana, ben, cy)):
        offer(one, str(number))
    assert states() == [
        ("suppressed", "no_consent"), ("sent", ""), ("suppressed", "unsubscribed"),
    ]  # fmt: skip


def test_points_are_told_unless_somebody_said_no_as_the_merchant_wants() -> None:
    ana = CustomerFactory()
    tell(ana, "one")
    send()
    set_policy(changes={"assumed_topics": []}, actor=SYSTEM)
    tell(ana, "two")
    send()
    assert states() == [("sent", ""), ("suppressed", "no_consent")]


def test_a_yes_counts_when_it_was_confirmed_by_the_owner_of_the_address() -> None:
    ana = CustomerFactory(email="ana@example.com")
    say(ana, "offers", True)
    offer(ana, "one")
    assert states(message__occurrence="one") == [("suppressed", "not_confirmed")]
    [asked] = [sent for sent in mail.outbox if "confirm" in sent.subject]
    path = link_in(str(asked.body), "confirm")
    client = Client(enforce_csrf_checks=True)
    # Mail programs open links before people do.
    assert client.get(path).status_code == 200
    assert not wanted(ana)["offers"]
    assert client.post(path).status_code == 200
    assert wanted(ana)["offers"]
    offer(ana, "two")
    assert states(message__occurrence="two") == [("sent", "")]
    sources = ConsentChange.objects.order_by("pk").values_list("was", "became", "source")
    assert list(sources) == [("", "asked", "account"), ("asked", "granted", "confirmed")]


def test_the_link_that_confirms_is_for_the_address_that_it_went_to() -> None:
    ana = CustomerFactory(email="ana@example.com")
    say(ana, "offers", True)
    send()
    path = link_in(str(mail.outbox[0].body), "confirm")
    update_customer(customer=ana, actor=SYSTEM, changes={"email": "other@example.com"})
    Client().post(path)
    assert not wanted(ana)["offers"]


def test_where_the_merchant_wants_no_confirmation_a_yes_counts_at_once() -> None:
    set_policy(changes={"double_opt_in": False}, actor=SYSTEM)
    ana = CustomerFactory()
    say(ana, "offers", True)
    assert wanted(ana)["offers"]


def test_one_click_in_the_mail_program_is_enough() -> None:
    ana = CustomerFactory()
    tell(ana)
    send()
    path = "/" + mail.outbox[0].extra_headers["List-Unsubscribe"].strip("<>").split("/", 3)[3]
    # Without a session, without a cookie, from anywhere.
    client = Client(enforce_csrf_checks=True)
    answer = client.post(path, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not wanted(ana)["points"]
    assert Delivery.objects.get().unsubscribed_at is not None
    assert ConsentChange.objects.get().source == "one_click"
    tell(ana, "two")
    send()
    assert states(message__occurrence="two") == [("suppressed", "unsubscribed")]


def test_people_see_a_page_that_changes_nothing_until_they_press_a_button() -> None:
    ana = CustomerFactory()
    say(ana, "offers", True, "staff")
    tell(ana)
    send()
    path = link_in(str(mail.outbox[0].body), "stop")
    client = Client()
    assert "Points and tier" in client.get(path).content.decode()
    assert wanted(ana) == {"points": True, "offers": True}
    page = client.post(path, {"what": "topic"}).content.decode()
    assert "Done" in page
    assert wanted(ana) == {"points": False, "offers": True}
    client.post(path, {"what": "everything"})
    assert wanted(ana) == {"points": False, "offers": False}


@pytest.mark.parametrize("part", ["stop", "confirm"])
def test_a_link_that_was_changed_does_nothing(part: str) -> None:
    ana = CustomerFactory()
    token = stop_token(StopLink(ana.public_id, ana.public_id, "email", "points"))
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "x", "a:b:c"):
        assert Client().post(f"/messages/{part}/{wrong}/").status_code == 404
    assert not Consent.objects.exists()


def test_what_changes_nothing_leaves_no_trace() -> None:
    ana = CustomerFactory()
    assert len(say(ana, "offers", False)) == 1
    assert say(ana, "offers", False) == []
    assert ConsentChange.objects.count() == 1


@pytest.mark.parametrize(
    ("channel", "topic", "code"),
    [("pigeon", "offers", "not_found"), ("email", "x", "not_found"),
     ("inbox", "offers", "not_found"), ("email", "orders", "always_told")],
)  # fmt: skip
def test_there_is_nothing_to_say_about_what_there_is_not(
    channel: str, topic: str, code: str
) -> None:
    with pytest.raises(DomainError) as refused:
        set_consents(
            customer=CustomerFactory(), wanted={(channel, topic): False}, source="account",
            actor=SYSTEM, now=timezone.now(),
        )  # fmt: skip
    assert refused.value.errors[0].code == code


def test_the_clock_that_somebody_chose_counts() -> None:
    set_policy(changes={"quiet_from": dt.time(21), "quiet_until": dt.time(8)}, actor=SYSTEM)
    ana = CustomerFactory(country="GR")
    choose_time_zone(customer=ana, time_zone="Asia/Tokyo", actor=SYSTEM)
    noon = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)  # nine in the evening there
    tell(ana, at=noon)
    send(noon)
    assert states() == [("queued", "quiet")]
    with pytest.raises(DomainError):
        choose_time_zone(customer=ana, time_zone="Mars/Base", actor=SYSTEM)


def test_in_a_merge_the_strictest_counts_and_each_has_their_own_again_afterwards() -> None:
    kept, merged = CustomerFactory(), CustomerFactory()
    for topic in ("offers", "points"):
        say(kept, topic, True, "staff")
    say(merged, "points", False, "staff")
    tell(merged)
    merge, _before = merge_customers(
        kept=kept, merged=merged, actor=SYSTEM, source="api", reason="same", now=timezone.now()
    )
    assert wanted(kept) == {"points": False, "offers": True}
    assert kept.messages.count() == 1
    send()
    assert states() == [("suppressed", "unsubscribed")]
    undo_merge(merge=merge, actor=SYSTEM, source="api", now=timezone.now())
    assert (kept.messages.count(), merged.messages.count()) == (0, 1)
    # A no is not taken back for somebody.
    assert wanted(kept) == {"points": False, "offers": True}
