"""A refund is looked at first, and may be recorded by hand, once."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from loyalty.models import Order, Refund, Transfer
from members.models import AuditEntry
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.factories import order, record

pytestmark = pytest.mark.usefixtures("ana_for_all")


@pytest.fixture
def bought(ana: Member) -> Order:
    """Ana's order: coffee for 150, of which 50 came back without saying what, and a mug for 50."""
    return Order.objects.get(external_id="A-1001")


def choice(**changes: Any) -> dict[str, Any]:
    return {"what": "lines", "key": str(uuid.uuid4())} | changes


def look(client: Client, order: Order, **changes: Any) -> str:
    answer = client.post(
        url("order_refund", order.pk), choice(preview="1", **changes), headers=htmx("refund-effect")
    )
    assert answer.status_code == 200
    html = answer.content.decode()
    assert "<html" not in html
    return html


def test_every_line_is_offered_with_what_is_left_of_it(agent: Client, bought: Order) -> None:
    html = agent.get(url("order_refund", bought.pk)).content.decode()
    assert "COFFEE" in html
    assert "1 left, charged at $112.50" in html
    assert "1 left, charged at $37.50" in html
    assert "Record refund" in html


def test_what_it_takes_back_is_shown_and_nothing_is_recorded(
    agent: Client, ana: Member, bought: Order
) -> None:
    html = look(agent, bought, **{"quantity-2": "1"})
    for text in ("$37.50", "150\N{NO-BREAK SPACE}Beans", "112\N{NO-BREAK SPACE}Beans"):
        assert text in html
    assert "Refund of order A-1001" in html
    assert "Undo" not in html
    assert Refund.objects.count() == 1
    assert ana.spendable() == 150


def test_an_amount_and_everything_can_be_looked_at_too(agent: Client, bought: Order) -> None:
    assert "130\N{NO-BREAK SPACE}Beans" in look(agent, bought, what="amount", amount="20")
    everything = look(agent, bought, what="all")
    assert "$150.00" in everything
    assert "<strong>0\N{NO-BREAK SPACE}Beans" in everything


def test_without_scripts_a_button_shows_it(agent: Client, bought: Order) -> None:
    values = choice(what="amount", amount="20", preview="1")
    answer = agent.post(url("order_refund", bought.pk), values)
    assert answer.status_code == 200
    assert "130\N{NO-BREAK SPACE}Beans" in answer.content.decode()
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Choose what comes back."),
        ({"quantity-1": "2"}, "more than there is left"),
        ({"quantity-1": "-1"}, "not below zero"),
        ({"quantity-1": "0.0001"}, "at most 3 decimals"),
        ({"quantity-1": "one"}, "This is not a number"),
        ({"what": "amount"}, "other than zero"),
        ({"what": "amount", "amount": "150.01"}, "Only $150.00 are left"),
        ({"what": "amount", "amount": "1.001"}, "at most 2 decimals"),
        ({"what": "other"}, "Select a valid choice"),
        ({"what": "all", "key": "x"}, "valid UUID"),
    ],
)
def test_what_cannot_be_given_back_is_said(
    agent: Client, bought: Order, values: dict[str, str], message: str
) -> None:
    answer = agent.post(url("order_refund", bought.pk), choice() | values)
    assert answer.status_code == 422
    assert message in answer.content.decode().replace("&#x27;", "'")
    assert message in look(agent, bought, **values).replace("&#x27;", "'")
    assert Refund.objects.count() == 1


def test_it_is_recorded_once_however_often_the_form_arrives(
    agent: Client, ana: Member, bought: Order
) -> None:
    values = choice(what="all")
    for _ in range(2):
        answer = agent.post(url("order_refund", bought.pk), values, follow=True)
        assert "The refund of $150.00 was recorded as staff-" in answer.content.decode()
    refund = Refund.objects.get(total=150)
    assert (refund.source, refund.order, refund.external_id) == (
        "shop", bought, f"staff-{uuid.UUID(values['key']).hex[:12]}",
    )  # fmt: skip
    assert ana.spendable() == 0
    entry = AuditEntry.objects.get(action="order.refunded")
    assert entry.after["money"] == "150 USD"
    assert Transfer.objects.filter(refund=refund).get().source == "backoffice"


def test_nothing_is_left_of_an_order_that_came_back(agent: Client, bought: Order) -> None:
    agent.post(url("order_refund", bought.pk), choice(what="all"))
    html = agent.get(url("order_refund", bought.pk)).content.decode()
    assert "Nothing is left to give back" in html
    assert "Preview a refund" not in agent.get(url("order_page", bought.pk)).content.decode()


def test_an_analyst_looks_and_cannot_record(
    client_of: Callable[[str], Client], bought: Order
) -> None:
    analyst = client_of("analyst")
    assert "Preview a refund" in analyst.get(url("order_page", bought.pk)).content.decode()
    assert "Record refund" not in analyst.get(url("order_refund", bought.pk)).content.decode()
    assert "112\N{NO-BREAK SPACE}Beans" in look(analyst, bought, **{"quantity-2": "1"})
    answer = analyst.post(url("order_refund", bought.pk), choice(what="all"))
    assert answer.status_code == 403


def test_a_guests_order_takes_nothing_back(agent: Client, ana: Member) -> None:
    record(order("G-1", "10", buyer=None))
    found = Order.objects.get(external_id="G-1")
    assert "It takes nothing back" in look(agent, found, what="all")
    agent.post(url("order_refund", found.pk), choice(what="all"))
    assert Refund.objects.filter(order=found).exists()
