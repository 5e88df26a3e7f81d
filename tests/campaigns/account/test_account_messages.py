"""Members read what they were told on their own page, and choose what they want to be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Consent, ContactPreference, Delivery
from campaigns.selectors.consents import blocked_because
from campaigns.services.blocked_addresses import block_address
from campaigns.services.contact_addresses import name_address
from campaigns.services.number_codes import code_of
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, tell
from tests.campaigns.ways import use
from tests.factories import CustomerFactory
from tests.sign_ins import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
INBOX, CHOICES = "messages_account:inbox", "messages_account:choices"
DEVICES = "messages_account:devices"


def read(client: Client, name: str, *args: Any) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_inbox_has_what_they_were_told_and_marks_what_was_read() -> None:
    ana = CustomerFactory(with_user=True)
    client = signed_in(ana.user)
    assert "No messages yet" in read(client, INBOX)
    for number in range(2):
        tell(ana, str(number), channels=("email", "inbox"))
    assert read(client, INBOX).count("message-unread") == 2
    row = Delivery.objects.filter(channel="inbox").first()
    assert row is not None
    assert "From Noah." in read(client, "messages_account:message", row.public_id)
    row.refresh_from_db()
    first = row.read_at
    read(client, "messages_account:message", row.public_id)
    row.refresh_from_db()
    assert row.read_at == first is not None
    assert read(client, INBOX).count("message-unread") == 1
    client.post(reverse(INBOX))
    assert read(client, INBOX).count("message-unread") == 0


def test_nobody_reads_what_others_were_told() -> None:
    ana, ben = CustomerFactory(with_user=True), CustomerFactory(with_user=True)
    tell(ana, channels=("email", "inbox"))
    client = signed_in(ben.user)
    for row in Delivery.objects.all():
        address = reverse("messages_account:message", args=[row.public_id])
        assert client.get(address).status_code == 404
        assert Client().get(address).status_code == 302
    assert "You were given" not in read(client, INBOX)
    assert not Delivery.objects.exclude(read_at=None).exists()


def test_a_yes_is_confirmed_by_mail_and_a_no_counts_at_once() -> None:
    ana = CustomerFactory(with_user=True)
    client = signed_in(ana.user)
    read(client, CHOICES)
    client.post(reverse(CHOICES), {"email-offers": "on", "time_zone": "Asia/Tokyo"})
    assert dict(Consent.objects.values_list("topic", "state")) == {
        "offers": "asked", "points": "denied",
    }  # fmt: skip
    assert ContactPreference.objects.get().time_zone == "Asia/Tokyo"
    send()
    assert "confirm" in mail.outbox[0].subject
    assert "Open the mail that we sent you" in read(client, CHOICES)


def test_what_was_not_touched_stays_unsaid() -> None:
    ana = CustomerFactory(with_user=True)
    client = signed_in(ana.user)
    client.post(reverse(CHOICES), {"email-points": "on"})
    assert not Consent.objects.exists()


def test_an_address_that_works_again_is_tried_again() -> None:
    ana = CustomerFactory(with_user=True)
    client = signed_in(ana.user)
    block_address(channel="email", address=ana.email, reason="bounced", now=timezone.now())
    assert "Mails to your address came back" in read(client, CHOICES)
    client.post(reverse(CHOICES), {"unblock": "email"})
    assert not blocked_because("email", ana.email)


def test_it_is_reached_from_every_page_of_theirs_without_asking_the_database() -> None:
    ana = CustomerFactory(with_user=True)
    client = signed_in(ana.user)
    page = read(client, "mypage:profile")
    assert reverse(INBOX) in page
    assert reverse(CHOICES) in page


def test_devices_and_numbers_are_added_and_removed_by_who_has_them() -> None:
    ana, ben = CustomerFactory(with_user=True), CustomerFactory(with_user=True)
    client, devices = signed_in(ana.user), reverse(DEVICES)
    assert "Nothing to add yet" in read(client, DEVICES)
    assert "Your devices" not in read(client, CHOICES)
    for key in ("push", "whatsapp"):
        use(key, "jsons://gateway.example/send?:to={to}")
    assert "Your devices" in read(client, CHOICES)
    sent = {"channel": "push", "address": "token-1", "label": "Pixel 8"}
    assert client.post(devices, sent).status_code == 302
    assert "Pixel 8" in read(client, DEVICES)
    wrong = client.post(devices, {"channel": "whatsapp", "address": "12"})
    assert wrong.status_code == 422
    assert client.post(devices, {"channel": "sms", "address": "1"}).status_code == 422
    remove = reverse("messages_account:device_remove", args=[ana.contact_addresses.get().public_id])
    assert signed_in(ben.user).post(remove).status_code == 404
    assert client.get(remove).status_code == 405
    assert client.post(remove).status_code == 302
    assert not ana.contact_addresses.exists()


def test_a_number_is_shown_to_be_theirs_by_the_code_that_is_sent_there() -> None:
    ana, ben = CustomerFactory(with_user=True), CustomerFactory(with_user=True)
    client, devices = signed_in(ana.user), reverse(DEVICES)
    use("whatsapp", "jsons://gateway.example/send?:to={to}")
    sent = {"channel": "whatsapp", "address": "+60123456789"}
    answer = client.post(devices, sent, follow=True).content.decode()
    assert "A code was sent to +60123456789" in answer
    assert "not shown to be yours yet" in answer
    row = ana.contact_addresses.get()
    confirm = reverse("messages_account:device_confirm", args=[row.public_id])
    again = reverse("messages_account:device_code", args=[row.public_id])
    wrong = client.post(confirm, {"code": f"{(int(code_of(row)) + 1) % 10**6:06}"})
    assert (wrong.status_code, "This is not the code" in wrong.content.decode()) == (422, True)
    assert client.post(confirm, {"code": ""}).status_code == 422
    for path in (confirm, again):
        assert signed_in(ben.user).post(path, {"code": code_of(row)}).status_code == 404
        assert client.get(path).status_code == 405
    # Pressed at once, the code that was sent goes on to count.
    assert client.post(again).status_code == 302
    done = client.post(confirm, {"code": code_of(row)}, follow=True).content.decode()
    assert "This number is yours" in done
    assert "not shown to be yours yet" not in done


def test_what_they_want_is_asked_for_each_way_that_there_is() -> None:
    ana = CustomerFactory(with_user=True, phone="+60123456789")
    client = signed_in(ana.user)
    assert "sms-offers" not in read(client, CHOICES)
    use("sms", "jsons://gateway.example/send?:to={to}")
    shown = read(client, CHOICES)
    assert 'name="sms-offers"' in shown
    # Each topic is said once, whatever the number of ways.
    assert shown.count("What is new, and what is cheaper for a while.") == 1
    answer = client.post(reverse(CHOICES), {"email-points": "on", "sms-offers": "on"}, follow=True)
    assert "open the mail or message" in answer.content.decode()
    assert "Open the link that we sent you there" in read(client, CHOICES)
    assert Consent.objects.get(channel="sms").state == "asked"
    block_address(channel="sms", address=ana.phone, reason="bounced", now=timezone.now())
    assert "did not reach you" in read(client, CHOICES)
    client.post(reverse(CHOICES), {"unblock": "sms"})
    assert blocked_because("sms", ana.phone) is None


@pytest.mark.browser
def test_the_pages_are_accessible(
    page: Any, live_server: Any, maya: Any, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    tell(maya, channels=("inbox",))
    for key in ("sms", "push", "whatsapp"):
        use(key, "jsons://gateway.example/send?:to={to}")
    for channel, address in (("push", "t1"), ("whatsapp", "+60123456789")):
        name_address(
            customer=maya, channel=channel, address=address, label="Pixel 8", actor=SYSTEM,
            now=timezone.now(), vouched=False,
        )  # fmt: skip
    cookie = signed_in(maya.user).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    for name in (CHOICES, DEVICES, INBOX):
        page.goto(reverse(name))
        assert_no_axe_violations(page)
    page.get_by_role("link", name="You were given").click()
    page.get_by_text("From Noah.").wait_for()
    assert_no_axe_violations(page)
