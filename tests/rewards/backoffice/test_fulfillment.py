"""The queue in the back-office: looked at, taken further, printed, taken back."""

import csv
import datetime as dt
import io
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.services.audit import SYSTEM
from rewards.addresses import Address
from rewards.models import FulfillmentTask
from rewards.services.fulfillment import advance_task, give_by_hand
from tests.loyalty.backoffice.conftest import Member, queries_of
from tests.loyalty.factories import spendable
from tests.rewards.factories import offer, take

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all", "undone_when_refused"),
]  # fmt: skip
HOME = {
    "recipient": "Ana Lima", "street": "1 Oak St", "city": "Springfield", "country": "US",
}  # fmt: skip


def url(name, *args):
    return reverse(f"rewards_backoffice:{name}", args=args)


def text(response):
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def streamed(response):
    body = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(body)))


def note(ana: Member, what="A card", key="n", **changes):
    address = changes.pop("address", Address(**HOME))
    now = changes.pop("now", timezone.now())
    return give_by_hand(
        membership=ana.membership, kind="note", what=what, words="Thank you", key=key,
        address=address, actor=SYSTEM, now=now, **changes,
    )  # fmt: skip


def test_an_empty_queue_says_what_comes_here(agent: Client, ana: Member):
    assert "gifts and notes when you give them" in text(agent.get(url("task_list")))


def test_many_are_packed_at_once_and_the_step_is_taken_back(agent: Client, ana: Member):
    tasks = [note(ana, f"Card {number}", f"n{number}") for number in range(3)]
    page = text(agent.get(url("task_list")))
    assert "Card 0" in page
    assert "Springfield, US" in page
    chosen = {"id": [str(task.public_id) for task in tasks[:2]], "action": "packed"}
    answer = agent.post(url("task_steps"), chosen, follow=True)
    assert "2 are packed." in text(answer)
    states = FulfillmentTask.objects.order_by("pk").values_list("status", flat=True)
    assert list(states) == ["packed", "packed", "to_do"]
    query = "&".join(f"id={task.public_id}" for task in tasks[:2])
    assert "2 steps were taken back." in text(
        agent.post(f"{url('task_undo')}?{query}", follow=True)
    )
    assert set(FulfillmentTask.objects.values_list("status", flat=True)) == {"to_do"}


def test_what_a_step_does_not_fit_is_left_and_said(agent: Client, ana: Member):
    task = note(ana)
    answer = agent.post(
        url("task_steps"), {"id": str(task.public_id), "action": "sent"}, follow=True
    )
    assert "1 was left as it is." in text(answer)
    task.refresh_from_db()
    assert task.status == "to_do"


def test_how_late_something_is_stands_there_in_words(agent: Client, ana: Member):
    note(ana, "Old", "o", now=timezone.now() - dt.timedelta(days=9))
    note(ana, "New", "w")
    page = text(agent.get(url("task_list")))
    assert "days late" in page
    assert page.index("Old") < page.index("New")
    late = text(agent.get(url("task_list"), {"late": "1"}))
    assert "Old" in late
    assert "New" not in late


def test_the_queue_asks_as_often_for_many_as_for_one(agent: Client, ana: Member):
    note(ana)
    once = queries_of(agent, url("task_list"))
    for number in range(8):
        note(ana, f"More {number}", f"m{number}")
    assert queries_of(agent, url("task_list")) == once


def test_one_is_sent_with_a_tracking_number_and_comes_back(agent: Client, ana: Member):
    taken = take(ana.membership, offer(ana.program, "mug", kind="gift", name="Mug", price=50))
    task = FulfillmentTask.objects.get(redemption=taken)
    assert "Waits for an address" in text(agent.get(url("task", task.public_id)))
    wrong = agent.post(url("task_address", task.public_id), HOME | {"city": ""})
    assert wrong.status_code == 422
    agent.post(url("task_address", task.public_id), HOME)
    agent.post(url("task_advance", task.public_id, "packed"))
    agent.post(
        url("task_advance", task.public_id, "sent"),
        {"carrier": "Post", "tracking_number": "RR1"},
    )
    page = text(agent.get(url("task", task.public_id)))
    assert "RR1" in page
    assert "1 Oak St" in page
    agent.post(url("task_advance", task.public_id, "returned"), {"reason": "Moved away"})
    dialog = text(agent.get(url("task_advance", task.public_id, "canceled")))
    assert "its units go back to the member" in dialog
    agent.post(url("task_advance", task.public_id, "canceled"), {"reason": "Moved away"})
    task.refresh_from_db()
    assert (task.status, spendable("c1", timezone.now())) == ("canceled", 150)


