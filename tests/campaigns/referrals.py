"""Referrals for tests: a program that promises something, members with links, friends."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from campaigns.models import Affiliate, Referral, ReferralLink, ReferralProgram
from campaigns.referral_definitions import ReferralDefinition
from campaigns.services.affiliates import add_affiliate
from campaigns.services.referral_links import link_of
from campaigns.services.referral_programs import publish_terms, write_terms
from campaigns.services.referrals import bring_friend, bring_up_to_date
from loyalty.models import Membership, Program
from loyalty.services.memberships import enroll_customer
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import CUSTOMERS, NOW, order, record

DAY = dt.timedelta(days=1)
UNITS = {"advocate": {"kind": "units", "units": 300}, "friend": {"kind": "units", "units": 100}}


def promise(program: Program, *, at: dt.datetime = NOW, **said: Any) -> ReferralDefinition:
    """300 for who brings a friend, 100 for the friend, if nothing else is said."""
    definition = ReferralDefinition.model_validate(UNITS | said)
    write_terms(program=program, definition=definition, actor=SYSTEM, now=at)
    publish_terms(program=program, actor=SYSTEM, now=at)
    return definition


def make_member(
    program: Program, number: str, *, at: dt.datetime = NOW, **values: Any
) -> Membership:
    customer = CUSTOMERS.first(number) or Customer.objects.create(external_id=number, **values)
    membership, _ = enroll_customer(
        customer=customer, program=program, source=Membership.Source.STAFF, at=at, actor=SYSTEM
    )
    return membership


def make_link(
    program: Program, number: str = "ann", *, at: dt.datetime = NOW, **values: Any
) -> ReferralLink:
    link = link_of(make_member(program, number, at=at, **values), at)
    assert link is not None
    return link


def bring(
    link: ReferralLink, number: str = "ben", *, at: dt.datetime = NOW, via: str = "link",
    traces: dict[str, str] | None = None, **values: Any,
) -> Referral:  # fmt: skip
    """A friend who joins at this moment by the link."""
    member = make_member(link.referral_program.program, number, at=at, **values)
    return bring_friend(link=link, friend=member.customer, via=via, now=at, traces=traces)[0]


def buy(number: str = "ben", total: str = "50", *, at: dt.datetime = NOW, name: str = "") -> None:
    record(order(name or f"{number}-1", total, at=at, buyer=number))


def settle(referral: Referral, at: dt.datetime) -> Referral:
    found = bring_up_to_date(referral.pk, at)
    assert found is not None
    return found


def brought_friend(program: Program) -> tuple[Referral, Affiliate]:
    """One of a member, and an affiliate beside it."""
    promise(program)
    referral = bring(make_link(program, "advocate"), "friend")
    affiliate, _page = add_affiliate(
        referral_program=ReferralProgram.objects.get(program=program), name="Bread Blog",
        email="blog@bread.test", per_friend=Decimal(5), percent=Decimal(10), actor=SYSTEM, now=NOW,
    )  # fmt: skip
    return referral, affiliate
