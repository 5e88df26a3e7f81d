"""Why a member gets a promotion or does not, for whoever is asked on the telephone."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.selectors.campaign_verdicts import verdicts_for
from campaigns.selectors.campaigns import is_for
from campaigns.services.campaigns import end_campaign
from loyalty.models import Membership, Program
from loyalty.services.leaving import leave_program
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import DAY, draft, launch
from tests.loyalty.factories import NOW, make_program, make_wallet

pytestmark = pytest.mark.django_db
TAGGED = {"field": "customer.tags", "op": "has_any", "value": ["student"]}
FROM_PERU = {"field": "customer.country", "op": "is", "value": "PE"}


@pytest.fixture
def shop() -> Program:
    return make_program()


@pytest.fixture
def anna(shop: Program) -> Customer:
    member = make_wallet(shop, "c1").account.membership.customer
    Customer.objects.filter(pk=member.pk).update(country="PE")
    member.refresh_from_db()
    return member


def told(customer: Customer, now: dt.datetime = NOW) -> list[tuple[str, bool, str]]:
    return [(row.campaign.name, row.gets_it, row.why) for row in verdicts_for(customer, now)]


def test_the_first_thing_that_does_not_hold_is_said(shop: Program, anna: Customer) -> None:
    launch(shop, name="For all")
    launch(shop, name="Students", audience={"all": [FROM_PERU, TAGGED]})
    (name, gets_it, why), everybody = told(anna)
    assert (name, gets_it) == ("Students", False)
    assert "student" in why
    assert "Peru" not in why
    assert everybody == ("For all", True, "")
    Customer.objects.filter(pk=anna.pk).update(tags=["student"])
    assert [gets for _name, gets, _why in told(anna)] == [True, True]


def test_who_is_kept_aside_is_told_so_to_the_agent(shop: Program, anna: Customer) -> None:
    campaign = launch(shop, holdout=50)
    member = Membership.objects.get(customer=anna)
    for number in range(2, 40):
        member = make_wallet(shop, f"c{number}").account.membership
        if not is_for(campaign, member, NOW):
            break
    [(_name, gets_it, why)] = told(member.customer)
    assert not gets_it
    assert "By chance" in why


def test_what_is_not_on_any_more_or_was_never_published_is_left_out(
    shop: Program, anna: Customer
) -> None:
    draft(shop, name="Draft")
    campaign = launch(shop, name="Over")
    end_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    [row] = verdicts_for(anna, NOW + DAY)
    assert (row.campaign.name, row.status) == ("Over", "ended")
    assert told(anna, NOW + 60 * DAY) == []


def test_who_has_left_gets_nothing(shop: Program, anna: Customer) -> None:
    launch(shop)
    leave_program(membership=Membership.objects.get(customer=anna), actor=SYSTEM, now=NOW)
    assert told(anna) == [("Spring", False, "Only active members get it.")]


def test_as_many_queries_however_many_promotions(shop: Program, anna: Customer) -> None:
    launch(shop, name="One", audience=TAGGED)
    with CaptureQueriesContext(connection) as few:
        told(anna)
    launch(shop, name="Two", audience={"all": [TAGGED, FROM_PERU]})
    launch(shop, name="Three")
    with CaptureQueriesContext(connection) as many:
        assert len(told(anna)) == 3
    assert len(many) == len(few)
