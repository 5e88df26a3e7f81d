"""How far an order is, what its units wait for, and holding it back by hand."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Order
from members.models import AuditEntry
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.factories import day, make_program, order, record

pytestmark = pytest.mark.usefixtures("ana_for_all")

BEANS = {"singular": "Bean", "plural": "Beans"}


def found(number: str = "W-1") -> Order:
    return Order.objects.get(external_id=number)


@pytest.fixture
def waiting(ana: Member) -> Order:
    """Ana's order whose 30 Beans wait until it is fulfilled."""
    make_program("beans", name="Bean Club", unit={**BEANS, "pending_from": "fulfilled"})
    record(order("W-1", "30", at=timezone.now(), status="paid"))
    return found()


def page(client: Client, order: Order) -> str:
    return client.get(url("order_page", order.pk)).content.decode()


def steps(client: Client, order: Order) -> list[tuple[str, Any]]:
    return [
        (step.title, step.at) for step in client.get(url("order_page", order.pk)).context["steps"]
    ]


def test_an_order_shows_its_states_with_their_times(agent: Client, ana: Member) -> None:
    times = {"paid_at": day(1), "fulfilled_at": day(2), "completed_at": day(3)}
    record(order("S-1", "30", at=day(0), **times), now=day(4))
    assert steps(agent, found("S-1")) == [
        ("Placed", day(0)), ("Paid", day(1)), ("Fulfilled", day(2)), ("Completed", day(3)),
    ]  # fmt: skip


def test_a_tills_sale_reached_them_all_at_once(agent: Client, ana: Member) -> None:
    titles = [title for title, _at in steps(agent, found("A-1001"))]
    assert titles == ["Placed, paid, fulfilled, completed", "Given back"]


def test_what_is_not_reached_yet_is_said_and_what_never_will_be_is_not(
    agent: Client, waiting: Order
) -> None:
    assert [at is None for _title, at in steps(agent, waiting)] == [False, True]
    record(order("W-1", "30", at=waiting.placed_at, status="cancelled"), now=timezone.now())
    assert [title for title, _at in steps(agent, waiting)] == ["Placed, paid", "Canceled"]


def test_what_its_units_wait_for_is_said(agent: Client, waiting: Order) -> None:
    html = page(agent, waiting)
    assert "30\N{NO-BREAK SPACE}Beans" in html
    assert "as soon as the order was fulfilled" in html
    assert "Confirm early" in html


def test_the_effect_of_holding_back_is_seen_first(
    agent: Client, ana: Member, waiting: Order
) -> None:
    earned = found("A-1001")
    html = agent.get(url("order_hold", earned.pk), headers=htmx("dialog-body")).content.decode()
    assert "150\N{NO-BREAK SPACE}Beans" in html
    assert "<strong>180\N{NO-BREAK SPACE}Beans</strong>" in html
    assert "when the order has been checked" in html
    assert found("A-1001").held_at is None


def test_an_order_is_held_back_and_released_with_reasons(
    agent: Client, ana: Member, waiting: Order
) -> None:
    earned = found("A-1001")
    assert agent.post(url("order_hold", earned.pk), {"reason": ""}).status_code == 422
    answer = agent.post(url("order_hold", earned.pk), {"reason": "Looks odd"})
    assert answer["Location"] == url("order_page", earned.pk)
    assert ana.spendable() == 0
    html = page(agent, earned)
    assert "This order is held back" in html
    assert "Looks odd" in html
    assert "Hold back" not in html
    again = agent.get(url("order_hold", earned.pk)).content.decode()
    assert "held back already" in again
    answer = agent.post(
        url("order_release", earned.pk), {"reason": "All is well"}, headers=htmx("dialog-body")
    )
    assert answer["HX-Redirect"] == url("order_page", earned.pk)
    assert ana.spendable() == 150
    assert AuditEntry.objects.filter(action="order.released", reason="All is well").exists()


def test_an_order_is_confirmed_early(agent: Client, ana: Member, waiting: Order) -> None:
    assert "30\N{NO-BREAK SPACE}Beans of it can be spent at once." in agent.get(
        url("order_confirm", waiting.pk)
    ).content.decode().replace("\n", " ")
    agent.post(url("order_confirm", waiting.pk), {"reason": "Regular"})
    assert ana.spendable() == 180
    html = page(agent, waiting)
    assert "Confirmed early" in html
    assert url("order_confirm", waiting.pk) not in html


def test_what_cannot_be_done_is_explained_in_place_of_the_form(
    agent: Client, waiting: Order
) -> None:
    agent.post(url("order_hold", waiting.pk), {"reason": "Odd"})
    html = agent.get(url("order_confirm", waiting.pk)).content.decode()
    assert "Release the order before you confirm it." in html
    assert "<textarea" not in html
    answer = agent.post(url("order_confirm", waiting.pk), {"reason": "Regular"})
    assert answer.status_code == 422
    assert found().confirmed_at is None


def test_an_analyst_sees_and_cannot_act(client_of: Callable[[str], Client], waiting: Order) -> None:
    html = page(client_of("analyst"), waiting)
    assert "as soon as the order was fulfilled" in html
    assert "Hold back" not in html
