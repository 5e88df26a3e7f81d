"""Insights → Backtests: asked in a form, watched, read, laid side by side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Backtest, EarningRuleVersion
from loyalty.program_files import dump_rules
from loyalty.selectors.programs import definition_of
from loyalty.services.backtest_runs import run_backtest
from members.models import Job
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = pytest.mark.usefixtures("ana_for_all")


def said(ana: Member, **changes: object) -> dict[str, object]:
    today = timezone.now().astimezone(ana.program.zone).date()
    rules = dump_rules(definition_of(ana.program, timezone.now())).replace(
        "wallet_type: points", "wallet_type: points\n    units: '4'"
    )
    values = {"name": "Four Beans", "since": today - dt.timedelta(days=89), "until": today}
    return values | {"rules": rules} | changes


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes the job yet."""
    monkeypatch.setattr("members.backoffice.jobs.queue_job", lambda work: True)


@pytest.fixture
def tried(manager: Client, ana: Member) -> Backtest:
    """A backtest that is done."""
    assert manager.post(url("backtest_create"), said(ana)).status_code == 302
    backtest = Backtest.objects.get()
    run_backtest(backtest.job_id)
    backtest.refresh_from_db()
    return backtest


def test_an_empty_list_says_what_it_is_for(manager: Client, ana: Member) -> None:
    assert "Try before you publish" in manager.get(url("backtest_list")).content.decode()


def test_the_form_begins_with_the_live_rules(manager: Client, ana: Member) -> None:
    html = manager.get(url("backtest_create")).content.decode()
    assert "earning_rules:" in html
    assert "Last 365 days" in html


@pytest.mark.usefixtures("no_worker")
def test_asking_leads_to_a_page_that_shows_how_far_it_is(manager: Client, ana: Member) -> None:
    response = manager.post(url("backtest_create"), said(ana), follow=True)
    html = response.content.decode()
    assert "Four Beans" in html
    assert "Progress" in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rules": "earning_rules:\n  - code: base\n    units: minus"}, "line 3"),
        ({"rules": "units: 1"}, "The rules are missing"),
        ({"since": "2200-01-01"}, "before the first"),
        ({"until": "2200-01-01"}, "today at the latest"),
    ],
)
def test_what_is_wrong_is_said_beside_it(
    manager: Client, ana: Member, changes: dict[str, object], words: str
) -> None:
    response = manager.post(url("backtest_create"), said(ana, **changes))
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Backtest.objects.exists()


def test_a_draft_that_changes_nothing_is_refused(manager: Client, ana: Member) -> None:
    rules = dump_rules(definition_of(ana.program, timezone.now()))
    response = manager.post(url("backtest_create"), said(ana, rules=rules))
    assert "says the same as the live rules" in response.content.decode()


def test_the_result_has_figures_pictures_and_people(
    manager: Client, ana: Member, tried: Backtest
) -> None:
    html = manager.get(url("backtest_page", tried.public_id)).content.decode()
    for words in ("Beans by month", "Who would gain most", "Members better off", str(ana.customer)):
        assert words in html
    assert "that a better offer sells more" in html


def test_an_analyst_may_ask_and_an_agent_may_not_look(
    client_of: Callable[[str], Client], ana: Member, tried: Backtest
) -> None:
    assert client_of("analyst").get(url("backtest_create")).status_code == 200
    assert client_of("support_agent").get(url("backtest_list")).status_code == 403


def test_two_are_laid_side_by_side(manager: Client, ana: Member, tried: Backtest) -> None:
    rules = said(ana)["rules"].replace("units: '4'", "units: '2'")  # type: ignore[attr-defined]
    manager.post(url("backtest_create"), said(ana, rules=rules, name="Two Beans"))
    second = Backtest.objects.latest("pk")
    run_backtest(second.job_id)
    address = f"{url('backtest_compare')}?with={tried.public_id}&with={second.public_id}"
    html = manager.get(address).content.decode()
    assert "Four Beans" in html
    assert "Two Beans" in html
    alone = manager.get(f"{url('backtest_compare')}?with={tried.public_id}")
    assert alone.status_code == 302


@pytest.mark.usefixtures("no_worker")
def test_it_is_stopped_and_goes_on(manager: Client, ana: Member) -> None:
    manager.post(url("backtest_create"), said(ana))
    backtest = Backtest.objects.get()
    manager.post(url("backtest_stop", backtest.public_id))
    assert Job.objects.get(pk=backtest.job_id).state == Job.State.CANCELED
    assert "Go on" in manager.get(url("backtest_page", backtest.public_id)).content.decode()
    manager.post(url("backtest_resume", backtest.public_id))
    assert Job.objects.get(pk=backtest.job_id).state == Job.State.QUEUED


def test_the_list_of_jobs_leads_to_it(manager: Client, tried: Backtest) -> None:
    assert tried.job is not None
    response = manager.get(url("backtest_of_job", tried.job.public_id))
    assert response["Location"] == url("backtest_page", tried.public_id)


def test_a_rules_draft_is_one_click_from_being_tried(manager: Client, ana: Member) -> None:
    rule = ana.program.earning_rules.get()
    body = rule.versions.get().body | {"units": "7"}
    EarningRuleVersion.objects.create(rule=rule, number=2, status="draft", body=body)
    page = manager.get(url("rule_page", ana.program.code, rule.code)).content.decode()
    address = f"{url('backtest_create')}?program={ana.program.code}&amp;draft={rule.code}"
    assert address in page
    form = manager.get(address.replace("&amp;", "&")).context["form"]
    assert "units: '7'" in form["rules"].value()
