"""/fulfillment-tasks, /events, /content and /access."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.event_definitions import EventDefinition
from rewards.models import Event, Reward
from rewards.services.access_windows import WindowTerms, save_window
from rewards.services.content import ContentTerms, create_content
from rewards.services.events import create_event
from rewards.services.rewards import create_reward
from tests.api.conftest import ApiClient, assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all", "undone_when_refused")]
HOME = {"recipient": "Ann", "street": "1 Oak St", "city": "Springfield", "country": "US"}
DAY = dt.timedelta(days=1)


@pytest.fixture
def member(api: ApiClient, membership: Membership) -> Membership:
    """Ann, who has 100."""
    body = {"membership": str(membership.public_id), "units": "100", "reason": "goodwill"}
    assert api.post("/transfers", body, Idempotency_Key="start").status_code == 201
    return membership


@pytest.fixture
def mug(program: Program) -> Reward:
    definition = RewardDefinition.model_validate(
        {"code": "mug", "kind": "gift", "name": "A mug", "price": 60, "status": "live"}
    )
    return create_reward(program=program, definition=definition, actor=SYSTEM)


@pytest.fixture
def event(program: Program) -> Event:
    begins = timezone.now() + 9 * DAY
    definition = EventDefinition.model_validate(
        {"code": "tasting", "name": "Tasting", "place": "Shop", "starts_at": begins,
         "ends_at": begins + dt.timedelta(hours=2), "seats": 1, "price": 10}
    )  # fmt: skip
    return create_event(program=program, definition=definition, actor=SYSTEM, live=True)


def take(api: ApiClient, member: Membership, reward: Reward, key: str = "t1", **more: Any) -> Any:
    body = {"membership": str(member.public_id), "reward": str(reward.public_id)} | more
    return api.post("/reward-redemptions", body, Idempotency_Key=key)


def advance(api: ApiClient, task: str, to: str, **more: str) -> Any:
    key = f"{to}-{len(more)}"
    return api.post(f"/fulfillment-tasks/{task}/advance", {"to": to, **more}, Idempotency_Key=key)


def test_a_reward_that_is_sent_goes_from_the_queue_to_the_carrier_and_back(
    api: ApiClient, member: Membership, mug: Reward
) -> None:
    assert take(api, member, mug).status_code == 201
    [task] = api.get(f"/fulfillment-tasks?membership={member.public_id}").json()["results"]
    assert (task["status"], task["address"], task["due_at"]) == ("awaited", None, None)
    assert_problem(advance(api, task["id"], "packed"), 409, "task_state")
    path = f"/fulfillment-tasks/{task['id']}"
    assert_problem(api.put(f"{path}/address", HOME | {"country": "Utopia"}), 422, "invalid_request")
    assert api.put(f"{path}/address", HOME).json()["status"] == "to_do"
    assert advance(api, task["id"], "packed", reason="x").status_code == 200
    sent = advance(api, task["id"], "sent", carrier="Post", tracking_number="R1").json()
    assert (sent["status"], sent["carrier"], sent["tracking_number"]) == ("sent", "Post", "R1")
    advance(api, task["id"], "returned", reason="moved")
    assert advance(api, task["id"], "canceled", reason="moved").json()["status"] == "canceled"
    [taken] = api.get("/reward-redemptions").json()["results"]
    assert taken["status"] == "cancelled"


def test_an_address_comes_along_when_it_is_taken(
    api: ApiClient, member: Membership, mug: Reward
) -> None:
    assert take(api, member, mug, address=HOME).status_code == 201
    [task] = api.get("/fulfillment-tasks?status=to_do").json()["results"]
    assert task["address"]["city"] == "Springfield"
    wrong = take(api, member, mug, "t2", address={"recipient": "Ann"})
    assert_problem(wrong, 422, "invalid_request", "address.street", "address.city")


def test_a_note_is_given_once_by_its_key(api: ApiClient, member: Membership) -> None:
    body = {"membership": str(member.public_id), "kind": "note", "what": "Card", "words": "Hi"}
    first, again = (
        api.post("/fulfillment-tasks", body, Idempotency_Key="n").json()["id"] for _try in range(2)
    )
    assert first == again
    refused = api.post("/fulfillment-tasks", body | {"words": ""}, Idempotency_Key="m")
    assert_problem(refused, 422, "invalid_request", "words")


def test_a_seat_is_booked_waited_for_and_given_on(
    api: ApiClient, member: Membership, event: Event
) -> None:
    [found] = api.get("/events").json()["results"]
    assert (found["name"], found["seats"], found["left"]) == ("Tasting", 1, 1)
    waiting = f"/events/{event.public_id}/waiting-list"
    body = {"membership": str(member.public_id)}
    assert api.post(waiting, body, Idempotency_Key="w0").status_code == 409
    Reward.objects.filter(pk=event.reward_id).update(stock=0)
    wait = api.post(waiting, body, Idempotency_Key="w1").json()
    assert (wait["status"], wait["place"]) == ("waiting", 1)
    accept = f"/event-waits/{wait['id']}/accept"
    assert_problem(api.post(accept, Idempotency_Key="a0"), 409, "event_state")
    left = api.post(f"/event-waits/{wait['id']}/leave", Idempotency_Key="l").json()
    assert (left["status"], left["place"]) == ("left", None)
    assert api.get(f"/event-waits/{wait['id']}").json()["status"] == "left"


def test_a_code_opens_the_door_once_and_an_event_is_called_off(
    api: ApiClient, member: Membership, event: Event
) -> None:
    code = take(api, member, event.reward).json()["voucher"]["code"]
    door = f"/events/{event.public_id}/check-in"
    assert api.post(door, {"code": code}, Idempotency_Key="c1").json()["status"] == "used"
    assert_problem(api.post(door, {"code": code}, Idempotency_Key="c2"), 409, "event_state")
    off = api.post(
        f"/events/{event.public_id}/cancel", {"reason": "Storm"}, Idempotency_Key="off"
    ).json()
    assert (off["status"], off["live"]) == ("canceled", False)


def test_the_shop_asks_whether_somebody_may_come_in(
    api: ApiClient, member: Membership, program: Program
) -> None:
    now = timezone.now()
    terms = WindowTerms(name="Sale", opens_at=now + DAY, closes_at=now + 2 * DAY,
                        skus=("COAT",), categories=("COATS",))  # fmt: skip
    save_window(program=program, code="sale", terms=terms, actor=SYSTEM)
    body = {"membership": str(member.public_id)}
    found = api.post("/access/check", body | {"window": "sale"}).json()
    assert (found["allowed"], found["code"]) == (False, "not_yet")
    assert found["opens_at"]
    assert_problem(api.post("/access/check", body), 422, "invalid_request")
    assert_problem(
        api.post("/access/check", body | {"reward": "x"}), 422, "invalid_request", "reward"
    )
    assert api.post("/access/check", body | {"benefit": "free_returns"}).json()["code"] == (
        "no_benefit"
    )
    [shown] = api.get(f"/access/windows?membership={member.public_id}").json()["results"]
    assert (shown["code"], shown["open"], shown["skus"]) == ("sale", False, ["COAT"])
    held = api.post("/access/check", body | {"sku": "COAT", "category": "HATS"}).json()
    assert (held["allowed"], held["code"]) == (False, "not_yet")
    assert api.post("/access/check", body | {"sku": "HAT"}).json()["allowed"]
    assert not api.post("/access/check", body | {"category": "COATS"}).json()["allowed"]
    both = body | {"sku": "COAT", "window": "sale"}
    assert_problem(api.post("/access/check", both), 422, "invalid_request")


def test_a_link_opens_a_file_for_a_while_and_only_for_who_may(
    api: ApiClient, member: Membership, program: Program, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    said = {"status": "live", "wallet_type": program.wallet_types.get().code}
    free, dear = (
        create_content(
            program=program, code=code, actor=SYSTEM, file=ContentFile(b"text", name="a.txt"),
            terms=ContentTerms(title=code, price=price, **said),
        )
        for code, price in (("free", None), ("dear", Decimal(50)))
    )  # fmt: skip
    listed = api.get(f"/content?membership={member.public_id}").json()["results"]
    assert {item["code"]: item["allowed"] for item in listed} == {"free": True, "dear": False}
    body = {"membership": str(member.public_id)}
    link = api.post(f"/content/{free.public_id}/link", body).json()["url"]
    stranger = Client()
    answer = stranger.get(link.partition("/me/")[1] + link.partition("/me/")[2])
    assert b"".join(answer.streaming_content) == b"text"
    assert answer["Content-Disposition"] == 'attachment; filename="a.txt"'
    refused = api.post(f"/content/{dear.public_id}/link", body)
    assert_problem(refused, 409, "content_refused")
    assert stranger.get("/me/library/link/forged/").status_code == 404


def test_who_may_only_read_sends_nothing(
    key_with: Callable[..., ApiClient], member: Membership, event: Event
) -> None:
    reader = key_with("rewards:read", "fulfillment:read")
    assert reader.get("/fulfillment-tasks").status_code == 200
    assert key_with("rewards:read").get("/fulfillment-tasks").status_code == 403
    body = {"membership": str(member.public_id), "kind": "note", "what": "x", "words": "x"}
    assert reader.post("/fulfillment-tasks", body, Idempotency_Key="x").status_code == 403
    path = f"/events/{event.public_id}/check-in"
    assert reader.post(path, {"code": "x"}, Idempotency_Key="y").status_code == 403
    assert key_with("orders:write").get("/events").status_code == 403


def test_where_an_event_is_on_the_net_is_told_to_whoever_keeps_events_alone(
    api: ApiClient, key_with: Callable[..., ApiClient], event: Event
) -> None:
    Event.objects.update(link="https://meet.example/tasting")
    reader = key_with("rewards:read")
    for asker, told in ((api, "https://meet.example/tasting"), (reader, "")):
        assert asker.get(f"/events/{event.public_id}").json()["link"] == told
        assert [item["link"] for item in asker.get("/events").json()["results"]] == [told]
