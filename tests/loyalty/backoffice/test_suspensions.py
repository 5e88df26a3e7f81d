"""Suspending a member from their page, and letting them take part again."""

from __future__ import annotations

import pytest
from django.test import Client

from loyalty.models import Membership
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = pytest.mark.usefixtures("ana_for_all")


def test_a_member_is_suspended_with_a_reason_and_takes_part_again(
    agent: Client, ana: Member
) -> None:
    membership = Membership.objects.get(customer=ana.customer)
    address = url("membership_suspension", membership.public_id)
    panel = url("wallet_panel", ana.customer.public_id)
    assert address in agent.get(panel).content.decode()
    assert 'name="wish" value="suspend"' in agent.get(address).content.decode()
    assert agent.post(address, {"reason": "", "wish": "suspend"}).status_code == 422
    assert agent.post(address, {"reason": "No wish"}).status_code == 422
    agent.post(address, {"reason": "Sells on what they buy", "wish": "suspend"})
    membership.refresh_from_db()
    assert membership.status == "suspended"
    page = agent.get(panel).content.decode()
    assert "Suspended" in page
    assert "Let them take part again" in page
    agent.post(address, {"reason": "Settled", "wish": "resume"})
    membership.refresh_from_db()
    assert membership.status == "active"
    Membership.objects.filter(pk=membership.pk).update(status="left")
    assert agent.get(address).status_code == 404
    assert address not in agent.get(panel).content.decode()


def test_what_was_asked_for_is_done_once_however_often_it_is_sent(
    agent: Client, ana: Member
) -> None:
    membership = Membership.objects.get(customer=ana.customer)
    address = url("membership_suspension", membership.public_id)

    def send(wish: str) -> str:
        agent.post(address, {"reason": "Sells on what they buy", "wish": wish})
        membership.refresh_from_db()
        return membership.status

    # A double click, or a colleague who had opened the same dialog.
    assert [send("suspend"), send("suspend")] == ["suspended", "suspended"]
    assert [send("resume"), send("resume")] == ["active", "active"]
    # What is wrong with a late one is said in its own words.
    send("suspend")
    shown = agent.post(address, {"reason": "", "wish": "suspend"}).content.decode()
    assert "Suspend this member?" in shown
    assert 'name="wish" value="suspend"' in shown
