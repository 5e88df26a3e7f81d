"""Jobs in a real browser: they move while one looks, and the pages are for everybody."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from members.models import Job, User
from members.services.job_logs import Level, log_line
from tests.factories import JobFactory, StaffMemberFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

LIST = "/backoffice/jobs/"


@pytest.fixture
def admins(page: Any, as_user: Callable[[User], Client], transactional_db: None) -> Any:
    """A page in which an administrator is signed in."""
    administrator = StaffMemberFactory(administrator=True, user__name="Ada Admin").user
    cookie = as_user(administrator).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "domain": "localhost",
          "path": "/"}]
    )  # fmt: skip
    return page


def running(**values: Any) -> Job:
    now = timezone.now()
    return JobFactory(
        **{"kind": "daily_totals", "label": "Totals of all days", "state": "running", "done": 100,
           "total": 400, "started_at": now - timedelta(seconds=20), "heartbeat_at": now, **values}
    )  # fmt: skip


def test_bar_log_and_end_of_a_job_appear_by_themselves(
    admins: Any,
    assert_in_order: Callable[..., None],
    assert_all_in_order: Callable[..., None],
) -> None:
    job = running()
    for level in Level.values:
        log_line(job, f"Something {level} was said.", level=level)
    admins.goto(f"{LIST}{job.public_id}/")
    expect(admins.locator(".work-percent", has_text="25%")).to_be_visible()
    expect(admins.get_by_text("Something info was said.")).to_be_visible()
    assert_in_order(admins, dark_on_phones=True)
    log_line(job, "A figure was put right.")
    Job.objects.update(done=300)
    expect(admins.locator(".work-percent", has_text="75%")).to_be_visible()
    expect(admins.get_by_text("A figure was put right.")).to_be_visible()
    Job.objects.update(
        state="succeeded", done=400, result={"days": 400, "corrected": 1},
        finished_at=timezone.now(),
    )  # fmt: skip
    expect(admins.get_by_text("400 days looked at: 1 figure put right.")).to_be_visible()
    expect(admins.get_by_role("button", name="Stop")).to_have_count(0)
    assert_in_order(admins, dark_on_phones=True)
    assert_all_in_order(admins, [f"{LIST}{job.public_id}/log/"], dark_on_phones=True)


def test_a_job_moves_from_what_runs_to_what_has_ended(
    admins: Any,
    assert_in_order: Callable[..., None],
    assert_all_in_order: Callable[..., None],
) -> None:
    name = "orders-of-2025-with-a-very-long-name-from-the-shop.csv.gz into Harvest Club"
    failed = running(label=name, state="failed", error="E" * 300, finished_at=timezone.now())
    job = running()
    admins.goto(f"{LIST}?kind=daily_totals")
    now = admins.get_by_role("region", name="Now")
    expect(now.locator(".work-percent", has_text="25%")).to_be_visible()
    # One that runs, and one that has ended.
    assert_in_order(admins, dark_on_phones=True)
    Job.objects.filter(pk=job.pk).update(
        state="failed", error="Out of ink.", finished_at=timezone.now()
    )
    row = admins.get_by_role("row", name="Totals of all days")
    expect(row.get_by_text("Out of ink.")).to_be_visible()
    expect(now).to_have_count(0)
    assert admins.url.endswith("?kind=daily_totals")
    assert_all_in_order(admins, [f"{LIST}{failed.public_id}/"], dark_on_phones=True)


def test_the_filters_are_in_the_address_and_work_can_be_begun(
    admins: Any,
    assert_in_order: Callable[..., None],
    assert_fits: Callable[[Any], None],
) -> None:
    admins.goto(LIST)
    begin = admins.get_by_role("button", name="Rebuild daily totals")
    expect(begin).to_be_hidden()
    admins.get_by_text("Start a job").focus()
    admins.keyboard.press("Enter")
    expect(begin).to_be_visible()
    expect(admins.get_by_text("Nothing has run yet")).to_be_visible()
    assert_in_order(admins, dark_on_phones=True)
    admins.get_by_label("State").select_option("failed")
    expect(admins.get_by_text("No job fits")).to_be_visible()
    admins.wait_for_url("**state=failed**")
    assert_fits(admins)
    begin.click()
    question = admins.get_by_role("alertdialog")
    expect(question.get_by_text("puts right what differs")).to_be_visible()
    question.get_by_role("button", name="Rebuild daily totals").click()
    expect(admins.get_by_text("There is nothing to do.")).to_be_visible()
