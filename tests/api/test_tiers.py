"""Tiers over the API: where members stand, what it brings, what is given by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.models import ManualTier, Membership, MemberTier
from members.models import AuditEntry
from tests.api.conftest import ApiClient
from tests.loyalty.factories import make_program, order, record

pytestmark = pytest.mark.django_db

LADDER = [
    {"code": "base", "name": "Member"},
    {"code": "silver", "name": "Silver", "threshold": 500, "color": "azure", "icon": "star",
     "benefits": [{"kind": "free_shipping", "above": 20}]},
    {"code": "gold", "name": "Gold", "threshold": 1500, "benefits": [
        {"kind": "multiplier", "factor": "1.5"},
        {"kind": "birthday_bonus", "units": 50},
        {"kind": "early_access", "hours": 24},
        {"kind": "custom", "name": "Barista course", "text": "Every spring."},
    ]},
]  # fmt: skip


def tiered(**changes: Any) -> None:
    make_program(
        at=timezone.now() - dt.timedelta(days=900),
        tiers={"tiers": LADDER, "window": "lifetime"} | changes,
    )


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


def member(number: str = "c1") -> Membership:
    return Membership.objects.get(customer__external_id=number)


def test_a_member_s_tier_says_what_is_missing_and_what_it_brings(api: ApiClient) -> None:
    tiered()
    record(order("A", "673", at=ago(3)), now=timezone.now())
    said = api.get(f"/memberships/{member().public_id}/tier").json()
    assert said["tier"]["code"] == "silver"
    assert said["tier"]["rank"] == 1
    assert said["tier"]["benefits"][0]["words"] == "Free shipping from $20.00"
    assert said["next"] == {
        "tier": "gold", "missing": "827", "until": None,
        "sentence": "Spend $827.00 more to reach Gold.",
    }  # fmt: skip
    assert (said["counted"], said["keep"], said["lost"]) == ("673", None, None)


def test_a_window_has_an_end(api: ApiClient) -> None:
    tiered(window="rolling_12_months")
    record(order("A", "673", at=ago(300)), now=timezone.now())
    said = api.get(f"/memberships/{member().public_id}/tier").json()
    assert said["until"] == said["lost"]["at"] == said["keep"]["until"] == said["leaving"]["at"]
    assert said["keep"]["missing"] == "500"
    assert said["keep"]["sentence"].startswith("Spend $500.00 more by ")
    assert "to reach Gold" in said["next"]["sentence"]


def test_the_shop_reads_tiers_by_the_customer_s_number(api: ApiClient) -> None:
    tiered()
    record(order("A", "1500", at=ago(3)), now=timezone.now())
    [said] = api.get("/customer-tiers?external_id=c1&program=club").json()["results"]
    assert [benefit["kind"] for benefit in said["tier"]["benefits"]] == [
        "multiplier", "birthday_bonus", "early_access", "custom",
    ]  # fmt: skip
    assert [benefit["words"] for benefit in said["tier"]["benefits"]] == [
        "1.5 × points on purchases", "50\N{NO-BREAK SPACE}points for the birthday",
        "24 hours of early access", "Barista course: Every spring.",
    ]  # fmt: skip
    by_id = api.get(f"/customer-tiers?customer={member().customer.public_id}").json()
    assert by_id["results"] == [said]
    assert api.get("/customer-tiers?external_id=c1&program=other").json()["results"] == []
    assert api.get("/customer-tiers").status_code == 422
    assert api.get("/customer-tiers?external_id=nobody").status_code == 422


def test_the_history_has_pages(api: ApiClient) -> None:
    tiered()
    record(order("A", "500", at=ago(9)), order("B", "1000", at=ago(5)), now=timezone.now())
    address = f"/memberships/{member().public_id}/tier-history"
    first = api.get(f"{address}?limit=1").json()
    assert [(item["tier"], item["why"]) for item in first["results"]] == [("silver", "Reached")]
    second = api.get(first["next"]).json()
    assert [item["tier"] for item in second["results"]] == ["gold"]
    assert (first["results"][0]["to"], second["next"]) == (second["results"][0]["since"], None)


def test_a_tier_is_given_by_hand_and_ended(api: ApiClient) -> None:
    tiered()
    record(order("A", "10", at=ago(3)), now=timezone.now())
    address = f"/memberships/{member().public_id}/manual-tiers"
    body = {"tier": "gold", "reason": "Speaks at our fair", "until": "2090-12-31"}
    made = api.post(address, body, Idempotency_Key="k1")
    assert made.status_code == 201
    assert api.post(address, body, Idempotency_Key="k1").json() == made.json()
    assert made.json()["until"] == "2091-01-01T00:00:00Z"
    assert ManualTier.objects.count() == 1
    assert MemberTier.objects.get().tier.code == "gold"
    said = api.get(f"/memberships/{member().public_id}/tier").json()
    assert (said["by_hand"], said["earned"], said["why"]) == (True, "base", "Given by hand")
    assert len(api.get(address).json()["results"]) == 1
    ending = f"/manual-tiers/{made.json()['id']}/end"
    ended = api.post(ending, {"reason": "Was for one day"}, Idempotency_Key="k2")
    assert ended.json()["ended_at"]
    assert api.post(ending, {"reason": "Again"}, Idempotency_Key="k3").json() == ended.json()
    assert MemberTier.objects.get().tier.code == "base"
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))[-2:] == [
        "tier.given", "tier.ended",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tier": "base"}, "tier"), ({"tier": "bronze"}, "tier"),
        ({"until": "2020-01-01"}, "until"), ({"reason": " "}, "reason"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_is_refused(
    api: ApiClient, change: dict[str, str], field: str
) -> None:
    tiered()
    record(order("A", "10", at=ago(3)), now=timezone.now())
    body = {"tier": "gold", "reason": "Fair"} | change
    refused = api.post(
        f"/memberships/{member().public_id}/manual-tiers", body, Idempotency_Key="k1"
    )
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert not ManualTier.objects.exists()


def test_without_tiers_there_is_nothing_to_read(api: ApiClient) -> None:
    make_program()
    record(order("A", "10"))
    for address in ("tier", "tier-history"):
        assert api.get(f"/memberships/{member().public_id}/{address}").status_code == 404
    assert api.get("/programs/club/tiers").status_code == 404
    assert api.get("/customer-tiers?external_id=c1").json()["results"] == []
    body = {"tier": "gold", "reason": "Fair"}
    address = f"/memberships/{member().public_id}/manual-tiers"
    assert api.post(address, body, Idempotency_Key="k1").status_code == 409


def test_a_program_says_its_tiers(api: ApiClient) -> None:
    tiered()
    said = api.get("/programs/club/tiers").json()
    assert [(tier["code"], tier["threshold"]) for tier in said["tiers"]] == [
        ("base", "0"), ("silver", "500"), ("gold", "1500"),
    ]  # fmt: skip
    assert api.get("/programs/nowhere/tiers").status_code == 404


def test_who_is_about_to_fall_is_listed_soonest_first(api: ApiClient) -> None:
    tiered(window="rolling_12_months")
    for number in range(5):
        buyer = f"c{number}"
        record(order(f"A{number}", "600", at=ago(350 - number), buyer=buyer), now=timezone.now())
    record(order("B", "600", at=ago(3), buyer="safe"), now=timezone.now())
    first = api.get("/programs/club/downgrades?limit=2").json()
    assert [item["external_id"] for item in first["results"]] == ["c0", "c1"]
    assert first["results"][0]["falls_to"] == "base"
    assert first["results"][0]["missing"] == "500"
    rest = api.get(first["next"]).json()
    assert [item["external_id"] for item in rest["results"]] == ["c2", "c3"]
    assert api.get("/programs/club/downgrades?days=1").json()["results"] == []


def test_a_page_of_downgrades_takes_as_many_queries_for_one_as_for_many(api: ApiClient) -> None:
    tiered(window="rolling_12_months")
    for number in range(4):
        buyer = f"c{number}"
        record(order(f"A{number}", "600", at=ago(350 - number), buyer=buyer), now=timezone.now())
    counts = []
    for limit in (1, 1, 4):
        with CaptureQueriesContext(connection) as queries:
            assert api.get(f"/programs/club/downgrades?limit={limit}").status_code == 200
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_a_quote_says_what_is_missing_to_the_next_tier(api: ApiClient) -> None:
    tiered()
    record(order("A", "400", at=ago(3)), now=timezone.now())
    body: dict[str, Any] = {
        "customer": {"external_id": "c1"}, "currency": "USD", "total": "173",
    }  # fmt: skip
    [said] = api.post("/quotes", body).json()["programs"]
    assert said["tier"] == {
        "before": "base", "after": "silver", "next": "gold", "missing": "927",
        "missing_before": "100", "sentence": "Spend $927.00 more to reach Gold.",
    }  # fmt: skip
    [nobody] = api.post("/quotes", body | {"customer": None}).json()["programs"]
    assert (nobody["tier"]["before"], nobody["tier"]["missing"]) == ("base", "327")
