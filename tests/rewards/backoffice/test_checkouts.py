"""A customer's carts in the back-office, what units paid of an order, and its refund."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Membership, Order
from members.models import AuditEntry
from rewards.backoffice.checkouts import kept_by
from rewards.models import Checkout
from rewards.selectors.checkouts import get_checkout
from rewards.services.checkout_cards import CardPayment
from tests.loyalty.backoffice.conftest import Member, queries_of
from tests.loyalty.factories import order, record, spendable
from tests.rewards.cards import issue, money_program
from tests.rewards.factories import make_member, offer
from tests.rewards.services.carts import cart, commit, reserve

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all", "undone_when_refused"),
]  # fmt: skip


@pytest.fixture
def member(ana: Member) -> Membership:
    return Membership.objects.select_related("program", "customer").get(pk=ana.membership.pk)


def url(name, *args):
    return reverse(f"rewards_backoffice:{name}", args=args)


def text(response):
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def panel(client: Client, member: Membership):
    return client.get(url("checkout_panel", member.customer.public_id))


def test_what_is_held_now_is_seen_and_let_go_with_a_reason(agent: Client, member: Membership):
    now = timezone.now()
    five = offer(member.program, price=20)
    found = reserve(cart(member, "cart-7", rewards=[five], units=100, at=now), at=now)
    page = text(panel(agent, member))
    assert "cart-7" in page
    assert "100 Beans pay $1.00" in page
    assert "5 off" in page
    assert "$14.00" in page
    address = url("checkout_cancel", found.public_id)
    assert "All of it goes back" in text(agent.get(address))
    assert agent.post(address, {"reason": ""}).status_code == 422
    assert spendable(at=now) == 30
    assert agent.post(address, {"reason": "Left the shop"}).status_code == 302
    assert spendable(at=timezone.now()) == 150
    assert Checkout.objects.get().status == "cancelled"
    entry = AuditEntry.objects.get(action="checkout.cancelled")
    assert (entry.reason, entry.after) == ("Left the shop", {"cart": "cart-7"})
    assert "Left the shop" in text(panel(agent, member))


def test_one_that_ran_out_says_so_before_it_is_written_down(agent: Client, member: Membership):
    at = timezone.now() - dt.timedelta(hours=1)
    reserve(cart(member, units=100, at=at), at=at)
    assert "Expired" in text(panel(agent, member))


def test_the_panel_takes_as_many_queries_for_many_carts(agent: Client, member: Membership):
    now = timezone.now()
    reserve(cart(member, "C1", units=10, at=now), at=now)
    address = url("checkout_panel", member.customer.public_id)
    few = queries_of(agent, address)
    for number in range(2, 5):
        reserve(cart(member, f"C{number}", units=10, at=now), at=now)
    assert queries_of(agent, address) <= few


def test_an_order_says_what_units_paid_and_its_refund_how_it_divides(
    agent: Client, member: Membership
):
    now = timezone.now()
    commit(reserve(cart(member, "cart-8", units=100, at=now), at=now), "A-8", at=now)
    record(order("A-8", "20", at=now), now=now)
    sold = Order.objects.get(external_id="A-8")
    page = text(agent.get(reverse("loyalty_backoffice:order_page", args=[sold.pk])))
    assert "Paid in units" in page
    assert "100 Beans ($1.00)" in page
    assert "Used at a checkout" in page
    assert "A-8" in text(panel(agent, member))
    effect = text(
        agent.post(
            reverse("loyalty_backoffice:order_refund", args=[sold.pk]),
            {"what": "amount", "amount": "10", "preview": "1",
             "key": "3f0c4c4e-8a52-4d61-9d0b-0a4f5c1f7a11"},
            headers={"HX-Request": "true"},
        )
    )  # fmt: skip
    assert "of it money" in effect
    assert "$9.50" in effect
    assert "50 Beans ($0.50)" in effect


def test_a_gift_card_that_pays_is_named_by_its_last_signs():
    program = money_program(code="shop")
    member, card = make_member(0, "c9", program), issue(program)
    asked = replace(cart(member), gift_cards=[CardPayment(card, Decimal(5))])
    found = get_checkout(reserve(asked).public_id)
    assert kept_by(found) == [f"Gift card •••• {card.last_four} pays $5.00"]
