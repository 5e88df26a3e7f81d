"""Gift cards and credit on the customer's own pages."""

import re
import uuid

import pytest
from django.utils import timezone

from loyalty.models import Membership, Wallet
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from loyalty.unit_definitions import WalletTypeDefinition
from members.services.audit import SYSTEM
from rewards.models import GiftCard
from rewards.services.gift_cards import GiftCardPeople, code_of
from tests.rewards.cards import CREDIT, issue, left, pay
from tests.rewards.factories import offer, take

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("maya_for_all", "undone_when_refused"),
]  # fmt: skip


@pytest.fixture
def member(maya):
    now = timezone.now()
    found = Membership.objects.select_related("program", "customer")
    member = found.filter(customer=maya).earliest("enrolled_at")
    said = definition_of(member.program, now)
    kinds = (*said.wallet_types, WalletTypeDefinition.model_validate(CREDIT))
    apply_definition(said.model_copy(update={"wallet_types": kinds}), actor=SYSTEM, now=now)
    return found.get(pk=member.pk)


@pytest.fixture
def client(maya, sign_in_customer):
    return sign_in_customer(maya)


def text(response):
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def path(member):
    return f"/me/{member.public_id}/credit/"


def add(client, member, code, key=None):
    return client.post(f"{path(member)}add/", {"code": code, "key": key or str(uuid.uuid4())})


def credit_of(member):
    return Wallet.objects.get(account=member.account_id, wallet_type__stored_value=True).balance


def test_there_is_no_page_without_stored_value(client, maya):
    member = Membership.objects.filter(customer=maya).earliest("enrolled_at")
    assert client.get(path(member)).status_code == 404


def test_a_card_is_added_to_their_credit_once(client, member):
    assert "$0.00" in text(client.get(path(member)))
    card = issue(member.program, "25", at=timezone.now())
    key, code = str(uuid.uuid4()), code_of(card).lower()
    for _time in range(2):
        assert add(client, member, code, key).status_code == 302
    page = text(client.get(path(member)))
    assert "$25.00" in page
    assert f"From gift card ending in {card.last_four}" in page
    assert (credit_of(member), left(card, timezone.now())) == (2500, "0.00")
    assert "Gift cards and credit" in text(client.get(f"/me/{member.public_id}/rewards/"))


def test_a_wrong_code_is_refused_at_its_field(client, member):
    answer = add(client, member, "2222-2222-2222-2")
    assert answer.status_code == 422
    assert "There is no such gift card" in text(answer)
    used = issue(member.program, "5", at=timezone.now())
    code = code_of(used)
    pay(used, "5", at=timezone.now())
    assert "Nothing is left on it." in text(add(client, member, code))


def test_whoever_tries_out_codes_is_stopped(client, member):
    for _time in range(10):
        add(client, member, "2222-2222-2222-2")
    card = issue(member.program, "5", at=timezone.now())
    assert "Too many wrong codes" in text(add(client, member, code_of(card)))
    assert credit_of(member) == 0


def test_cards_that_they_bought_show_their_code_until_they_are_used(client, member):
    people = GiftCardPeople(buyer=member.customer, recipient_name="Leo")
    card = issue(member.program, "25", at=timezone.now(), people=people)
    assert "For Leo" in text(client.get(path(member)))
    page = client.get(f"/me/gift-cards/{card.public_id}/")
    assert code_of(card) in text(page)
    assert "no-store" in page["Cache-Control"]
    pay(card, "5", at=timezone.now())
    page = text(client.get(f"/me/gift-cards/{card.public_id}/"))
    assert "$20.00" in page
    assert code_of(card) not in page


def test_nobody_sees_another_s_card(client, member):
    card = issue(member.program, "25", at=timezone.now())
    assert client.get(f"/me/gift-cards/{card.public_id}/").status_code == 404


def test_a_gift_card_is_taken_from_the_shelf(client, member):
    reward = offer(member.program, "card", kind="gift_card", amount=5, price=10)
    shown = client.get(f"/me/{member.public_id}/rewards/{reward.public_id}/")
    key = re.search(r'name="key" value="([^"]+)"', shown.content.decode())[1]
    answer = client.post(f"/me/{member.public_id}/rewards/{reward.public_id}/", {"key": key})
    assert answer["Location"] == path(member)
    card = GiftCard.objects.get()
    assert card.buyer == member.customer
    assert str(card) in text(client.get(path(member)))


def test_what_gave_credit_is_listed_among_what_was_taken(client, member):
    take(member, offer(member.program, "five", kind="store_credit", amount=5, price=10))
    assert "Reward: 5 off" in text(client.get(path(member)))
    assert client.get(f"/me/{member.public_id}/vouchers/").status_code == 200
    assert client.get("/me/").status_code == 200


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_can_be_used_by_everybody(
    page, live_server, member, maya, assert_no_axe_violations, client
):
    card = issue(member.program, "25", at=timezone.now())
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page.goto(f"{live_server.url}{path(member)}")
    assert_no_axe_violations(page)
    page.get_by_label("Code of the gift card").fill(code_of(card))
    page.get_by_role("button", name="Add it to my credit").click()
    page.get_by_text("From gift card ending in").first.wait_for()
    assert_no_axe_violations(page)
