"""A member's pool on their own page: what is in it, what one shares, taking out and leaving."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Membership, Pool, PoolMember
from loyalty.selectors.pools import pool_balances
from loyalty.services.pool_moves import spend_from_pool
from loyalty.services.pools import PoolTerms, add_pool_member, create_pool
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.account.conftest import Shop

pytestmark = pytest.mark.usefixtures("maya_for_all")
SignIn = Callable[[Customer], Client]
HOW = {"actor": SYSTEM, "source": "backoffice"}


@pytest.fixture
def noor(shop: Shop) -> Membership:
    customer = shop.add_customer(
        "noor@example.com", given_name="Noor", family_name="Secretname", phone="+12125550199"
    )
    shop.give_sign_in(customer)
    return shop.enroll(customer)


@pytest.fixture
def pool(maya: Customer, noor: Membership, shop: Shop) -> Pool:
    """Maya's, with her 151 Beans, 24 that wait, and Noor in it."""
    owner = Membership.objects.get(customer=maya)
    terms = PoolTerms(name="Elm Street 4", spending="everyone")
    pool = create_pool(owner=owner, terms=terms, bring=True, now=timezone.now(), **HOW)
    add_pool_member(pool=pool, membership=noor, now=timezone.now(), **HOW)
    return pool


def text_of(response: Any) -> str:
    assert response.status_code in (200, 422), response.status_code
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def address(member: Membership | Customer, page: str = "") -> str:
    membership = (
        member if isinstance(member, Membership) else Membership.objects.get(customer=member)
    )
    return f"/me/{membership.public_id}/pool/{page}"


def held(pool: Pool) -> int:
    return pool_balances(pool, timezone.now())[0].spendable


def move(units: str, direction: str = "in", **changes: str) -> dict[str, str]:
    return {"direction": direction, "units": units, "key": str(uuid.uuid4())} | changes


def test_home_leads_to_the_pool_and_says_what_is_in_it(
    pool: Pool, maya: Customer, sign_in: SignIn
) -> None:
    text = text_of(sign_in(maya).get("/me/"))
    assert "Our household: Elm Street 4" in text
    assert "151 Beans" in text
    assert address(maya) in text


def test_the_page_shows_what_is_in_it_who_is_in_it_and_what_happened(
    pool: Pool, noor: Membership, sign_in: SignIn, shop: Shop
) -> None:
    wallet_type = pool.program.wallet_types.get()
    spend_from_pool(
        membership=noor, wallet_type=wallet_type, units=20, key="r", now=timezone.now(), **HOW
    )
    text = text_of(sign_in(noor.customer).get("/me/pool/"))
    for words in (
        '<span class="purse-number">131</span>', "24 Beans on the way", "Maya", "Owner", "(you)",
        "Brought by Maya", "Redeemed by Noor", "Everything that members earn goes into the pool.",
    ):  # fmt: skip
        assert words in text, words
    # Their purchases are not told either; a bare number could stand in a random address.
    for secret in ("Lim", "maya@example.com", "order 4711", "Number 4711", "Secretname"):
        assert secret not in text.replace("Elm", ""), secret


def test_the_switch_keeps_what_one_earns_and_shares_it_again(
    pool: Pool, noor: Membership, sign_in: SignIn, shop: Shop
) -> None:
    client = sign_in(noor.customer)
    done = client.post(address(noor, "sharing/"), {}, follow=True)
    assert "stays with you from now on" in text_of(done)
    assert not PoolMember.objects.get(membership=noor).contributes
    done = client.post(address(noor, "sharing/"), {"contributes": "on"}, follow=True)
    assert "What you earn goes into the pool." in text_of(done)
    assert PoolMember.objects.get(membership=noor).contributes


