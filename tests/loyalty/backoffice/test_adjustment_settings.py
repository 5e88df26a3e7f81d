"""Settings: reasons and limits, and what changes for those who adjust."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from loyalty.models import AdjustmentLimit, AdjustmentReason
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.backoffice.test_adjustments import adjustment

pytestmark = pytest.mark.usefixtures("ana_for_all")


@pytest.fixture
def administrator(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


def reason_values(**changes: Any) -> dict[str, Any]:
    return {
        "label": "The till was wrong",
        "code": "till_error",
        "roles": ["support_agent"],
        "told_to_members": "on",
        "is_active": "on",
    } | changes


def text_of(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_reason_is_added_and_offered_to_its_roles(
    administrator: Client, agent: Client, manager: Client, ana: Member
) -> None:
    response = administrator.post(
        url("reason_create"), reason_values(), headers=htmx("dialog-body")
    )
    assert response.status_code == 204
    assert "reason-changed" in json.loads(response["HX-Trigger"])
    assert "till_error" in text_of(administrator, url("reason_list"))
    dialog = url("wallet_adjust", ana.wallet.pk)
    assert "The till was wrong" in text_of(agent, dialog)
    assert "The till was wrong" not in text_of(manager, dialog)
    assert agent.post(dialog, adjustment("5", reason="till_error")).status_code == 302
    assert manager.post(dialog, adjustment("5", reason="till_error")).status_code == 422


def test_a_reason_that_wants_a_note_says_so_and_gets_one(
    administrator: Client, agent: Client, ana: Member
) -> None:
    values = reason_values(label="Goodwill", note_required="on")
    administrator.post(url("reason_edit", AdjustmentReason.objects.get(code="goodwill").pk), values)
    dialog = url("wallet_adjust", ana.wallet.pk)
    assert "Goodwill (with a note)" in text_of(agent, dialog)
    refused = agent.post(dialog, adjustment("5", note=""))
    assert refused.status_code == 422
    assert "say in a note what happened" in refused.content.decode()
    assert ana.spendable() == 150


def test_a_reason_is_taken_out_of_the_choice_and_what_it_said_stays(
    administrator: Client, agent: Client, ana: Member
) -> None:
    agent.post(url("wallet_adjust", ana.wallet.pk), adjustment("5"))
    reason = AdjustmentReason.objects.get(code="goodwill")
    administrator.post(url("reason_edit", reason.pk), {"label": "Kindness", "roles": []})
    listed = text_of(administrator, url("reason_list"))
    assert "Not offered" in listed
    assert "The API only" in listed
    assert "Kindness" not in text_of(agent, url("wallet_adjust", ana.wallet.pk))
    movements = text_of(agent, url("movement_panel", ana.customer.public_id))
    assert "Adjusted: Goodwill" in movements
    log = text_of(administrator, reverse("backoffice:audit_log"))
    assert "Changed an adjustment reason" in log


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"code": "Till error"}, "lower-case letters"),
        ({"code": "goodwill"}, "a reason with this code already"),
        ({"label": ""}, "required"),
        ({"roles": ["analyst"]}, "not one of the available"),
    ],
)
def test_a_reason_that_cannot_be_is_refused_at_the_field(
    administrator: Client, changes: dict[str, Any], message: str
) -> None:
    response = administrator.post(url("reason_create"), reason_values(**changes))
    assert response.status_code == 422
    assert message in response.content.decode()


def test_limits_are_changed_and_hold_at_once(
    administrator: Client, agent: Client, ana: Member
) -> None:
    limit = AdjustmentLimit.objects.get(role="support_agent", program=None)
    values = {"most_at_once": "100", "most_in_a_day": "", "approval_above": "50"}
    response = administrator.post(url("limit_edit", limit.pk), values)
    assert response.status_code == 302
    assert "no limit" in text_of(administrator, url("limit_list"))
    dialog = url("wallet_adjust", ana.wallet.pk)
    refused = agent.post(dialog, adjustment("101"))
    assert "at most 100 Beans at once" in refused.content.decode()
    agent.post(dialog, adjustment("51"))
    assert ana.spendable() == 150
    agent.post(dialog, adjustment("50"))
    assert ana.spendable() == 200


def test_a_program_gets_limits_of_its_own_and_loses_them_again(
    administrator: Client, agent: Client, ana: Member
) -> None:
    values = {"program": ana.program.pk, "role": "support_agent", "most_at_once": "10"}
    assert administrator.post(url("limit_create"), values).status_code == 302
    again = administrator.post(url("limit_create"), values)
    assert "has limits of its own in Bean Club already" in again.content.decode()
    dialog = url("wallet_adjust", ana.wallet.pk)
    assert "at most 10 Beans" in agent.post(dialog, adjustment("11")).content.decode()
    limit = AdjustmentLimit.objects.get(program=ana.program)
    response = administrator.post(url("limit_remove", limit.pk), follow=True)
    assert "The limits for every program hold again" in response.content.decode()
    assert agent.post(dialog, adjustment("11")).status_code == 302


def test_the_limits_for_every_program_are_not_removed(administrator: Client) -> None:
    limit = AdjustmentLimit.objects.get(role="support_agent", program=None)
    response = administrator.post(url("limit_remove", limit.pk), follow=True)
    assert "can be changed, not removed" in response.content.decode()
    assert AdjustmentLimit.objects.filter(pk=limit.pk).exists()


@pytest.mark.parametrize("number", ["-1", "many", "1.5", "9" * 20])
def test_a_limit_that_is_none_is_refused(administrator: Client, number: str) -> None:
    limit = AdjustmentLimit.objects.get(role="support_agent", program=None)
    response = administrator.post(url("limit_edit", limit.pk), {"most_at_once": number})
    assert response.status_code == 422
    limit.refresh_from_db()
    assert limit.most_at_once == 5_000
