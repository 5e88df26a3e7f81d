"""/programs/{code}/reviews and /programs/{code}/reviews/{quarter}."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils import timezone

from loyalty.models import Program
from loyalty.selectors.program_reviews import quarters_to_review
from loyalty.services.insight_points import rebuild_points
from loyalty.services.program_reviews import make_review
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, count_queries, order_body

ADDRESS = "/programs/beans/reviews"


def test_reviews_are_listed_and_one_is_read_with_its_findings(
    api: ApiClient, program: Program
) -> None:
    assert api.get(ADDRESS).json()["results"] == []
    now = timezone.now()
    placed = (now - dt.timedelta(days=40)).isoformat()
    assert api.post("/orders", order_body(placed_at=placed)).status_code == 201
    rebuild_points([program], now)
    quarter = quarters_to_review(program, now)[0]
    review, _new = make_review(program=program, quarter=quarter, actor=SYSTEM, now=now)
    [brief] = api.get(ADDRESS).json()["results"]
    assert (brief["id"], brief["quarter"], brief["over"]) == (
        str(review.public_id), quarter.name, False,
    )  # fmt: skip
    found = api.get(f"{ADDRESS}/{quarter.name}").json()
    by_key = {item["key"]: item for item in found["findings"]}
    share = by_key["figure:enrollment_share"]
    assert (share["part"], share["tone"], share["facts"]["value"]) == ("works", "good", "100")
    assert share["title"] == "100% of the customers who buy are members."
    assert by_key["goal:none"]["proposal"]
    assert count_queries(lambda: api.get(f"{ADDRESS}/{quarter.name}")) <= 4


def test_it_needs_the_scope_of_the_books_and_a_review_that_there_is(
    key_with: Callable[..., ApiClient], program: Program
) -> None:
    reader = key_with("books:read")
    assert reader.get(ADDRESS).status_code == 200
    for page in (ADDRESS, f"{ADDRESS}/2026-q1"):
        assert_problem(key_with("goals:read").get(page), 403, "insufficient_scope")
    for page in (f"{ADDRESS}/2026-q1", f"{ADDRESS}/luck", "/programs/nothing/reviews"):
        assert_problem(reader.get(page), 404, "not_found")
