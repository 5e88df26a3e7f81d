"""The first page, and long work as it is seen."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import Job, JobError, StaffMember, User
from tests.factories import CustomerFactory, JobFactory
from tests.members.conftest import HTMX

pytestmark = pytest.mark.django_db
State = Job.State


@pytest.fixture
def mias(browser_of: Callable[[str], Client]) -> Client:
    """The browser of a marketing manager."""
    return browser_of(StaffMember.Role.MARKETING_MANAGER)


def test_the_home_page_greets_and_loads_its_panels(
    as_user: Callable[[User], Client], administrator: User
) -> None:
    content = as_user(administrator).get(reverse("backoffice:home")).content.decode()
    assert "Hello, Ada" in content
    assert f'hx-get="{reverse("backoffice:home_newest_customers")}"' in content


def test_the_newest_customers_are_on_the_home_page(mias: Client) -> None:
    CustomerFactory.create_batch(8)
    newest = CustomerFactory(given_name="Noor", family_name="Aziz")
    response = mias.get(reverse("backoffice:home_newest_customers"))
    assert len(response.context["customers"]) == 6
    assert response.context["customers"][0] == newest


def url(name: str, job: Job) -> str:
    return reverse(f"backoffice:{name}", args=[job.public_id])


def test_a_running_job_shows_how_far_how_fast_and_how_long_still(mias: Client) -> None:
    now = timezone.now()
    job = JobFactory(
        state=State.RUNNING, done=3500, done_before=500, total=9500, heartbeat_at=now,
        started_at=now - timedelta(seconds=30),
    )  # fmt: skip
    content = mias.get(url("job", job)).content.decode()
    for words in ("orders.csv", "36%", "100 a second", "1 minute left", url("job_cancel", job)):
        assert words in content
    bar = mias.get(url("job_progress", job), headers=HTMX)
    assert "<html" not in bar.content.decode()
    assert "every 2s" in bar.content.decode()
    assert "HX-Refresh" not in bar.headers


def test_a_job_that_has_ended_asks_no_more(mias: Client) -> None:
    job = JobFactory(state=State.SUCCEEDED, done=9000, total=9000, finished_at=timezone.now())
    bar = mias.get(url("job_progress", job), headers=HTMX)
    assert "every 2s" not in bar.content.decode()
    assert bar["HX-Refresh"] == "true"
    content = mias.get(url("job", job)).content.decode()
    assert "9,000 done" in content
    assert url("job_cancel", job) not in content


def test_a_failed_job_says_why_and_which_rows_it_refused(mias: Client) -> None:
    job = JobFactory(state=State.FAILED, error="ValueError: no such column")
    JobError.objects.create(
        job=job, file="orders", row=12, column="total", value="x", reason="This is no amount."
    )
    content = mias.get(url("job", job)).content.decode()
    for words in ("no such column", "orders 12", "total", "This is no amount."):
        assert words in content


def test_whom_a_job_left_as_they_are_is_named_and_numbers_of_a_file_stay_numbers(
    mias: Client,
) -> None:
    ann, job = CustomerFactory(given_name="Ann"), JobFactory(state="succeeded")
    kept = JobError.objects.create(
        job=job, file="customers", row=ann.pk, column="customer", value=str(ann.public_id),
        reason="Staff have noted something.",
    )  # fmt: skip
    page = mias.get(url("job", job))
    assert page.context["people"] == [(ann, "Staff have noted something.")]
    assert reverse("backoffice:customer", args=[ann.public_id]) in page.content.decode()
    JobError.objects.filter(pk=kept.pk).update(value="C-17")
    page = mias.get(url("job", job))
    assert page.context["people"] == []
    assert "C-17" in page.content.decode()


def test_a_job_is_stopped(mias: Client) -> None:
    job = JobFactory()
    response = mias.post(url("job_cancel", job), follow=True)
    assert "The job stops." in response.content.decode()
    job.refresh_from_db()
    assert job.state == State.CANCELED