def test_a_note_is_given_on_the_customers_page_once(agent: Client, ana: Member):
    address = url("task_give", ana.membership.public_id)
    form = {"key": str(uuid.uuid4()), "kind": "note", "what": "Card", "words": "Thank you"} | HOME
    assert agent.post(address, form | {"words": ""}).status_code == 422
    for _click in range(2):
        agent.post(address, form)
    task = FulfillmentTask.objects.get()
    assert (task.status, task.words) == ("to_do", "Thank you")
    assert "Card" in text(agent.get(url("task_panel", ana.customer.public_id)))
    later = {"key": str(uuid.uuid4()), "kind": "surprise", "what": "Box", "later": "on"}
    agent.post(address, later)
    assert FulfillmentTask.objects.filter(status="awaited", what="Box").exists()


def test_somebody_sees_to_it(agent: Client, ana: Member):
    task = note(ana)
    agent.post(url("task_steps"), {"id": str(task.public_id), "action": "mine"})
    task.refresh_from_db()
    assert task.assignee is not None
    mine = {"whose": str(task.assignee_id)}
    assert "A card" in text(agent.get(url("task_list"), mine))
    assert "A card" not in text(agent.get(url("task_list"), {"whose": "nobody"}))
    agent.post(url("task_assign", task.public_id), {"assignee": ""})
    task.refresh_from_db()
    assert task.assignee is None


def test_no_formula_gets_into_the_file(agent: Client, ana: Member):
    bad = Address(**HOME | {"recipient": "=1+1", "street": "@home", "phone": "+1 212"})
    note(ana, "-cmd|' /C calc'!A0", "bad", address=bad)
    head, row = streamed(agent.get(url("task_csv")))
    found = dict(zip(head, row, strict=True))
    assert found["recipient"] == "'=1+1"
    assert found["street"] == "'@home"
    assert found["phone"] == "'+1 212"
    assert found["what"].startswith("'-cmd")
    assert found["city"] == "Springfield"


def test_labels_are_printed_of_what_is_chosen_and_nothing_in_them_runs(agent: Client, ana: Member):
    evil = Address(**HOME | {"recipient": "<script>alert(1)</script>"})
    first, second = note(ana, "Card A", "1", address=evil), note(ana, "Card B", "2", address=None)
    page = agent.get(
        url("task_labels"), {"id": [str(first.public_id), str(second.public_id)]}
    ).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "1 has no address and no label." in page
    assert "Card A" in page
    assert "Card B" not in page


def test_how_soon_a_program_sends_is_set(manager: Client, ana: Member):
    manager.post(url("task_days", "beans"), {"days": "0"})
    assert "Due today" in text(manager.get(url("task", note(ana).public_id)))


def test_addresses_are_forgotten_on_the_customers_page(agent: Client, ana: Member):
    task = note(ana)
    for state in ("packed", "sent"):
        advance_task(task=task, to=state, actor=SYSTEM, now=timezone.now())
    agent.post(url("task_forget", ana.customer.public_id))
    task.refresh_from_db()
    assert task.address is None


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_screens_can_be_used_by_everybody(sign_in, ana, assert_no_axe_violations):
    task = note(ana)
    note(ana, "Another", "x", now=timezone.now() - dt.timedelta(days=9))
    page = sign_in("marketing_manager")
    for address in (
        url("task", task.public_id), f"{url('task_labels')}?id={task.public_id}",
        url("task_give", ana.membership.public_id), url("task_list"),
    ):  # fmt: skip
        page.goto(address)
        assert_no_axe_violations(page)
    page.get_by_role("button", name="All on this page").click()
    page.keyboard.press("p")
    page.get_by_text("2 are packed.").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("2 steps were taken back.").wait_for()
