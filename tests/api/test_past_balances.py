"""/memberships/{id}/balances?as_of=… and …/lots: what a member held at a moment."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from loyalty.ledger.balances import holdings
from loyalty.models import Lot, Membership, Wallet
from loyalty.services.adjustments import adjust_units
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, count_queries, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")


@pytest.fixture
def address(api: ApiClient, membership: Membership) -> str:
    """A member who bought on 1 March and has spent 5 of 12 Beans."""
    api.post("/orders", order_body())
    spend(membership, 5, dt.datetime(2026, 3, 20, tzinfo=dt.UTC))
    return f"/memberships/{membership.public_id}"


def spend(membership: Membership, units: int, at: dt.datetime) -> None:
    wallet = Wallet.objects.select_related("wallet_type__program").get(
        account=membership.account_id
    )
    adjust_units(
        wallet=wallet, units=-units, reason="correction", note="", actor=SYSTEM, source="api",
        key=f"spend-{at}", now=at,
    )  # fmt: skip


def balance(api: ApiClient, address: str, as_of: str) -> dict[str, Any]:
    [found] = api.get(f"{address}/balances?as_of={as_of}").json()["balances"]
    return dict(found)


def test_a_day_means_its_last_instant(api: ApiClient, address: str) -> None:
    # The order is of 04:30 UTC.
    assert balance(api, address, "2026-02-28")["spendable"] == "0"
    assert balance(api, address, "2026-03-01")["spendable"] == "12"
    answer = api.get(f"{address}/balances?as_of=2026-03-01").json()
    assert answer["as_of"] == "2026-03-01T23:59:59.999999Z"


def test_a_time_means_itself(api: ApiClient, address: str) -> None:
    assert balance(api, address, "2026-03-01T04:29:59Z")["spendable"] == "0"
    assert balance(api, address, "2026-03-01T12:30:00%2B08:00")["spendable"] == "12"


def test_a_past_balance_is_whole(api: ApiClient, address: str) -> None:
    assert balance(api, address, "2026-03-10") == {
        "wallet_type": "points", "decimals": 0, "spendable": "12", "pending": "0", "owed": "0",
        "blocked": False,
        "worth": {"amount": "0.12", "currency": "USD"},
        "next_expiry": {"units": "12", "at": "2076-03-02T00:00:00Z"},
        "exact_until": "2076-03-02T00:00:00Z",
        "usable": "12",
        "spending": {"least": "1", "step": "1", "share": "100", "unit_value": "0.01"},
    }  # fmt: skip
    assert balance(api, address, "2026-03-21")["spendable"] == "7"
    assert balance(api, address, "2076-03-02")["spendable"] == "0"


def test_as_of_now_is_the_balance_of_now(api: ApiClient, address: str) -> None:
    now = timezone.now().isoformat().replace("+", "%2B")
    assert balance(api, address, now) == api.get(f"{address}/balances").json()["balances"][0]
    wallet = Wallet.objects.get()
    assert int(balance(api, address, now)["spendable"]) == (
        holdings([wallet], timezone.now())[wallet.pk].spendable
    )


def test_the_lots_say_where_they_came_from_and_what_remained(api: ApiClient, address: str) -> None:
    [before] = api.get(f"{address}/lots?as_of=2026-03-19").json()["results"]
    [after] = api.get(f"{address}/lots?as_of=2026-03-20").json()["results"]
    assert before["id"] == after["id"] == str(Lot.objects.get().pk)
    assert before == {
        "id": before["id"],
        "wallet_type": "points", "decimals": 0, "granted": "12", "remaining": "12",
        "earned_at": "2026-03-01T04:30:00Z", "spendable_from": "2026-03-01T04:30:00Z",
        "expires_at": "2076-03-02T00:00:00Z", "kind": "accrual",
        "order": {"source": "shop", "external_id": "A-1001"},
        "terms": "They can be spent as soon as they are earned. They expire 50 years after they"
        " were earned. The last day can be used to its end.",
    }  # fmt: skip
    assert (after["granted"], after["remaining"]) == ("12", "7")
    assert api.get(f"{address}/lots?as_of=2076-03-02").json()["results"] == []
    assert api.get(f"{address}/lots").json()["results"] == [after]


@pytest.mark.parametrize(
    "as_of", ["", "yesterday", "2026-02-30", "2026-03-01T12:00:00", "1850-01-01"]
)
def test_what_is_no_moment_is_refused(api: ApiClient, address: str, as_of: str) -> None:
    for part in ("balances", "lots"):
        response = api.get(f"{address}/{part}?as_of={as_of}")
        assert_problem(response, 400, "invalid_parameter", "as_of")


def test_many_lots_come_page_by_page(api: ApiClient, address: str) -> None:
    for number in range(6):
        at = f"2026-04-0{number + 1}T00:00:00Z"
        api.post("/orders", order_body(external_id=f"B-{number}", placed_at=at))
    pages = [api.get(f"{address}/lots?as_of=2026-06-01&limit=3").json()]
    while pages[-1]["next"]:
        pages.append(api.get(pages[-1]["next"]).json())
    numbers = [lot["order"]["external_id"] for page in pages for lot in page["results"]]
    assert numbers == ["A-1001", *(f"B-{number}" for number in range(6))]
    assert [len(page["results"]) for page in pages] == [3, 3, 1]
    assert pages[0]["previous"] is None
    back = api.get(pages[2]["previous"]).json()
    assert back["results"] == pages[1]["results"]
    assert api.get(back["previous"]).json()["results"] == pages[0]["results"]
    answer = api.get(f"{address}/lots?cursor=x")
    assert_problem(answer, 400, "invalid_cursor", "cursor")


def test_the_past_costs_the_same_for_many_lots(
    api: ApiClient, membership: Membership, address: str
) -> None:
    few = count_queries(lambda: api.get(f"{address}/lots?as_of=2026-06-01"))
    for number in range(6):
        api.post("/orders", order_body(external_id=f"B-{number}"))
    assert count_queries(lambda: api.get(f"{address}/lots?as_of=2026-06-01")) == few
