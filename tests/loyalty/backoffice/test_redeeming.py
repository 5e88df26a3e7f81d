"""A colleague redeems for a member: what can be used, what an order takes, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from loyalty.models import Order, Program, Transfer
from members.models import AuditEntry
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = pytest.mark.usefixtures("ana_for_all")

KEY = "7d8c2f0e-0d6b-4d53-9d4b-0d3a1f8d1a11"


def typed(units: str, **changes: Any) -> dict[str, Any]:
    return {"units": units, "reason": "At the counter", "key": KEY, **changes}


def terms(ana: Member, **columns: Any) -> None:
    ana.program.wallet_types.update(**columns)
    Program.objects.update(revision=F("revision") + 1)


def test_it_offers_the_most_that_can_be_used(agent: Client, ana: Member) -> None:
    held = ana.spendable()
    terms(ana, spend_step=25)
    page = agent.get(url("wallet_redeem", ana.wallet.pk))
    form = page.context["form"]
    assert form["units"].value() == str(held - held % 25)
    assert page.context["effect"].after.spendable == held % 25


def test_units_are_redeemed_once_and_it_is_written_down(agent: Client, ana: Member) -> None:
    held = ana.spendable()
    for _again in range(2):
        agent.post(url("wallet_redeem", ana.wallet.pk), typed("10"))
    made = Transfer.objects.get(kind=Transfer.Kind.REDEMPTION)
    assert (made.amount, made.note, made.source) == (10, "At the counter", "backoffice")
    assert ana.spendable() == held - 10
    entry = AuditEntry.objects.get(action="points.redeemed")
    assert (entry.reason, entry.after["amount"]) == ("At the counter", 10)


def test_what_the_terms_do_not_allow_is_said_at_the_field(agent: Client, ana: Member) -> None:
    terms(ana, spend_least=20, spend_share=50, unit_value=1)
    order = Order.objects.filter(customer=ana.customer).latest("placed_at")
    address = url("wallet_redeem", ana.wallet.pk)
    few = agent.post(address, typed("19"))
    assert few.status_code == 422
    assert "Use 20" in few.context["form"].errors["units"][0]
    looked = agent.post(address, typed("19", preview="1"), headers={"HX-Request": "true"})
    assert b"Use 20" in looked.content
    Order.objects.filter(pk=order.pk).update(total=50)
    much = agent.post(address, typed("26", order=order.pk))
    assert "they pay 50% of an order" in much.context["form"].errors["units"][0]
    agent.post(address, typed("25", order=order.pk))
    assert Transfer.objects.get(kind=Transfer.Kind.REDEMPTION).order == order


def test_somebody_elses_order_is_not_paid_for(agent: Client, ana: Member) -> None:
    Order.objects.update(customer=None)
    order = Order.objects.first()
    sent = agent.post(url("wallet_redeem", ana.wallet.pk), typed("10", order=order.pk))
    assert "order" in sent.context["form"].errors


def test_nothing_to_use_is_said_at_once(agent: Client, ana: Member) -> None:
    terms(ana, spend_least=1_000_000)
    page = agent.get(url("wallet_redeem", ana.wallet.pk)).content.decode()
    assert "Nothing can be redeemed yet" in page


def test_the_customer_page_leads_there(agent: Client, ana: Member) -> None:
    page = agent.get(url("wallet_panel", ana.customer.public_id)).content.decode()
    assert url("wallet_redeem", ana.wallet.pk) in page


def test_analysts_may_not(client_of: Callable[[str], Client], ana: Member) -> None:
    assert (
        client_of("analyst").post(url("wallet_redeem", ana.wallet.pk), typed("1")).status_code
        == 403
    )
