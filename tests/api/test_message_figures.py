"""/message-figures and /journeys/{id}/message-figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.utils import timezone

from campaigns.services.measuring import note_click
from campaigns.services.policies import set_policy
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.factories import make_journey, send, tell
from tests.campaigns.services.test_figures import DAY, buys, reachable, told
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _any_time(db: None) -> None:
    set_policy(changes={"quiet_from": dt.time(0), "quiet_until": dt.time(0)}, actor=SYSTEM)


def test_all_and_one_message(api: ApiClient) -> None:
    now = timezone.now()
    member = reachable("c1")
    row = told(member, now - 10 * DAY)
    note_click(delivery=row.public_id, target="https://shop.example/", now=now)
    buys(member, now - 9 * DAY)
    page = api.get("/message-figures").json()
    assert page["since"] == (now - 29 * DAY).date().isoformat()
    [gift] = page["messages"]
    assert gift["occasion"] == "gift"
    assert {name: number for name, number in gift["counts"].items() if number} == {
        "sent": 1, "counts_clicks": 1, "clicked": 1, "over": 1, "ordered": 1,
    }  # fmt: skip
    one = api.get("/message-figures/gift?days=11").json()
    assert (one["total"], one["order_days"], len(one["days"])) == (gift["counts"], 7, 11)
    assert [(item["channel"], item["language"], item["version"]) for item in one["words"]] == [
        ("email", "en", None)
    ]
    assert api.get("/message-figures/gift?days=3").json()["total"]["sent"] == 0
    [message] = api.get(f"/customers/{member.customer.public_id}/messages").json()["results"]
    [delivery] = message["deliveries"]
    assert delivery["clicked_at"] is not None
    assert delivery["opened_at"] is None


def test_a_journey(api: ApiClient) -> None:
    journey = make_journey(reachable("c1").program)
    found = api.get(f"/journeys/{journey.public_id}/message-figures").json()
    assert (found["total"]["sent"], found["steps"]) == (0, [])


def test_what_cannot_be_asked(api: ApiClient, key_with: Callable[..., ApiClient]) -> None:
    assert_problem(api.get("/message-figures/nothing"), 404, "not_found")
    assert_problem(api.get(f"/journeys/{uuid4()}/message-figures"), 404, "not_found")
    assert api.get("/message-figures?days=91").status_code == 400
    other = key_with("customers:read")
    of_a_journey = f"/journeys/{uuid4()}/message-figures"
    for path in ("/message-figures", "/message-figures/gift", of_a_journey):
        assert_problem(other.get(path), 403, "insufficient_scope")


def test_whose_messages_are_counted_is_theirs_to_say(api: ApiClient) -> None:
    ana = CustomerFactory(email="ana@example.com")
    body = {"consents": [{"channel": "email", "topic": "tracking", "wanted": False}]}
    answer = api.patch(f"/customers/{ana.public_id}/consents", body)
    assert answer.json()["consents"][-1] == {
        "channel": "email", "topic": "tracking", "said": "denied", "wanted": False,
    }  # fmt: skip
    wrong = {"consents": [{"channel": "inbox", "topic": "tracking", "wanted": False}]}
    assert api.patch(f"/customers/{ana.public_id}/consents", wrong).status_code == 422
    tell(ana)
    send()
    assert api.get("/message-figures/gift").json()["total"]["counts_clicks"] == 0
