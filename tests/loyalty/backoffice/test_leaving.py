"""A member who says on the phone that they want to leave, from their page."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Membership
from loyalty.services.pools import PoolTerms, create_pool
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = pytest.mark.usefixtures("ana_for_all")


def test_an_agent_reads_what_is_given_up_and_has_them_leave_with_a_reason(
    agent: Client, ana: Member
) -> None:
    membership = Membership.objects.get(customer=ana.customer)
    address = url("membership_leaving", membership.public_id)
    panel = url("wallet_panel", ana.customer.public_id)
    assert address in agent.get(panel).content.decode()
    dialog = agent.get(address).content.decode().replace("\xa0", " ")
    assert "150 Beans" in dialog
    assert agent.post(address, {"reason": ""}).status_code == 422
    assert agent.post(address, {"reason": "Asked on the phone"}).status_code == 302
    membership.refresh_from_db()
    assert membership.status == "left"
    entry = AuditEntry.objects.get(action="membership.left")
    assert entry.reason == "Asked on the phone"
    assert entry.actor is not None
    assert address not in agent.get(panel).content.decode()
    # A double click, or a colleague who had opened the same dialog.
    assert agent.post(address, {"reason": "Asked on the phone"}).status_code == 302
    assert "has left Bean Club already" in agent.get(address).content.decode()
    assert AuditEntry.objects.filter(action="membership.left").count() == 1


def test_what_lapses_first_is_said_with_its_last_day(agent: Client, ana: Member) -> None:
    membership = Membership.objects.get(customer=ana.customer)
    dialog = agent.get(url("membership_leaving", membership.public_id)).content.decode()
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", dialog.replace("\xa0", " ")))
    assert "Lapses first" in plain
    assert "150 Beans, after " in plain
    assert "&lt;" not in dialog


def test_who_is_suspended_or_shares_with_others_does_not_leave(agent: Client, ana: Member) -> None:
    membership = Membership.objects.select_related("program", "customer").get(customer=ana.customer)
    address = url("membership_leaving", membership.public_id)
    create_pool(
        owner=membership, terms=PoolTerms("Home"), bring=False, actor=SYSTEM, source="api",
        now=timezone.now(),
    )  # fmt: skip
    refused = agent.post(address, {"reason": "Asked"})
    assert refused.status_code == 422
    assert "Leave what you share with others first." in refused.content.decode()
    Membership.objects.filter(pk=membership.pk).update(status="suspended")
    assert agent.get(address).status_code == 404
