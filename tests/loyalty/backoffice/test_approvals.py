"""Four eyes on the screens: asked in the dialog, seen in the menu, decided by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import AdjustmentLimit, AdjustmentRequest, Transfer
from loyalty.services.adjustment_requests import WAITS
from tests.loyalty.backoffice.conftest import Member, htmx, queries_of, url
from tests.loyalty.backoffice.test_adjustments import adjustment
from tests.loyalty.factories import adjust

pytestmark = pytest.mark.usefixtures("ana_for_all")
refused = pytest.mark.usefixtures("undone_when_refused")


def ask(client: Client, ana: Member, amount: str = "2,000", **how: Any) -> AdjustmentRequest:
    response = client.post(url("wallet_adjust", ana.wallet.pk), adjustment(amount, **how))
    assert response.status_code == 302, response.content.decode()
    return AdjustmentRequest.objects.latest("pk")


def page_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def home_of(client: Client) -> str:
    return page_of(client, reverse("backoffice:home"))


def test_the_dialog_says_before_that_somebody_else_has_to_approve(
    agent: Client, manager: Client, ana: Member
) -> None:
    address = url("wallet_adjust_preview", ana.wallet.pk)
    asked = {"amount": "1001", "direction": "add"}
    assert "Somebody else has to approve this" in page_of(agent, f"{address}?amount=1001")
    assert "Somebody else" not in page_of(agent, f"{address}?amount=1000")
    assert "Somebody else" not in manager.get(address, asked).content.decode()


def test_the_dialog_names_the_limits_and_what_is_left_today(agent: Client, ana: Member) -> None:
    agent.post(url("wallet_adjust", ana.wallet.pk), adjustment("900"))
    words = page_of(agent, url("wallet_adjust", ana.wallet.pk))
    assert "you may move at most 5,000 Beans at once, 19,100 more today" in words
    assert "above 1,000 somebody else approves" in words


def test_what_is_left_today_is_said_at_the_field(agent: Client, ana: Member) -> None:
    AdjustmentLimit.objects.filter(role="support_agent").update(most_in_a_day=500)
    agent.post(url("wallet_adjust", ana.wallet.pk), adjustment("400"))
    response = agent.post(url("wallet_adjust", ana.wallet.pk), adjustment("101"))
    assert response.status_code == 422
    assert "You may move 100 more Beans today." in response.content.decode()
    preview = page_of(agent, url("wallet_adjust_preview", ana.wallet.pk) + "?amount=101")
    assert "You may move 100 more Beans today." in preview
    assert ana.spendable() == 550


def test_nothing_moves_and_the_customers_page_says_what_waits(agent: Client, ana: Member) -> None:
    ask(agent, ana)
    assert ana.spendable() == 150
    panel = page_of(agent, url("wallet_panel", ana.customer.public_id))
    assert "+2,000 Beans wait for approval." in panel
    timeline = page_of(
        agent, reverse("backoffice:customer_timeline", args=[ana.customer.public_id])
    )
    assert "Asked for an adjustment: Goodwill" in timeline
    assert "Waits for approval" in timeline
    changes = page_of(agent, reverse("backoffice:customer_audit", args=[ana.customer.public_id]))
    assert "Asked for an adjustment" in changes


def test_the_menu_and_the_home_page_tell_those_who_can_decide(
    client_of: Callable[[str], Client], agent: Client, manager: Client, ana: Member
) -> None:
    for client in (agent, manager):
        assert "shell-nav-badge" not in home_of(client)
    ask(agent, ana)
    ask(agent, ana, "3,000")
    assert "shell-nav-badge" not in home_of(agent)
    assert '<span class="visually-hidden">2 wait</span>' in home_of(manager)
    attention = page_of(manager, url("attention_panel"))
    assert "2 adjustments wait for your approval." in attention
    assert "wait for your approval" not in page_of(agent, url("attention_panel"))
    assert "Approvals" in home_of(manager)
    assert "Approvals" not in home_of(client_of("analyst"))


def test_a_manager_sees_the_balance_after_and_approves(
    agent: Client, manager: Client, ana: Member
) -> None:
    request = ask(agent, ana)
    listed = page_of(manager, url("approval_list"))
    assert "Ana Lima" in listed
    assert "Late delivery" in listed
    address = url("approval", request.public_id)
    shown = page_of(manager, address)
    assert "150 Beans" in shown
    assert "2,150 Beans" in shown
    response = manager.post(address, headers=htmx("dialog-body"))
    assert response.status_code == 204
    assert "Approved: +2,000" in response["HX-Trigger"]
    assert "wallet-changed" in response["HX-Trigger"]
    assert ana.spendable() == 2_150
    transfer = Transfer.objects.get(kind="adjustment")
    assert transfer.actor.staff_member.role == "support_agent"
    decided = page_of(manager, url("approval_list") + "?show=decided")
    assert "Approved" in decided
    assert "shell-nav-badge" not in home_of(manager)


def test_nobody_approves_their_own_and_an_agent_sees_only_theirs(
    client_of: Callable[[str], Client], agent: Client, manager: Client, ana: Member
) -> None:
    own = ask(manager, ana, "20,000")
    assert "Ana Lima" not in page_of(agent, url("approval_list"))
    shown = page_of(manager, url("approval", own.public_id))
    assert "Somebody else has to decide what you have asked for." in shown
    assert "Withdraw" in shown
    response = manager.post(url("approval", own.public_id))
    assert response.status_code == 422
    assert ana.spendable() == 150
    agents = ask(agent, ana)
    response = client_of("support_agent").post(url("approval", agents.public_id))
    assert response.status_code == 422
    assert "Your role approves nothing." in response.content.decode()


def test_more_than_a_manager_may_approve_waits_for_an_administrator(
    client_of: Callable[[str], Client], manager: Client, ana: Member
) -> None:
    request = ask(manager, ana, "40,000")
    AdjustmentRequest.objects.filter(pk=request.pk).update(units=60_000)
    other = client_of("marketing_manager")
    assert "more than your role may approve" in page_of(other, url("approval", request.public_id))
    assert "shell-nav-badge" not in home_of(other)
    administrator = client_of("administrator")
    assert "shell-nav-badge" in home_of(administrator)
    administrator.post(url("approval", request.public_id))
    assert ana.spendable() == 60_150


@refused
def test_what_was_spent_meanwhile_is_said_and_can_only_be_rejected(
    agent: Client, manager: Client, ana: Member
) -> None:
    adjust(ana.wallet, 2_000, "more", now=timezone.now())
    request = ask(agent, ana, "2,000", direction="take")
    adjust(ana.wallet, -1_000, "spent", now=timezone.now())
    address = url("approval", request.public_id)
    response = manager.post(address)
    assert response.status_code == 422
    words = response.content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "Only 1,150 Beans can be taken away." in words
    assert "Approve</button>" not in words
    assert ana.spendable() == 1_150


def test_a_rejection_needs_a_reason_which_the_asker_reads(
    agent: Client, manager: Client, ana: Member
) -> None:
    request = ask(agent, ana)
    address = url("approval_reject", request.public_id)
    assert manager.post(address, {"note": ""}).status_code == 422
    assert manager.post(address, {"note": "The parcel was on time."}).status_code == 302
    listed = page_of(agent, url("approval_list") + "?show=decided")
    assert "Rejected" in listed
    assert "The parcel was on time." in page_of(agent, url("approval", request.public_id))
    assert "The parcel was on time." in page_of(
        agent, reverse("backoffice:customer_timeline", args=[ana.customer.public_id])
    )
    assert ana.spendable() == 150


def test_who_asked_withdraws_and_nobody_else(agent: Client, manager: Client, ana: Member) -> None:
    request = ask(agent, ana)
    manager.post(url("approval_withdraw", request.public_id))
    request.refresh_from_db()
    assert request.state == "waiting"
    response = agent.post(url("approval_withdraw", request.public_id), follow=True)
    assert "The request is withdrawn" in response.content.decode()
    address = reverse("backoffice:customer_audit", args=[ana.customer.public_id])
    assert "Withdrew a request" in page_of(agent, address)


def test_what_was_decided_meanwhile_is_said(
    client_of: Callable[[str], Client], agent: Client, manager: Client, ana: Member
) -> None:
    request = ask(agent, ana)
    client_of("administrator").post(url("approval", request.public_id))
    response = manager.post(url("approval", request.public_id))
    assert response.status_code == 422
    assert "has approved it already" in response.content.decode()
    assert ana.spendable() == 2_150


def test_what_has_waited_too_long_is_shown_as_expired(
    agent: Client, manager: Client, ana: Member
) -> None:
    request = ask(agent, ana)
    past = timezone.now() - WAITS
    AdjustmentRequest.objects.update(expires_at=past)
    assert "Nothing waits" in page_of(manager, url("approval_list"))
    assert "Expired" in page_of(manager, url("approval", request.public_id))
    assert "shell-nav-badge" not in home_of(manager)


def test_the_list_asks_the_database_equally_often_however_many_wait(
    agent: Client, manager: Client, ana: Member
) -> None:
    ask(agent, ana)
    few = queries_of(manager, url("approval_list"))
    for _ in range(8):
        ask(agent, ana)
    assert queries_of(manager, url("approval_list")) == few


def test_an_emptied_installation_gets_its_reasons_and_limits_again(db: None) -> None:
    AdjustmentLimit.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert AdjustmentLimit.objects.count() == 3
