"""Giving on one's own page: looked at first, done once, and nobody is found out about."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Program, Transfer, Wallet, WalletType
from loyalty.services.gift_lookups import LOOKUPS_PER_HOUR
from members.models import Customer
from tests.loyalty.account.conftest import Shop, define_program

pytestmark = pytest.mark.usefixtures("maya_for_all")
SignIn = Callable[[Customer], Client]


@pytest.fixture
def noor(shop: Shop) -> Membership:
    """Whom Maya gives to; nothing but the given name is Maya's to know."""
    customer = shop.add_customer(
        "noor@example.com", given_name="Noor", family_name="Secretname", phone="+12125550199",
        external_id="N-77",
    )  # fmt: skip
    membership = shop.enroll(customer)
    shop.adjust(membership, 63)
    return membership


def gift(to: str = "noor@example.com", units: str = "30", **changes: Any) -> dict[str, Any]:
    values = {"charity": "-", "to": to, "units": units, "message": "", "key": str(uuid.uuid4())}
    return values | changes


def held(membership: Membership) -> int:
    wallets = Wallet.objects.filter(account=membership.account_id)
    return sum(item.spendable for item in holdings(wallets, timezone.now()).values())


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def mine(customer: Customer) -> Membership:
    return Membership.objects.get(customer=customer)


@pytest.mark.parametrize("by", ["email", "card"])
def test_a_gift_is_written_looked_at_and_confirmed(
    maya: Customer, noor: Membership, sign_in: SignIn, by: str
) -> None:
    client = sign_in(maya)
    assert "You can spend 151 Beans." in text_of(client.get("/me/give/"))
    values = gift("noor@example.com" if by == "email" else noor.card_number, message="Thanks!")
    shown = text_of(client.post("/me/give/", values))
    assert "121 Beans" in shown
    assert "Noor will have" in shown
    assert "30 Beans more" in shown
    assert not Transfer.objects.filter(kind="gift").exists()

    done = client.post("/me/give/", values | {"confirmed": "1"}, follow=True)
    assert "You gave 30 Beans to Noor." in text_of(done)
    assert "Gift to Noor" in text_of(done)
    assert (held(mine(maya)), held(noor)) == (121, 93)
    out = Transfer.objects.get(kind="gift", pair=None)
    assert (out.source, out.actor) == ("account", maya.user)

    assert client.post("/me/give/", values | {"confirmed": "1"}).status_code == 302
    assert held(noor) == 93


def test_the_other_reads_who_it_was_and_the_message(
    maya: Customer, noor: Membership, sign_in: SignIn, shop: Shop
) -> None:
    values = gift(message="<b>Thanks</b>", confirmed="1")
    sign_in(maya).post("/me/give/", values)
    shop.give_sign_in(noor.customer)
    text = text_of(sign_in(noor.customer).get("/me/history/"))
    assert "Gift from Maya" in text
    assert "&lt;b&gt;Thanks&lt;/b&gt;" in text
    assert "Lim" not in text


def test_nothing_of_the_other_is_shown_but_the_given_name_and_what_was_typed(
    maya: Customer, noor: Membership, sign_in: SignIn
) -> None:
    client = sign_in(maya)
    values = gift(noor.card_number)
    pages = [client.post("/me/give/", values)]
    pages.append(client.post("/me/give/", values | {"confirmed": "1"}, follow=True))
    pages += [client.get("/me/history/"), client.get("/me/")]
    for page in pages:
        text = text_of(page)
        for secret in ("Secretname", "noor@example.com", "+1212", "N-77", "63 Beans", "93 Beans"):
            assert secret not in text, secret


def test_a_member_without_a_name_is_called_what_was_typed(
    maya: Customer, noor: Membership, sign_in: SignIn
) -> None:
    Customer.objects.filter(pk=noor.customer_id).update(given_name="")
    client = sign_in(maya)
    shown = text_of(client.post("/me/give/", gift(noor.card_number)))
    assert f"{noor.card_number} will have" in shown
    client.post("/me/give/", gift(noor.card_number, confirmed="1"))
    assert "Gift to another member" in text_of(client.get("/me/history/"))


