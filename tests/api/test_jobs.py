"""/jobs, /jobs/{id}."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.utils import timezone

from members.models import Job
from tests.api.conftest import ApiClient, assert_problem, count_queries
from tests.factories import JobFactory


@pytest.fixture
def job(db: None) -> Job:
    return JobFactory(
        state="failed", done=30, total=90, error="Out of beans.", result={"days": 30},
        started_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip


def test_a_job_says_how_far_it_is_and_what_came_of_it(api: ApiClient, job: Job) -> None:
    shown = api.get(f"/jobs/{job.public_id}").json()
    assert shown["id"] == str(job.public_id)
    assert (shown["state"], shown["done"], shown["total"]) == ("failed", 30, 90)
    assert (shown["error"], shown["result"]) == ("Out of beans.", {"days": 30})
    assert shown["finished_at"]


def test_jobs_are_listed_newest_first_and_by_state_and_kind(api: ApiClient, job: Job) -> None:
    newer = JobFactory(kind="daily_totals")

    def found(query: str = "") -> list[str]:
        return [item["id"] for item in api.get(f"/jobs{query}").json()["results"]]

    assert found() == [str(newer.public_id), str(job.public_id)]
    assert found("?state=failed") == [str(job.public_id)]
    assert found("?kind=daily_totals") == [str(newer.public_id)]
    assert found("?state=succeeded") == []
    assert found("?kind=%00") == []


def test_a_longer_list_costs_no_more(api: ApiClient, job: Job) -> None:
    few = count_queries(lambda: api.get("/jobs"))
    JobFactory.create_batch(5)
    assert count_queries(lambda: api.get("/jobs")) == few


def test_a_job_that_is_not_there_is_not_found(api: ApiClient) -> None:
    assert_problem(api.get(f"/jobs/{uuid.uuid4()}"), 404, "not_found")


def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient], job: Job) -> None:
    wrong = key_with("orders:read")
    for path in ("/jobs", f"/jobs/{job.public_id}"):
        assert_problem(outsider.get(path), 401, "unauthorized")
        assert_problem(wrong.get(path), 403, "insufficient_scope")


def test_bad_parameters_are_named(api: ApiClient) -> None:
    assert_problem(api.get("/jobs?state=lost"), 400, "invalid_parameter", "state")
    assert_problem(api.get("/jobs?limit=0"), 400, "invalid_parameter", "limit")


def test_jobs_are_read_only(api: ApiClient, job: Job) -> None:
    for path in ("/jobs", f"/jobs/{job.public_id}"):
        assert_problem(api.post(path, {}), 405, "method_not_allowed")
