"""A redemption is undone from the list of movements, as a whole or in part."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Transfer
from loyalty.services.redemptions import redeem_units
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.factories import adjust

pytestmark = pytest.mark.usefixtures("ana_for_all")
refused = pytest.mark.usefixtures("undone_when_refused")


@pytest.fixture
def spent(ana: Member) -> Transfer:
    """Ana has spent 60 of her 150 Beans."""
    return redeem_units(
        wallet=ana.wallet, units=60, key="till", source="api", actor=SYSTEM, now=timezone.now()
    )[0]


def values(units: str = "60", **changes: Any) -> dict[str, Any]:
    return {"units": units, "reason": "Out of stock", "key": str(uuid.uuid4())} | changes


def test_the_list_of_movements_offers_it(
    agent: Client, client_of: Callable[[str], Client], ana: Member, spent: Transfer
) -> None:
    address = url("movement_panel", ana.customer.public_id)
    assert url("redemption_undo", spent.pk) in agent.get(address).content.decode()
    assert (
        url("redemption_undo", spent.pk) not in client_of("analyst").get(address).content.decode()
    )


def test_what_comes_back_is_shown_first(agent: Client, ana: Member, spent: Transfer) -> None:
    address = url("redemption_undo", spent.pk)
    html = agent.get(address).content.decode()
    assert "90\N{NO-BREAK SPACE}Beans" in html
    assert "<strong>150\N{NO-BREAK SPACE}Beans</strong>" in html
    part = agent.post(address, values("20", reason="", preview="1"), headers=htmx("effect"))
    assert part.status_code == 200
    assert "<strong>110\N{NO-BREAK SPACE}Beans</strong>" in part.content.decode()
    assert "<form" not in part.content.decode()
    page = agent.post(address, values("20", preview="1")).content.decode()
    assert "<strong>110\N{NO-BREAK SPACE}Beans</strong>" in page
    assert ana.spendable() == 90


def test_it_is_given_back_once_however_often_the_form_arrives(
    agent: Client, ana: Member, spent: Transfer
) -> None:
    address, sent = url("redemption_undo", spent.pk), values("20")
    for _ in range(2):
        answer = agent.post(address, sent, headers=htmx("dialog-body"))
        assert answer.status_code == 204
        toast = json.loads(answer["HX-Trigger"])["setia:toast"]["items"][0]
        assert "got 20\N{NO-BREAK SPACE}Beans back" in toast["text"]
    assert ana.spendable() == 110
    entry = AuditEntry.objects.get(action="points.redemption_undone")
    assert (entry.reason, entry.after["amount"]) == ("Out of stock", 20)
    made = Transfer.objects.get(kind="reversal")
    assert (made.corrects, made.source, made.note) == (spent, "backoffice", "Out of stock")


@refused
def test_a_form_that_comes_back_changed_says_so_and_starts_afresh(
    agent: Client, ana: Member, spent: Transfer
) -> None:
    address, sent = url("redemption_undo", spent.pk), values("20")
    agent.post(address, sent)
    answer = agent.post(address, sent | {"units": "30"})
    assert answer.status_code == 422
    assert "was already sent once" in answer.content.decode()
    assert answer.context["form"]["key"].value() != sent["key"]
    assert ana.spendable() == 110


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": "61"}, "Only 60\N{NO-BREAK SPACE}Beans of it have not come back yet."),
        ({"units": "0"}, "other than zero"),
        ({"units": "-5"}, "above zero"),
        ({"units": "1.5"}, "whole number of Beans"),
        ({"reason": ""}, "required"),
        ({"key": ""}, "required"),
    ],
)
def test_what_cannot_be_done_is_said(
    agent: Client, ana: Member, spent: Transfer, changes: dict[str, str], message: str
) -> None:
    answer = agent.post(url("redemption_undo", spent.pk), values() | changes)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert ana.spendable() == 90


def test_a_role_gives_back_no_more_than_it_may_move(agent: Client, ana: Member) -> None:
    now = timezone.now()
    adjust(ana.wallet, 9_000, "large", now=now)
    large, _new = redeem_units(
        wallet=ana.wallet, units=6_000, key="till", source="api", actor=SYSTEM, now=now
    )
    answer = agent.post(url("redemption_undo", large.pk), values("6000"))
    assert answer.status_code == 422
    assert "At most 5,000 at once" in answer.content.decode()
    assert agent.post(url("redemption_undo", large.pk), values("5000")).status_code == 302


def test_what_came_back_already_has_no_form(agent: Client, ana: Member, spent: Transfer) -> None:
    agent.post(url("redemption_undo", spent.pk), values("60"))
    html = agent.get(url("redemption_undo", spent.pk)).content.decode()
    assert "All of it has come back already." in html
    assert "Give back" not in html
    movements = agent.get(url("movement_panel", ana.customer.public_id)).content.decode()
    assert url("redemption_undo", spent.pk) not in movements
    assert "Undone" in movements


def test_only_redemptions_are_given_back(agent: Client, ana: Member) -> None:
    accrual = Transfer.objects.get(kind="accrual")
    assert agent.get(url("redemption_undo", accrual.pk)).status_code == 404
