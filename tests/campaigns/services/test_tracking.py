"""What providers tell is followed, by who they say they are; anymail checks that."""

import json
import threading
from base64 import b64encode
from dataclasses import replace

import pytest
from anymail.signals import AnymailTrackingEvent
from django.db import connection, transaction
from django.test import Client
from django.urls import include, path
from django.utils import timezone
from pytest_django import Settings

from campaigns.channels import Letter
from campaigns.links import StopLink
from campaigns.mail_line import MailLine
from campaigns.models import BlockedAddress, Delivery
from campaigns.occasions import occasion_named, register_occasion
from campaigns.selectors.consents import blocked_because, choices_of
from campaigns.services.consents import stop
from campaigns.services.tracking import note_event
from members.models import Customer
from tests.campaigns.factories import send, states, tell
from tests.factories import CustomerFactory
from tests.processes import eventually

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
urlpatterns = [path("mail-events/", include("anymail.urls"))]


def told(kind: str, **details: object) -> None:
    row = Delivery.objects.get()
    event = AnymailTrackingEvent(
        event_type=kind, recipient=row.message.customer.email,
        metadata={"delivery": str(row.public_id)}, **details,
    )  # fmt: skip
    note_event(event=event, now=timezone.now())


def sent() -> Delivery:
    tell(CustomerFactory(email="ana@example.com"))
    send()
    return Delivery.objects.get()


def test_that_it_arrived_is_noted_once() -> None:
    sent()
    told("delivered")
    first = Delivery.objects.get().delivered_at
    told("delivered")
    assert Delivery.objects.get().delivered_at == first is not None


def test_an_uncertain_one_that_arrived_was_sent() -> None:
    row = sent()
    Delivery.objects.filter(pk=row.pk).update(state="failed", reason="x")
    for state in ("queued", "sending", "uncertain"):
        Delivery.objects.filter(pk=row.pk).update(state=state, sent_at=None)
    told("delivered")
    assert states() == [("sent", "")]


@pytest.mark.parametrize(
    ("kind", "details", "state"),
    [
        ("delivered", {}, ("sent", "")),
        ("bounced", {"reject_reason": "bounced"}, ("failed", "bounced")),
    ],
)
def test_what_is_told_before_the_provider_has_answered_stays_so(
    monkeypatch: pytest.MonkeyPatch, kind: str, details: dict[str, str], state: tuple[str, str]
) -> None:
    hand_over = MailLine.hand_over

    def quick(line: MailLine, letter: Letter) -> str:
        hand_over(line, letter)
        told(kind, **details)
        return "late"

    monkeypatch.setattr(MailLine, "hand_over", quick)
    row = sent()
    assert states() == [state]
    assert row.reference == "late"
    assert (row.delivered_at is not None) == (kind == "delivered")


@pytest.mark.parametrize("was", ["sending", "uncertain"])
def test_whoever_says_that_it_went_out_what_follows_from_it_is_done_once(was: str) -> None:
    gift, noted = occasion_named("gift"), []
    assert gift is not None
    register_occasion(replace(gift, told=lambda found, at: noted.extend(one.pk for one in found)))
    try:
        row = sent()
        noted.clear()
        Delivery.objects.filter(pk=row.pk).update(state="failed", reason="x")
        for state in ("queued", "sending", was):
            if state != Delivery.objects.get().state:
                Delivery.objects.filter(pk=row.pk).update(state=state, sent_at=None)
        told("delivered")
        told("delivered")
    finally:
        register_occasion(gift)
    assert noted == [row.message_id]


def test_what_came_back_for_good_failed_and_the_address_is_not_used_again() -> None:
    sent()
    told("bounced", reject_reason="bounced")
    told("bounced", reject_reason="bounced")
    assert states() == [("failed", "bounced")]
    assert blocked_because("email", "ANA@example.com")
    assert BlockedAddress.objects.get().reason == "bounced"


def test_a_mailbox_that_is_full_for_a_while_is_not_given_up() -> None:
    sent()
    told("bounced", reject_reason="other")
    assert states() == [("failed", "refused")]
    assert not blocked_because("email", "ana@example.com")


