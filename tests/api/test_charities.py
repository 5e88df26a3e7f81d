"""/charities, what came of them, standing gifts, and orders that were rounded up."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from loyalty.models import CharityEntry, Membership
from tests.api.conftest import ApiClient
from tests.loyalty.factories import make_program, make_wallet, order, record

TREES = {
    "code": "trees", "name": "City Trees", "thing_singular": "tree", "thing_plural": "trees",
    "thing_price": "5", "rates": [{"units": "50", "things": "1"}],
    "texts": {"el": {"name": "Δέντρα"}},
}  # fmt: skip


@pytest.fixture
def giver(db: None) -> Membership:
    program = make_program(
        "beans", unit={"unit_value": "0.01"}, charities=[TREES, {"code": "seas", "name": "Seas"}]
    )
    wallet = make_wallet(program, "c1")
    record(order("A1", "100"))
    return Membership.objects.get(account=wallet.account_id)


def gift(giver: Membership, **changes: Any) -> dict[str, Any]:
    return {"membership": str(giver.public_id), "to": {"charity": "trees"}, "units": "75"} | changes


def listed(api: ApiClient, **query: str) -> list[dict[str, Any]]:
    return api.get(f"/charities?{urlencode(query)}").json()["results"]  # type: ignore[no-any-return]


def test_charities_are_listed_and_read(api: ApiClient, giver: Membership) -> None:
    trees, seas = listed(api, program="beans")
    assert (trees["code"], seas["code"]) == ("trees", "seas")
    assert trees["rates"] == [
        {"wallet_type": "points", "units": "50", "money": None, "things": "1"}
    ]
    assert trees["texts"]["el"]["name"] == "Δέντρα"
    assert api.get(f"/charities/{trees['id']}").json() == trees
    assert listed(api, program="other") == listed(api, status="archived") == []


def test_what_was_given_is_told_of_all_and_of_one(api: ApiClient, giver: Membership) -> None:
    api.post("/gifts", gift(giver), Idempotency_Key="g1")
    trees, seas = listed(api)
    told = api.get(f"/charities/{trees['id']}/impact").json()
    assert (told["money"], told["things"], told["in_words"]) == (
        "7.50", "1.5", "1\N{NO-BREAK SPACE}tree"
    )  # fmt: skip
    assert told["units"] == [{"wallet_type": "points", "units": "75"}]
    of_one = f"impact?membership={giver.public_id}"
    assert api.get(f"/charities/{trees['id']}/{of_one}").json() == told
    assert api.get(f"/charities/{seas['id']}/{of_one}").json()["money"] == "0.00"
    mine = api.get(f"/memberships/{giver.public_id}/impact").json()
    assert mine == {"results": [told]}


def test_all_is_given_at_once_to_a_charity_only(api: ApiClient, giver: Membership) -> None:
    made = api.post("/gifts", gift(giver, units="all"), Idempotency_Key="g1")
    assert (made.status_code, made.json()["units"]) == (201, "-100")
    again = api.post("/gifts", gift(giver, units="all"), Idempotency_Key="g1")
    assert again.json() == made.json()
    other = gift(giver, units="all", to={"card_number": giver.card_number})
    assert api.post("/gifts", other, Idempotency_Key="g2").status_code == 422


def test_a_standing_gift_is_set_listed_and_ended(api: ApiClient, giver: Membership) -> None:
    path = f"/memberships/{giver.public_id}/standing-gifts"
    body = {"charity": "trees", "percent": "10"}
    made = api.put(f"{path}/points", body)
    assert (made.status_code, made.json()["percent"]) == (200, "10")
    assert api.put(f"{path}/points", body).json() == made.json()
    assert api.get(path).json()["results"] == [made.json()]
    assert api.put(f"{path}/points", body | {"charity": "paws"}).status_code == 422
    assert api.put(f"{path}/stars", body).status_code == 404
    assert api.request("DELETE", f"{path}/points").json() == {"results": []}


def test_an_order_is_rounded_up(api: ApiClient, giver: Membership) -> None:
    body = {
        "external_id": "S1", "placed_at": "2026-01-05T10:00:00Z", "currency": "USD",
        "total": "9.50", "customer": {"external_id": "c1"},
        "round_up": {"program": "beans", "charity": "seas", "amount": "0.50"},
    }  # fmt: skip
    assert api.post("/orders", body, Idempotency_Key="o1").status_code in (200, 201)
    entry = CharityEntry.objects.get(kind="round_up")
    assert (f"{entry.money:.2f}", entry.membership) == ("0.50", giver)
    assert api.get("/orders/shop/S1").json()["round_up"] == body["round_up"]
    api.post("/orders", body | {"status": "cancelled"}, Idempotency_Key="o1b")
    assert api.get("/orders/shop/S1").json()["round_up"] is None
    wrong = body | {"external_id": "S2", "round_up": body["round_up"] | {"charity": "paws"}}  # type: ignore[operator]
    refused = api.post("/orders", wrong, Idempotency_Key="o2")
    assert refused.status_code in (400, 422)
    assert "round_up.charity" in refused.content.decode()


def test_a_key_needs_its_scope(key_with: Any, giver: Membership) -> None:
    weak = key_with("orders:read")
    assert weak.get("/charities").status_code == 403
    path = f"/memberships/{giver.public_id}/standing-gifts/points"
    assert weak.put(path, {"charity": "trees", "percent": "10"}).status_code == 403
