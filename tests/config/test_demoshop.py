"""The demonstration's shop, where it is not looked at by a browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from config.demoshop.server import KEY_NAME, ShopServer
from loyalty.models import Membership, Order, Program
from members.models import ApiKey, Customer
from members.services.api_keys import forget_cached_keys, revoke_api_key
from members.services.audit import SYSTEM
from rewards.demo.storefront import show_in_shop
from rewards.models import Element
from rewards.selectors.storefront import get_storefront
from rewards.services.storefront import update_storefront
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def club() -> Program:
    program = make_program("beans", name="Bean Club", enrollment="automatic")
    show_in_shop(program)
    return program


@pytest.fixture
def shop(live_server: Any, rf: Any) -> ShopServer:
    """The shop's server, beside an installation that answers."""
    host = live_server.url.removeprefix("http://")
    return ShopServer(rf.get("/", headers={"host": host}))


def test_it_is_not_there_without_the_demonstration(client: Client) -> None:
    assert client.get("/demo-shop/").status_code == 404


def test_the_demonstration_shows_all_and_keeps_what_was_set(club: Program) -> None:
    assert get_storefront().elements == list(Element)
    update_storefront(actor=SYSTEM, changes={"elements": []})
    show_in_shop(club)
    assert get_storefront().elements == []


def test_its_pages_have_a_policy_of_their_own(client: Client, club: Program) -> None:
    response = client.get("/demo-shop/")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "data:" not in policy
    assert "storefront.js" in response.content.decode()


def test_nobody_signed_in_has_no_token(client: Client, club: Program) -> None:
    assert client.get("/demo-shop/loyalty-token/").status_code == 204


def test_the_server_has_one_key_and_a_new_one_when_that_is_revoked(
    shop: ShopServer, club: Program
) -> None:
    number = shop.sign_up(name="Nora Field", email="nora@example.com", program="beans")
    assert Membership.objects.get().customer.external_id == number
    assert shop.member_token(number)["token"].startswith("setia-member_")
    [key] = ApiKey.objects.filter(name=KEY_NAME)
    revoke_api_key(actor=SYSTEM, key=key)
    forget_cached_keys()
    assert shop.member_token(number)["token"]
    assert ApiKey.objects.filter(name=KEY_NAME, revoked_at=None).count() == 1
    cache.clear()
    assert shop.member_token(number)["token"]
    assert ApiKey.objects.filter(name=KEY_NAME, revoked_at=None).count() == 1


def test_an_order_reaches_the_program(shop: ShopServer, club: Program) -> None:
    number = shop.sign_up(name="Nora", email="nora@example.com", program="")
    lines = [{"sku": "oil", "name": "Oil", "category": "PANTRY", "quantity": "2", "total": "36.80"}]
    placed, total = shop.place_order(number, lines, "")
    order = Order.objects.get(source="demo-shop", external_id=placed)
    assert (order.total, order.customer) == (total, Customer.objects.get(external_id=number))
    assert order.placed_at <= timezone.now()


def test_what_the_program_refuses_is_said(live_server: Any, client: Client, club: Program) -> None:
    host = live_server.url.removeprefix("http://")
    put = {"sku": "oil"}
    assert client.post("/demo-shop/basket/change/", put, headers={"host": host}).status_code == 302
    client.post("/demo-shop/order/", {"code": "NOPE"}, headers={"host": host})
    page = client.get("/demo-shop/basket/").content.decode()
    assert 'role="alert"' in page
    assert Order.objects.count() == 0
    twice = {"name": "Nora", "email": "nora@example.com"}
    for expected in (302, 422):
        answer = client.post("/demo-shop/sign-up/", twice, headers={"host": host})
        assert answer.status_code == expected
