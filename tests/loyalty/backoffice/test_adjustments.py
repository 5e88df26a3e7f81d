"""Adjusting a balance: seen first, done once, undone when possible."""

import json
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Transfer
from members.models import AuditEntry
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.factories import adjust

pytestmark = pytest.mark.usefixtures("ana_for_all")
refused = pytest.mark.usefixtures("undone_when_refused")


def adjustment(amount: str, direction: str = "add", **changes: Any) -> dict[str, Any]:
    values = {
        "direction": direction,
        "amount": amount,
        "reason": "goodwill",
        "note": "Late delivery",
        "key": str(uuid.uuid4()),
    }
    return values | changes


@pytest.mark.parametrize(
    ("amount", "direction", "after"),
    [
        ("50", "add", 200),
        ("50", "take", 100),
        ("-50", "add", 100),
        ("\N{MINUS SIGN}50", "take", 100),
        ("+50", "take", 200),
        ("1,000", "add", 1150),
    ],
)
def test_units_are_added_and_taken_and_a_sign_wins(
    agent: Client, ana: Member, amount: str, direction: str, after: int
) -> None:
    response = agent.post(url("wallet_adjust", ana.wallet.pk), adjustment(amount, direction))
    assert response.status_code == 302
    assert ana.spendable() == after


def test_the_audit_log_says_who_why_and_from_what_to_what(agent: Client, ana: Member) -> None:
    agent.post(url("wallet_adjust", ana.wallet.pk), adjustment("50"))
    entry = AuditEntry.objects.get(action="points.adjusted")
    assert entry.before == {"spendable": 150}
    assert entry.after["spendable"] == 200
    assert entry.reason == "Goodwill · Late delivery"
    assert entry.actor.staff_member.role == "support_agent"


def test_the_changes_on_the_page_are_numbers_as_people_write_them(
    agent: Client, ana: Member
) -> None:
    agent.post(url("wallet_adjust", ana.wallet.pk), adjustment("1000"))
    agent.post(url("wallet_adjust", ana.wallet.pk), adjustment("-50"))
    shown = agent.get(reverse("backoffice:customer_audit", args=[ana.customer.public_id]))
    words = shown.content.decode()
    assert "1,150" in words
    assert "\N{MINUS SIGN}50" in words
    # The movement's row number stays in the record.
    entry = AuditEntry.objects.filter(action="points.adjusted").latest("pk")
    assert str(entry.after["transfer"]) not in re.findall(r">\s*(\d+)\s*<", words)
    assert "Transfer" not in words


def test_in_the_dialog_it_ends_with_a_toast_that_offers_undo(agent: Client, ana: Member) -> None:
    address = url("wallet_adjust", ana.wallet.pk)
    response = agent.post(address, adjustment("50"), headers=htmx("dialog-body"))
    assert response.status_code == 204
    events = json.loads(response["HX-Trigger"])
    assert "wallet-changed" in events
    toast = events["setia:toast"]["items"][0]
    transfer = Transfer.objects.get(kind="adjustment")
    assert toast["undo"] == url("transfer_undo", transfer.pk)
    assert "now 200" in toast["text"]


def test_the_same_form_twice_moves_units_once(agent: Client, ana: Member) -> None:
    values = adjustment("50")
    for _ in range(2):
        assert agent.post(url("wallet_adjust", ana.wallet.pk), values).status_code == 302
    assert ana.spendable() == 200
    assert AuditEntry.objects.filter(action="points.adjusted").count() == 1


@refused
def test_a_form_that_comes_back_changed_says_so_and_starts_afresh(
    agent: Client, ana: Member
) -> None:
    values = adjustment("50")
    agent.post(url("wallet_adjust", ana.wallet.pk), values)
    response = agent.post(url("wallet_adjust", ana.wallet.pk), values | {"amount": "60"})
    assert response.status_code == 422
    assert "was already sent once" in response.content.decode()
    assert response.context["form"]["key"].value() != values["key"]
    assert ana.spendable() == 200


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"amount": "5,001"}, "at most 5,000 Beans at once"),
        ({"amount": "0"}, "other than zero"),
        ({"amount": "1.5"}, "Give a whole number of Beans"),
        ({"amount": "many"}, "This is not a number"),
        ({"amount": "NaN"}, "This is not a number"),
        ({"amount": "9" * 30}, "too large"),
        ({"reason": ""}, "required"),
        ({"reason": "invented"}, "not one of the available"),
        ({"key": ""}, "required"),
    ],
)
def test_what_cannot_be_done_is_said_at_the_field(
    agent: Client, ana: Member, values: dict[str, str], message: str
) -> None:
    response = agent.post(url("wallet_adjust", ana.wallet.pk), adjustment("50") | values)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert ana.spendable() == 150