def test_told_late_that_it_arrived_it_came_back_all_the_same() -> None:
    sent()
    told("bounced", reject_reason="bounced")
    told("delivered")
    row = Delivery.objects.get()
    assert (row.state, row.delivered_at) == ("failed", None)


def test_what_a_provider_counts_itself_is_taken_where_it_may_be_counted() -> None:
    sent()
    told("opened")
    assert Delivery.objects.get().opened_at is None
    for _time in range(2):
        told("clicked", click_url="https://shop.example/sale?x=1")
    row = Delivery.objects.get()
    assert (row.clicked_at is not None, row.opened_at) == (True, None)
    assert list(row.clicks.values_list("link", "count")) == [("shop.example/sale", 2)]
    Delivery.objects.update(clicked_at=None, counts_clicks=False)
    told("clicked", click_url="https://shop.example/other")
    assert row.clicks.count() == 1


def test_who_reports_it_as_spam_is_not_written_to_any_more() -> None:
    row = sent()
    told("complained")
    customer = row.message.customer
    assert blocked_because("email", "ana@example.com")
    assert not any(choice.wanted for choice in choices_of(customer))
    row.refresh_from_db()
    assert row.unsubscribed_at is not None


def test_what_is_told_of_mails_that_are_not_ours_changes_nothing() -> None:
    event = AnymailTrackingEvent(
        event_type="delivered", recipient="x@example.com", message_id="<unknown>",
        metadata={"delivery": "nonsense"},
    )  # fmt: skip
    row = sent()
    note_event(event=event, now=timezone.now())
    before, after = row.delivered_at, Delivery.objects.get()
    assert (after.state, after.delivered_at) == (row.state, before)
    assert not blocked_because("email", "x@example.com")


def test_only_who_knows_the_secret_can_tell(settings: Settings) -> None:
    row = sent()
    settings.ROOT_URLCONF = __name__
    settings.ANYMAIL = {"WEBHOOK_SECRET": "setia:right"}
    body = json.dumps(
        {
            "RecordType": "Delivery", "MessageID": "1", "Recipient": "ana@example.com",
            "DeliveredAt": "2026-11-27T08:00:00Z", "Metadata": {"delivery": str(row.public_id)},
        }
    )  # fmt: skip
    address, client = "/mail-events/postmark/tracking/", Client(enforce_csrf_checks=True)

    def post(password: str) -> int:
        login = b64encode(f"setia:{password}".encode()).decode()
        return client.post(
            address, body, "application/json", headers={"Authorization": f"Basic {login}"}
        ).status_code

    assert post("wrong") == 400
    row.refresh_from_db()
    assert row.delivered_at is None
    assert post("right") == 200
    row.refresh_from_db()
    assert row.delivered_at is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["complained", "unsubscribed"])
def test_who_declines_by_the_provider_and_by_a_link_at_once_wait_for_each_other_in_one_order(
    kind: str,
) -> None:
    """Both take the customer first, then the delivery: one waits for the other, never both."""
    row = sent()
    owner = row.message.customer
    done = threading.Event()

    def tell_it() -> None:
        try:
            told(kind)
        finally:
            done.set()
            connection.close()

    teller = threading.Thread(target=tell_it)
    with transaction.atomic():
        # As a link does that somebody has just followed.
        Customer.objects.select_for_update().get(pk=owner.pk)
        teller.start()
        assert eventually(_waiting_for_me)
        link = StopLink(owner.public_id, row.public_id, "email", "points")
        changes = stop(customer=owner, link=link, topics=["points"], source="link", now=row.sent_at)
        assert [change.became for change in changes] == ["denied"]
        assert not done.is_set()
    teller.join()
    assert Delivery.objects.get().unsubscribed_at == row.sent_at
    assert not any(choice.wanted for choice in choices_of(owner) if choice.channel.key == "email")


def _waiting_for_me() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return int(cursor.fetchone()[0])
