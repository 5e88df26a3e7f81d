"""The jobs page and a job's own: what runs, what came of it, and what one may do about it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from members import jobs
from members.job_access import count_failed_jobs
from members.jobs import JobKind, Work, register_job_kind
from members.models import AuditEntry, Customer, Job, JobLogLine, User
from members.services.job_logs import Level, log_line
from members.services.jobs import claim_job
from tests.factories import CustomerFactory, JobFactory, StaffMemberFactory, UserFactory
from tests.members import note_work
from tests.members.conftest import HTMX
from tests.members.note_work import KIND, NOTES, PIECES, register, start_notes, written

pytestmark = pytest.mark.django_db
State = Job.State
LIST = reverse("backoffice:job_list")


@pytest.fixture(autouse=True)
def _own_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_kinds", {})
    register()
    register_job_kind(
        JobKind(
            "secret", "Secret work", "lock", note_work.run_notes,
            view_permission="staff.manage", run_permission="staff.manage",
        )
    )  # fmt: skip


@pytest.fixture
def mias(browser_of: Callable[[str], Client]) -> Client:
    """The browser of a marketing manager."""
    return browser_of("marketing_manager")


@pytest.fixture
def lins(browser_of: Callable[[str], Client]) -> Client:
    """The browser of an analyst."""
    return browser_of("analyst")


@pytest.fixture
def customer(db: None) -> Customer:
    return CustomerFactory()


def url(name: str, job: Job) -> str:
    return reverse(f"backoffice:{name}", args=[job.public_id])


def shown(client: Client, query: str = "") -> str:
    return client.get(LIST + query).content.decode()


def ended(label: str, state: str = "succeeded", **values: Any) -> Job:
    now = timezone.now()
    times = {"started_at": now - timedelta(seconds=100), "finished_at": now}
    return JobFactory(**{"kind": KIND, "label": label, "state": state, **times, **values})


# --- The list -------------------------------------------------------------------------------------


def test_an_empty_list_says_what_it_is_for_and_what_runs_here(mias: Client) -> None:
    content = shown(mias)
    for words in ("Nothing has run yet", "Writes notes.", "Long work runs here"):
        assert words in content
    assert "Secret work" not in content


def test_what_runs_is_on_top_with_its_bar_and_who_began_it(
    mias: Client, administrator: User
) -> None:
    now = timezone.now()
    job = JobFactory(
        kind=KIND, label="Many notes", state=State.RUNNING, done=3500, total=9500,
        heartbeat_at=now, started_at=now - timedelta(seconds=35), created_by=administrator,
    )  # fmt: skip
    content = shown(mias)
    for words in ("Many notes", "36%", "100 a second", "1 minute left", "Ada Admin", "every 2s"):
        assert words in content
    assert f"{url('job_progress', job)}?in=list" in content


def test_what_has_ended_says_how_and_how_long_it_took(mias: Client, administrator: User) -> None:
    ended("Good", result={"notes": 1200}, created_by=administrator)
    ended("Bad", "failed", error="Out of ink.")
    content = shown(mias)
    for words in ("Notes: 1,200", "Out of ink.", "100 seconds", "Ada Admin", "Setia"):
        assert words in content
    assert "1 job failed and waits for somebody." in content


def test_the_filters_in_the_address_choose(mias: Client, administrator: User) -> None:
    ended("Well done")
    ended("Gone wrong", "failed", created_by=administrator)
    ended("Other work", kind="of_another_version")
    JobFactory(kind=KIND, label="Still waiting")
    everything = {"Well done", "Gone wrong", "Other work", "Still waiting"}

    def found(query: str) -> set[str]:
        content = mias.get(LIST + query, headers=HTMX).content.decode()
        assert "<html" not in content
        return {label for label in everything if label in content}

    assert found("") == everything
    assert found("?state=failed") == {"Gone wrong"}
    assert found("?state=open") == {"Still waiting"}
    assert found(f"?kind={KIND}") == everything - {"Other work"}
    assert found("?by=people") == {"Gone wrong"}
    assert found(f"?by=setia&state=succeeded&kind={KIND}") == {"Well done"}
    assert found("?state=lost&kind=unknown") == everything
    assert "No job fits" in shown(mias, "?state=cancelled")


def test_a_long_list_has_pages_and_costs_no_more(mias: Client) -> None:
    def queries(address: str) -> int:
        mias.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert mias.get(address).status_code == 200
        return len(asked)

    ended("First")
    JobFactory(kind=KIND)
    few = queries(LIST)
    for number in range(30):
        ended(f"Number {number}", result={"notes": number})
        JobFactory(kind=KIND, label=f"Waiting {number}")
    assert queries(LIST) == few
    page = mias.get(LIST)
    assert "First" not in page.content.decode()
    following = mias.get(f"{LIST}?cursor={page.context['page'].next_cursor}").content.decode()
    assert "First" in following
    assert "Waiting" not in following


def test_kinds_that_are_not_for_somebody_are_nowhere_to_be_seen(
    mias: Client, admins_browser: Client
) -> None:
    job = ended("Hidden", "failed", kind="secret")
    content = shown(mias)
    assert "Hidden" not in content
    assert "failed and waits" not in content
    for name in ("job", "job_progress", "job_log"):
        assert mias.get(url(name, job)).status_code == 403
    for name in ("job_cancel", "job_retry"):
        assert mias.post(url(name, job)).status_code == 403
    assert "Hidden" in shown(admins_browser)
    assert admins_browser.get(url("job", job)).status_code == 200


def test_the_menu_counts_the_jobs_that_failed(mias: Client) -> None:
    assert "shell-nav-badge" not in shown(mias)
    ended("Bad", "failed")
    ended("Worse", "failed")
    ended("Hidden", "failed", kind="secret")
    assert '<span class="visually-hidden">2 wait</span>' in shown(mias)


def test_whose_role_is_limited_to_programs_is_told_of_what_they_began() -> None:
    limited, other = (
        StaffMemberFactory(role="marketing_manager", programs=[1]).user for _number in range(2)
    )
    ended("Own", "failed", created_by=limited)
    ended("Own and done", created_by=limited)
    ended("Hidden", "failed", kind="secret", created_by=limited)
    ended("Of a colleague", "failed", created_by=other)
    ended("Of nobody", "failed")
    assert [count_failed_jobs(person) for person in (limited, other, UserFactory())] == [1, 1, 0]
    assert count_failed_jobs(StaffMemberFactory(role="marketing_manager").user) == 3


# --- Starting -------------------------------------------------------------------------------------


def start(client: Client, kind: str = KIND) -> Any:
    return client.post(reverse("backoffice:job_start", args=[kind]), follow=True)


def test_work_is_started_by_a_button(mias: Client, customer: Customer) -> None:
    register(Work("Notes of today", "1", {"customer": customer.pk}))
    assert "Write notes" in shown(mias)
    response = start(mias)
    job = Job.objects.get()
    assert response.redirect_chain == [(url("job", job), 302)]
    assert (job.state, job.created_by) == (State.SUCCEEDED, response.wsgi_request.user)
    assert written() == list(range(PIECES * NOTES))


def test_what_is_not_due_or_runs_already_is_said(mias: Client, customer: Customer) -> None:
    assert "There is nothing to do." in start(mias).content.decode()
    register(Work("Notes", str(customer.pk), {"customer": customer.pk}))
    claim_job(start_notes(customer.pk).pk)
    assert "This is already running." in start(mias).content.decode()
    assert Job.objects.count() == 1


def test_only_what_has_a_button_can_be_started(
    admins_browser: Client, lins: Client, customer: Customer
) -> None:
    register(Work("Notes", "1", {"customer": customer.pk}))
    assert start(lins).status_code == 403
    assert "Write notes" not in shown(lins)
    assert start(admins_browser, "secret").status_code == 404
    assert start(admins_browser, "unknown").status_code == 404
    assert not Job.objects.exists()


def test_without_a_broker_the_work_waits_and_that_is_said(
    mias: Client, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise BrokerError("Connection refused")

    register(Work("Notes", "1", {"customer": customer.pk}))
    monkeypatch.setattr("celery.canvas.Signature.apply_async", refuse)
    assert "No worker could be reached." in start(mias).content.decode()
    assert Job.objects.get().state == State.QUEUED


# --- One job --------------------------------------------------------------------------------------


def test_a_job_that_went_well_says_its_result_in_words(mias: Client) -> None:
    content = mias.get(url("job", ended("Good", result={"notes": 1200}))).content.decode()
    for words in ("Notes: 1,200", "Took", "Writes notes."):
        assert words in content
    assert "Go on" not in content


def test_a_failed_job_goes_on_where_it_stopped(mias: Client, customer: Customer) -> None:
    job = start_notes(customer.pk)
    Job.objects.filter(pk=job.pk).update(
        state=State.FAILED, error="Out of ink.", done=195, checkpoint={"piece": 39}
    )
    content = mias.get(url("job", job)).content.decode()
    assert "Out of ink." in content
    assert url("job_retry", job) in content
    response = mias.post(url("job_retry", job), follow=True)
    job.refresh_from_db()
    assert (job.state, job.error) == (State.SUCCEEDED, "")
    assert written() == list(range(195, 200))
    assert response.redirect_chain == [(url("job", job), 302)]
    assert AuditEntry.objects.filter(action="job.retried").exists()


def test_a_job_that_is_done_is_not_gone_on_with(mias: Client) -> None:
    response = mias.post(url("job_retry", ended("Good")), follow=True)
    assert "This has been done already." in response.content.decode()


def test_who_may_only_look_is_offered_nothing(lins: Client) -> None:
    for job in (JobFactory(kind=KIND), ended("Bad", "failed")):
        content = lins.get(url("job", job)).content.decode()
        assert url("job_cancel", job) not in content
        assert url("job_retry", job) not in content
        assert lins.post(url("job_cancel", job)).status_code == 403
        assert lins.post(url("job_retry", job)).status_code == 403


def test_a_job_of_a_kind_that_is_no_more_can_be_seen_and_given_up(mias: Client) -> None:
    job = ended("Old", "failed", kind="of_another_version", result={"rows_read": 3})
    content = mias.get(url("job", job)).content.decode()
    assert "Of another version" in content
    assert url("job_retry", job) not in content


def test_a_job_that_ends_tells_its_page_and_the_list(mias: Client) -> None:
    job = ended("Good")
    assert mias.get(url("job_progress", job), headers=HTMX)["HX-Refresh"] == "true"
    in_list = mias.get(f"{url('job_progress', job)}?in=list", headers=HTMX)
    assert "jobs-changed" in in_list["HX-Trigger"]
    assert "HX-Refresh" not in in_list.headers


# --- Its log --------------------------------------------------------------------------------------


def test_the_log_is_read_anew_while_the_job_runs(mias: Client) -> None:
    job = JobFactory(kind=KIND, state=State.RUNNING)
    log_line(job, "Half of it is written.")
    log_line(job, "The ink is low.", level=Level.WARNING)
    content = mias.get(url("job_log", job), headers=HTMX).content.decode()
    assert content.index("The ink is low.") < content.index("Half of it")
    assert "Warning" in content
    assert "every 2s" in content
    Job.objects.update(state=State.SUCCEEDED)
    assert "every 2s" not in mias.get(url("job_log", job), headers=HTMX).content.decode()


def test_a_long_log_has_pages_of_which_only_the_first_is_live(mias: Client) -> None:
    job = JobFactory(kind=KIND, state=State.RUNNING)
    for number in range(40):
        log_line(job, f"Line {number:02}.")
    first = mias.get(url("job_log", job))
    assert "Line 39." in first.content.decode()
    cursor = first.context["page"].next_cursor
    second = mias.get(f"{url('job_log', job)}?cursor={cursor}").content.decode()
    assert "Line 00." in second
    assert "every 2s" not in second


def test_a_job_that_said_nothing_has_an_empty_log(lins: Client) -> None:
    assert "Nothing was said yet." in lins.get(url("job_log", JobFactory())).content.decode()
    assert not JobLogLine.objects.exists()
