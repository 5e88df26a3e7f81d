"""The screens of messages: occasions, words with their preview, what was sent, and to whom."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Consent, Delivery, MessageTemplate, OccasionSetting, TemplateVersion
from campaigns.selectors.policies import get_policy
from campaigns.services.blocked_addresses import block_address
from members.audit import differences, target_of
from members.models import AuditEntry
from tests.campaigns.factories import follow, send, states, tell, write
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
BODY = "<mj-section><mj-column><mj-text>Mine: {{ gift }}</mj-text></mj-column></mj-section>"
EMAIL = ("gift", "email", "en")


def url(name: str, *args: Any) -> str:
    return reverse(f"messages_backoffice:{name}", args=args)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_an_occasion_is_switched_on_and_its_figures_are_shown(manager: Client) -> None:
    assert "Welcome" in page(manager, url("occasion_list"))
    sent = {"is_on": "on", "channels": ["email", "inbox"], "topic": "offers"}
    assert manager.post(url("occasion", "gift"), sent).status_code == 302
    setting = OccasionSetting.objects.get()
    assert (setting.is_on, setting.channels, setting.topic) == (True, ["email", "inbox"], "offers")
    tell(CustomerFactory(), topic="points")
    send()
    assert "On since" in page(manager, url("occasion", "gift"))
    assert AuditEntry.objects.filter(action="occasion.set").exists()


def test_an_occasion_that_is_on_is_told_by_some_way(manager: Client) -> None:
    answer = manager.post(url("occasion", "gift"), {"is_on": "on", "topic": "points"})
    assert answer.status_code == 422
    assert "Choose at least one way" in answer.content.decode()


def test_whoever_may_not_write_words_reads_them(client_of: Callable[[str], Client]) -> None:
    shown = page(client_of("auditor"), url("words", *EMAIL))
    assert re.search(r"<input[^>]+name=\"subject\"[^>]+readonly", shown)
    assert re.search(r"<textarea[^>]+name=\"body\"[^>]+readonly", shown)
    assert "Save and use" not in shown
    assert "word-insert" not in shown
    assert "What you save" not in shown
    assert "How it is read" in shown


def test_words_are_saved_as_versions_and_what_is_wrong_is_named(manager: Client) -> None:
    address = url("words", *EMAIL)
    assert "These are the ready-made words" in page(manager, address)
    for subject in ("For you", "For you", "Yours"):
        answer = manager.post(address, {"subject": subject, "body": BODY, "text": ""})
        assert answer.status_code == 302
    assert list(TemplateVersion.objects.values_list("number", "subject")) == [
        (2, "Yours"), (1, "For you"),
    ]  # fmt: skip
    answer = manager.post(address, {"subject": "{{ x }}", "body": "<p>no</p>", "text": ""})
    assert answer.status_code == 422
    assert "There is no such variable: {{ x }}" in answer.content.decode()
    assert "For you" in page(manager, f"{address}?version=1")
    assert manager.get(f"{address}?version=9").status_code == 404


def test_a_language_is_added_and_put_away_again(manager: Client) -> None:
    answer = manager.post(url("language", "gift"), {"channel": "inbox", "locale": "MS"})
    assert answer["Location"] == url("words", "gift", "inbox", "ms")
    manager.post(answer["Location"], {"subject": "Hadiah", "body": "Untuk anda: {{ gift }}"})
    assert MessageTemplate.objects.get().locale == "ms"
    manager.post(url("archive", "gift", "inbox", "ms"))
    assert MessageTemplate.objects.get().archived_at is not None
    manager.post(url("language", "gift"), {"channel": "inbox", "locale": "../x"})
    assert MessageTemplate.objects.count() == 1


def test_a_preview_shows_what_is_being_written_and_runs_nothing(agent: Client) -> None:
    answer = agent.post(
        url("preview", *EMAIL), {"subject": "S", "body": BODY, "text": "", "member": ""}
    )
    assert "Mine: A free coffee" in answer.content.decode()
    policy = answer["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script-src" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    wrong = agent.post(url("preview", *EMAIL), {"subject": "{{ x }}", "body": BODY})
    assert "There is no such variable" in wrong.content.decode()
    assert "Noah" in agent.get(url("preview", "gift", "inbox", "en")).content.decode()
    assert not TemplateVersion.objects.exists()


def test_a_preview_with_a_real_member_says_what_they_were_told(agent: Client) -> None:
    ana = CustomerFactory(given_name="Anastasia", email="ana@example.com")
    tell(ana, gift="77 Beans")
    body = BODY.replace("Mine", "{{ given_name }}")
    sent = {"subject": "S", "body": body, "member": "ana@example.com"}
    answer = agent.post(url("preview", *EMAIL), sent)
    assert "Anastasia: 77 Beans" in answer.content.decode()


def test_a_test_goes_to_oneself_and_saves_nothing(manager: Client) -> None:
    answer = manager.post(url("test", *EMAIL), {"subject": "Try {{ gift }}", "body": BODY})
    assert answer.status_code == 200
    assert "Mine: {{ gift }}" in answer.content.decode()
    follow()
    [sent] = mail.outbox
    assert sent.subject == "[Test] Try A free coffee"
    assert "Mine: A free coffee" in str(sent.body)
    assert not TemplateVersion.objects.exists()


def test_what_was_sent_is_listed_by_state_with_the_reason(agent: Client) -> None:
    tell(CustomerFactory(email="", given_name="Nobody", family_name="Here"), "one")
    tell(CustomerFactory(), "two")
    send()
    listed = page(agent, url("delivery_list") + "?state=suppressed")
    assert "Nobody Here" in listed
    assert "There is no address" in listed
    assert "You were given" not in listed
    assert "You were given" in page(agent, url("delivery_list") + "?state=sent&occasion=gift")


def test_what_failed_is_sent_again(agent: Client, client_of: Callable[[str], Client]) -> None:
    tell(CustomerFactory())
    Delivery.objects.update(state="failed", reason="gave_up")
    row = Delivery.objects.get()
    assert "Send it again" in page(agent, url("delivery", row.public_id))
    assert "Send it again" not in page(client_of("analyst"), url("delivery", row.public_id))
    agent.post(url("again", row.public_id))
    assert states() == [("queued", "")]
    agent.post(url("again", row.public_id))
    assert AuditEntry.objects.filter(action="message.sent_again").count() == 1


def test_a_customers_page_has_their_messages_and_what_they_want(agent: Client) -> None:
    ana = CustomerFactory(email="ana@example.com")
    tell(ana, channels=("email", "inbox"))
    block_address(channel="email", address=ana.email, reason="bounced", now=timezone.now())
    panel = page(agent, url("message_panel", ana.public_id))
    assert "You were given" in panel
    assert "Address does not work" in panel
    sent = {"email-points": "on", "email-offers": "on", "unblock": "on"}
    assert agent.post(url("consents", ana.public_id), sent).status_code == 302
    assert list(Consent.objects.values_list("topic", "state")) == [("offers", "granted")]
    assert "Address does not work" not in page(agent, url("message_panel", ana.public_id))
    # Who looks after them reads what changed in words, too.
    said = {
        item.label: (item.before, item.after)
        for entry in AuditEntry.objects.filter(target=target_of(ana))
        for item in differences(entry)
    }
    assert said == {"Offers by e-mail": ("", "Yes"), "Way": ("", "E-mail")}


def test_when_and_how_often_is_settled(manager: Client, agent: Client) -> None:
    sent = {
        "quiet_from": "22:00", "quiet_until": "07:30", "cap": "3", "cap_days": "14",
        "assumed_topics": [],
    }  # fmt: skip
    assert manager.post(url("policy"), sent).status_code == 302
    policy = get_policy()
    assert (policy.cap, policy.cap_days, policy.double_opt_in) == (3, 14, False)
    assert policy.assumed_topics == []
    assert agent.post(url("policy"), sent).status_code == 403


def test_version_of_words_that_were_sent_can_be_read(agent: Client) -> None:
    write("gift", "For you", BODY, channel="email")
    tell(CustomerFactory())
    send()
    row = Delivery.objects.get()
    assert "Version 1" in page(agent, url("delivery", row.public_id))


@pytest.mark.browser
def test_words_are_written_seen_and_saved(
    sign_in: Callable[[str], Any], assert_no_axe_violations: Callable[[Any], None]
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("words", *EMAIL))
    frame = page.frame_locator("iframe")
    frame.get_by_text("A free coffee").first.wait_for()
    assert_no_axe_violations(page)
    # On a phone what is read comes below what is written, not beside it.
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        "([...document.querySelectorAll('.form.words > .stack')]"
        ".map((part) => part.getBoundingClientRect())"
        ".every((box, place, all) => !place || box.top >= all[place - 1].bottom))"
    )
    page.set_viewport_size({"width": 1440, "height": 900})
    page.fill("#id_subject", "For ")
    page.get_by_role("button", name="given_name").click()
    expect(page.locator("#id_subject")).to_have_value("For {{ given_name }}")
    page.fill("#id_body", BODY)
    page.get_by_role("button", name="Show").click()
    frame.get_by_text("Mine: A free coffee").wait_for()
    page.get_by_label("Phone").check()
    page.get_by_role("button", name="Save and use").click()
    page.get_by_text("Saved as version 1").wait_for()
    assert TemplateVersion.objects.get().subject == "For {{ given_name }}"
    # One occasion: `test_ways`, where it is told in more ways.
    page.goto(url("occasion_list"))
    assert_no_axe_violations(page)
    page.goto(url("policy"))
    assert_no_axe_violations(page)


def test_topics_are_added_changed_and_put_away(manager: Client, agent: Client) -> None:
    said = {"code": "events", "name": "Events", "sentence": "Tastings.", "opt_in_only": "on"}
    assert manager.post(url("topic_create"), said | {"name_el": "Εκδηλώσεις"}).status_code == 302
    shown = page(agent, url("topic_list"))
    assert "Events" in shown
    assert "New topic" not in shown
    again = manager.post(url("topic_create"), said)
    assert again.status_code == 422
    assert "There is a topic of this code already." in again.content.decode()
    changed = {"name": "Markets", "sentence": "On Saturdays.", "is_away": "on"}
    assert manager.post(url("topic_edit", "events"), changed).status_code == 302
    assert "Not offered" in page(manager, url("topic_list"))
    assert "events" not in page(manager, url("policy"))
    assert AuditEntry.objects.filter(action__startswith="topic.").count() == 3
