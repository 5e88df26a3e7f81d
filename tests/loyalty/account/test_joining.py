"""A program's public page: what it says, and joining from it without any account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from campaigns.models import Consent, ConsentChange
from campaigns.services.consents import set_consents
from campaigns.services.topics import create_topic, put_away
from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import Candidate, JoinRequest, Membership, Program
from loyalty.services.invitations import invite_customer
from loyalty.services.launches import plan_launch
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.conftest import PHONE, WIDE
from tests.factories import CustomerFactory
from tests.loyalty.account.conftest import Shop, make_shop
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db

_made_once, shop = of_each_test(make_shop)

PAGE = "/programs/beans/"
ANN = {"email": "ann@example.com", "given_name": "Ann", "family_name": "Lee"}


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def link_in_mail() -> str:
    while deliver_waiting():
        pass
    link = next(line for line in mail.outbox[-1].body.splitlines() if "/programs/" in line)
    return "/" + link.partition("://")[2].partition("/")[2]


def plan(program: Program, *, opens_in: int | None = None, **founding: Any) -> None:
    today = timezone.now().astimezone(program.zone).date()
    phases = []
    if opens_in is not None:
        first = today + dt.timedelta(days=opens_in)
        phases = [{"kind": "everyone", "starts_on": first}]
    launch = {"phases": phases, "founding": founding or None}
    plan_launch(
        program=program, launch=LaunchDefinition.model_validate(launch), actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip


def test_it_says_what_members_get_from_the_live_rules(shop: Shop) -> None:
    response = Client().get(PAGE)
    said = text_of(response)
    assert "2 Beans for each $1.00 spent." in said
    assert 'name="email"' in said
    assert f'href="{PAGE}terms/"' in said
    assert Client().get("/programs/tea/").status_code == 404


def test_the_founding_bonus_is_on_it_while_there_is_one(shop: Shop) -> None:
    assert "founding members" not in text_of(Client().get(PAGE))
    plan(shop.program, units=200, days=30, most_members=50)
    said = text_of(Client().get(PAGE))
    assert "200 Beans for founding members" in said
    assert "50 places left." in said
    Program.objects.update(live_since=timezone.now() - dt.timedelta(days=31))
    assert "founding members" not in text_of(Client().get(PAGE))


def test_a_stranger_joins_by_the_link_in_a_mail(shop: Shop) -> None:
    client = Client()
    response = client.post(f"{PAGE}?c=spring-flyer", ANN)
    assert "We have written to ann@example.com" in text_of(response)
    assert not Customer.objects.exists()
    link = link_in_mail()
    assert "You join as ann@example.com" in text_of(client.get(link))
    assert not Membership.objects.exists()
    assert "You are in" in text_of(client.post(link))
    member = Membership.objects.get()
    assert (member.source, member.source_detail) == ("link", "spring-flyer")
    assert "You are in" in text_of(client.post(link))
    assert Membership.objects.count() == 1


def test_a_box_that_was_ticked_counts_once_the_address_is_proven(shop: Shop) -> None:
    client, box = Client(), "consent_email_offers"
    form = text_of(client.get(PAGE))
    assert f'name="{box}"' in form
    assert "checked" not in form.partition(f'name="{box}"')[2].partition(">")[0]
    client.post(PAGE, ANN | {box: "on"})
    link = link_in_mail()
    assert not Consent.objects.exists()
    client.post(link)
    change = ConsentChange.objects.get()
    assert (change.became, change.source, change.channel) == ("granted", "join", "email")
    assert change.wording is not None
    assert "may write to me" in change.wording.text
    # Opened again, it says nothing anew.
    client.post(link)
    assert ConsentChange.objects.count() == 1


def test_the_link_joins_also_where_what_was_ticked_is_asked_no_more(shop: Shop) -> None:
    topic = create_topic(
        code="events", actor=SYSTEM, name="Events", sentence="Tastings.", asked_at_join=True
    )
    client = Client()
    client.post(PAGE, ANN | {"consent_email_events": "on", "consent_email_offers": "on"})
    put_away(topic=topic, away=True, actor=SYSTEM, now=timezone.now())
    client.post(link_in_mail())
    assert Membership.objects.count() == 1
    assert [change.topic for change in ConsentChange.objects.all()] == ["offers"]


def test_a_no_that_was_said_between_the_box_and_the_link_stays(shop: Shop) -> None:
    ann = CustomerFactory(email=ANN["email"])
    client = Client()
    client.post(PAGE, ANN | {"consent_email_offers": "on"})
    set_consents(
        customer=ann, wanted={("email", "offers"): False}, source="link", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    client.post(link_in_mail())
    assert Consent.objects.get().state == "denied"


def test_a_box_that_was_left_as_it_is_says_nothing(shop: Shop) -> None:
    client = Client()
    client.post(PAGE, ANN)
    client.post(link_in_mail())
    assert Membership.objects.count() == 1
    assert not Consent.objects.exists()


def test_known_and_unknown_addresses_read_the_same(shop: Shop) -> None:
    shop.enroll(shop.add_customer("maya@example.com"))
    known, unknown = (
        text_of(Client().post(PAGE, {"email": f"{name}@example.com"})).partition("<main")[2]
        for name in ("maya", "nobody")
    )
    assert "We have written to" in unknown.partition("</main>")[0]
    known, unknown = known.partition("</main>")[0], unknown.partition("</main>")[0]
    assert known.replace("maya", "nobody") == unknown


@pytest.mark.parametrize("email", ["", "no address", "a@b"])
def test_a_wrong_address_is_said_beside_the_field(shop: Shop, email: str) -> None:
    response = Client().post(PAGE, {"email": email})
    assert response.status_code == 422
    assert not JoinRequest.objects.exists()


def test_one_place_cannot_send_any_number_of_forms(shop: Shop, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"join": "10/m/ip"}
    client = Client(REMOTE_ADDR="10.1.2.3")
    answers = [
        client.post(PAGE, {"email": f"ann{number}@example.com"}).status_code for number in range(12)
    ]
    assert answers.count(200) == 10
    assert answers[-1] == 422


def test_a_wrong_link_says_so(shop: Shop) -> None:
    for address in (f"{PAGE}join/wrong/", f"{PAGE}invitation/wrong/"):
        response = Client().post(address)
        assert response.status_code == 404
        assert "This link does not work any more" in text_of(response)


def test_somebody_who_is_signed_in_joins_with_one_button(
    shop: Shop, sign_in: Callable[[Customer], Client]
) -> None:
    customer = shop.add_customer("ann@example.com")
    shop.give_sign_in(customer)
    client = sign_in(customer)
    assert 'name="email"' not in text_of(client.get(PAGE))
    response = client.post(f"{PAGE}?c=app")
    member = Membership.objects.get()
    assert response["Location"] == f"/me/{member.public_id}/"
    assert (member.source, member.source_detail) == ("link", "app")
    assert "You are a member" in text_of(client.get(PAGE))


def test_before_it_opens_one_is_put_on_the_list(
    shop: Shop, sign_in: Callable[[Customer], Client]
) -> None:
    plan(shop.program, opens_in=10)
    assert "Join the waiting list" in text_of(Client().get(PAGE))
    client = Client()
    client.post(PAGE, ANN)
    assert "You are on the waiting list" in text_of(client.post(link_in_mail()))
    assert not Membership.objects.exists()
    customer = Customer.objects.get()
    shop.give_sign_in(customer)
    assert "You are on the waiting list" in text_of(sign_in(customer).get(PAGE))


def test_a_program_that_is_by_invitation_only_has_no_form(shop: Shop) -> None:
    Program.objects.update(joinable=False)
    assert "By invitation only" in text_of(Client().get(PAGE))
    assert Client().post(PAGE, ANN).status_code == 422
    assert not JoinRequest.objects.exists()


@pytest.mark.parametrize(("answer", "state"), [("accept", "joined"), ("decline", "declined")])
def test_an_invitation_is_accepted_or_declined(shop: Shop, answer: str, state: str) -> None:
    customer = shop.add_customer("ann@example.com", given_name="Ann")
    invite_customer(customer=customer, program=shop.program, actor=SYSTEM, now=timezone.now())
    link = link_in_mail()
    client = Client()
    assert "Ann, you are invited" in text_of(client.get(link))
    assert Candidate.objects.get().state == "invited"
    assert client.post(link, {"answer": answer}).status_code == 200
    assert Candidate.objects.get().state == state
    assert Membership.objects.exists() is (state == "joined")
    assert client.post(link, {"answer": "accept"}).status_code == 404


def test_who_is_in_no_program_is_shown_those_to_join(
    shop: Shop, sign_in: Callable[[Customer], Client]
) -> None:
    customer = shop.add_customer("ann@example.com")
    shop.give_sign_in(customer)
    assert PAGE in text_of(sign_in(customer).get("/me/"))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "browser_context_options", [{"viewport": PHONE, "has_touch": True}], ids=["phone"]
)
def test_a_person_reads_it_and_joins_in_a_browser(
    page: Any,
    live_server: Any,
    shop: Shop,
    assert_fits: Callable[[Any], None],
) -> None:
    def look() -> None:
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            assert_fits(page)

    plan(shop.program, units=200, days=30)
    page.goto(f"{live_server.url}{PAGE}")
    look()
    page.get_by_role("textbox", name="E-mail").fill("ann@example.com")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    look()
    page.goto(live_server.url + link_in_mail())
    page.get_by_role("button", name="Yes, join").click()
    page.get_by_role("heading", name="You are in").wait_for()
    look()
    assert Membership.objects.get().customer.email == "ann@example.com"