def test_a_charity_is_given(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    values = gift(to="", charity="trees")
    assert "given for good" in text_of(client.post("/me/give/", values))
    done = client.post("/me/give/", values | {"confirmed": "1"}, follow=True)
    assert "You gave 30 Beans to City Trees." in text_of(done)
    assert held(mine(maya)) == 121


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"to": "nobody@example.com"}, "Nobody in this program is known by this."),
        ({"to": "N-77"}, "Nobody in this program is known by this."),
        ({"to": "maya@example.com"}, "this is the same member"),
        ({"to": ""}, "Say who is to be given something."),
        ({"units": "101"}, "Today 100 Beans more can be given."),
        ({"units": "1.5"}, "Give a whole number of Beans"),
        ({"units": "152", "charity": "trees"}, "Only 151 Beans can be given."),
    ],
)
@pytest.mark.parametrize("step", [{}, {"confirmed": "1"}])
@pytest.mark.usefixtures("undone_when_refused")
def test_what_cannot_be_given_is_said_at_its_field(
    maya: Customer, noor: Membership, sign_in: SignIn, values: dict[str, str], message: str,
    step: dict[str, str],
) -> None:  # fmt: skip
    response = sign_in(maya).post("/me/give/", gift() | values | step)
    assert response.status_code == 422
    assert message in text_of(response)
    assert held(mine(maya)) == 151


def test_somebody_who_was_suspended_is_not_found(
    maya: Customer, noor: Membership, sign_in: SignIn
) -> None:
    Membership.objects.filter(pk=noor.pk).update(status="suspended")
    response = sign_in(maya).post("/me/give/", gift())
    assert "Nobody in this program is known by this." in text_of(response)


def test_nobody_tries_out_who_else_is_a_member(
    maya: Customer, noor: Membership, sign_in: SignIn
) -> None:
    client = sign_in(maya)
    for number in range(LOOKUPS_PER_HOUR):
        client.post("/me/give/", gift(f"person{number}@example.com"))
    response = client.post("/me/give/", gift())
    assert "Nobody in this program is known by this." in text_of(response)
    assert held(noor) == 63


def test_going_back_keeps_what_was_typed(maya: Customer, noor: Membership, sign_in: SignIn) -> None:
    response = sign_in(maya).post("/me/give/", gift(units="31", edit="1"))
    assert response.status_code == 200
    assert 'value="31"' in response.content.decode()


def test_where_nothing_may_be_given_there_is_neither_button_nor_page(
    maya: Customer, sign_in: SignIn
) -> None:
    client = sign_in(maya)
    assert "/give/" in client.get("/me/").content.decode()
    WalletType.objects.update(gifts_to_members=False, gifts_to_charities=False)
    assert "/give/" not in client.get("/me/").content.decode()
    assert client.get("/me/give/").status_code == 404
    WalletType.objects.update(gifts_to_charities=True)
    assert client.get("/me/give/").status_code == 200
    Program.objects.update(status="archived")
    assert client.get("/me/give/").status_code == 404


def test_of_several_kinds_one_is_chosen(maya: Customer, sign_in: SignIn) -> None:
    beans = {"singular": "Bean", "plural": "Beans", "unit_value": "0.01", "pending_days": 14,
             "expiry": {"kind": "months", "length": 12}, "gifts": {"to_members": True}}  # fmt: skip
    stars = {"code": "stars", "plural": "Stars", "gifts": {"to_members": True}}
    define_program(wallet_types=[beans, stars])
    client = sign_in(maya)
    assert "/give/?units=stars" in client.get("/me/").content.decode()
    text = text_of(client.get("/me/give/?units=stars"))
    assert "You can spend 0 Stars." in text


def test_other_peoples_memberships_are_not_there(
    maya: Customer, noor: Membership, sign_in: SignIn
) -> None:
    assert sign_in(maya).get(f"/me/{noor.public_id}/give/").status_code == 404
    assert Client().get("/me/give/").status_code == 302
