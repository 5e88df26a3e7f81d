"""Joining by an account elsewhere: from the program's page, a friend's invitation, and the sign-in
page; and the whole of it in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from loyalty.models import Candidate, Membership, Program
from members.models import Customer, StaffMember, User
from tests.elsewhere import ANNA, offer, sign_in, signed_in_as
from tests.factories import UserFactory
from tests.loyalty.account.conftest import Shop, make_shop
from tests.loyalty.account.test_joining import plan
from tests.openid_server import OpenIDServer, openid_server
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db

_made_once, shop = of_each_test(make_shop)

PAGE = "/programs/beans/"


@pytest.fixture
def server(shop: Shop) -> Iterator[OpenIDServer]:
    with openid_server() as found:
        found.person = dict(ANNA)
        offer(found)
        yield found


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def test_a_stranger_joins_from_the_programs_page(shop: Shop, server: OpenIDServer) -> None:
    client = Client()
    assert "Continue with Acme" in text_of(client.get(PAGE))
    page = sign_in(client, server, next=f"{PAGE}?c=spring-flyer", joins="yes")
    assert page.redirect_chain[-1][0] == f"{PAGE}?c=spring-flyer"
    assert "You join as anna@example.com" in text_of(page)
    # Until they say so, nothing of them is kept.
    assert not Customer.objects.exists()
    assert not User.objects.exists()

    answer = client.post(f"{PAGE}?c=spring-flyer", follow=True)
    member = Membership.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("mypage:home_of", args=[member.public_id])
    assert (member.source, member.source_detail) == ("social", "spring-flyer")
    anna = Customer.objects.get()
    assert (anna.email, anna.given_name, anna.family_name) == ("anna@example.com", "Anna", "Kim")
    assert signed_in_as(client) == anna.user_id
    assert SocialAccount.objects.get().user == anna.user
    client.post(PAGE)
    assert Membership.objects.count() == 1


def test_without_a_campaign_the_provider_is_noted(shop: Shop, server: OpenIDServer) -> None:
    client = Client()
    sign_in(client, server, next=PAGE, joins="yes")
    client.post(PAGE)
    member = Membership.objects.get()
    assert (member.source, member.source_detail) == ("social", "acme")


def test_a_known_customer_signs_in_there_and_joins(shop: Shop, server: OpenIDServer) -> None:
    anna, client = shop.add_customer("anna@example.com"), Client()
    sign_in(client, server, next=PAGE, joins="yes")
    client.post(PAGE)
    member = Membership.objects.get(customer=anna)
    assert (member.source, member.source_detail) == ("social", "acme")
    # Who is there anyhow and opens another link joins by that.
    other = shop.add_customer("ben@example.com")
    client = Client()
    client.force_login(shop.give_sign_in(other), "django.contrib.auth.backends.ModelBackend")
    client.post(PAGE)
    assert Membership.objects.get(customer=other).source == "link"


def test_the_sign_in_page_shows_strangers_where_they_may_join(
    shop: Shop, server: OpenIDServer
) -> None:
    client = Client()
    for name in ("account_login", "account_request_login_code"):
        assert "Continue with Acme" in text_of(client.get(reverse(name)))
    answer = sign_in(client, server)
    assert answer.status_code == 404
    assert f'href="{PAGE}"' in text_of(answer)
    assert "You join as anna@example.com" in text_of(client.get(PAGE))
    client.post(PAGE)
    assert Membership.objects.get().source == "social"


def test_where_nobody_joins_by_themselves_this_is_no_way_round(
    shop: Shop, server: OpenIDServer
) -> None:
    client = Client()
    sign_in(client, server, next=PAGE, joins="yes")
    Program.objects.update(joinable=False)
    assert client.post(PAGE).status_code == 409
    assert not Customer.objects.exists()
    assert not User.objects.exists()
    assert f'href="{PAGE}"' not in text_of(sign_in(client, server))


def test_whom_the_launch_does_not_admit_yet_waits(shop: Shop, server: OpenIDServer) -> None:
    plan(shop.program, opens_in=30)
    client = Client()
    sign_in(client, server, next=PAGE, joins="yes")
    answer = client.post(PAGE, follow=True)
    assert "You are on the waiting list" in text_of(answer)
    assert not Membership.objects.exists()
    found = Candidate.objects.get()
    assert (found.source, found.source_detail) == ("social", "acme")


def test_who_has_become_staff_meanwhile_does_not_join_like_that(
    shop: Shop, server: OpenIDServer
) -> None:
    client = Client()
    sign_in(client, server, next=PAGE, joins="yes")
    StaffMember.objects.create(user=UserFactory(email="anna@example.com"), role="analyst")
    assert client.post(PAGE).status_code == 409
    assert not Customer.objects.exists()
    assert signed_in_as(client) is None


def test_what_was_shown_is_good_for_half_an_hour(
    shop: Shop, server: OpenIDServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    sign_in(client, server, next=PAGE, joins="yes")
    monkeypatch.setattr("members.account.proofs.VALID_SECONDS", 0)
    session = client.session
    session["proof_of_elsewhere"] = session["proof_of_elsewhere"] | {"until": 0}
    session.save()
    assert "You join as" not in text_of(client.get(PAGE))
    assert client.post(PAGE).status_code == 422
    assert not Customer.objects.exists()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_in_a_browser_one_agrees_joins_leaves_and_comes_back(
    shop: Shop,
    server: OpenIDServer,
    page: Any,
    page_errors: list[str],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page.goto(f"{PAGE}?c=poster")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Continue with Acme").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("You did not agree there")).to_be_visible()
    assert_no_axe_violations(page)

    page.goto(f"{PAGE}?c=poster")
    page.get_by_role("button", name="Continue with Acme").click()
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_text("You join as anna@example.com")).to_be_visible()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Join", exact=True).click()
    page.wait_for_url("**/me/**")
    member = Membership.objects.get()
    assert (member.source, member.source_detail) == ("social", "poster")

    page.goto(reverse("mypage:profile"))
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(lambda url: "/me/" not in url)
    page.goto(reverse("account_request_login_code"))
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Continue with Acme").click()
    page.get_by_role("button", name="Agree").click()
    page.wait_for_url("**/me/**")

    page.goto(reverse("mypage:profile"))
    page.get_by_role("button", name="Disconnect Acme").click()
    expect(page.get_by_role("button", name="Connect Acme", exact=True)).to_be_visible()
    assert not SocialAccount.objects.exists()
    page.get_by_role("button", name="Connect Acme", exact=True).click()
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_role("button", name="Disconnect Acme")).to_be_visible()
    assert page_errors == []
