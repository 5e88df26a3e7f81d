"""Members give to charities in two taps, and choose a share that goes by itself."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.ledger.balances import holdings
from loyalty.models import CharityEntry, Membership, Program, StandingGift, Wallet, WalletType
from members.models import Customer
from tests.loyalty.account.conftest import define_program

pytestmark = pytest.mark.usefixtures("maya_for_all")
SignIn = Callable[[Customer], Client]


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def mine(customer: Customer) -> Membership:
    return Membership.objects.get(customer=customer)


def held(customer: Customer) -> int:
    wallets = Wallet.objects.filter(account=mine(customer).account_id)
    return sum(item.spendable for item in holdings(wallets, timezone.now()).values())


def at(customer: Customer, rest: str = "") -> str:
    return f"/me/{mine(customer).public_id}/giving/{rest}"


def test_a_tap_on_an_amount_gives_it_once_and_says_what_came_of_it(
    maya: Customer, sign_in: SignIn
) -> None:
    client = sign_in(maya)
    assert "Good causes" in text_of(client.get("/me/"))
    shown = client.get(at(maya, "trees/"))
    assert "Give 100 Beans" in text_of(shown)
    assert "you keep 51 Beans" in text_of(shown)
    assert "Give 151 Beans" in text_of(shown)
    # Nothing brings a gift back: who taps on all that they have is asked first.
    html = shown.content.decode().replace("\xa0", " ")
    assert html.count("data-confirm=") == 1
    assert 'data-confirm-title="Give 151 Beans"' in html
    values = {"units": "100", "key": shown.context["key"]}
    for _ in range(2):
        answer = client.post(at(maya, "trees/"), values, follow=True)
    assert "You gave 100 Beans to City Trees" in text_of(answer)
    assert (held(maya), CharityEntry.objects.count()) == (51, 1)
    assert "$1.00 through you" in text_of(client.get("/me/"))
    assert "$1.00" in text_of(client.get("/me/giving/"))


@pytest.mark.usefixtures("undone_when_refused")
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"units": "152"}, "151"),
        ({"units": ""}, "Choose how many."),
        ({"units": "other", "other": "many"}, "not a number"),
        ({"units": "other", "other": "0"}, "other than zero"),
    ],
)
def test_what_cannot_be_given_is_said(
    maya: Customer, sign_in: SignIn, values: dict[str, str], said: str
) -> None:
    answer = sign_in(maya).post(at(maya, "trees/"), values | {"key": str(uuid.uuid4())})
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert held(maya) == 151


def test_another_amount_is_typed(maya: Customer, sign_in: SignIn) -> None:
    values = {"units": "other", "other": "7", "key": str(uuid.uuid4())}
    assert sign_in(maya).post(at(maya, "trees/"), values).status_code == 302
    assert held(maya) == 144


def test_a_share_is_chosen_and_stopped(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    unit = WalletType.objects.get().code
    address = f"/me/{mine(maya).public_id}/standing-gifts/{unit}/"
    chosen = client.post(address, {"charity": "trees", "percent": "50"}, follow=True)
    assert "50% go to City Trees" in text_of(chosen)
    assert client.post(address, {"charity": "trees", "percent": "51"}).status_code == 404
    stopped = client.post(address, {"percent": "0"}, follow=True)
    assert "Nothing is given by itself any more." in text_of(stopped)
    assert StandingGift.objects.get().ended_at is not None


def test_where_nobody_is_given_to_there_is_no_page(
    maya: Customer, program: Program, sign_in: SignIn
) -> None:
    define_program(charities=[{"code": "trees", "name": "City Trees", "status": "archived"}])
    client = sign_in(maya)
    assert client.get("/me/giving/").status_code == 404
    assert client.get(at(maya, "trees/")).status_code == 404
    assert "Good causes" not in text_of(client.get("/me/"))


def test_another_ones_page_is_not_there(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    stranger = f"/me/{uuid.uuid4()}/giving/"
    assert client.get(stranger).status_code == 404
    assert client.get(at(maya, "seas/")).status_code == 404


def test_the_public_terms_say_whom_members_give_to(maya: Customer, client: Client) -> None:
    assert "City Trees" in text_of(client.get("/programs/beans/terms/"))


def test_what_went_to_charities_is_asked_of_the_database_only_where_it_is_shown(
    maya: Customer, sign_in: SignIn
) -> None:
    client = sign_in(maya)
    asked = {}
    for page in ("/me/", "/me/history/", "/me/card/"):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        asked[page] = sum("loyalty_charityentry" in query["sql"] for query in queries)
    assert asked == {"/me/": 1, "/me/history/": 0, "/me/card/": 0}
