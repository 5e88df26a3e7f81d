"""/browsing-events: told by shops and by members, kept of who agreed; of each it is said what
became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import BrowsingEvent
from loyalty.models import Membership
from members.models import Customer
from tests.api.conftest import ApiClient, assert_problem, count_queries
from tests.campaigns.browsing import agree, keep
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all", "undone_when_refused")]


@pytest.fixture
def ann(membership: Membership) -> Customer:
    keep()
    agree(membership.customer, now=timezone.now())
    return membership.customer


@pytest.fixture
def shop(key_with: Callable[..., ApiClient]) -> ApiClient:
    return key_with("browsing:write", "member_tokens:write")


@pytest.fixture
def me(shop: ApiClient, ann: Customer) -> ApiClient:
    asked = {"customer": {"external_id": ann.external_id}}
    return ApiClient(shop.post("/member-tokens", asked).json()["token"])


def viewed(number: str = "one", **more: Any) -> dict[str, Any]:
    return {"id": number, "type": "product_viewed", "sku": "MUG", "name": "Blue Mug",
            "category": "Mugs", **more}  # fmt: skip


def outcomes(answer: Any) -> list[tuple[str, str, str | None]]:
    assert answer.status_code == 200, answer.content
    return [
        (row["id"], row["outcome"], row["problem"] and row["problem"]["code"])
        for row in answer.json()["results"]
    ]


def test_a_batch_says_of_each_what_became_of_it(shop: ApiClient, ann: Customer) -> None:
    stranger, old = CustomerFactory(), timezone.now() - dt.timedelta(days=200)
    events = [
        viewed("a", customer={"external_id": ann.external_id}),
        viewed("b", customer={"id": str(ann.public_id)}),
        viewed("c", customer={"external_id": "nobody"}),
        viewed("d", customer={"external_id": stranger.external_id}),
        viewed("e", customer={"external_id": ann.external_id}, occurred_at=old.isoformat()),
    ]
    expected = [
        ("a", "recorded", None), ("b", "recorded", None), ("c", "dropped", "unknown_customer"),
        ("d", "dropped", "no_consent"), ("e", "dropped", "too_old"),
    ]  # fmt: skip
    assert outcomes(shop.post("/browsing-events", {"events": events})) == expected
    again = outcomes(shop.post("/browsing-events", {"events": events}))
    assert [row[1] for row in again[:2]] == ["unchanged", "unchanged"]
    assert not Customer.objects.filter(external_id="nobody").exists()


def test_a_member_tells_what_is_their_own(me: ApiClient, ann: Customer) -> None:
    events = [
        viewed(),
        {"id": "two", "type": "category_viewed", "category": "Tea"},
        {"id": "three", "type": "searched", "query": "blue mug"},
        {"id": "four", "type": "cart_updated", "sku": "MUG", "quantity": 0},
    ]
    answer = me.post("/me/browsing-events", {"events": events})
    assert {row[1] for row in outcomes(answer)} == {"recorded"}
    kept = BrowsingEvent.objects.filter(customer=ann).order_by("external_id")
    assert list(kept.values_list("subject", flat=True)) == ["MUG", "MUG", "blue mug", "Tea"]


def test_without_a_yes_and_where_it_is_off_a_member_is_told_so(
    me: ApiClient, ann: Customer
) -> None:
    agree(ann, yes=False, now=timezone.now())
    assert outcomes(me.post("/me/browsing-events", {"events": [viewed()]})) == [
        ("one", "dropped", "no_consent")
    ]
    assert not BrowsingEvent.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sku": ""}, "events[0]"), ({"sku": "x" * 201}, "events[0].sku"),
        ({"quantity": 2}, "events[0]"), ({"type": "bought"}, "events[0].type"),
        ({"type": "cart_updated"}, "events[0]"), ({"id": ""}, "events[0].id"),
        ({"type": "searched"}, "events[0]"), ({"password": "x"}, "events[0].password"),
        ({"name": "a\x00b"}, "events[0].name"), ({"occurred_at": "today"}, "events[0].occurred_at"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place_and_nothing_is_kept(
    me: ApiClient, change: dict[str, Any], field: str
) -> None:
    answer = me.post("/me/browsing-events", {"events": [viewed(**change), viewed("two")]})
    assert_problem(answer, 422, "invalid_request", field)
    assert not BrowsingEvent.objects.exists()


def test_a_batch_has_a_hundred_at_most(me: ApiClient) -> None:
    many = [viewed(f"{number}") for number in range(101)]
    assert_problem(me.post("/me/browsing-events", {"events": many}), 422, "invalid_request")
    assert_problem(me.post("/me/browsing-events", {"events": []}), 422, "invalid_request")
    assert len(outcomes(me.post("/me/browsing-events", {"events": many[:100]}))) == 100


def test_a_hundred_take_as_many_queries_as_one(shop: ApiClient, ann: Customer) -> None:
    who = {"external_id": ann.external_id}

    def tell(start: int, number: int) -> int:
        events = [viewed(f"{start + n}", customer=who, sku=f"S{n}") for n in range(number)]
        return count_queries(lambda: shop.post("/browsing-events", {"events": events}))

    tell(0, 1)
    assert tell(1_000, 1) == tell(2_000, 100)


def test_what_somebody_looked_at_is_listed_newest_first(
    shop: ApiClient, key_with: Callable[..., ApiClient], ann: Customer
) -> None:
    now = timezone.now()
    for number in range(3):
        at = (now - dt.timedelta(hours=number)).isoformat()
        event = viewed(f"{number}", customer={"external_id": ann.external_id}, occurred_at=at)
        shop.post("/browsing-events", {"events": [event]})
    reader = key_with("browsing:read")
    found = reader.get(f"/browsing-events?customer={ann.public_id}&limit=2").json()
    assert [row["id"] for row in found["results"]] == ["0", "1"]
    assert found["results"][0]["type"] == "product_viewed"
    rest = reader.get(found["next"]).json()
    assert [row["id"] for row in rest["results"]] == ["2"]
    assert_problem(reader.get("/browsing-events"), 400, "invalid_parameter", "customer")


def test_each_scope_opens_its_own_alone(
    shop: ApiClient, key_with: Callable[..., ApiClient], me: ApiClient, ann: Customer
) -> None:
    body = {"events": [viewed(customer={"external_id": ann.external_id})]}
    reader = key_with("browsing:read")
    assert_problem(reader.post("/browsing-events", body), 403, "insufficient_scope")
    found = shop.get(f"/browsing-events?customer={ann.public_id}")
    assert_problem(found, 403, "insufficient_scope")
    assert ApiClient().post("/browsing-events", body).status_code == 401
    assert shop.post("/me/browsing-events", {"events": [viewed()]}).status_code == 401
    assert me.post("/browsing-events", body).status_code == 401


def test_a_member_who_tells_too_much_is_told_to_wait(me: ApiClient, settings: Any) -> None:
    settings.MEMBER_REQUESTS_PER_MINUTE = 2
    body = {"events": [viewed()]}
    answers = [me.post("/me/browsing-events", body).status_code for _n in range(4)]
    assert answers[-1] == 429


def test_what_is_looked_at_is_in_no_log(me: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    me.post("/me/browsing-events", {"events": [viewed(name="Secret Mug", sku="SECRET-1")]})
    assert "SECRET" not in caplog.text.upper()


def test_a_member_agrees_by_the_api(me: ApiClient, ann: Customer) -> None:
    said = {"channel": "shop", "topic": "browsing", "wanted": False}
    found = me.patch("/me/consents", {"consents": [said]}).json()["consents"]
    assert {"channel": "shop", "topic": "browsing", "said": "denied", "wanted": False} in found
