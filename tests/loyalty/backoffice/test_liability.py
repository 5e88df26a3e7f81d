"""Insights → Liability: the number, its parts, its past, its file, and who is behind it."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.services.outbox import deliver_waiting
from tests.loyalty.backoffice.conftest import AGO, Member, queries_of, url
from tests.loyalty.factories import (
    adjust,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)


def delivered() -> None:
    while deliver_waiting(1000):
        pass


def file_rows(client: Client, name: str) -> list[dict[str, str]]:
    response = client.get(url(name))
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def held(ana: Member) -> Member:
    """Ana holds 130 Beans of forty days ago, after spending 20, and 30 of today."""
    adjust(ana.wallet, -20, "spend", now=timezone.now() - AGO + dt.timedelta(days=10))
    record(order("A-2", "30", at=timezone.now()))
    delivered()
    return ana


def test_the_number_is_what_members_hold(manager: Client, held: Member) -> None:
    html = manager.get(url("liability")).content.decode()
    assert "$1.60" in html
    assert "160 Beans" in html
    context = manager.get(url("liability")).context
    assert context["liability"].units == context["liability"].held_units == 160
    assert sum(row.units for row in context["rows"]) == 160


def test_by_expiry_each_month_has_a_row_that_leads_to_its_members(
    manager: Client, held: Member
) -> None:
    rows = manager.get(url("liability")).context["rows"]
    assert [row.units for row in rows] == [130, 30]
    assert sum(row.share for row in rows) == 1
    part = manager.get(f"{url('liability_members')}?{rows[0].query}")
    assert [(h.membership.customer, h.units) for h in part.context["holders"]] == [
        (held.customer, 130)
    ]
    assert url("customer_past", held.customer.public_id) in part.content.decode()


def test_any_past_day_can_be_looked_at(manager: Client, held: Member) -> None:
    day = (timezone.now() - AGO).astimezone(held.program.zone).date()
    for offset, units in ((-1, 0), (0, 200), (1, 150), (9, 150), (10, 130)):
        asked = {"day": (day + dt.timedelta(days=offset)).isoformat()}
        context = manager.get(url("liability"), asked).context
        assert context["liability"].units == units
        holders = manager.get(url("liability_members"), asked).context["holders"]
        assert [holder.units for holder in holders] == ([units] if units else [])


def test_what_members_owe_is_shown_apart(manager: Client, ana: Member) -> None:
    adjust(ana.wallet, -150, "spend", now=timezone.now())
    give_back(refund("R-2", "100", of="A-1001", at=timezone.now()))
    delivered()
    found = manager.get(url("liability")).context["liability"]
    assert (found.held_units, found.owed, found.units) == (0, 100, -100)
    assert "Owed by members" in manager.get(url("liability")).content.decode()


def test_the_file_has_what_the_table_has(manager: Client, held: Member) -> None:
    rows = file_rows(manager, "liability_csv")
    assert [row["units"] for row in rows] == ["130", "30", "0", "160"]
    assert [row["ends"] for row in rows] == ["date", "date", "owed", "liability"]
    assert rows[-1]["worth"] == "1.60"
    assert rows[0]["currency"] == "USD"
    assert rows[0]["expiry_month"]


def test_the_trend_ends_at_the_day_and_begins_with_the_first_units(
    manager: Client, held: Member
) -> None:
    trend = manager.get(url("liability")).context["trend"]
    assert trend.series[0].values[-1] == 160
    assert trend.series[0].values[0] > 0
    assert len(trend.labels) <= 3


def test_units_without_an_end_have_a_row_of_their_own(manager: Client, db: None) -> None:
    program = make_program("gold", name="Gold", unit={"plural": "coins", "unit_value": "0.5"})
    idle = make_program(
        "idle", name="Idle", unit={"expiry": {"kind": "inactivity", "length": 3}, "plural": "bits"}
    )
    adjust(make_wallet(program), 10, "k1", now=timezone.now())
    adjust(make_wallet(idle), 4, "k2", now=timezone.now())
    delivered()
    page = manager.get(url("liability"), {"units": program.wallet_types.get().pk})
    assert [(row.label, row.units) for row in page.context["rows"]] == [
        ("Never, or not known yet", 10)
    ]
    assert "$5.00" in page.content.decode()
    page = manager.get(url("liability"), {"units": idle.wallet_types.get().pk})
    [row] = page.context["rows"]
    assert (row.label, row.units) == ("With inactivity", 4)
    part = manager.get(f"{url('liability_members')}?{row.query}")
    assert [holder.units for holder in part.context["holders"]] == [4]
    # Both are compared, each with a way to it.
    assert {item.units for item in page.context["others"]} == {10, 4}


@pytest.mark.parametrize("asked", [{"day": "x"}, {"units": "0"}, {"units": "x", "day": "9999-99"}])
def test_what_is_no_choice_is_passed_over(
    manager: Client, held: Member, asked: dict[str, str]
) -> None:
    assert manager.get(url("liability"), asked).context["liability"].units == 160


@pytest.mark.parametrize("page", ["liability", "breakage"])
def test_before_the_first_program_it_says_what_it_is_for(
    manager: Client, db: None, page: str
) -> None:
    assert "No program has been live yet" in manager.get(url(page)).content.decode()
    assert manager.get(url(f"{page}_csv")).status_code == 404


@pytest.mark.parametrize("page", ["liability", "breakage"])
def test_it_costs_the_same_for_many_members(manager: Client, held: Member, page: str) -> None:
    few = queries_of(manager, url(page))
    now = timezone.now()
    record(*(order(f"B-{n}", "5", at=now, buyer=f"b{n}") for n in range(8)))
    delivered()
    assert queries_of(manager, url(page)) == few


def test_what_expired_unwritten_is_looked_for_once_for_all_parts_of_the_page(
    manager: Client, held: Member
) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert manager.get(url("liability")).status_code == 200
    looked = [query["sql"] for query in asked if "AS settles" in query["sql"]]
    assert looked
    assert len(looked) == len(set(looked))
