"""Promotion codes over the API: quotes, carts, orders, tills and the storefront say whether each
counts, or why not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import PromoCodeUse
from loyalty.models import Membership, Program
from members.models import Customer
from members.services.audit import SYSTEM
from rewards.models import Element
from rewards.services.storefront import update_storefront
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.campaigns import launch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all", "undone_when_refused")]
DAY = dt.timedelta(days=1)
CODE = "STUDENT10"
COUNTS = {"code": CODE, "promotion": "Spring", "counts": True, "reason": "", "message": ""}
USED = COUNTS | {
    "counts": False, "reason": "used_by_member",
    "message": "It was used as often as one member may.",
}  # fmt: skip
UNKNOWN = {
    "code": "NOBODYS", "promotion": "", "counts": False, "reason": "unknown",
    "message": "No promotion has this code.",
}  # fmt: skip


@pytest.fixture
def by_code(program: Program, membership: Membership) -> Membership:
    """Ann, and a tenth off for who knows the word."""
    now = timezone.now()
    launch(
        program, "percent-off", at=now, starts_at=now, ends_at=now + DAY, offer={"percent": 10},
        codes={"kind": "shared", "word": CODE},
    )  # fmt: skip
    return membership


def goods(**more: Any) -> dict[str, Any]:
    return {"currency": "USD", "total": "20", "lines": [{"line_no": 1, "total": "20"}]} | more


def told(number: str, **more: Any) -> dict[str, Any]:
    body = {"external_id": number, "placed_at": timezone.now().isoformat(), "coupons": [CODE]}
    return goods(customer={"external_id": "C-1"}, **body) | more


def test_a_quote_says_of_each_code_whether_it_counts(api: ApiClient, by_code: Membership) -> None:
    body = goods(customer={"external_id": "C-1"}, coupons=[CODE, "NOBODYS"])
    (found,) = api.post("/quotes", body).json()["programs"]
    assert found["codes"] == [COUNTS, UNKNOWN]
    assert found["discount"] == "2.00"
    (without,) = api.post("/quotes", goods(customer={"external_id": "C-1"})).json()["programs"]
    assert (without["codes"], without["discount"]) == ([], "0.00")


def test_an_order_uses_it_and_says_why_the_next_does_not(
    api: ApiClient, by_code: Membership
) -> None:
    first = api.post("/orders", told("A"), Idempotency_Key="a").json()
    assert first["codes"] == [COUNTS]
    second = api.post("/orders", told("B", coupons=[CODE, "OWN"]), Idempotency_Key="b").json()
    assert second["codes"] == [USED]
    explained = api.get("/order-explanations/shop/B").json()["programs"]
    assert explained[0]["codes"] == [USED]


def test_a_cart_keeps_it_for_its_order(api: ApiClient, by_code: Membership) -> None:
    def reserve(cart: str) -> Any:
        body = {
            "membership": str(by_code.public_id), "cart": cart, "order": goods(coupons=[CODE]),
        }  # fmt: skip
        return api.post("/checkouts", body, Idempotency_Key=cart)

    found = reserve("one").json()
    assert (found["codes"], found["totals"]["discount"]) == ([COUNTS], "2.00")
    assert_problem(reserve("two"), 409, "code_used_by_member")
    path = f"/checkouts/{found['id']}"
    api.post(f"{path}/commit", {"order_external_id": "A"}, Idempotency_Key="commit")
    assert api.get(path).json()["codes"] == [COUNTS]
    assert PromoCodeUse.objects.get().holder == "order:shop/A"


def test_a_till_passes_it_on_also_what_was_sold_offline(
    api: ApiClient, by_code: Membership
) -> None:
    def sale(number: str) -> dict[str, Any]:
        when = timezone.now().isoformat()
        who = {"scanned": by_code.card_number}
        return goods(id=number, placed_at=when, member=who, coupons=["student 10"])

    said = COUNTS | {"code": "student 10"}
    body = sale("s-1") | {"till": "till-1"}
    assert api.post("/till/sales", body, Idempotency_Key="s-1").json()["codes"] == [said]
    later = {"till": "till-1", "sales": [sale("s-2")]}
    (found,) = api.post("/till/sync", later, Idempotency_Key="s-2").json()["results"]
    assert (found["outcome"], found["codes"]) == ("created", [USED | {"code": "student 10"}])


def test_the_storefront_says_it_beside_the_basket(
    key_with: Callable[..., ApiClient], program: Program, by_code: Membership, customer: Customer
) -> None:
    update_storefront(
        actor=SYSTEM, changes={"program": program, "elements": [Element.BASKET, Element.BALANCE]}
    )
    body = {"customer": {"external_id": "C-1"}}
    member = ApiClient(key_with("member_tokens:write").post("/member-tokens", body).json()["token"])
    basket = {"lines": [{"total": "20"}], "codes": [CODE, "NOBODYS"]}
    found = member.post("/me/storefront/basket", basket).json()
    assert (found["promotions"], found["discount"]) == ([COUNTS, UNKNOWN], "2.00")
    assert member.post("/me/storefront/basket", {"lines": [{"total": "20"}]}).json()[
        "promotions"
    ] == []  # fmt: skip
    (own,) = member.get(f"/me/memberships/{by_code.public_id}/campaigns").json()["results"]
    assert own["code"] == CODE


def test_a_promotion_is_read_with_the_code_that_it_takes(
    api: ApiClient, by_code: Membership
) -> None:
    (found,) = api.get("/campaigns").json()["results"]
    assert found["codes"] == {
        "kind": "shared", "word": CODE, "most_uses": None, "per_member": 1, "shown": True,
    }  # fmt: skip
    assert f"Only with the code {CODE}." in found["sentences"]
