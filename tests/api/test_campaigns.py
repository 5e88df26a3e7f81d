"""/campaigns, and what is on for a member below /me."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Membership, Program
from loyalty.services.order_inputs import DiscountInput
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.campaigns import draft, launch
from tests.loyalty.factories import make_program, order, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all", "undone_when_refused")]
DAY = dt.timedelta(days=1)


def test_promotions_are_read_with_what_they_say_and_bring(
    key_with: Callable[..., ApiClient], program: Program, membership: Membership
) -> None:
    api, now = key_with("campaigns:read"), timezone.now()
    campaign = launch(program, at=now, starts_at=now, ends_at=now + DAY)
    draft(make_program("other", at=now - DAY))
    record(order("A", "10", buyer="C-1", at=timezone.now(), currency=program.currency))
    found = api.get(f"/campaigns/{campaign.public_id}").json()
    assert (found["status"], found["template"]) == ("live", "points-weekend")
    assert "For every member." in found["sentences"]
    assert api.get(f"/campaigns?program={program.code}").json()["results"] == [found]
    assert len(api.get("/campaigns").json()["results"]) == 2
    result = api.get(f"/campaigns/{campaign.public_id}/results").json()
    assert (result["reach"], result["takers"], result["orders"]) == (1, 1, 1)
    assert float(result["units"]) > 0
    assert result["orders_per_head"] is None


def test_what_a_budget_bears_is_read_and_what_is_beyond_it(
    key_with: Callable[..., ApiClient], program: Program, membership: Membership
) -> None:
    api, now = key_with("campaigns:read", "orders:read"), timezone.now()
    campaign = launch(
        program, "percent-off", at=now, starts_at=now, ends_at=now + DAY, budget_money="12",
        offer={"percent": 10},
    )  # fmt: skip
    said = [DiscountInput(program.code, "campaign-spring", Decimal(10))]
    how: dict[str, Any] = {
        "buyer": "C-1", "at": timezone.now(), "currency": program.currency, "discounts": said,
        "discount_total": Decimal(10),
    }  # fmt: skip
    record(order("A", "90", **how), order("B", "90", **how), order("C", "90", **how | {
        "discounts": [], "discount_total": Decimal(0)}))  # fmt: skip
    result = api.get(f"/campaigns/{campaign.public_id}/results").json()
    assert result["budget"] == {"whole": "12.00", "used": "12.00", "held": "0.00",
                                "uncovered": "8.00"}  # fmt: skip
    parts = [api.get(f"/orders/shop/{number}").json()["discount_budget"] for number in "ABC"]
    assert parts == [
        {"asked": "10.00", "borne": "10.00", "uncovered": "0.00"},
        {"asked": "10.00", "borne": "2.00", "uncovered": "8.00"},
        None,
    ]


def test_reading_promotions_takes_the_scope(
    key_with: Callable[..., ApiClient], program: Program
) -> None:
    campaign = draft(program)
    for path in ("/campaigns", f"/campaigns/{campaign.public_id}"):
        assert_problem(key_with("programs:read").get(path), 403, "insufficient_scope")
    unknown = "/campaigns/00000000-0000-4000-8000-000000000000"
    assert_problem(key_with("campaigns:read").get(unknown), 404, "not_found")


def test_a_member_reads_what_is_on_for_them(
    key_with: Callable[..., ApiClient], program: Program, membership: Membership
) -> None:
    now = timezone.now()
    body = {"customer": {"external_id": "C-1"}}
    token = key_with("member_tokens:write").post("/member-tokens", body).json()["token"]
    launch(program, at=now, starts_at=now, ends_at=now + DAY)
    launch(
        program, "flash", name="Night", teaser="Soon", at=now, starts_at=now + DAY,
        ends_at=now + 2 * DAY, teased_at=now - DAY,
    )  # fmt: skip
    path = f"/me/memberships/{membership.public_id}/campaigns"
    found = ApiClient(token).get(path).json()["results"]
    assert [(item["title"], item["coming"]) for item in found] == [
        ("Spring points", False), ("Soon", True),
    ]  # fmt: skip
