"""Activities on the screens: the queue, the decision, the customer's panel, the types."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.models import Activity, ActivityType, Program
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.factories import make_type, reward, tell, told

pytestmark = pytest.mark.usefixtures("ana_for_all")
refused = pytest.mark.usefixtures("undone_when_refused")


@pytest.fixture
def reviews(beans: Program) -> ActivityType:
    kind = make_type(told="Review of {subject}", approval=True, proof="optional")
    data = definition_of(beans, timezone.now()).model_dump(mode="json", exclude_none=True)
    data["earning_rules"].append(reward(wallet_type="points"))
    changed = ProgramDefinition.model_validate(data)
    apply_definition(changed, actor=SYSTEM, now=timezone.now())
    return kind


@pytest.fixture
def review(ana: Member, reviews: ActivityType) -> Activity:
    [result] = tell(
        told(
            at=timezone.now(), subject="MUG", subject_name="Blue <Mug>", proof="https://pics.example/1",
            data={"stars": 5, "with_photo": True, "nested": {"a": 1}},
        )
    )  # fmt: skip
    assert result.activity is not None
    return result.activity


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    words = " ".join(response.content.decode().split())
    return words.replace("\N{NO-BREAK SPACE}", " ").replace("&nbsp;", " ")


def state_of(activity: Activity) -> str:
    activity.refresh_from_db()
    return activity.state


def test_what_waits_is_in_the_queue_the_menu_and_on_the_home_page(
    agent: Client, client_of: Any, review: Activity
) -> None:
    queue = text_of(agent, url("approval_list"))
    assert "Review of Blue &lt;Mug&gt;" in queue
    assert "Ana Lima" in queue
    assert "1 activity waits for a decision." in text_of(agent, url("attention_panel"))
    home = agent.get(reverse("backoffice:home")).content.decode()
    assert 'class="nav-badge' in home or ">1<" in home
    assert "waits for a decision" not in text_of(client_of("analyst"), url("attention_panel"))


def test_the_dialog_shows_what_was_told_and_what_it_would_bring(
    agent: Client, review: Activity
) -> None:
    words = text_of(agent, url("activity", review.public_id))
    for part in ("Approve this?", "What it would bring", "50 Beans", "With photo", "yes", "Stars"):
        assert part in words
    assert 'href="https://pics.example/1"' in words
    assert state_of(review) == "pending"  # looking changed nothing


def test_approving_gives_and_the_customer_reads_what_for(
    agent: Client, ana: Member, review: Activity
) -> None:
    before = ana.spendable()
    response = agent.post(url("activity", review.public_id), headers=htmx("dialog"))
    assert response.status_code in (200, 204, 302)
    assert (state_of(review), ana.spendable() - before) == ("approved", 50)
    panel = text_of(agent, url("activity_panel", ana.customer.public_id))
    assert "Review of Blue &lt;Mug&gt;" in panel
    assert "50 Beans" in panel
    assert "What it brought" in text_of(agent, url("activity", review.public_id))
    moves = text_of(agent, url("movement_panel", ana.customer.public_id))
    assert "Review of Blue &lt;Mug&gt;" in moves


def test_rejecting_says_why(agent: Client, ana: Member, review: Activity) -> None:
    assert agent.post(url("activity_reject", review.public_id), {}).status_code == 422
    agent.post(url("activity_reject", review.public_id), {"note": "Blurred photo"})
    assert state_of(review) == "rejected"
    text_of(agent, url("approval_list"))  # which says once more that it was rejected
    assert "Review of Blue" not in text_of(agent, url("approval_list"))
    decided = text_of(agent, url("approval_list") + "?show=decided")
    assert "Review of Blue &lt;Mug&gt;" in decided
    assert "Rejected" in decided
    words = text_of(agent, url("activity", review.public_id))
    assert "Blurred photo" in words
    assert "Nothing: it was rejected." in words
    timeline = reverse("backoffice:customer_timeline", args=[ana.customer.public_id])
    assert "Review of Blue &lt;Mug&gt;" in text_of(agent, timeline)


def test_taking_back(agent: Client, ana: Member, review: Activity) -> None:
    before = ana.spendable()
    agent.post(url("activity", review.public_id))
    taking_back = url("activity_reverse", review.public_id)
    assert taking_back in text_of(agent, url("activity", review.public_id))
    assert "Take this back?" in text_of(agent, taking_back)
    agent.post(taking_back, {"note": "It was copied"})
    assert (state_of(review), ana.spendable()) == ("reversed", before)


@refused
def test_who_comes_second_reads_that_it_was_decided(agent: Client, review: Activity) -> None:
    agent.post(url("activity_reject", review.public_id), {"note": "No"})
    response = agent.post(url("activity", review.public_id))
    assert response.status_code == 422
    assert "This was decided already: rejected." in response.content.decode()


def test_analysts_look_and_do_not_decide(client_of: Any, review: Activity) -> None:
    words = text_of(client_of("analyst"), url("activity", review.public_id))
    assert "Reject instead" not in words
    assert "Approve this?" not in words


# --- Types ----------------------------------------------------------------------------------------


def filled(**changes: Any) -> dict[str, Any]:
    form = {
        "name": "Survey", "code": "survey", "told": "", "most": "1", "period": "month",
        "proof": "none", "active": "on", "data_schema": "",
    }  # fmt: skip
    return form | changes


def test_the_list_teaches_when_it_is_empty(manager: Client, db: None) -> None:
    assert "No types yet" in text_of(manager, url("activity_type_list"))


def test_a_type_is_added_and_changed(manager: Client, db: None) -> None:
    assert manager.post(url("activity_type_create"), filled()).status_code == 302
    kind = ActivityType.objects.get()
    assert (kind.code, kind.most, kind.period, kind.active) == ("survey", 1, "month", True)
    words = text_of(manager, url("activity_type_list"))
    assert "1 time a month" in words
    assert "no rule yet" in words
    changed = filled(name="Short survey", most="", once_per_subject="on")
    del changed["code"]
    assert manager.post(url("activity_type_edit", "survey"), changed).status_code == 302
    kind.refresh_from_db()
    assert (kind.name, kind.most, kind.once_per_subject) == ("Short survey", None, True)


def test_the_list_says_what_a_type_brings(manager: Client, reviews: ActivityType) -> None:
    words = text_of(manager, url("activity_type_list"))
    assert "50 Beans" in words
    assert "once it is approved" in words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"code": "Survey!"}, "letters, numbers"),
        ({"code": "review"}, "There is a type with this short name already."),
        ({"most": "0"}, "greater than or equal to 1"),
        ({"data_schema": "{"}, "This is no JSON"),
        ({"data_schema": "[]"}, "A schema begins with"),
        ({"data_schema": json.dumps({"type": "strange"})}, "strange"),
        ({"data_schema": json.dumps({"$ref": "https://x.example/s"})}, "outside of it"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    manager: Client, reviews: ActivityType, changes: dict[str, str], words: str
) -> None:
    response = manager.post(url("activity_type_create"), filled(**changes))
    assert response.status_code == 422
    assert words in response.content.decode()
    assert ActivityType.objects.count() == 1


def test_a_rule_for_activities_is_among_the_rules_and_is_changed_there(
    manager: Client, reviews: ActivityType
) -> None:
    assert "Review: 50 Beans." in text_of(manager, url("rule_list", "beans"))
    page, edit = url("rule_page", "beans", "review"), url("rule_edit", "beans", "review")
    assert edit in manager.get(page).content.decode()
    assert "Review: 50 Beans." in text_of(manager, page)
    form = manager.get(edit).context["form"]
    assert (form["activity"].value(), form["units"].value()) == ("review", "50")
