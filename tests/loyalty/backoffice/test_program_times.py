"""Pausing a program and planning its end on the screen: what happens is said first."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Program, ProgramEnding, ProgramPause
from loyalty.services.program_endings import EndingDays, plan_ending
from loyalty.services.program_pauses import pause_program
from members.services.audit import SYSTEM
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.factories import make_program, order, record
from tests.rewards.cards import money_program

pytestmark = pytest.mark.usefixtures("ana_for_all")


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def a_day(beans: Program, ahead: int) -> dt.date:
    return timezone.now().astimezone(beans.zone).date() + dt.timedelta(days=ahead)


def days(beans: Program, told: int, earned: int, spent: int) -> dict[str, str]:
    names = ("announced_on", "last_earning_day", "last_spending_day")
    return {
        name: a_day(beans, ahead).isoformat()
        for name, ahead in zip(names, (told, earned, spent), strict=True)
    }


def test_a_program_is_paused_and_resumed_again(ana: Member, manager: Client) -> None:
    until = a_day(ana.program, 10)
    answer = manager.post(
        url("program_pause", "beans"),
        {"starts_at": "", "ends_at": until.isoformat(), "reason": "Inventory"},
    )
    assert answer.status_code == 302
    pause = ProgramPause.objects.get()
    assert (pause.spending, pause.note) == (False, "Inventory")
    assert pause.ends_at.astimezone(ana.program.zone).date() == until
    page = text_of(manager, url("program_page", "beans"))
    assert "Bean Club is paused" in page
    assert "What has been collected stays" in page
    assert "Resume, or change the pause" in page
    assert "Paused" in text_of(manager, url("program_list"))
    record(order("A-2", "10", at=timezone.now()))
    assert ana.spendable() == 150
    manager.post(url("program_resume", "beans"), {"ends_at": "", "reason": ""})
    record(order("A-3", "10", at=timezone.now()))
    assert ana.spendable() == 160
    assert "Bean Club is paused" not in text_of(manager, url("program_page", "beans"))


def test_what_does_not_fit_is_said_at_its_field(ana: Member, manager: Client) -> None:
    answer = manager.post(
        url("program_pause", "beans"),
        {"starts_at": a_day(ana.program, 9).isoformat(), "reason": "x",
         "ends_at": a_day(ana.program, 2).isoformat()},
    )  # fmt: skip
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"ends_at": ["It resumes after it has paused."]}
    answer = manager.post(url("program_end", "beans"), days(ana.program, 0, 9, 2) | {"reason": "x"})
    assert answer.status_code == 422
    assert "last_spending_day" in answer.context["form"].errors


def test_the_effect_of_an_end_is_shown_before_it_is_planned(ana: Member, manager: Client) -> None:
    look = days(ana.program, 0, 30, 60) | {"preview": "1"}
    answer = manager.post(url("program_end", "beans"), look, headers=htmx())
    shown = " ".join(answer.content.decode().replace("\xa0", " ").split())
    assert "150 Beans" in shown
    assert "$1.50" in shown
    assert "1 of 1" in shown
    assert not ProgramEnding.objects.exists()


def test_an_end_is_planned_and_called_off(ana: Member, manager: Client) -> None:
    told = days(ana.program, 5, 30, 60) | {"reason": "A new club comes"}
    assert manager.post(url("program_end", "beans"), told).status_code == 302
    page = text_of(manager, url("program_page", "beans"))
    assert "Bean Club will end" in page
    assert "Call off its end" in page
    assert "Planned the end" not in page
    assert manager.get(url("program_end", "beans")).context["form"].initial[
        "last_spending_day"
    ] == a_day(ana.program, 60)
    manager.post(url("program_go_on", "beans"), {"reason": "It stays"})
    assert "Bean Club will end" not in text_of(manager, url("program_page", "beans"))


def test_what_is_left_can_go_on_in_another_program(ana: Member, manager: Client) -> None:
    assert "What becomes of" not in text_of(manager, url("program_end", "beans"))
    make_program("stars", name="Star Club", unit={"code": "stars", "plural": "stars"},
                 earning_rules=[])  # fmt: skip
    page = text_of(manager, url("program_end", "beans"))
    assert "What becomes of the Beans that are left" in page
    kind = ana.program.wallet_types.get().pk
    terms = {f"to_{kind}": "stars/stars", f"take_{kind}": "40", f"give_{kind}": "1"}
    said = days(ana.program, 0, 30, 60) | terms
    shown = manager.post(url("program_end", "beans"), said | {"preview": "1"}, headers=htmx())
    text = " ".join(shown.content.decode().replace("\xa0", " ").split())
    assert "Would go on in Star Club" in text
    assert "120 Beans → 3 stars" in text
    assert "30 Beans are too few for another one" in text
    sent = manager.post(url("program_end", "beans"), said | {"reason": "A new club"})
    assert sent.status_code == 302
    assert "40 Beans become 1 point in Star Club." in text_of(manager, url("program_page", "beans"))
    # The form shows what is planned, and saying the same again changes nothing.
    form = manager.get(url("program_end", "beans")).context["form"]
    assert form.initial[f"take_{kind}"] == "40"
    manager.post(url("program_end", "beans"), said | {"reason": "A new club"})
    assert ProgramEnding.objects.count() == 1


def test_stored_value_is_not_asked_for_where_a_program_ends(manager: Client) -> None:
    for code, name in (("sun", "Sun Club"), ("moon", "Moon Club")):
        money_program(code, name=name, enrollment="explicit")
    form = manager.get(url("program_end", "sun")).context["form"]
    kinds = Program.objects.get(code="sun").wallet_types
    earned, credit = (kinds.get(stored_value=said).pk for said in (False, True))
    assert f"to_{credit}" not in form.fields
    offered = [key for key, _words in form.fields[f"to_{earned}"].choices]
    assert offered == ["", "beans/points", "moon/points"]


def test_nobody_is_enrolled_where_nothing_is_earned_any_more(
    beans: Program, agent: Client, ana: Member
) -> None:
    other = CustomerFactory()
    then = timezone.now() - dt.timedelta(days=9)
    plan_ending(
        program=beans, actor=SYSTEM, now=then,
        days=EndingDays(*(a_day(beans, ahead) for ahead in (-9, -2, 20))),
    )  # fmt: skip
    page = text_of(agent, url("enroll", other.public_id))
    assert "member of every live program already" in page
    shown = text_of(agent, url("program_page", "beans"))
    assert "Bean Club ends" in shown


def test_only_a_live_program_is_paused(beans: Program, manager: Client) -> None:
    Program.objects.update(status="archived")
    assert manager.get(url("program_pause", "beans")).status_code == 404
    pause = {"actor": SYSTEM, "now": timezone.now()}
    Program.objects.update(status="live")
    pause_program(program=beans, **pause)
    assert "Pause Bean Club" in text_of(manager, url("program_pause", "beans"))
