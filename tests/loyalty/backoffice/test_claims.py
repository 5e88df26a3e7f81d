"""A guest order is assigned to who bought it; and what a merge shows of wallets and orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Membership, Order, Transfer
from loyalty.services.pools import PoolTerms, create_pool
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import AGO, Member, htmx, url
from tests.loyalty.factories import order, record, spendable

pytestmark = pytest.mark.usefixtures("ana_for_all")


@pytest.fixture
def guest(ana: Member) -> Order:
    record(order("G-7", "30", at=timezone.now() - AGO, buyer=None))
    return Order.objects.get(external_id="G-7")


def test_a_guest_order_offers_to_be_assigned(
    agent: Client, client_of: Callable[[str], Client], guest: Order, ana: Member
) -> None:
    address = url("order_claim", guest.pk)
    assert address in agent.get(url("order_page", guest.pk)).content.decode()
    analyst = client_of("analyst")
    assert address not in analyst.get(url("order_page", guest.pk)).content.decode()
    own = Order.objects.get(external_id="A-1001")
    assert url("order_claim", own.pk) not in agent.get(url("order_page", own.pk)).content.decode()


def test_the_buyer_is_searched_for(agent: Client, guest: Order, ana: Member) -> None:
    address = url("order_claim", guest.pk)
    assert "Who bought this?" in agent.get(address).content.decode()
    found = agent.get(address, {"q": "lima"}, headers=htmx("claim-found")).content.decode()
    assert "Ana Lima" in found
    assert "<html" not in found
    assert f"customer={ana.customer.public_id}" in found
    assert "Nobody found" in agent.get(address, {"q": "qqqq"}).content.decode()


def test_what_it_will_earn_is_said_before_and_happens_once(
    agent: Client, guest: Order, ana: Member
) -> None:
    address = url("order_claim", guest.pk)
    asked = agent.get(address, {"customer": ana.customer.public_id}).content.decode()
    assert "+30\N{NO-BREAK SPACE}Beans" in asked
    guest.refresh_from_db()
    assert (guest.customer, ana.spendable()) == (None, 150)
    done = agent.post(address, {"customer": ana.customer.public_id}, follow=True)
    content = done.content.decode()
    assert "Order G-7 is Ana Lima’s now." in content
    assert url("order_unclaim", guest.pk) in content
    assert ana.spendable() == 180
    again = agent.post(address, {"customer": ana.customer.public_id})
    assert (again.status_code, ana.spendable()) == (422, 180)
    assert "has its customer already" in again.content.decode()


def test_who_earns_nothing_is_told_so(agent: Client, guest: Order) -> None:
    Order.objects.filter(pk=guest.pk).update(currency="EUR")
    somebody = CustomerFactory()
    address = url("order_claim", guest.pk)
    content = agent.get(address, {"customer": somebody.public_id}).content.decode()
    assert "It will earn nothing" in content


def test_a_mistake_is_taken_back(agent: Client, guest: Order, ana: Member) -> None:
    agent.post(url("order_claim", guest.pk), {"customer": ana.customer.public_id})
    address = url("order_unclaim", guest.pk)
    assert address in agent.get(url("order_page", guest.pk)).content.decode()
    assert "+30" in agent.get(address).content.decode()
    done = agent.post(address, headers=htmx("dialog-body"))
    assert done["HX-Redirect"] == url("order_page", guest.pk)
    guest.refresh_from_db()
    assert (guest.customer, ana.spendable()) == (None, 150)
    assert agent.post(address).status_code == 422


def test_an_order_that_came_with_its_customer_is_not_taken_away(agent: Client, ana: Member) -> None:
    own = Order.objects.get(external_id="A-1001")
    assert url("order_unclaim", own.pk) not in agent.get(url("order_page", own.pk)).content.decode()
    assert agent.post(url("order_unclaim", own.pk)).status_code == 422
    assert ana.spendable() == 150


# --- A merge, as this application shows it -------------------------------------------------------


@pytest.fixture
def duplicate(ana: Member) -> Customer:
    found = CustomerFactory(given_name="Anna", family_name="Lima", external_id="c2")
    record(order("B-1", "40", at=timezone.now() - AGO, buyer="c2"))
    return found


def test_the_preview_has_the_balances_cards_and_orders_of_both(
    agent: Client, ana: Member, duplicate: Customer
) -> None:
    address = reverse("backoffice:customer_merge", args=[ana.customer.public_id])
    content = agent.get(address, {"with": duplicate.public_id}).content.decode()
    for text in ("Bean Club", ">150<", ">40<", ">190<", "Both cards work.", "Orders"):
        assert text in content
    assert not Transfer.objects.filter(kind="merge").exists()


@pytest.mark.usefixtures("undone_when_refused")
def test_who_shares_a_pool_cannot_be_merged_away_and_the_page_says_so(
    agent: Client, ana: Member, duplicate: Customer
) -> None:
    create_pool(
        owner=Membership.objects.get(customer=duplicate), terms=PoolTerms(name="The Harts"),
        bring=False, actor=SYSTEM, source="backoffice", now=timezone.now(),
    )  # fmt: skip
    address = reverse("backoffice:customer_merge", args=[ana.customer.public_id])
    wanted = f"{address}?with={duplicate.public_id}"
    other = reverse("backoffice:customer_merge", args=[duplicate.public_id])
    for answer in (agent.get(wanted), agent.post(wanted, {"reason": "", "confirm": "1"})):
        content = answer.content.decode()
        assert "shares the pool The Harts. Take them out of it first." in content
        assert f"{other}?with={ana.customer.public_id}" in content
    duplicate.refresh_from_db()
    assert duplicate.merged_into is None


def test_both_pages_show_what_is_theirs(agent: Client, ana: Member, duplicate: Customer) -> None:
    merge_customers(
        kept=ana.customer, merged=duplicate, actor=SYSTEM, source="api", now=timezone.now()
    )
    kept, merged = ana.customer.public_id, duplicate.public_id
    movements = agent.get(url("movement_panel", kept)).content.decode()
    assert "B-1" in movements
    assert "Two accounts were merged" not in movements
    old = agent.get(url("movement_panel", merged)).content.decode()
    assert "B-1" in old
    assert "Two accounts were merged" in old
    assert "B-1" in agent.get(url("order_panel", kept)).content.decode()
    assert "The orders went along" in agent.get(url("order_panel", merged)).content.decode()
    assert "The units went along" in agent.get(url("lot_panel", merged)).content.decode()
    wallets = agent.get(url("wallet_panel", merged)).content.decode()
    assert "Merged" in wallets
    assert "Adjust Beans" not in wallets
    assert "Enroll" not in wallets
    for page in ("customer_timeline", "customer_header"):
        for who in (kept, merged):
            answer = agent.get(reverse(f"backoffice:{page}", args=[who]), headers=htmx("x"))
            assert answer.status_code == 200


def test_the_old_wallets_dialog_adjusts_the_one_that_counts(
    agent: Client, ana: Member, duplicate: Customer
) -> None:
    done, _replayed = merge_customers(
        kept=ana.customer, merged=duplicate, actor=SYSTEM, source="api", now=timezone.now()
    )
    old = done.record["loyalty"]["memberships"][0]["wallets"][0]["from"]
    assert "Ana Lima" in agent.get(url("wallet_adjust", old)).content.decode()
    assert "190" in agent.get(url("wallet_adjust", old)).content.decode()


def test_the_undo_says_how_many_go_back(agent: Client, ana: Member, duplicate: Customer) -> None:
    merge_customers(
        kept=ana.customer, merged=duplicate, actor=SYSTEM, source="api", now=timezone.now()
    )
    address = reverse("backoffice:customer_merge_undo", args=[duplicate.public_id])
    content = agent.get(address).content.decode()
    for text in ("Bean Club", ">150<", ">40<"):
        assert text in content
    agent.post(address)
    assert (spendable("c1", timezone.now()), spendable("c2", timezone.now())) == (150, 40)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_an_agent_assigns_a_guest_order_and_takes_it_back(
    page: Any,
    live_server: Any,
    agent: Client,
    guest: Order,
    ana: Member,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    cookie = agent.cookies["sessionid"]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.goto(url("order_page", guest.pk))
    page.get_by_role("link", name="Assign to a customer").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Search among customers").fill("lima")
    dialog.get_by_role("link", name="Ana Lima").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_role("link", name="Ana Lima").click()
    dialog.get_by_text("It will earn").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Assign order").click()
    page.get_by_text("Order G-7 is Ana Lima’s now.").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Make it a guest order again").click()
    dialog.get_by_role("button", name="Make it a guest order").click()
    expect(page.get_by_text("is a guest order again")).to_be_visible()
    assert ana.spendable() == 150


def test_the_search_box_leads_to_a_guest_order_by_its_number(agent: Client, guest: Order) -> None:
    box, order = reverse("backoffice:search"), url("order_page", guest.pk)
    for typed in (guest.external_id, f"#{guest.external_id}", guest.external_id.lower()):
        found = agent.get(box, {"q": typed}, headers=htmx()).content.decode()
        assert order in found
        assert "of a guest" in found
    for typed in (guest.external_id[:-1], "of a guest", "\x00"):
        assert order not in agent.get(box, {"q": typed}, headers=htmx()).content.decode()
