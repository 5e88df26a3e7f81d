"""Insights → Self-check, and the alarm on the home page."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.ledger.checks import RULES
from loyalty.models import SelfCheck, Wallet
from loyalty.services.self_checks import KIND
from members.models import Job
from members.services.job_runs import run_job, run_scheduled
from members.services.outbox import deliver_waiting
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = pytest.mark.usefixtures("ana_for_all")


def look() -> SelfCheck:
    while deliver_waiting(1000):
        pass
    run_scheduled(kind=KIND, now=timezone.now())
    return SelfCheck.objects.latest("pk")


@pytest.fixture
def drifted(ana: Member) -> Member:
    """Ana's stored balance says 9 more than her lots do; put right once the test is done."""
    Wallet.objects.filter(pk=ana.wallet.pk).update(balance=ana.wallet.balance + 159)
    return ana


@pytest.fixture(autouse=True)
def _put_right(_coherent: None, ana: Member):  # type: ignore[no-untyped-def]
    yield
    Wallet.objects.filter(pk=ana.wallet.pk).update(balance=150)


def test_before_anybody_looked_that_is_said(manager: Client, ana: Member) -> None:
    html = manager.get(url("self_check_list")).content.decode()
    assert "Nobody has looked yet" in html
    assert "A lot holds what it was granted less its uses" in html


def test_a_look_that_finds_nothing_is_history_and_no_alarm(manager: Client, ana: Member) -> None:
    found = look()
    html = manager.get(url("self_check_list")).content.decode()
    assert "The books agree with themselves" in html
    assert url("self_check", found.pk) in html
    assert "Every rule held." in manager.get(url("self_check", found.pk)).content.decode()
    assert "do not agree" not in manager.get(url("attention_panel")).content.decode()


def test_drift_is_an_alarm_on_the_home_page_until_it_is_gone(
    manager: Client, drifted: Member
) -> None:
    found = look()
    home = manager.get(url("attention_panel"))
    assert "The books do not agree" in home.content.decode()
    assert home.context["needs"][0].url == url("self_check", found.pk)
    page = manager.get(url("self_check", found.pk)).content.decode()
    assert f"wallet {drifted.wallet.pk}: 150 expected" in page
    assert "verify_ledger --repair-caches" in page
    assert "1 rule did not hold" in manager.get(url("self_check_list")).content.decode()
    Wallet.objects.filter(pk=drifted.wallet.pk).update(balance=150)
    look()
    assert "do not agree" not in manager.get(url("attention_panel")).content.decode()


def test_who_may_not_see_the_books_is_not_alarmed(agent: Client, drifted: Member) -> None:
    look()
    assert "do not agree" not in agent.get(url("attention_panel")).content.decode()


def test_a_manager_has_it_looked_at_now(manager: Client, ana: Member, settings) -> None:  # type: ignore[no-untyped-def]
    html = manager.get(url("self_check_list")).content.decode()
    assert "Check the books" in html
    manager.post(f"/backoffice/jobs/start/{KIND}/")
    job = Job.objects.get(kind=KIND)
    run_job(job.pk)
    found = SelfCheck.objects.get()
    assert (found.looked_at, found.asked_by) == (len(RULES) + 1, job.created_by)
    assert str(job.created_by) in manager.get(url("self_check_list")).content.decode()


def test_an_analyst_reads_but_does_not_start(client_of, ana: Member) -> None:  # type: ignore[no-untyped-def]
    analyst = client_of("analyst")
    assert "Check the books" not in analyst.get(url("self_check_list")).content.decode()
    assert analyst.post(f"/backoffice/jobs/start/{KIND}/").status_code == 403
