"""What the customer page shows of loyalty."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Membership, Order, Program, Transfer
from loyalty.search import find_by_card, find_by_order
from members.models import AuditEntry
from members.selectors.customers import search_customers
from members.timeline import list_timeline
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import Member, htmx, queries_of, url
from tests.loyalty.factories import adjust, make_program, order, record
from tests.loyalty.partnering import bakery, coalition

pytestmark = pytest.mark.usefixtures("ana_for_all")

PANELS = ["wallet_panel", "movement_panel", "lot_panel", "order_panel"]


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_is_a_page_and_a_part_of_one(agent: Client, ana: Member, name: str) -> None:
    address = url(name, ana.customer.public_id)
    assert "<html" in agent.get(address).content.decode()
    part = agent.get(address, headers=htmx(f"panel-{name.partition('_')[0]}s")).content.decode()
    assert "<html" not in part
    assert part.lstrip().startswith("<section")


def test_wallets_say_what_is_held_what_it_is_worth_and_what_lapses(
    agent: Client, ana: Member
) -> None:
    html = agent.get(url("wallet_panel", ana.customer.public_id)).content.decode()
    assert "150" in html
    assert "worth $1.50" in html
    card = ana.membership.card_number
    assert " ".join(card[i : i + 4] for i in range(0, 16, 4)) in html
    assert "Expire next" in html


def test_an_analyst_sees_but_finds_no_button(
    client_of: Callable[[str], Client], ana: Member
) -> None:
    analyst = client_of("analyst")
    html = analyst.get(url("wallet_panel", ana.customer.public_id)).content.decode()
    assert "Adjust" not in html
    assert analyst.get(url("wallet_adjust", ana.wallet.pk)).status_code == 403


def test_movements_explain_themselves_and_can_be_filtered(agent: Client, ana: Member) -> None:
    adjust(ana.wallet, 10, "k1", now=timezone.now())
    address = url("movement_panel", ana.customer.public_id)
    html = agent.get(address).content.decode()
    assert "Earned with order A-1001" in html
    # Each of several rules has a line of its own, which says which it is.
    assert "Base rate · Purchase of $200.00" in html
    events = agent.get(reverse("backoffice:customer_timeline", args=[ana.customer.public_id]))
    assert "Base rate · Purchase of $200.00" in events.content.decode()
    assert "Goods that earn" in html
    assert "Undo" in html
    only = agent.get(address, {"kind": "adjustment"}).content.decode()
    assert "Adjusted: Goodwill" in only
    assert "A-1001" not in only
    assert agent.get(address, {"kind": "nonsense"}).status_code == 200


def test_movements_come_page_by_page(agent: Client, ana: Member) -> None:
    now = timezone.now()
    for number in range(12):
        adjust(ana.wallet, 1, f"k{number}", now=now - dt.timedelta(hours=number))
    address = url("movement_panel", ana.customer.public_id)
    first = agent.get(address).context["page"]
    rest = agent.get(address, {"cursor": first.next_cursor}).context["page"]
    seen = [transfer.pk for transfer in [*first, *rest]]
    assert len(seen) == len(set(seen)) == Transfer.objects.filter(wallet=ana.wallet).count()


def test_orders_show_what_came_back_and_what_they_earned(agent: Client, ana: Member) -> None:
    html = agent.get(url("order_panel", ana.customer.public_id)).content.decode()
    assert "A-1001" in html
    assert "$50.00 given back" in html
    assert "150\N{NO-BREAK SPACE}Beans" in html


def test_an_order_has_a_page_with_everything_that_followed(agent: Client, ana: Member) -> None:
    found = Order.objects.get(external_id="A-1001")
    html = agent.get(url("order_page", found.pk)).content.decode()
    for text in ("COFFEE", "Coffee", "Partly refunded", "Given back: R-1", "Bean Club"):
        assert text in html
    assert agent.get(url("order_page", 10**9)).status_code == 404


def test_what_an_item_cost_is_shown_to_those_who_read_reports_and_never_of_a_partners(
    agent: Client, manager: Client, ana: Member
) -> None:
    found = Order.objects.get(external_id="A-1001")
    found.lines.update(unit_cost="42.5")
    address = url("order_page", found.pk)
    assert "cost you $42.50" in manager.get(address).content.decode()
    assert "$42.50" not in agent.get(address).content.decode()
    coalition("elsewhere")
    Order.objects.filter(pk=found.pk).update(partner=bakery(program="elsewhere"))
    assert "$42.50" not in manager.get(address).content.decode()


def test_a_guest_order_says_that_nobody_earned(agent: Client, ana: Member) -> None:
    record(order("G-1", "10", buyer=None, at=timezone.now()))
    found = Order.objects.get(external_id="G-1")
    assert "A guest order" in agent.get(url("order_page", found.pk)).content.decode()


@pytest.mark.parametrize("name", PANELS)
def test_panels_cost_the_same_for_many_rows(agent: Client, ana: Member, name: str) -> None:
    address = url(name, ana.customer.public_id)
    few = queries_of(agent, address)
    now = timezone.now()
    make_program("second", name="Second")
    record(*(order(f"B-{number}", "5", at=now - dt.timedelta(hours=number)) for number in range(6)))
    assert queries_of(agent, address) == few


def test_somebody_who_is_no_member_is_enrolled_by_hand(agent: Client, beans: Program) -> None:
    customer = CustomerFactory()
    panel = agent.get(url("wallet_panel", customer.public_id)).content.decode()
    assert "Not a member yet" in panel
    address = url("enroll", customer.public_id)
    assert agent.get(address).status_code == 200
    for _ in range(2):
        agent.post(address, {"program": beans.pk})
    membership = Membership.objects.get(customer=customer)
    assert membership.source == "staff"
    assert AuditEntry.objects.filter(action="membership.enrolled").count() == 1
    assert "every live program already" in agent.get(address).content.decode()


def test_nobody_joins_a_draft(agent: Client, ana: Member) -> None:
    draft = make_program("draft", status="draft")
    response = agent.post(url("enroll", ana.customer.public_id), {"program": draft.pk})
    assert response.status_code == 422


def test_the_search_box_finds_cards_and_orders(ana: Member) -> None:
    card = ana.membership.card_number
    spaced = " ".join(card[i : i + 4] for i in range(0, 16, 4))
    for text in (card, spaced):
        assert [found.customer_id for found in find_by_card(text, 5)] == [ana.customer.pk]
    for text in ("A-1001", "a-1001", "#A-1001"):
        assert [found.customer_id for found in find_by_order(text, 5)] == [ana.customer.pk]
    assert search_customers("A-1001")[0].why == "Order A-1001"
    assert find_by_card("9999 9999 9999 9999", 5) == find_by_order("A-1", 5) == []


def test_the_timeline_tells_what_moved_and_why(ana: Member) -> None:
    record(order("Z-0", "0", at=timezone.now()))
    titles = [event.title for event in list_timeline(ana.customer)]
    assert "Order Z-0, which earned nothing" in titles
    assert "Earned with order A-1001" in titles
    assert "Joined Bean Club" in titles
    earned = next(event for event in list_timeline(ana.customer) if "Earned" in event.title)
    assert earned.why
    assert earned.amount == "+200\N{NO-BREAK SPACE}Beans"


def test_what_is_held_in_several_programs_says_whose_it_is(agent: Client, ana: Member) -> None:
    make_program("tea", name="Tea Circle", unit={"singular": "Bean", "plural": "Beans"})
    record(order("B-1", "10", at=timezone.now()))
    header = agent.get(reverse("backoffice:customer", args=[ana.customer.public_id]))
    shown = " ".join(header.content.decode().replace("\xa0", " ").split())
    assert "$1.60 · Bean Club" in shown
    assert "Tea Circle" in shown
