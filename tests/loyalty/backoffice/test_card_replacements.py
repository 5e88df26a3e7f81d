"""A lost card is replaced from the customer's page."""

from __future__ import annotations

import pytest
from django.test import Client

from loyalty.models import Membership
from loyalty.services.card_replacements import replace_card
from loyalty.services.memberships import luhn_digit
from members.errors import ConflictError
from members.models import AuditEntry
from members.selectors.customer_search import search_customers
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = pytest.mark.usefixtures("ana_for_all")


def test_the_lost_card_opens_nothing_and_the_new_one_has_what_it_had(
    agent: Client, ana: Member
) -> None:
    lost = ana.membership.card_number
    address = url("membership_card", ana.membership.public_id)
    assert address in agent.get(url("wallet_panel", ana.customer.public_id)).content.decode()
    assert "150" in agent.get(address).content.decode()
    assert agent.post(address, {"lost": lost, "reason": ""}).status_code == 422
    for _time in ("once", "pressed twice"):
        agent.post(address, {"lost": lost, "reason": "Lost on the train"})
    ana.membership.refresh_from_db()
    new = ana.membership.card_number
    assert new != lost
    assert luhn_digit(new[:-1]) == new[-1]
    assert search_customers(lost) == []
    assert [hit.customer for hit in search_customers(new)] == [ana.customer]
    assert ana.spendable() == 150
    entry = AuditEntry.objects.get(action="membership.card_replaced")
    assert (entry.before, entry.reason) == ({"card_number": lost}, "Lost on the train")
    assert entry.after == {"program": "beans", "card_number": new}


def test_who_has_left_gets_no_card(agent: Client, ana: Member) -> None:
    member = ana.membership
    Membership.objects.filter(pk=member.pk).update(status="left")
    with pytest.raises(ConflictError):
        replace_card(membership=member, lost=member.card_number, reason="Lost", actor=SYSTEM)
    assert agent.get(url("membership_card", member.public_id)).status_code == 404
