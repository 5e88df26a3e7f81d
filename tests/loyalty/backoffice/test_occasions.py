"""Staff take back what was given for a birthday: they see what it does, and say why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Transfer
from loyalty.selectors.programs import definition_of
from loyalty.services.occasions import give_occasions
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member, htmx, queries_of, url
from tests.loyalty.factories import adjust

pytestmark = pytest.mark.usefixtures("ana_for_all")


@pytest.fixture
def birthday(ana: Member) -> Transfer:
    """Ana got 40 Beans for today."""
    now = timezone.now()
    data = definition_of(ana.program, now).model_dump(mode="json", exclude_none=True)
    data["earning_rules"] += [
        {"code": "day", "name": "Day", "kind": "occasion", "units": 40, "wallet_type": "points"}
    ]
    definition = type(definition_of(ana.program, now)).model_validate(data)
    apply_definition(definition, actor=SYSTEM, now=now - dt.timedelta(days=2))
    today = now.astimezone(ana.program.zone).date()
    # Born in a leap year, so that every day is there.
    Customer.objects.filter(pk=ana.customer.pk).update(birthday=today.replace(year=1992))
    assert give_occasions(now) == 1
    return Transfer.objects.latest("pk")


def test_it_is_taken_back_with_a_reason_after_a_look(
    agent: Client, ana: Member, birthday: Transfer
) -> None:
    address = url("occasion_undo", birthday.pk)
    panel = url("movement_panel", ana.customer.public_id)
    assert address in agent.get(panel).content.decode()
    page = agent.get(address).content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "190 Beans" in page
    assert "150 Beans" in page
    assert ana.spendable() == 190
    assert agent.post(address, {"reason": ""}).status_code == 422
    assert ana.spendable() == 190
    assert agent.post(address, {"reason": "Wrong date"}).status_code == 302
    assert ana.spendable() == 150
    html = agent.get(panel).content.decode()
    assert "Taken back: Happy birthday" in html
    assert address not in html
    assert "taken back already" in agent.get(address).content.decode()


def test_looking_changes_nothing(agent: Client, ana: Member, birthday: Transfer) -> None:
    address = url("occasion_undo", birthday.pk)
    answer = agent.post(address, {"preview": "1"}, headers=htmx("dialog-body"))
    assert answer.status_code == 200
    assert ana.spendable() == 190


def test_what_would_be_owed_is_shown(agent: Client, ana: Member, birthday: Transfer) -> None:
    adjust(ana.wallet, -180, "spend", now=timezone.now())
    page = agent.get(url("occasion_undo", birthday.pk)).content.decode()
    assert "Owed" in page
    assert "30\N{NO-BREAK SPACE}Beans" in page


def test_what_an_order_earned_is_not_taken_back_like_that(agent: Client, ana: Member) -> None:
    earned = Transfer.objects.filter(kind="accrual").earliest("pk")
    assert agent.get(url("occasion_undo", earned.pk)).status_code == 404


def test_an_analyst_finds_no_button(
    client_of: Callable[[str], Client], ana: Member, birthday: Transfer
) -> None:
    html = client_of("analyst").get(url("movement_panel", ana.customer.public_id))
    assert url("occasion_undo", birthday.pk) not in html.content.decode()


def test_the_list_of_movements_asks_once_for_all_such_gifts(
    agent: Client, ana: Member, birthday: Transfer
) -> None:
    panel = url("movement_panel", ana.customer.public_id)
    with_gift = queries_of(agent, panel)
    for number in range(5):
        adjust(ana.wallet, number + 1, f"more-{number}", now=timezone.now())
    assert queries_of(agent, panel) == with_gift


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_dialog_can_be_used_by_everybody(
    ana: Member,
    birthday: Transfer,
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
) -> None:
    page = sign_in("support_agent")
    page.goto(url("occasion_undo", birthday.pk))
    page.get_by_role("heading", name="Take this back?").wait_for()
    assert_in_order(page)
