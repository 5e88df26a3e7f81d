"""Members read what is on for them and what is announced, without needing JavaScript."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.campaign_rules import draw_of
from campaigns.services.campaigns import pause_campaign
from loyalty.models import Membership, Program
from members.condition_fields import drawn_number
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import launch
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program
from tests.rewards.factories import make_member
from tests.sharing import anew, shared
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


made_once = shared(lambda: make_program(at=timezone.now() - 9 * DAY))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def client_of_ana(club: Program) -> Client:
    CustomerFactory(external_id="ana", with_user=True)
    ana: Membership = make_member(0, "ana", club)
    return signed_in(ana.customer.user)


def page(client: Client, name: str) -> str:
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_what_is_on_says_until_when_and_what_comes_has_its_teaser(
    client_of_ana: Client, club: Program
) -> None:
    now = timezone.now()
    launch(club, at=now, starts_at=now, ends_at=now + DAY, text="It counts twice.")
    launch(
        club, "flash", name="Night", title="The night", teaser="Something comes", at=now,
        starts_at=now + 2 * DAY, ends_at=now + 3 * DAY, teased_at=now - DAY,
    )  # fmt: skip
    shown = page(client_of_ana, "campaigns_account:campaigns")
    assert shown.index("Spring points") < shown.index("Something comes")
    assert "Ends on" in shown
    assert "Begins on" in shown
    assert "It counts twice." in shown
    assert "The night" not in shown
    home = page(client_of_ana, "mypage:home")
    assert "Spring points" in home
    assert "All 2 promotions" in home


def test_nothing_on_is_said(client_of_ana: Client, club: Program) -> None:
    now = timezone.now()
    campaign = launch(club, at=now, starts_at=now, ends_at=now + DAY)
    pause_campaign(campaign=campaign, actor=SYSTEM, now=now + dt.timedelta(seconds=1))
    others = {"field": "customer.country", "op": "is", "value": "ZZ"}
    launch(club, name="Away", at=now, starts_at=now, ends_at=now + DAY, audience=others)
    assert "Nothing special at the moment" in page(client_of_ana, "campaigns_account:campaigns")
    assert "Spring points" not in page(client_of_ana, "mypage:home")


def test_it_is_read_in_the_members_language(client_of_ana: Client, club: Program) -> None:
    now = timezone.now()
    launch(club, at=now, starts_at=now, ends_at=now + DAY, texts={"en": {"title": "In English"}})
    assert "In English" in page(client_of_ana, "campaigns_account:campaigns")


def terms(client: Client, address: str = "/programs/club/terms/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def multiplied(page: str) -> set[int]:
    return {int(found) for found in re.findall(r"\b(\d+) times what rates and cashback give", page)}


@pytest.mark.parametrize(
    ("address", "hours"),
    [("/programs/club/", 2), ("/programs/club/terms/", 2), ("/programs/club/terms/", -2)],
)
def test_who_is_kept_aside_does_not_read_of_it_in_the_terms(
    client_of_ana: Client, club: Program, address: str, hours: int
) -> None:
    """Of twenty that are on or over she has drawn some, and is kept aside from the others."""
    hers = Customer.objects.get(external_id="ana")
    ends = timezone.now() + dt.timedelta(hours=hours)
    found = {
        factor: launch(club, at=ends - DAY, starts_at=ends - DAY, ends_at=ends, holdout=50,
                       offer={"factor": factor})
        for factor in range(2, 22)
    }  # fmt: skip
    aside = {
        factor for factor, item in found.items()
        if drawn_number(draw_of(item), hers.public_id) < 50
    }  # fmt: skip
    assert 0 < len(aside) < 20
    assert multiplied(terms(Client(), address)) == set(found)
    assert multiplied(terms(client_of_ana, address)) == set(found) - aside


def test_the_terms_do_not_announce_what_the_promotion_does_not_yet(club: Program) -> None:
    now = timezone.now()
    launch(club, name="Secret sale", at=now, starts_at=now + DAY, ends_at=now + 2 * DAY)
    assert "Secret sale" not in terms(Client())


def test_no_cache_keeps_what_one_reader_was_told(client_of_ana: Client) -> None:
    assert "no-store" in client_of_ana.get("/programs/club/terms/")["Cache-Control"]