@refused
def test_more_than_there_is_cannot_be_taken(agent: Client, ana: Member) -> None:
    response = agent.post(url("wallet_adjust", ana.wallet.pk), adjustment("151", "take"))
    assert response.status_code == 422
    assert "Only 150\N{NO-BREAK SPACE}Beans can be taken" in response.content.decode()
    assert ana.spendable() == 150


def test_decimals_follow_the_kind_of_unit(agent: Client, ana: Member) -> None:
    ana.wallet.wallet_type.scale = 2
    type(ana.wallet.wallet_type).objects.filter(pk=ana.wallet.wallet_type_id).update(scale=2)
    address = url("wallet_adjust", ana.wallet.pk)
    assert agent.post(address, adjustment("1.255")).status_code == 422
    assert agent.post(address, adjustment("1.25")).status_code == 302
    assert ana.spendable() == 150 + 125


def test_the_balance_after_is_shown_before(agent: Client, ana: Member) -> None:
    address = url("wallet_adjust_preview", ana.wallet.pk)
    html = agent.get(address, {"amount": "40", "direction": "take"}).content.decode()
    assert "150\N{NO-BREAK SPACE}Beans" in html
    assert "110\N{NO-BREAK SPACE}Beans" in html
    html = agent.get(address, {"amount": "400", "direction": "take"}).content.decode()
    assert "Only 150\N{NO-BREAK SPACE}Beans" in html
    assert not Transfer.objects.filter(kind="adjustment").exists()


def test_without_scripts_a_button_shows_the_balance_after(agent: Client, ana: Member) -> None:
    values = adjustment("40", "take", preview="1")
    response = agent.post(url("wallet_adjust", ana.wallet.pk), values)
    assert response.status_code == 200
    assert "110\N{NO-BREAK SPACE}Beans" in response.content.decode()
    assert ana.spendable() == 150


def test_an_adjustment_is_undone_and_the_undo_undoes_once(agent: Client, ana: Member) -> None:
    agent.post(url("wallet_adjust", ana.wallet.pk), adjustment("50"))
    address = url("transfer_undo", Transfer.objects.get(kind="adjustment").pk)
    page = agent.get(address).content.decode()
    assert "200\N{NO-BREAK SPACE}Beans" in page
    assert "150\N{NO-BREAK SPACE}Beans" in page
    assert agent.post(address).status_code == 302
    assert ana.spendable() == 150
    again = agent.post(address)
    assert "was undone already" in again.content.decode()
    assert ana.spendable() == 150
    assert AuditEntry.objects.filter(action="points.adjustment_undone").count() == 1


@refused
def test_a_grant_that_was_spent_says_why_it_cannot_be_undone(agent: Client, ana: Member) -> None:
    now = timezone.now()
    transfer = adjust(ana.wallet, 50, "given", now=now)
    adjust(ana.wallet, -180, "spent", now=now)
    address = url("transfer_undo", transfer.pk)
    for response in (agent.get(address), agent.post(address)):
        html = response.content.decode()
        assert "50\N{NO-BREAK SPACE}Beans were given, but only 20\N{NO-BREAK SPACE}Beans" in html
        assert "Undo adjustment" not in html
    assert ana.spendable() == 20


def test_a_role_cannot_undo_more_than_it_may_move(agent: Client, ana: Member) -> None:
    transfer = adjust(ana.wallet, 9_000, "large", now=timezone.now())
    response = agent.post(url("transfer_undo", transfer.pk))
    assert response.status_code == 422
    assert "at most 5,000 Beans" in response.content.decode()
    assert ana.spendable() == 9_150


def test_what_an_order_earned_cannot_be_undone_by_hand(agent: Client, ana: Member) -> None:
    accrual = Transfer.objects.get(kind="accrual")
    assert agent.get(url("transfer_undo", accrual.pk)).status_code == 404


def test_from_the_header_the_only_wallet_opens_at_once(agent: Client, ana: Member) -> None:
    address = url("customer_adjust", ana.customer.public_id)
    assert "Adjust Beans" in agent.get(address).content.decode()
    stranger = CustomerFactory()
    html = agent.get(url("customer_adjust", stranger.public_id)).content.decode()
    assert "nothing to adjust" in html
