"""Members read what is offered to them alone, and why; their offers survive a merge."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import PersonalOffer
from loyalty.models import Membership, Program
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from members.services.merging import merge_customers, undo_merge
from tests.campaigns.campaigns import launch
from tests.factories import CustomerFactory
from tests.loyalty.factories import line, make_program, make_wallet, order, record
from tests.rewards.factories import make_member
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def club() -> Program:
    return make_program(at=timezone.now() - 90 * DAY)


@pytest.fixture
def client_of_ana(club: Program) -> Client:
    CustomerFactory(external_id="ana", with_user=True)
    ana: Membership = make_member(0, "ana", club, timezone.now() - 80 * DAY)
    return signed_in(ana.customer.user)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def offered(program: Program, *buyers: str) -> None:
    now = timezone.now()
    for who in buyers:
        for ago in (5, 6, 7):
            basket = (line(1, "10", category="coffee"),)
            at = now - ago * DAY
            record(order(f"{who}{ago}", "10", lines=basket, buyer=who, at=at), now=at)
    launch(
        program, "personal-favorite", at=now, starts_at=now, ends_at=now + 9 * DAY,
        title="Your favorite", offer={"categories": ["coffee"]},
    )  # fmt: skip
    run_scheduled(kind="personal_offers", now=timezone.now())


def how() -> dict[str, Any]:
    return {"actor": SYSTEM, "source": "backoffice", "now": timezone.now()}


def test_the_shelf_says_what_why_and_until_when_and_is_seen(
    client_of_ana: Client, club: Program
) -> None:
    assert "For you" not in page(client_of_ana, reverse("mypage:earn"))
    offered(club, "ana")
    shown = page(client_of_ana, reverse("mypage:earn"))
    for words in ("For you", "Your favorite", "2 × points on coffee",
                  "Because you bought coffee 3 times.", "Ends on"):  # fmt: skip
        assert words in shown
    offer = PersonalOffer.objects.get()
    assert offer.state == "seen"
    page(client_of_ana, reverse("mypage:earn"))
    assert PersonalOffer.objects.get().seen_at == offer.seen_at


def test_what_is_offered_to_others_stands_in_no_terms(client_of_ana: Client, club: Program) -> None:
    make_wallet(club, "bob")
    offered(club, "bob")
    now = timezone.now()
    launch(club, "surprise", name="Out of the blue", at=now, starts_at=now, ends_at=now + DAY)
    for address in (reverse("mypage:earn"), reverse("programs:terms", args=[club.code])):
        shown = page(client_of_ana, address)
        assert "coffee" not in shown
        assert "Out of the blue" not in shown


def test_merged_they_keep_the_offers_of_both_and_have_their_own_again(club: Program) -> None:
    for who in ("ana", "bob"):
        make_wallet(club, who, timezone.now() - 80 * DAY)
    offered(club, "bob")
    kept, merged = (Customer.objects.get(external_id=who) for who in ("ana", "bob"))
    merge, _again = merge_customers(kept=kept, merged=merged, **how())
    assert PersonalOffer.objects.get().membership.customer == kept
    undo_merge(merge=merge, **how())
    assert PersonalOffer.objects.get().membership.customer == merged


def test_of_one_campaign_whoever_stays_keeps_their_own(club: Program) -> None:
    for who in ("ana", "bob"):
        make_wallet(club, who, timezone.now() - 80 * DAY)
    offered(club, "ana", "bob")
    kept, merged = (Customer.objects.get(external_id=who) for who in ("ana", "bob"))
    merge_customers(kept=kept, merged=merged, **how())
    assert PersonalOffer.objects.filter(membership__customer=kept).count() == 1
