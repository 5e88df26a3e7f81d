"""Messages → Ways: naming a provider, trying it, and words that are counted."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import ChannelSetting, Delivery, OccasionSetting
from campaigns.selectors.ways import url_of
from campaigns.services.contact_addresses import name_address
from members.services.audit import SYSTEM
from tests.campaigns.backoffice.test_messages import page, url
from tests.campaigns.factories import send, tell
from tests.campaigns.receiver import Receiver
from tests.campaigns.ways import NOON, TWILIO, agree, gateway, use, wanting
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
GATEWAY = "jsons://ana:s3cret@gateway.example/send?:to={to}"


def fill(address: str, **more: str) -> dict[str, str]:
    return {"is_on": "on", "url": address, "stop_word": "STOP", "test_to": "+60123456789", **more}


@pytest.fixture
def administrator(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


def test_a_provider_is_named_and_its_keys_are_never_shown(administrator: Client) -> None:
    assert page(administrator, url("way_list")).count("Not set up") == 4
    answer = administrator.post(url("way", "sms"), fill(GATEWAY))
    assert answer.status_code == 302
    assert url_of("sms") == GATEWAY
    shown = page(administrator, url("way", "sms")) + page(administrator, url("way_list"))
    assert "https://gateway.example/send" in shown
    assert "s3cret" not in shown
    assert administrator.post(url("way", "sms"), fill("", stop_word="GENUG")).status_code == 302
    assert url_of("sms") == GATEWAY
    assert administrator.post(url("way_forget", "sms")).status_code == 302
    assert page(administrator, url("way_list")).count("Not set up") == 4


@pytest.mark.parametrize(
    ("address", "more", "words"),
    [("", {}, "Write the provider’s address first."), ("mailto://x/{to}", {}, "begins with one"),
     (GATEWAY, {"stop_word": "no more"}, "Write one word")],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(
    administrator: Client, address: str, more: dict[str, str], words: str
) -> None:
    answer = administrator.post(url("way", "sms"), fill(address, **more))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ChannelSetting.objects.exclude(url=b"").exists()


def test_a_test_is_sent_and_what_came_of_it_is_said(
    administrator: Client, receiver: Receiver
) -> None:
    administrator.post(url("way", "sms"), fill(gateway(receiver)))
    answer = administrator.post(url("way_test", "sms"), follow=True)
    assert "The provider has taken it." in answer.content.decode()
    assert receiver.got[0].message["to"] == "+60123456789"
    receiver.answers = (401,)
    answer = administrator.post(url("way_test", "sms"), follow=True)
    assert "HTTP 401" in answer.content.decode()


def test_how_it_does_is_seen(administrator: Client, receiver: Receiver) -> None:
    use("sms", gateway(receiver))
    receiver.answers = (503,)
    tell(wanting(), channels=("sms",))
    send()
    shown = page(administrator, url("way", "sms"))
    assert "Nothing is taken" in shown
    assert "refused" not in shown
    assert "HTTP 503" in shown
    receiver.answers = (200,)
    send(timezone.now() + dt.timedelta(minutes=2))
    assert "HTTP 503" not in page(administrator, url("way_list"))
    shown = page(administrator, url("way", "sms"))
    assert "Nothing is taken" not in shown
    assert "HTTP 503" not in shown


def test_an_address_for_answers_is_made_and_made_again(administrator: Client) -> None:
    administrator.post(url("way", "sms"), fill(GATEWAY))
    assert "/messages/replies/" not in page(administrator, url("way", "sms"))
    tokens = set()
    for _time in range(2):
        administrator.post(url("way_secret", "sms"))
        shown = page(administrator, url("way", "sms"))
        tokens.add(shown.split("/messages/replies/sms/")[1].split("/")[0])
    assert len(tokens) == 2


def test_the_secret_of_another_system_is_shown_once(administrator: Client) -> None:
    sent = {"is_on": "on", "url": "https://crm.example/messages"}
    administrator.post(url("way", "webhook"), sent)
    assert "whsec_" not in page(administrator, url("way", "webhook"))
    answer = administrator.post(url("way_secret", "webhook"))
    assert "whsec_" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert administrator.post(url("way_secret", "push")).status_code == 404
    assert administrator.get(url("way", "email")).status_code == 404


def test_a_gateway_that_knows_our_names_has_a_secret_for_receipts(administrator: Client) -> None:
    administrator.post(url("way", "sms"), fill(GATEWAY))
    shown = page(administrator, url("way", "sms"))
    assert "no receipt tells here" in shown
    assert "/messages/receipts/" not in shown
    assert administrator.post(url("way_receipts", "sms")).status_code == 404
    administrator.post(url("way", "sms"), fill(GATEWAY + "&:id={id}"))
    shown = page(administrator, url("way", "sms"))
    assert "/messages/receipts/sms/" in shown
    assert "no receipt tells here" not in shown
    answer = administrator.post(url("way_receipts", "sms"))
    assert "whsec_" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    again = page(administrator, url("way", "sms"))
    assert "whsec_" not in again
    assert "Make another secret" in again


def test_words_are_counted_seen_by_a_member_and_sent_to_oneself(
    administrator: Client, receiver: Receiver
) -> None:
    use("sms", gateway(receiver), test_to="+60111111111")
    CustomerFactory(given_name="Wanda", external_id="W-1")
    words = {"subject": "For you", "body": "Hi {{ given_name }}, 5 € more", "member": "W-1"}
    shown = administrator.post(url("preview", "gift", "sms", "en"), words).content.decode()
    assert "Hi Wanda, 5 € more Reply STOP to end." in shown
    assert "paid for as 1 message" in shown
    assert "For you</h1>" not in shown
    words["body"] = "Hi … {{ given_name }} " + "x" * 60
    shown = administrator.post(url("preview", "gift", "sms", "en"), words).content.decode()
    assert "paid for as 2 messages" in shown
    assert "twice as long: …" in shown
    answer = administrator.post(url("test", "gift", "sms", "en"), words)
    assert "on its way to +60111111111" in answer.content.decode()
    assert receiver.got[0].message["message"].startswith("Hi … Wanda")
    assert administrator.post(url("words", "gift", "sms", "en"), words).status_code == 302


def test_an_occasion_is_told_by_the_first_that_reaches_them(manager: Client) -> None:
    use("sms", GATEWAY)
    sent = {
        "is_on": "on", "channels": ["email", "inbox", "sms"], "topic": "points",
        "only_first": "on", "first_way": "sms", "second_way": "inbox",
    }  # fmt: skip
    assert manager.post(url("occasion", "gift"), sent).status_code == 302
    setting = OccasionSetting.objects.get()
    assert (setting.only_first, setting.channels) == (True, ["sms", "inbox", "email"])
    shown = page(manager, url("occasion", "gift"))
    assert '<option value="sms" selected>' in shown


def test_a_way_that_is_not_set_up_is_not_offered(manager: Client) -> None:
    sent = {"is_on": "on", "channels": ["sms"], "topic": "points"}
    assert manager.post(url("occasion", "gift"), sent).status_code == 422


def test_staff_see_and_note_what_a_customer_wants_by_each_way(agent: Client) -> None:
    use("sms", GATEWAY)
    use("push", GATEWAY)
    ana = CustomerFactory(phone="+60123456789")
    name_address(
        customer=ana, channel="push", address="t1", label="Pixel 8", actor=SYSTEM, now=NOON
    )
    agree(ana, "sms")
    shown = page(agent, url("message_panel", ana.public_id))
    assert "Offers · Text message" in shown
    assert "Notification: Pixel 8" in shown
    tell(ana, channels=("push",))
    assert "Notification (Pixel 8): Waiting" in page(agent, url("message_panel", ana.public_id))
    assert "Pixel 8" in page(agent, url("delivery", Delivery.objects.get().public_id))
    sent = {"email-points": "on", "sms-offers": "on"}
    assert agent.post(url("consents", ana.public_id), sent).status_code in {200, 302}
    said = dict(ana.consents.values_list("topic", "state"))
    assert said == {"points": "denied", "offers": "granted"}


def test_words_that_whatsapp_approved_are_named_filled_in_and_seen(administrator: Client) -> None:
    address = url("words", "gift", "whatsapp", "en")
    said = {
        "subject": "Gift", "body": "You were given {{ gift }}.", "approved_name": "gift_2",
        "approved_language": "en_US", "approved_values": "{{ gift }}\n{{ giver }}\n",
    }  # fmt: skip
    shown = administrator.post(url("preview", "gift", "whatsapp", "en"), said).content.decode()
    assert "Sent as “gift_2” (en_US), with:" in shown
    assert shown.count('<li class="said">') == 2
    # A line that says nothing stands for a variable: left out, the others would move up.
    first = administrator.post(address, said | {"approved_values": "\n{{ gift }}"})
    assert first.status_code == 422
    wrong = administrator.post(address, said | {"approved_language": ""})
    assert wrong.status_code == 422
    assert "Write its language as the provider has it" in wrong.content.decode()
    assert administrator.post(address, said).status_code == 302
    again = page(administrator, address)
    assert 'value="gift_2"' in again
    assert "{{ gift }} {{ giver }}" in again
    # Nobody else asks for it.
    assert "approved_name" not in page(administrator, url("words", "gift", "sms", "en"))


@pytest.mark.browser
def test_approved_words_are_read_and_written_in_a_browser(
    sign_in: Callable[[str], Any], assert_no_axe_violations: Callable[[Any], None]
) -> None:
    page = sign_in("administrator")
    page.goto(url("words", "gift", "whatsapp", "en"))
    page.get_by_label("Name of the approved words").fill("gift_2")
    page.get_by_label("Their language").fill("en_US")
    page.get_by_label("What their variables say").fill("{{ gift }}\n{{ giver }}")
    page.get_by_role("button", name="Show").click()
    page.frame_locator("iframe").get_by_text("Sent as “gift_2”").wait_for()
    assert_no_axe_violations(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def fields(administrator: Client, preset: str, **more: str) -> dict[str, str]:
    """What the page shows once a provider is chosen."""
    shown = administrator.get(url("receipt_fields", "sms"), {"as": preset}).context["form"]
    return {name: str(shown.initial.get(name, "")) for name in shown.fields} | more


def test_it_is_said_how_a_provider_tells_what_became_of_messages(administrator: Client) -> None:
    administrator.post(url("way", "sms"), fill(TWILIO))
    assert "Have it told" in page(administrator, url("way", "sms"))
    address = url("receipt_fields", "sms")
    sample = "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005&To=%2B60123456789"
    tried = administrator.post(
        address, fields(administrator, "twilio", sample=sample) | {"try": "1"}
    )
    assert "nothing is sent there any more" in tried.content.decode()
    assert "SM1 · +60123456789" in tried.content.decode()
    other = fields(administrator, "twilio", sample="{") | {"try": "1"}
    assert "neither JSON nor a form" in administrator.post(address, other).content.decode()
    assert not ChannelSetting.objects.get(pk="sms").receipts
    missing = administrator.post(address, fields(administrator, "twilio"))
    assert missing.status_code == 422
    assert "Write what it signs with" in missing.content.decode()
    saved = administrator.post(address, fields(administrator, "twilio", secret="b" * 32))
    assert saved.status_code == 302
    shown = page(administrator, url("way", "sms")) + page(administrator, address)
    assert "How it tells it" in shown
    assert "b" * 32 not in shown
    # Another's secret is made here, and shown once.
    other = fields(administrator, "twilio", signed="key")
    made = administrator.post(address, other).content.decode()
    assert "whsec_" in made
    assert "whsec_" not in page(administrator, address)
    assert administrator.post(url("receipt_forget", "sms")).status_code == 302
    assert "Have it told" in page(administrator, url("way", "sms"))
    assert administrator.get(url("receipt_fields", "webhook")).status_code == 404


@pytest.mark.browser
def test_how_a_provider_tells_it_is_tried_in_a_browser(
    sign_in: Callable[[str], Any], assert_no_axe_violations: Callable[[Any], None]
) -> None:
    page = sign_in("administrator")
    page.goto(url("receipt_fields", "sms"))
    page.get_by_role("link", name="WhatsApp by Meta").click()
    page.get_by_label("A sample to try").fill(
        '{"entry": [{"changes": [{"value": {"statuses": [{"id": "w1", "status": "read"}]}}]}]}'
    )
    page.get_by_role("button", name="Try the sample").click()
    page.get_by_text("It arrived", exact=True).wait_for()
    assert_no_axe_violations(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
def test_a_provider_is_named_in_a_browser(
    sign_in: Callable[[str], Any], assert_no_axe_violations: Callable[[Any], None],
    receiver: Receiver,
) -> None:  # fmt: skip
    """That its secret is shown once, and another can be made: without a browser, above."""
    page = sign_in("administrator")
    page.goto(url("way_list"))
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Text message").click()
    page.get_by_label("Provider’s address").fill(gateway(receiver) + "&:id={id}")
    page.get_by_label("Tests go to").fill("+60123456789")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Send a test").click()
    page.get_by_text("The provider has taken it.").wait_for()
    page.get_by_role("button", name="Make an address").click()
    page.get_by_label("Address for answers").wait_for()
    expect(page.get_by_label("Address for receipts")).to_have_value(
        re.compile(r"/messages/receipts/sms/$")
    )
    page.get_by_role("button", name="Make a secret").click()
    expect(page.get_by_label("Secret", exact=True)).to_have_value(re.compile("^whsec_"))
    assert_no_axe_violations(page)
    page.goto(url("occasion", "gift"))
    assert_no_axe_violations(page)
    page.goto(url("words", "gift", "sms", "en"))
    page.frame_locator("iframe").get_by_text("paid for as").wait_for()
    assert_no_axe_violations(page)
    assert len(receiver.got) == 1
