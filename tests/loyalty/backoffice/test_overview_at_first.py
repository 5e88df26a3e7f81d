"""Insights → Overview and Cohorts before the first night has measured anything, and where it missed
a month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.backoffice import overview
from loyalty.models import InsightPoint, MemberTally
from loyalty.rules.calendar import add_months
from loyalty.services.insight_points import KIND, run_points
from members.formatting import format_day
from members.models import Job, Segment
from members.services.job_workers import this_worker
from tests.loyalty.backoffice.conftest import Member, url
from tests.loyalty.backoffice.test_overview import text_of

pytestmark = pytest.mark.usefixtures("ana_for_all")


def test_a_new_program_says_that_the_job_is_to_come_and_offers_it(
    ana: Member,
    manager: Client,
    client_of: Callable[[str], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = text_of(manager, url("overview"))
    assert "Nothing is measured yet" in page
    assert "Measure now" in page
    assert "Measure now" not in text_of(client_of("analyst"), url("overview"))
    monkeypatch.setattr(overview, "hand_over", lambda _request, _job: None)
    answer = manager.post(url("overview_measure", "beans"), {"back": "overview"})
    assert answer.status_code == 302
    job = Job.objects.get(kind=KIND)
    page = text_of(manager, answer["Location"])
    assert "Figures are being measured" in page
    assert f"job-progress-{job.pk}" in page
    assert "Measure now" not in page
    # From a page that was open since before.
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.RUNNING, heartbeat_at=timezone.now(), worker=this_worker()
    )
    again = manager.post(url("overview_measure", "beans"), {"back": "overview"})
    assert (again.status_code, again["Location"]) == (302, answer["Location"])
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED)
    run_points(job.pk)
    page = text_of(manager, url("overview"))
    assert "Nothing is measured yet" not in page
    assert "Where it stands" in page


def test_touchpoints_of_before_are_under_the_day_that_they_are_of(
    ana: Member, manager: Client
) -> None:
    today = timezone.now().astimezone(ana.program.zone).date()
    newest = today - dt.timedelta(days=1)
    months = [add_months(newest.replace(day=1), -n) for n in range(4)]
    # A month was missed: what is told is of the same day all the same.
    for month, value in ((months[0], 7), (months[1], 5), (months[3], 3)):
        day = min(newest, add_months(month, 1) - dt.timedelta(days=1))
        InsightPoint.objects.create(
            program=ana.program, metric="touch_orders", month=month, day=day, value=value
        )
    before = add_months(months[3], 1) - dt.timedelta(days=1)
    MemberTally.objects.create(program=ana.program, joined_on=months[3], members=0)
    page = text_of(manager, url("overview"))
    heading = f"As of the end of {format_day(before)}"
    assert "A quarter before" not in page
    assert f'data-label="{heading}">3</td>' in page


def test_a_segment_of_which_nobody_joined_lately_says_so(ana: Member, manager: Client) -> None:
    nobody = Segment.objects.create(code="none", name="None", kind="static")
    page = text_of(manager, f"{url('cohorts')}?segment={nobody.public_id}")
    assert "Nobody of them joined in these months" in page
    assert "Nothing is measured yet" not in page


def test_before_the_first_night_cohorts_offer_to_measure(ana: Member, manager: Client) -> None:
    assert "Measure now" in text_of(manager, url("cohorts"))


def test_an_installation_without_a_program_says_so(manager: Client, ana: Member) -> None:
    ana.program.status = "draft"
    ana.program.save()
    for name in ("overview", "cohorts"):
        assert "No program has been live yet" in text_of(manager, url(name))
    assert manager.get(url("overview_csv")).status_code == 404
