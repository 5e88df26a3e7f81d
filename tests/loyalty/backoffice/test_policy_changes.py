"""New terms for units that exist: the effect is seen, a reason is given, a job applies them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Lot, Program
from loyalty.services.policy_change_jobs import KIND, run_policy_change
from members.models import Job
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.usefixtures("ana_for_all")
BEANS = {"singular": "Bean", "plural": "Beans", "unit_value": "0.01"}


@pytest.fixture
def shorter(ana: Member) -> Program:
    """Beans used to last a year; from now on they last 30 days, and Ana's are 40 days old."""
    return make_program(
        "beans", name="Bean Club", time_zone="America/New_York", at=timezone.now(),
        unit={**BEANS, "expiry": {"kind": "days", "length": 30}},
    )  # fmt: skip


def address(name: str) -> str:
    return url(name, "beans", "points")


def test_the_program_offers_it_once_there_are_earlier_terms(
    manager: Client, agent: Client, ana: Member
) -> None:
    page = url("program_page", "beans")
    assert "that exist…" not in manager.get(page).content.decode()
    make_program("beans", name="Bean Club", unit={**BEANS, "expiry": {"kind": "never"}})
    assert "Apply to Beans that exist…" in manager.get(page).content.decode()
    assert "that exist…" not in agent.get(page).content.decode()


def test_who_would_lose_what_is_shown_first(manager: Client, shorter: Program) -> None:
    page = manager.get(address("terms_apply")).content.decode()
    assert "They expire 30 days after they were earned." in page
    assert "They expire 12 months after they were earned." in page
    html = manager.get(address("terms_effect"), headers=htmx("panel")).content.decode()
    assert "Some would be gone at once" in html
    assert "150\N{NO-BREAK SPACE}Beans · $1.50" in html
    assert "1 member" in html
    assert not Job.objects.exists()


def test_what_it_would_do_is_worked_out_by_a_worker_where_there_are_very_many_units(
    manager: Client, shorter: Program, settings: Any
) -> None:
    settings.FIGURES_PATIENCE = (0, 0)
    html = manager.get(address("terms_effect"), headers=htmx("panel")).content.decode()
    assert f'hx-get="{address("terms_effect")}?figures=1"' in html
    assert "Some would be gone at once" not in html
    # In tests a worker is at once there.
    manager.get(address("terms_effect"), {"figures": "1"})
    html = manager.get(address("terms_effect"), {"figures": "2"}).content.decode()
    assert "Some would be gone at once" in html
    assert "Worked out" in html


def test_it_begins_with_a_reason_and_is_a_job(
    manager: Client, ana: Member, shorter: Program
) -> None:
    assert manager.post(address("terms_apply"), {"reason": " "}).status_code == 422
    answer = manager.post(address("terms_apply"), {"reason": "Agreed by the board"})
    job = Job.objects.get(kind=KIND)
    assert answer["Location"] == reverse("backoffice:job", args=[job.public_id])
    assert job.label == "Terms of Beans in Bean Club"
    if job.state == "queued":
        run_policy_change(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded"
    assert "1 of 1 lot has other terms now." in manager.get(answer["Location"]).content.decode()
    change = Lot.objects.get().changes.get()
    assert (change.note, change.actor) == ("Agreed by the board", job.created_by)
    html = manager.get(address("terms_effect")).content.decode()
    assert "Nothing would change" in html
    log = manager.get(url("program_page", "beans")).content.decode()
    assert "Agreed by the board" in log


def test_what_is_under_way_is_not_begun_twice(manager: Client, shorter: Program) -> None:
    manager.post(address("terms_apply"), {"reason": "Agreed"})
    Job.objects.update(state="running", heartbeat_at=timezone.now())
    answer = manager.post(address("terms_apply"), {"reason": "Agreed"})
    assert answer.status_code == 422
    assert "This is already running." in answer.content.decode()


def test_what_cannot_be_done_is_said(manager: Client, ana: Member) -> None:
    idle = {"kind": "inactivity", "length": 3}
    make_program("beans", name="Bean Club", unit={**BEANS, "expiry": idle})
    message = "Units that exist cannot be made to expire by inactivity"
    assert message in manager.get(address("terms_effect")).content.decode()
    answer = manager.post(address("terms_apply"), {"reason": "Agreed"})
    assert answer.status_code == 422
    assert message in answer.content.decode()


def test_a_draft_has_no_units(manager: Client, ana: Member) -> None:
    make_program("draft", name="Draft", status="draft")
    assert manager.get(url("terms_apply", "draft", "points")).status_code == 404


def test_the_job_is_for_those_who_may_edit_programs(
    client_of: Callable[[str], Client], manager: Client, shorter: Program
) -> None:
    manager.post(address("terms_apply"), {"reason": "Agreed"})
    job = Job.objects.get(kind=KIND)
    page = reverse("backoffice:job", args=[job.public_id])
    assert client_of("analyst").get(page).status_code == 200
    stop = reverse("backoffice:job_cancel", args=[job.public_id])
    assert client_of("support_agent").post(stop).status_code == 403
