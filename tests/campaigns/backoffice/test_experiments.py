"""The screens of experiments: written, started, looked at, decided, made permanent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign, Delivery, Experiment, MessageTemplate
from campaigns.services.experiment_clock import look_at
from campaigns.services.experiments import start_experiment
from loyalty.models import EarningRule, Program
from loyalty.services.rules import set_four_eyes
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import DAY, member
from tests.campaigns.experiments import buyers, fresh_experiment, make_crowd, promotion, write
from tests.campaigns.factories import switch_on, tell
from tests.loyalty.factories import order, record
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


made_once = shared(lambda: make_crowd(160))


@pytest.fixture
def crowd(made_once: Program, db: None) -> Program:
    return anew(made_once)


def address(name: str, found: Experiment | None = None) -> str:
    return reverse(f"experiments_backoffice:{name}", args=[found.public_id] if found else [])


def page(client: Client, url: str) -> str:
    answered = client.get(url)
    assert answered.status_code == 200
    return answered.content.decode()


def filled(code: str, **said: Any) -> dict[str, Any]:
    return {
        "name": "Triple or not", "question": "Is more better?", "measure": "orders",
        "smallest": "20", "weeks": "2", "audience": "",
        "arms-TOTAL_FORMS": "4", "arms-INITIAL_FORMS": "4", "arms-MIN_NUM_FORMS": "0",
        "arms-MAX_NUM_FORMS": "4",
        "arms-0-name": "As it is", "arms-0-share": "40", "arms-0-promotion": "",
        "arms-1-name": "Triple", "arms-1-share": "60", "arms-1-promotion": code,
        "arms-2-name": "", "arms-2-share": "", "arms-2-promotion": "",
        "arms-3-name": "", "arms-3-share": "", "arms-3-promotion": "",
    } | said  # fmt: skip


def test_an_experiment_is_written_changed_and_started(manager: Client, crowd: Program) -> None:
    code, url = promotion(crowd), address("experiment_create")
    assert "No experiment yet" in page(manager, address("experiment_list"))
    url = f"{url}?program={crowd.code}"
    assert "Triple</option>" in page(manager, url)
    refused = manager.post(url, filled(code, **{"arms-1-share": "50"}))
    assert refused.status_code == 422
    assert "have to come to 100" in refused.content.decode()
    for odd, words in (
        ({"arms-2-name": "Third", "arms-2-promotion": ""}, "Say how many percent."),
        ({"arms-2-share": "5"}, "Give it a name."),
    ):
        refused = manager.post(url, filled(code, **odd))
        assert refused.status_code == 422
        assert words in refused.content.decode()
    assert manager.post(url, filled(code)).status_code == 302
    found = Experiment.objects.get()
    shown = page(manager, address("experiment", found))
    assert "nobody can say how many members it takes" in shown
    assert "As it is: nothing extra" in shown
    edit = address("experiment_edit", found)
    assert manager.post(edit, filled(code, measure="revenue")).status_code == 302
    found = fresh_experiment(found)
    assert (found.measure, [arm.share for arm in found.arms.all()]) == ("revenue", [40, 60])
    manager.post(address("experiment_state", found), {"do": "start"})
    found = fresh_experiment(found)
    assert found.status == "running"
    assert "Nothing is declared before" in page(manager, address("experiment", found))
    assert manager.get(edit).status_code == 302


def test_the_page_of_one_that_has_ended_says_what_it_has_shown_and_drafts_it(
    manager: Client, crowd: Program
) -> None:
    began = timezone.now() - 20 * DAY
    found = start_experiment(experiment=write(crowd), actor=SYSTEM, now=began)
    record(*(
        order(f"A{who}", str(20 + number % 3), buyer=who, at=began + DAY)
        for number, who in enumerate(buyers(found, 1))
    ))  # fmt: skip
    look_at(found, timezone.now())
    shown = page(manager, address("experiment", found))
    assert "Triple is better than As it is." in shown
    assert "<svg" in shown
    assert "Triple is better" in page(manager, address("experiment_list"))
    went = manager.post(address("experiment_act", found), {"act": "permanent"})
    assert went.status_code == 302
    rule = EarningRule.objects.get(code="triple")
    assert went.headers["Location"].endswith(f"/rule/{rule.code}/")
    assert rule.versions.get().starts_at is None


def test_words_of_a_message_are_written_compared_and_used(manager: Client, crowd: Program) -> None:
    url = f"{address('experiment_create')}?program={crowd.code}"
    assert "compares=messages" in page(manager, url)
    said = filled("", message="gift", measure="clicked", **{"arms-1-name": "Warm"})
    del said["arms-0-promotion"], said["arms-1-promotion"]
    silent = manager.post(f"{url}&compares=messages", said | {"arms-0-silent": "on"})
    assert silent.status_code == 422
    assert "can follow no link" in silent.content.decode()
    said["measure"] = "orders"
    assert manager.post(f"{url}&compares=messages", said).status_code == 302
    found = Experiment.objects.get()
    shown = page(manager, address("experiment", found))
    assert "Nothing is written yet." in shown
    assert "Nobody of them was told it in the last weeks" in shown
    place = reverse("experiments_backoffice:arm_words", args=[found.public_id, 1, "inbox", "en"])
    assert place in shown
    assert "{{ gift }}" in page(manager, place)
    kept = manager.post(place, {"subject": "For you", "body": "With love: {{ gift }}"})
    assert kept.headers["Location"] == place
    shown = page(manager, address("experiment", found))
    assert "Inbox · en</a>" in shown
    assert "For you" in shown
    # What its arms say stays when something else of it is changed.
    manager.post(address("experiment_edit", found), said | {"measure": "revenue"})
    began = timezone.now() - 20 * DAY
    switch_on("gift", "inbox")
    found = start_experiment(experiment=fresh_experiment(found), actor=SYSTEM, now=began)
    assert "readonly" in page(manager, place)
    _told_and_bought(found, crowd, began)
    look_at(found, timezone.now())
    use = f"{reverse('messages_backoffice:words', args=['gift', 'inbox', 'en'])}?of={found.pk}-1"
    assert use.replace("&", "&amp;") in page(manager, address("experiment", found))
    assert "Make it permanent" not in page(manager, address("experiment", found))
    assert "With love: {{ gift }}" in page(manager, use)
    # No other arm's words, nor what no arm is called.
    for other in (f"{found.pk}-0", f"{found.pk + 1}-1", "%00", "x-y", "9" * 30):
        shown = page(manager, use.partition("?")[0] + f"?of={other}")
        assert "the better arm of an experiment" not in shown
    manager.post(use, {"subject": "For you", "body": "With love: {{ gift }}"})
    template = MessageTemplate.objects.get(variant="", occasion="gift")
    assert template.versions.get().subject == "For you"
    sent = Delivery.objects.filter(message__arm__place=1)[0]
    told = page(manager, reverse("messages_backoffice:delivery", args=[sent.public_id]))
    assert "Triple or not</a> · Warm" in told


def _told_and_bought(found: Experiment, crowd: Program, began: dt.datetime) -> None:
    for number in range(160):
        row = member(f"c{number}")
        tell(row.customer, f"{row.pk}", membership=row, at=began + DAY, channels=("inbox",))
    record(*(
        order(f"A{who}", str(20 + number % 3), buyer=who, at=began + 2 * DAY)
        for number, who in enumerate(buyers(found, 1))
    ))  # fmt: skip


def test_a_draft_says_plainly_that_its_members_will_never_be_enough(
    manager: Client, crowd: Program
) -> None:
    at = timezone.now() - 6 * DAY
    record(*(order(f"P{n}", str(1 + 40 * (n % 5)), buyer=f"c{n}", at=at) for n in range(90)))
    found = write(crowd, weeks=None, smallest=1)
    assert "It will never be enough" in page(manager, address("experiment", found))
    answered = manager.post(address("experiment_state", found), {"do": "start"}, follow=True)
    assert "never enough" in answered.content.decode()
    assert fresh_experiment(found).status == "draft"


def test_where_a_second_person_is_asked_it_stands_among_the_approvals(
    manager: Client, crowd: Program
) -> None:
    set_four_eyes(program=crowd, on=True, actor=SYSTEM)
    manager.post(f"{address('experiment_create')}?program={crowd.code}", filled(promotion(crowd)))
    found = Experiment.objects.get()
    shown = page(manager, address("experiment", found))
    assert "Ask for approval" in shown
    assert 'value="start"' not in shown
    manager.post(address("experiment_act", found), {"act": "ask"})
    assert "Waits for approval" in page(manager, address("experiment_list"))
    assert "Triple or not" in page(manager, reverse("loyalty_backoffice:approval_list"))
    manager.post(address("experiment_state", found), {"do": "start"})
    assert fresh_experiment(found).status == "draft"


def test_a_draft_is_thrown_away_and_one_that_runs_is_ended(manager: Client, crowd: Program) -> None:
    found = write(crowd)
    manager.post(address("experiment_state", found), {"do": "start"})
    manager.post(address("experiment_state", found), {"do": "end"})
    ended = fresh_experiment(found)
    assert (ended.status, ended.verdict) == ("ended", "early")
    assert "ended before its time" in page(manager, address("experiment", found))
    other = write(crowd, name="Other", arms=[
        {"name": "A", "share": 50}, {"name": "B", "share": 50, "promotion": promotion(crowd, "B")},
    ])  # fmt: skip
    manager.post(address("experiment_act", other), {"act": "delete"})
    assert Experiment.objects.count() == 1
    assert manager.post(address("experiment_act", found), {"act": "x"}).status_code == 404


def test_after_its_time_nobody_is_asked_to_end_it(manager: Client, crowd: Program) -> None:
    found = start_experiment(experiment=write(crowd), actor=SYSTEM, now=timezone.now() - 20 * DAY)
    shown = page(manager, address("experiment", found))
    assert "declared in a few minutes" in shown
    assert 'value="end"' not in shown


def test_an_arm_that_cannot_be_one_any_more_stays_in_the_form(
    manager: Client, crowd: Program
) -> None:
    found = write(crowd)
    Campaign.objects.update(codes={"kind": "shared", "word": "SPRING"})
    edit = address("experiment_edit", found)
    assert 'value="triple" selected' in page(manager, edit)
    refused = manager.post(edit, filled("triple"))
    assert "takes a code" in refused.content.decode()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_its_pages_are_read_by_everybody_and_it_is_started_after_a_question(
    sign_in: Callable[[str], Any], crowd: Program, live_server: Any,
    assert_no_axe_violations: Callable[..., None],
) -> None:  # fmt: skip
    found = write(crowd)
    shown = sign_in("marketing_manager")
    for name in ("experiment_list", "experiment_edit", "experiment"):
        of = None if name == "experiment_list" else found
        shown.goto(f"{live_server.url}{address(name, of)}")
        assert_no_axe_violations(shown)
    shown.get_by_role("button", name="Start").click()
    question = shown.get_by_role("alertdialog", name="Start")
    expect(question).to_contain_text("drawn and written down")
    question.get_by_role("button", name="Start").click()
    expect(shown.get_by_text("Nothing is declared before")).to_be_visible()
    assert_no_axe_violations(shown)
    # A chart takes somebody who has bought.
    who = buyers(found, 1)[0]
    record(order("A", "20", buyer=who, at=timezone.now()))
    shown.reload()
    expect(shown.get_by_role("img", name="The differences and their intervals")).to_be_visible()
    expect(shown.get_by_text("Nothing is declared before")).to_be_visible()
    assert_no_axe_violations(shown)
