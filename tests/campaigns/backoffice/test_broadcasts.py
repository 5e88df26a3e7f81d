"""The screens of broadcasts: written, seen, tried, scheduled, watched, stopped."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Broadcast, Message
from loyalty.models import Program
from tests.campaigns.broadcasts import MAIL, make_broadcast, run, schedule
from tests.campaigns.factories import send
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import make_program
from tests.rewards.factories import make_member
from tests.sharing import anew, shared
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db


def url(name: str, *args: Any) -> str:
    return reverse(f"messages_backoffice:{name}", args=args)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def act(client: Client, row: Broadcast, what: str, **more: Any) -> str:
    client.post(url("broadcast_act", row.public_id), {"act": what, **more})
    row.refresh_from_db()
    return row.status


made_once = shared(make_program)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_one_is_written_scheduled_and_sent(manager: Client, program: Program) -> None:
    make_member(250, "c1", program)
    assert "Nothing sent yet" in page(manager, url("broadcast_list"))
    sent = {"name": "Spring", "program": "club", "audience": "", "holdout": "0",
            "channels": ["inbox"], "topic": "points", "order_days": "7"}  # fmt: skip
    assert manager.post(url("broadcast_create"), sent).status_code == 302
    row = Broadcast.objects.get()
    assert "It says nothing yet" in page(manager, url("broadcast", row.public_id))
    assert act(manager, row, "schedule") == "draft"
    words = url("broadcast_words", row.public_id, "inbox", "en")
    assert "{{ balance }}" in page(manager, words)
    manager.post(words, {"subject": "Spring", "body": "You have {{ balance }}."})
    shown = page(manager, url("broadcast", row.public_id))
    assert "Would get it" in shown
    later = (timezone.now() + dt.timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    assert act(manager, row, "schedule", send_at=later, by_member_clock="on") == "scheduled"
    assert "Take it back" in page(manager, url("broadcast", row.public_id))
    assert act(manager, row, "withdraw") == "draft"
    assert act(manager, row, "schedule") == "scheduled"
    run(timezone.now())
    row.refresh_from_db()
    assert row.status == "sent"
    shown = page(manager, url("broadcast", row.public_id))
    assert "1 of 1 had their turn" in shown
    assert "From sent to ordered" in shown
    assert "250" in Message.objects.get().deliveries.get().text
    assert "Spring" in page(manager, url("figure_list"))
    assert "Spring" in page(manager, url("delivery_list") + "?occasion=broadcast")


def test_what_it_says_is_seen_as_a_member_reads_it(manager: Client, program: Program) -> None:
    make_member(1234, "ana-1", program)
    row = make_broadcast(program)
    preview = url("broadcast_preview", row.public_id, "inbox", "en")
    said = {"subject": "Spring", "body": "You have {{ balance }}.", "member": "ana-1"}
    assert "1,234" in manager.post(preview, said).content.decode()
    assert "860 points" in manager.post(preview, {**said, "member": ""}).content.decode()


def test_a_test_goes_to_oneself(manager: Client, program: Program) -> None:
    row = make_broadcast(program, channels=["email"])
    manager.post(
        url("broadcast_test", row.public_id, "email", "en"),
        {"subject": "Spring", "body": MAIL, "text": "", "member": ""},
    )
    send()
    assert not Message.objects.exists()
    assert all(sent.subject.startswith("[Test]") for sent in mail.outbox)


def test_how_many_would_not_get_it_is_said_with_the_reasons(
    manager: Client, program: Program
) -> None:
    make_member(0, "c1", program)
    row = make_broadcast(program, channels=["email", "inbox"])
    shown = page(manager, url("broadcast", row.public_id))
    assert "There is no address" in shown


def test_while_it_is_sent_it_can_be_paused_and_stopped(manager: Client, program: Program) -> None:
    member = make_member(0, "c1", program)
    member.customer.email = "ana@example.com"
    member.customer.save()
    row = schedule(make_broadcast(program, channels=["email"]))
    run()
    assert act(manager, row, "pause") == "paused"
    assert "Go on" in page(manager, url("broadcast", row.public_id))
    assert act(manager, row, "resume") == "sending"
    bar = page(manager, url("broadcast_progress", row.public_id))
    assert "1 of 1 had their turn" in bar
    assert "every 15s" in bar
    assert act(manager, row, "stop") == "stopped"
    assert act(manager, row, "resume") == "stopped"
    assert "every 15s" not in page(manager, url("broadcast_progress", row.public_id))
    run()
    assert "The broadcast was stopped" in page(manager, url("broadcast", row.public_id))


def test_a_copy_is_made_and_a_draft_thrown_away(manager: Client, program: Program) -> None:
    row = make_broadcast(program)
    act(manager, row, "copy")
    copy = Broadcast.objects.exclude(pk=row.pk).get()
    assert copy.name == "Copy of Spring"
    manager.post(url("broadcast_act", copy.public_id), {"act": "delete"})
    assert list(Broadcast.objects.all()) == [row]


def test_an_agent_reads_and_does_not_write(agent: Client, program: Program) -> None:
    row = make_broadcast(program)
    shown = page(agent, url("broadcast", row.public_id))
    assert "Send or schedule" not in shown
    assert agent.post(url("broadcast_act", row.public_id), {"act": "schedule"}).status_code == 403
    assert "readonly" in page(agent, url("broadcast_words", row.public_id, "inbox", "en"))


def test_each_of_its_messages_is_listed_and_no_other(manager: Client, program: Program) -> None:
    make_member(0, "c1", program)
    one, other = make_broadcast(program, name="Summer"), make_broadcast(program, name="Autumn")
    for made in (one, other):
        schedule(made)
    run()
    shown = manager.get(url("delivery_list"), {"occasion": one.occasion})
    assert [row["delivery"].message.occasion for row in shown.context["rows"]] == [one.occasion]
    assert "Broadcast: Summer" in shown.content.decode()
    for code, count in (("broadcast", 2), ("broadcast-0", 0), ("broadcast-x", 2)):
        shown = manager.get(url("delivery_list"), {"occasion": code})
        assert len(shown.context["rows"]) == count


def test_one_of_no_program_offers_no_words_of_a_membership(
    manager: Client, program: Program
) -> None:
    row = make_broadcast(None)
    words = page(manager, url("broadcast_words", row.public_id, "inbox", "en"))
    assert "{{ given_name }}" in words
    assert "{{ balance }}" not in words
    assert "{{ program }}" not in words
    written = {"subject": "Spring", "body": "You have {{ balance }}.", "member": ""}
    preview = url("broadcast_preview", row.public_id, "inbox", "en")
    assert "860 points" not in manager.post(preview, written).content.decode()


def test_whoever_is_limited_to_some_programs_writes_to_their_members_alone(
    program: Program,
) -> None:
    client = signed_in(StaffMemberFactory(role="marketing_manager", programs=[program.pk]).user)
    own, everybody = make_broadcast(program, name="Mine"), make_broadcast(None, name="Everybody")
    listed = page(client, url("broadcast_list"))
    assert "Mine" in listed
    assert "Everybody" not in listed
    assert client.get(url("broadcast", own.public_id)).status_code == 200
    for name in ("broadcast", "broadcast_edit"):
        assert client.get(url(name, everybody.public_id)).status_code == 404
    asked = client.post(url("broadcast_act", everybody.public_id), {"act": "schedule"})
    assert asked.status_code == 404
    everybody.refresh_from_db()
    assert everybody.status == "draft"


def test_a_broadcast_is_no_occasion(manager: Client, program: Program) -> None:
    """Its words are reached by its own pages alone, which ask whose it is."""
    row = make_broadcast(program)
    assert manager.get(url("occasion", f"broadcast-{row.pk}")).status_code == 404
    assert manager.get(url("words", f"broadcast-{row.pk}", "inbox", "en")).status_code == 404
