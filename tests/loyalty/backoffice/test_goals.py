"""Goals on the screen: what one takes is said before it is set, and then how far it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Goal, Program
from loyalty.services.goals import Wanted, set_goal
from members.models import User
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member, htmx, queries_of, url
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.usefixtures("ana_for_all")


def text_of(client: Client, address: str) -> str:
    response = client.get(address, headers=htmx("panel-x") if "/home/" in address else {})
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def a_day(program: Program, ahead: int) -> dt.date:
    return timezone.now().astimezone(program.zone).date() + dt.timedelta(days=ahead)


def typed(program: Program, **changes: str) -> dict[str, str]:
    return {
        "metric": "members", "target": "15", "due_on": a_day(program, 70).isoformat(),
        "starts_on": a_day(program, 0).isoformat(), "owner": "", "note": "For the new shop",
    } | changes  # fmt: skip


def aim(program: Program, metric: str = "members", target: int = 15) -> Goal:
    wanted = Wanted(metric, Decimal(target), a_day(program, 70), a_day(program, 0))
    return set_goal(program=program, wanted=wanted, actor=SYSTEM, now=timezone.now())[0]


def test_what_a_goal_begins_with_and_takes_is_said_while_it_is_written(
    ana: Member, manager: Client
) -> None:
    address = url("goal_create", "beans")
    assert "read here what it is now" in text_of(manager, address)
    answer = manager.post(address, typed(ana.program) | {"preview": "1"}, headers=htmx())
    shown = " ".join(answer.content.decode().replace("\xa0", " ").split())
    assert "70 days are left: it takes 2 members more each week." in shown
    assert "Is that possible?" in shown
    assert not Goal.objects.exists()
    beyond = typed(ana.program, metric="active_share", target="99") | {"preview": "1"}
    shown = manager.post(address, beyond, headers=htmx()).content.decode()
    assert "It is so already: it is" in shown


def test_a_goal_is_set_changed_and_closed(
    ana: Member, manager: Client, client_of: Callable[[str], Client]
) -> None:
    client_of("analyst")
    owner = User.objects.filter(staff_member__role="analyst").get()
    answer = manager.post(url("goal_create", "beans"), typed(ana.program, owner=str(owner.pk)))
    assert answer.status_code == 302
    goal = Goal.objects.get()
    assert (goal.target, goal.owner, goal.note) == (15, owner, "For the new shop")
    page = text_of(manager, url("goals_of", "beans"))
    assert f"{owner} looks after it." in page
    assert "On track" in page
    home = text_of(manager, url("goals_panel"))
    assert "On track: it is 1, and would be 1 on a straight line." in home
    edit = url("goal_edit", goal.public_id)
    assert manager.get(edit).context["form"].initial["target"] == "15"
    changed = {"target": "20", "due_on": a_day(ana.program, 80).isoformat(), "owner": "",
               "note": ""}  # fmt: skip
    assert manager.post(edit, changed).status_code == 302
    close = url("goal_close", goal.public_id)
    assert manager.get(close).context["form"].initial["state"] == "given_up"
    refused = manager.post(close, {"state": "reached", "note": ""})
    assert refused.context["form"].errors == {"state": ["It is not reached: it is 1."]}
    assert manager.post(close, {"state": "given_up", "note": "No time"}).status_code == 302
    page = text_of(manager, url("goal_list"))
    assert "No open goal" in page
    assert "Given up" in page
    assert "No time" in page
    assert manager.get(edit).status_code == 404


def test_what_is_wrong_is_said_at_its_field(ana: Member, manager: Client) -> None:
    for changes, field in (
        ({"target": "1"}, "target"),
        ({"target": ""}, "target"),
        ({"due_on": a_day(ana.program, -1).isoformat()}, "due_on"),
        ({"starts_on": a_day(ana.program, 3).isoformat()}, "starts_on"),
    ):
        answer = manager.post(url("goal_create", "beans"), typed(ana.program, **changes))
        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == [field]


def test_who_may_not_edit_only_reads(ana: Member, agent: Client) -> None:
    assert "Set a goal" not in text_of(agent, url("goals_panel"))
    goal = aim(ana.program)
    page = text_of(agent, url("goal_list"))
    assert "Members: 15" in page
    assert "Close it" not in page
    assert agent.get(url("goal_close", goal.public_id)).status_code == 403


def test_the_home_page_asks_for_many_goals_little_more_than_for_one(
    ana: Member, agent: Client
) -> None:
    aim(ana.program)
    one = queries_of(agent, url("goals_panel"))
    aim(ana.program, "member_revenue", 900)
    assert queries_of(agent, url("goals_panel")) <= one + 1


@pytest.mark.parametrize("several", [False, True])
def test_goals_of_several_programs_say_whose_they_are(
    ana: Member, agent: Client, several: bool
) -> None:
    if several:
        make_program("tea", name="Tea Circle")
    aim(ana.program)
    assert ("Bean Club</span>" in text_of(agent, url("goals_panel"))) is several