def test_units_are_taken_out_looked_at_first_and_put_in_again(
    pool: Pool, noor: Membership, sign_in: SignIn
) -> None:
    client, values = sign_in(noor.customer), move("50", "out")
    shown = text_of(client.post(address(noor, "move/"), values))
    assert "Is this right?" in shown
    assert "151 Beans → <strong>101 Beans</strong>" in shown
    assert held(pool) == 151
    for _repeat in range(2):
        done = client.post(address(noor, "move/"), values | {"confirmed": "1"}, follow=True)
    assert "50 Beans are yours now." in text_of(done)
    assert held(pool) == 101
    client.post(address(noor, "move/"), move("10", confirmed="1"))
    assert held(pool) == 111
    again = client.post(address(noor, "move/"), values | {"edit": "1"})
    assert (again.status_code, 'value="50"' in again.content.decode()) == (200, True)


@pytest.mark.usefixtures("undone_when_refused")
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"units": "152", "direction": "out"}, "Only 151 Beans are there."),
        ({"units": "1"}, "Only 0 Beans are there."),
        ({"units": "0"}, "other than zero"),
        ({"direction": "up"}, "not one of the available"),
    ],
)
@pytest.mark.parametrize("step", [{}, {"confirmed": "1"}])
def test_what_cannot_be_moved_is_said_at_its_field(
    pool: Pool, noor: Membership, sign_in: SignIn, values: dict[str, str], message: str,
    step: dict[str, str],
) -> None:  # fmt: skip
    response = sign_in(noor.customer).post(address(noor, "move/"), move("5") | values | step)
    assert response.status_code == 422
    assert message in text_of(response)
    assert held(pool) == 151


@pytest.mark.usefixtures("undone_when_refused")
def test_who_may_not_spend_is_offered_to_put_in_only(
    pool: Pool, noor: Membership, sign_in: SignIn
) -> None:
    Pool.objects.update(spending="owners")
    client = sign_in(noor.customer)
    assert "Put something in" in text_of(client.get("/me/pool/"))
    assert "direction" not in client.get(address(noor, "move/")).context["form"].fields
    client.post(address(noor, "move/"), move("5", "out", confirmed="1"))
    assert held(pool) == 151


def test_leaving_shows_first_what_one_gets_back(
    pool: Pool, maya: Customer, noor: Membership, sign_in: SignIn
) -> None:
    other = sign_in(noor.customer)
    assert "You get nothing back." in text_of(other.get(address(noor, "leave/")))
    client = sign_in(maya)
    assert "175 Beans" in text_of(client.get(address(maya, "leave/")))
    done = client.post(address(maya, "leave/"), follow=True)
    assert "You have left Elm Street 4." in text_of(done)
    assert '<span class="purse-number">151</span>' in text_of(done)
    assert client.get("/me/pool/").status_code == 404
    assert "Nobody else is in it" in text_of(other.get(address(noor, "leave/")))


def test_a_paused_member_looks_but_moves_nothing(
    pool: Pool, noor: Membership, sign_in: SignIn
) -> None:
    Membership.objects.filter(pk=noor.pk).update(status="suspended")
    client = sign_in(noor.customer)
    assert "Put in or take out" not in text_of(client.get("/me/pool/"))
    assert client.get(address(noor, "move/")).status_code == 404


def test_without_a_pool_there_is_no_page(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    assert "/pool/" not in client.get("/me/").content.decode()
    for page in ("", "move/", "leave/"):
        assert client.get(address(maya, page)).status_code == 404


def test_other_peoples_pools_are_not_there(
    pool: Pool, noor: Membership, maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    stranger = shop.add_customer("eve@example.com")
    shop.give_sign_in(stranger)
    shop.enroll(stranger)
    client = sign_in(stranger)
    for page in ("", "move/", "leave/"):
        assert client.get(address(noor, page)).status_code == 404
    for page in ("sharing/", "move/", "leave/"):
        assert client.post(address(noor, page), move("5")).status_code == 404
    assert Client().get(address(noor)).status_code == 302
    assert held(pool) == 151
