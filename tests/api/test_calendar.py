"""/calendar: what is on in some days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from loyalty.models import Program
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.campaigns import draft
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def test_what_is_planned_and_what_conflicts_is_read(
    key_with: Callable[..., ApiClient], program: Program
) -> None:
    api, now = key_with("campaigns:read"), timezone.now()
    times = {"starts_at": now + DAY, "ends_at": now + 2 * DAY}
    one, two = draft(program, name="One", **times), draft(program, name="Two", **times)
    days = f"first={(now - DAY).date()}&last={(now + 9 * DAY).date()}"
    found = api.get(f"/calendar?{days}&program={program.code}").json()
    planned = [item for item in found["entries"] if item["kind"] == "promotion"]
    assert [(item["title"], item["state"]) for item in planned] == [
        ("One", "draft"), ("Two", "draft"),
    ]  # fmt: skip
    [conflict] = found["conflicts"]
    assert conflict["kind"] == "rules"
    assert conflict["keys"] == sorted([str(one.public_id), str(two.public_id)])
    make_program("other", at=now - DAY)
    assert api.get(f"/calendar?{days}&program=other").json()["conflicts"] == []


def test_it_takes_the_scope_and_days_of_a_year(key_with: Callable[..., ApiClient]) -> None:
    days = "first=2024-01-01&last=2024-12-31"
    assert key_with("orders:read").get(f"/calendar?{days}").status_code == 403
    api = key_with("campaigns:read")
    kinds = {item["kind"] for item in api.get(f"/calendar?{days}").json()["entries"]}
    assert kinds <= {"rule"}
    assert_problem(api.get(f"/calendar?{days}&program=nix"), 404, "not_found")
    for odd in ("first=2024-01-02&last=2024-01-01", "first=2024-01-01&last=2025-01-02", "",
                "first=0001-01-01&last=0001-02-01"):  # fmt: skip
        assert_problem(api.get(f"/calendar?{odd}"), 400, "invalid_parameter")
