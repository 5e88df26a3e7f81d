"""The screens of journeys: begun from a ready-made one, written, put live, watched, ended."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Journey, Passage
from campaigns.selectors.journey_results import result_of
from campaigns.services.journey_steps import take_due
from tests.campaigns.factories import make_journey
from tests.loyalty.factories import enroll_all, make_program, order, record
from tests.rewards.factories import make_member

pytestmark = pytest.mark.django_db


def url(name: str, *args: Any) -> str:
    return reverse(f"messages_backoffice:{name}", args=args)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def do(client: Client, journey: Journey, what: str) -> None:
    client.post(url("journey_state", journey.public_id), {"do": what})
    journey.refresh_from_db()


def test_a_journey_is_begun_changed_and_put_live(manager: Client) -> None:
    make_program()
    assert "Win back" in page(manager, url("journey_list"))
    manager.post(url("journey_create"), {"ready": "win-back", "program": "club"})
    journey = Journey.objects.get()
    key = journey.public_id
    assert "Tell: Win back" in page(manager, url("journey_edit", key))
    sent = {"name": "Back again", "factor": "3", "again": "10", "goal": "order", "holdout": "20",
            "measured_days": "14", "audience": ""}  # fmt: skip
    assert manager.post(url("journey_edit", key), sent).status_code == 302
    wait = manager.post(url("journey_step", key, "new") + "?kind=wait", {"days": "4", "hours": "0"})
    assert wait.status_code == 302
    manager.post(url("journey_step_move", key, "s3"), {"way": "up"})
    body = journey.versions.get().body
    assert [step["kind"] for step in body["steps"]] == ["clock", "wait", "message"]
    assert (body["start"]["factor"], body["holdout"]) == ("3", 20)
    manager.post(url("journey_step_move", key, "s1"), {"way": "remove"})
    do(manager, journey, "publish")
    assert (journey.name, journey.status) == ("Back again", "live")
    assert "Wait 4 days" in page(manager, url("journey", key))


def test_what_cannot_be_so_is_said_and_kept_out(manager: Client) -> None:
    journey = make_journey()
    wrong = {"days": "0", "hours": "0"}
    address = url("journey_step", journey.public_id, "new")
    answer = manager.post(f"{address}?kind=wait", wrong)
    assert "Say how long." in answer.content.decode()
    assert manager.get(f"{address}?kind=jump").status_code == 404
    assert len(journey.versions.get().body["steps"]) == 7


def test_its_page_shows_who_is_where_and_what_a_member_would_get(manager: Client) -> None:
    member = make_member()
    journey = make_journey(member.program)
    do(manager, journey, "publish")
    now = timezone.now()
    Passage.objects.create(
        journey=journey, version=journey.versions.get(), membership=member, occurrence="one",
        state="active", step="s1", due_at=now, entered_at=now,
    )  # fmt: skip
    take_due()
    seen = page(manager, url("journey", journey.public_id) + "?member=c1")
    assert "1 is here" in seen
    assert "Too few to say anything yet" in seen
    assert "Tell: First steps" in seen
    assert "Step 2" in page(manager, url("journey_people", journey.public_id))
    do(manager, journey, "pause")
    do(manager, journey, "resume")
    do(manager, journey, "end")
    assert "The journey was ended" in page(manager, url("journey_people", journey.public_id))


def test_what_it_brought_is_told_with_its_interval_once_there_are_enough() -> None:
    program = make_program()
    journey = make_journey(program)
    version, now = journey.versions.get(), timezone.now()
    begun = now - dt.timedelta(days=40)
    members = enroll_all(program, (f"c{number}" for number in range(120)))
    Passage.objects.bulk_create(
        Passage(
            journey=journey, version=version, membership=member, occurrence="one", state="done",
            entered_at=begun, left_at=begun, held_out=number % 2 == 0,
            why="held_out" if number % 2 == 0 else "finished",
        )
        for number, member in enumerate(members)
    )  # fmt: skip
    assert result_of(journey, 41, now).orders is None
    for number, member in enumerate(members):
        if number % 2 or number % 20 == 0:
            record(order(f"A{number}", "20", at=begun + dt.timedelta(days=1),
                         buyer=member.customer.external_id))  # fmt: skip
    result = result_of(journey, 30, now)
    assert (result.led, result.aside) == (60, 60)
    assert result.orders is not None
    assert (result.orders.led, result.orders.aside) == (1.0, 0.1)
    assert result.orders.is_clear
    assert 0.8 < result.orders.low < 0.9 < result.orders.high < 1.0
    assert result.revenue is not None
    assert result.revenue.difference == pytest.approx(18)


def test_the_days_before_units_expire_and_the_ways_are_chosen_on_the_screen(
    manager: Client,
) -> None:
    make_program()
    manager.post(url("journey_create"), {"ready": "expiring", "program": "club"})
    journey = Journey.objects.get()
    key = journey.public_id
    shown = page(manager, url("journey_edit", key))
    assert "Days before" in shown
    assert 'value="60, 30, 7"' in shown
    sent = {"name": "Ends soon", "distances": "45, ten", "again": "0", "goal": "", "holdout": "0",
            "measured_days": "30", "audience": ""}  # fmt: skip
    wrong = manager.post(url("journey_edit", key), sent)
    assert "Write whole numbers with commas between them." in wrong.content.decode()
    too_far = manager.post(url("journey_edit", key), sent | {"distances": "400"})
    assert "Between 1 and 365." in too_far.content.decode()
    assert manager.post(url("journey_edit", key), sent | {"distances": "45, 10"}).status_code == 302
    step = {"message": "expiring", "channels": ["inbox"]}
    assert manager.post(url("journey_step", key, "s1"), step).status_code == 302
    do(manager, journey, "publish")
    body = journey.versions.get().body
    assert body["start"]["distances"] == [45, 10]
    assert body["steps"][0]["channels"] == ["inbox"]
    assert journey.status == "live"
