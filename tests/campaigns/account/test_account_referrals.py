"""Members bring friends from their own pages; friends see who invites them, and join."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Referral, ReferralLink, ReferralTrace, ReferralVisit
from campaigns.services.affiliates import stop_affiliate
from campaigns.services.referral_programs import pause_referrals
from loyalty.models import JoinRequest, Membership, Program
from loyalty.services.leaving import leave_program
from members.models import Customer, OutboxEvent
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.campaigns.referrals import (
    bring,
    brought_friend,
    buy,
    make_link,
    make_member,
    promise,
    settle,
)
from tests.elsewhere import ANNA, offer, sign_in
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program
from tests.openid_server import openid_server
from tests.sharing import anew, shared
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def make_world() -> Program:
    program = make_program(at=timezone.now() - 9 * DAY, unit={"unit_value": "0.01"})
    promise(program, at=timezone.now() - 9 * DAY, wait_days=0)
    return program


made_once = shared(make_world)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def ana(club: Program) -> Membership:
    CustomerFactory(
        external_id="ana", with_user=True, given_name="Ana", email="ana@shop.test", phone=""
    )
    return make_member(club, "ana", at=timezone.now() - 8 * DAY)


@pytest.fixture
def client_of_ana(ana: Membership) -> Client:
    return signed_in(ana.customer.user)


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_page_has_link_code_and_picture_and_whom_they_brought(
    client_of_ana: Client, club: Program, ana: Membership
) -> None:
    address = reverse("referrals_account:invite")
    shown = page(client_of_ana, address)
    link = ReferralLink.objects.get(membership=ana)
    assert f"/refer/{link.code}/" in shown
    assert "<svg" in shown
    assert "You get 300 points for each friend who joins and buys." in shown
    assert f"{link.code[:4]} {link.code[4:]}" in shown
    # Where they looked at it is known by hashes alone.
    assert {row.kind for row in ReferralTrace.objects.filter(customer=ana.customer)} == {
        "device", "network",
    }  # fmt: skip
    found = bring(link, at=timezone.now() - 2 * DAY, given_name="Ben", email="ana+b@shop.test")
    assert found.status == "in_review"
    shown = page(client_of_ana, address)
    assert "Ben" in shown
    # That they are suspected is told to nobody.
    assert "Being checked" in shown
    other = bring(link, "cat", at=timezone.now() - 2 * DAY, given_name="Cat")
    buy("cat", at=timezone.now() - DAY)
    settle(other, timezone.now())
    assert "300 points" in page(client_of_ana, address)
    assert ReferralLink.objects.count() == 1


def test_the_home_page_leads_there_while_it_is_on(client_of_ana: Client, club: Program) -> None:
    home = reverse("mypage:home")
    assert "Invite a friend" in page(client_of_ana, home)
    pause_referrals(program=club, actor=SYSTEM, now=timezone.now())
    assert "You get 300 points for each friend" not in page(client_of_ana, home)
    own = page(client_of_ana, reverse("referrals_account:invite"))
    assert "Nothing to share at the moment" in own


def test_nobody_sees_the_friends_of_another(client_of_ana: Client, club: Program) -> None:
    other = make_member(club, "zoe", at=timezone.now())
    page(client_of_ana, reverse("referrals_account:invite_of", args=[other.public_id]), 404)


def test_a_friend_asks_by_the_link_confirms_the_mail_and_is_brought(
    club: Program, client: Client
) -> None:
    link = make_link(club, "ann", at=timezone.now(), given_name="Ann")
    address = reverse("referrals:invited", args=[link.code.lower()])
    shown = page(client, address)
    assert "Ann invites you" in shown
    assert "Join and buy, and you get 100 points." in shown
    page(client, address)
    assert ReferralVisit.objects.count() == 1
    answer = client.post(address, {"email": "ben@friends.test", "given_name": "Ben"})
    assert answer.status_code == 200
    asked = JoinRequest.objects.get()
    assert asked.source_detail == f"ref-{link.code}"
    deliver_waiting()
    found = re.search(r"http\S+/programs/\S+", str(mail.outbox[-1].body))
    assert found is not None
    client.post(found.group().partition("testserver")[2] or "/" + found.group().split("/", 3)[3])
    while OutboxEvent.objects.filter(delivered_at=None, kind="membership.joined").exists():
        deliver_waiting()
    referral = Referral.objects.get()
    assert (referral.friend.given_name, referral.status, referral.link) == ("Ben", "joined", link)
    traces = ReferralTrace.objects.filter(customer=referral.friend)
    assert {row.kind for row in traces} == {"device", "network"}


def test_a_friend_joins_by_an_account_elsewhere_and_is_brought(
    club: Program, client: Client
) -> None:
    link = make_link(club, "ann", at=timezone.now(), given_name="Ann")
    address = reverse("referrals:invited", args=[link.code])
    with openid_server() as server:
        server.person = dict(ANNA, email="ben@friends.test", given_name="Ben")
        offer(server)
        assert "Continue with Acme" in page(client, address)
        sign_in(client, server, next=address, joins="yes")
    assert "You join as ben@friends.test" in page(client, address)
    assert not Referral.objects.exists()
    client.post(address)
    member = Membership.objects.get(customer__email="ben@friends.test")
    assert (member.source, member.source_detail) == ("social", f"ref-{link.code}")
    while OutboxEvent.objects.filter(delivered_at=None, kind="membership.joined").exists():
        deliver_waiting()
    referral = Referral.objects.get()
    assert (referral.friend, referral.status, referral.link) == (member.customer, "joined", link)
    traces = ReferralTrace.objects.filter(customer=referral.friend)
    assert {"device", "network"} <= {row.kind for row in traces}


def test_who_looks_at_their_link_and_joins_from_there_is_looked_at(
    client_of_ana: Client, club: Program, ana: Membership
) -> None:
    page(client_of_ana, reverse("referrals_account:invite"))
    link = ReferralLink.objects.get(membership=ana)
    CustomerFactory(external_id="ann2", with_user=True, email="other@shop.test", phone="")
    user = Customer.objects.get(external_id="ann2").user
    second = signed_in(user)
    second.post(reverse("referrals:invited", args=[link.code]))
    while OutboxEvent.objects.filter(delivered_at=None, kind="membership.joined").exists():
        deliver_waiting()
    assert Referral.objects.get().reasons == ["same_device", "same_network"]


def test_a_link_that_leads_nowhere_is_not_found_and_a_paused_one_leads_to_the_program(
    club: Program, client: Client
) -> None:
    page(client, reverse("referrals:invited", args=["NOBODY99"]), 404)
    link = make_link(club, "ann", at=timezone.now())
    pause_referrals(program=club, actor=SYSTEM, now=timezone.now())
    answer = client.get(reverse("referrals:invited", args=[link.code]))
    assert answer.headers["Location"] == reverse("programs:program", args=[club.code])
    page(client, reverse("referrals:affiliate", args=["guess"]), 404)


def test_who_brings_nobody_any_more_invites_nobody(
    client_of_ana: Client, club: Program, ana: Membership, client: Client
) -> None:
    own = reverse("referrals_account:invite")
    page(client_of_ana, own)
    link = ReferralLink.objects.get(membership=ana)
    address = reverse("referrals:invited", args=[link.code])
    assert "Ana invites you" in page(client, address)
    leave_program(membership=ana, actor=SYSTEM, now=timezone.now())
    # Nothing is promised to a friend that nobody would get.
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("programs:program", args=[club.code])
    assert link.code not in client_of_ana.get(own).content.decode()


def test_an_affiliate_who_was_stopped_invites_nobody(club: Program, client: Client) -> None:
    _referral, affiliate = brought_friend(club)
    address = reverse("referrals:invited", args=[affiliate.link.code])
    assert "Bread Blog invites you" in page(client, address)
    stop_affiliate(affiliate=affiliate, actor=SYSTEM, now=timezone.now())
    assert client.get(address).status_code == 302


def test_a_share_of_further_purchases_is_said_to_both_and_summed(
    client_of_ana: Client, ana: Membership
) -> None:
    now = timezone.now()
    promise(ana.program, at=now, wait_days=0, advocate_further={"percent": 10, "orders": 3},
            friend_further={"percent": 1, "months": 2})  # fmt: skip
    link = make_link(ana.program, "ana", at=now)
    found = bring(link, at=now)
    for number in range(3):
        buy(at=now + dt.timedelta(minutes=number), name=f"order-{number}")
        settle(found, now + dt.timedelta(minutes=number))
    own = client_of_ana.get(reverse("referrals_account:invite_of", args=[ana.public_id]))
    text = own.content.decode().replace("\xa0", " ").replace("&#x27;", "'")
    assert "You get 10% of a friend's further purchases in points: 3 orders." in text
    assert "300 points + 1,000 points" in text
    friend = Client().get(f"/refer/{link.code}/").content.decode()
    assert "You get 1% of your further purchases in points: 2 months." in friend
