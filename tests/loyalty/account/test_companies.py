"""The company on its buyers' own pages: what one may spend, asking, deciding, whom to turn to."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Company, Membership, PoolMember, SpendRequest
from loyalty.selectors.pools import pool_balances
from loyalty.services.companies import create_company
from loyalty.services.pools import PoolTerms, add_pool_member, create_pool
from members.models import Customer
from members.services.audit import SYSTEM
from tests.factories import StaffMemberFactory
from tests.loyalty.account.conftest import Shop

pytestmark = pytest.mark.usefixtures("maya_for_all")
SignIn = Callable[[Customer], Client]
HOW: dict[str, Any] = {"actor": SYSTEM, "source": "backoffice"}
refused = pytest.mark.usefixtures("undone_when_refused")


def person(shop: Shop, name: str) -> Membership:
    customer = shop.add_customer(
        f"{name.lower()}@example.com", given_name=name, family_name="Reed", phone=""
    )
    shop.give_sign_in(customer)
    return shop.enroll(customer)


@pytest.fixture
def noor(shop: Shop) -> Membership:
    return person(shop, "Noor")


@pytest.fixture
def company(maya: Customer, noor: Membership, shop: Shop) -> Company:
    """Maya's, with her 151 Beans; Noor buys up to 50 at once, and Mia looks after it."""
    mia = StaffMemberFactory(
        user__name="Mia Okonkwo", user__email="mia@shop.example", phone="+12125550123"
    )
    found = create_company(
        owner=Membership.objects.get(customer=maya), bring=True, now=timezone.now(),
        terms=PoolTerms(name="Reed & Daughters", kind="company", leaving="stays"),
        details={"manager": mia, "most_at_once": 50}, **HOW,
    )  # fmt: skip
    add_pool_member(pool=found.pool, membership=noor, now=timezone.now(), **HOW)
    return found


def text_of(response: Any) -> str:
    assert response.status_code in (200, 422), response.status_code
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def address(member: Membership | Customer, page: str = "") -> str:
    membership = (
        member if isinstance(member, Membership) else Membership.objects.get(customer=member)
    )
    return f"/me/{membership.public_id}/pool/{page}"


def held(company: Company) -> int:
    return pool_balances(company.pool, timezone.now())[0].spendable


def wish(units: str = "120", **changes: str) -> dict[str, str]:
    return {"units": units, "note": "Toner for all", "key": str(uuid.uuid4())} | changes


def asked(client: Client, noor: Membership) -> SpendRequest:
    assert client.post(address(noor, "ask/"), wish()).status_code == 302
    return SpendRequest.objects.get()


def test_a_buyer_reads_what_they_may_spend_and_whom_they_turn_to(
    sign_in: SignIn, company: Company, noor: Membership, maya: Customer
) -> None:
    shown = text_of(sign_in(noor.customer).get(address(noor)))
    for words in (
        "Our company: Reed &amp; Daughters", "You may spend 50 Beans without asking.",
        "Mia Okonkwo", "mia@shop.example", "+1 212-555-0123", "Ask for more", "Buyer",
    ):  # fmt: skip
        assert words in shown, words
    owner = text_of(sign_in(maya).get(address(maya)))
    assert "You may spend all of it." in owner
    assert "Ask for more" not in owner


@refused
def test_a_buyer_asks_and_an_approver_sees_what_is_left_and_allows_it(
    sign_in: SignIn, company: Company, noor: Membership, maya: Customer
) -> None:
    buyer, owner = sign_in(noor.customer), sign_in(maya)
    too_much = buyer.post(address(noor, "ask/"), wish("5000"))
    assert (too_much.status_code, "Only 151 Beans are there." in text_of(too_much)) == (422, True)
    request = asked(buyer, noor)
    assert "Toner for all" in text_of(buyer.get(address(noor)))
    assert "1 request waits for you" in text_of(owner.get("/me/"))
    assert "Noor Reed" in text_of(owner.get(address(maya)))
    page = address(maya, f"requests/{request.public_id}/")
    shown = text_of(owner.get(page))
    for words in ("120 Beans", "151 Beans", "31 Beans", "Toner for all"):
        assert words in shown, words
    silent = owner.post(page, {"answer": "no", "note": ""})
    assert silent.status_code == 422
    assert owner.post(page, {"answer": "yes", "note": "Fine"}).url == address(maya)
    assert held(company) == 31
    assert "Fine" in text_of(buyer.get(address(noor)))
    again = owner.post(page, {"answer": "yes", "note": ""})
    assert (again.status_code, held(company)) == (422, 31)


@refused
def test_no_comes_with_a_reason_and_moves_nothing(
    sign_in: SignIn, company: Company, noor: Membership, maya: Customer
) -> None:
    request = asked(sign_in(noor.customer), noor)
    page = address(maya, f"requests/{request.public_id}/")
    sign_in(maya).post(page, {"answer": "no", "note": "Next month"})
    shown = text_of(sign_in(noor.customer).get(address(noor)))
    assert ("Next month" in shown, "Rejected" in shown) == (True, True)
    assert held(company) == 151


def test_the_same_form_asks_once_and_one_may_withdraw(
    sign_in: SignIn, company: Company, noor: Membership
) -> None:
    buyer, form = sign_in(noor.customer), wish()
    buyer.post(address(noor, "ask/"), form)
    buyer.post(address(noor, "ask/"), form)
    request = SpendRequest.objects.get()
    buyer.post(address(noor, f"requests/{request.public_id}/withdraw/"))
    request.refresh_from_db()
    assert request.state == "withdrawn"
    again = buyer.post(address(noor, f"requests/{request.public_id}/withdraw/"), follow=True)
    assert "It was withdrawn." in text_of(again)


def test_others_neither_decide_nor_ask(
    sign_in: SignIn, company: Company, noor: Membership, maya: Customer, shop: Shop
) -> None:
    buyer = sign_in(noor.customer)
    request = asked(buyer, noor)
    page = f"requests/{request.public_id}/"
    # Not oneself, not an owner, not somebody of another company, nobody who buys for none.
    assert buyer.get(address(noor, page)).status_code == 404
    assert sign_in(maya).get(address(maya, "ask/")).status_code == 404
    other, alone = person(shop, "Omar"), person(shop, "Pia")
    create_pool(owner=other, terms=PoolTerms(name="Home"), bring=False, now=timezone.now(), **HOW)
    foreign = sign_in(other.customer)
    assert foreign.get(address(other, page)).status_code == 404
    assert foreign.get(address(other, "ask/")).status_code == 404
    assert foreign.post(address(other, f"{page}withdraw/")).status_code == 404
    assert sign_in(alone.customer).get(address(alone, "ask/")).status_code == 404
    assert foreign.get(address(noor, page)).status_code == 404
    assert SpendRequest.objects.get().state == "waiting"
    assert "Reed &amp; Daughters" not in text_of(foreign.get(address(other)))


def test_an_approver_who_is_suspended_decides_nothing(
    sign_in: SignIn, company: Company, noor: Membership, maya: Customer
) -> None:
    request = asked(sign_in(noor.customer), noor)
    Membership.objects.filter(customer=maya).update(status="suspended")
    page = address(maya, f"requests/{request.public_id}/")
    assert sign_in(maya).get(page).status_code == 404
    assert PoolMember.objects.count() == 2
