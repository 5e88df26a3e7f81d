"""What a customer held at a moment: the page that says so."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from members.models import Customer
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import AGO, Member, queries_of, url
from tests.loyalty.factories import adjust, order, record

pytestmark = pytest.mark.usefixtures("ana_for_all")

BEANS = ' <span class="stat-unit">Beans</span>'


def page_of(client: Client, member: Member, **moment: str) -> str:
    response = client.get(url("customer_past", member.customer.public_id), moment)
    assert response.status_code == 200
    return str(response.content.decode())


def bought(member: Member) -> dt.date:
    """The day of Ana's order, where the shop is."""
    return (timezone.now() - AGO).astimezone(member.program.zone).date()


def test_each_day_shows_what_was_held_on_it(agent: Client, ana: Member) -> None:
    """200 Beans with the order, 50 back the next day, 30 spent ten days later."""
    adjust(ana.wallet, -30, "spend", now=timezone.now() - AGO + dt.timedelta(days=10))
    day = bought(ana)
    shown = [
        page_of(agent, ana, day=(day + dt.timedelta(days=n)).isoformat()) for n in (0, 1, 9, 10)
    ]
    for html, units in zip(shown, ("200", "150", "150", "120"), strict=True):
        assert f"{units}{BEANS}" in html
    assert "Order A-1001" in shown[0]
    assert "They expire 12 months after they were earned." in shown[0]
    assert "worth $2.00" in shown[0]


def test_a_time_of_the_day_can_be_named(agent: Client, ana: Member) -> None:
    at = (timezone.now() - AGO).astimezone(ana.program.zone)
    before, after = at - dt.timedelta(minutes=2), at + dt.timedelta(minutes=2)
    html = page_of(agent, ana, day=before.date().isoformat(), time=f"{before:%H:%M}")
    assert f"200{BEANS}" not in html
    html = page_of(agent, ana, day=after.date().isoformat(), time=f"{after:%H:%M}")
    assert f"200{BEANS}" in html


def test_without_a_day_it_is_now(agent: Client, ana: Member) -> None:
    assert f"150{BEANS}" in page_of(agent, ana)


def test_before_the_membership_nothing_was_held(agent: Client, ana: Member) -> None:
    day = bought(ana) - dt.timedelta(days=1)
    assert "Not a member then" in page_of(agent, ana, day=day.isoformat())


@pytest.mark.parametrize("day", ["yesterday", "0001-01-01", "9999-12-31", "2026-13-01"])
def test_a_day_that_is_none_is_named_and_now_is_shown(agent: Client, ana: Member, day: str) -> None:
    html = page_of(agent, ana, day=day)
    assert "invalid-feedback" in html
    assert f"150{BEANS}" in html


def test_a_customer_who_is_in_no_program_is_told(agent: Client) -> None:
    customer = CustomerFactory()
    html = agent.get(url("customer_past", customer.public_id)).content.decode()
    assert "Not a member yet" in html


def test_the_wallets_lead_to_it(agent: Client, ana: Member) -> None:
    html = agent.get(url("wallet_panel", ana.customer.public_id)).content.decode()
    assert url("customer_past", ana.customer.public_id) in html


def test_many_lots_have_pages_of_their_own(agent: Client, ana: Member) -> None:
    now = timezone.now()
    record(*(order(f"B-{n}", "5", at=now - dt.timedelta(hours=n)) for n in range(60)))
    html = page_of(agent, ana, day=now.date().isoformat(), time="23:59")
    assert html.count("Order B-") == 7
    assert "All 61 lots" in html
    address = url("wallet_lots", ana.wallet.pk)
    first = agent.get(address)
    rest = agent.get(address, {"cursor": first.context["page"].next_cursor})
    assert len(first.context["lots"]) + len(rest.context["lots"]) == 61
    back = agent.get(address, {"cursor": rest.context["page"].previous_cursor})
    assert back.context["lots"] == first.context["lots"]
    day = (bought(ana) - dt.timedelta(days=1)).isoformat()
    assert "No lot was open then" in agent.get(address, {"day": day}).content.decode()
    assert agent.get(address, {"cursor": "x"}).status_code == 200


def test_it_costs_the_same_for_many_lots(agent: Client, ana: Member) -> None:
    address = url("customer_past", ana.customer.public_id)
    few = queries_of(agent, address)
    now = timezone.now()
    record(*(order(f"B-{n}", "5", at=now - dt.timedelta(hours=n)) for n in range(6)))
    assert queries_of(agent, address) == few


def test_staff_hand_out_the_statement_in_the_customers_language(agent: Client, ana: Member) -> None:
    assert url("customer_statement", ana.customer.public_id) in page_of(agent, ana)
    Customer.objects.filter(pk=ana.customer.pk).update(locale="el")
    asked = {"membership": ana.membership.public_id, "period": str(bought(ana).year)}
    response = agent.get(url("customer_statement", ana.customer.public_id), asked)
    text = PdfReader(io.BytesIO(response.content)).pages[0].extract_text()
    assert response["Content-Type"] == "application/pdf"
    assert "200" in text
    assert "Beans" in text


@pytest.mark.parametrize("asked", [{"period": "soon"}, {"period": "2199"}, {"membership": "x"}])
def test_a_statement_of_nothing_is_not_there(
    agent: Client, ana: Member, asked: dict[str, str]
) -> None:
    assert agent.get(url("customer_statement", ana.customer.public_id), asked).status_code == 404
