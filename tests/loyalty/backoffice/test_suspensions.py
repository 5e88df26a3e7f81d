"""Suspending a member from their page, and letting them take part again."""

from __future__ import annotations

from django.test import Client

from loyalty.models import Membership
from tests.loyalty.backoffice.conftest import Member, url


def test_a_member_is_suspended_with_a_reason_and_takes_part_again(
    agent: Client, ana: Member
) -> None:
    membership = Membership.objects.get(customer=ana.customer)
    address = url("membership_suspension", membership.public_id)
    panel = url("wallet_panel", ana.customer.public_id)
    assert address in agent.get(panel).content.decode()
    assert agent.post(address, {"reason": ""}).status_code == 422
    agent.post(address, {"reason": "Sells on what they buy"})
    membership.refresh_from_db()
    assert membership.status == "suspended"
    page = agent.get(panel).content.decode()
    assert "Suspended" in page
    assert "Let them take part again" in page
    agent.post(address, {"reason": "Settled"})
    membership.refresh_from_db()
    assert membership.status == "active"
    Membership.objects.filter(pk=membership.pk).update(status="left")
    assert agent.get(address).status_code == 404
    assert address not in agent.get(panel).content.decode()
