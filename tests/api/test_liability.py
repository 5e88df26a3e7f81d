"""/programs/{code}/liability?as_of=…: what is owed to members, of any day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from loyalty.models import Program
from loyalty.selectors.liability import get_liability
from members.services.outbox import deliver_waiting
from tests.api.conftest import ApiClient, assert_problem, count_queries, order_body

pytestmark = pytest.mark.usefixtures("beans_for_all")


@pytest.fixture
def address(api: ApiClient, program: Program) -> str:
    """A member earned 12 Beans on 1 March 2026, which last for fifty years."""
    api.post("/orders", order_body())
    deliver_waiting(1000)
    return "/programs/beans/liability"


def test_a_day_has_units_worth_and_the_months_they_end_in(api: ApiClient, address: str) -> None:
    assert api.get(f"{address}?as_of=2026-03-01").json() == {
        "program": "beans", "currency": "USD", "as_of": "2026-03-01",
        "wallet_types": [
            {
                "wallet_type": "points", "decimals": 0, "units": "12", "worth": "0.12",
                "held": "12", "owed": "0",
                "by_expiry": [
                    {"ends": "date", "month": "2076-03", "units": "12", "worth": "0.12"}
                ],
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(("day", "units"), [("2026-02-28", "0"), ("2076-03-01", "12"),
                                            ("2076-03-02", "0")])  # fmt: skip
def test_what_had_not_come_or_is_gone_is_not_owed(
    api: ApiClient, address: str, day: str, units: str
) -> None:
    [found] = api.get(f"{address}?as_of={day}").json()["wallet_types"]
    assert found["units"] == units
    assert [part["units"] for part in found["by_expiry"]] == ([units] if units != "0" else [])


def test_without_a_day_it_is_today_where_the_program_is(
    api: ApiClient, address: str, program: Program
) -> None:
    today = timezone.now().astimezone(program.zone).date()
    found = api.get(address).json()
    assert found["as_of"] == today.isoformat()
    now = get_liability(program.wallet_types.get(), today).units
    assert found["wallet_types"][0]["units"] == str(now)


@pytest.mark.parametrize("as_of", ["", "yesterday", "2026-02-30", "2026-03-01T12:00:00Z"])
def test_what_is_no_day_is_refused(api: ApiClient, address: str, as_of: str) -> None:
    assert_problem(api.get(f"{address}?as_of={as_of}"), 400, "invalid_parameter", "as_of")


def test_a_key_needs_the_scope_of_the_books(
    key_with: Callable[..., ApiClient], address: str
) -> None:
    assert key_with("books:read").get(address).status_code == 200
    assert_problem(key_with("balances:read").get(address), 403, "insufficient_scope")
    assert_problem(key_with("books:read").get("/programs/other/liability"), 404, "not_found")


def test_the_cost_does_not_follow_the_orders(api: ApiClient, address: str) -> None:
    def ask() -> None:
        assert api.get(f"{address}?as_of=2026-12-31").status_code == 200

    ask()
    before = count_queries(ask)
    for number in range(5):
        placed = dt.datetime(2026, 4, 1 + number, 12, tzinfo=dt.UTC).isoformat()
        api.post("/orders", order_body(external_id=f"B-{number}", placed_at=placed))
    deliver_waiting(1000)
    assert count_queries(ask) == before
