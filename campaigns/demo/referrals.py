"""The demonstration's referrals: members with links, friends at every stage, one of them in review,
and an affiliate."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from campaigns.models import ReferralLink, ReferralProgram, ReferralVisit
from campaigns.referral_definitions import ReferralDefinition
from campaigns.referral_traces import digest_of
from campaigns.services.affiliates import add_affiliate
from campaigns.services.referral_links import DETAIL, link_of
from campaigns.services.referral_programs import publish_terms, write_terms
from campaigns.services.referrals import bring_friend, bring_up_to_date
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program, Transfer
from loyalty.services.memberships import enroll_customer
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput
from loyalty.services.orders import record_orders
from members.models import Customer
from members.services.audit import SYSTEM

# After the rewards, messages and promotions, in the order of names.
PART = "told_referrals"
SOURCE = "demo-referrals"
TERMS = {
    "advocate": {"kind": "units", "units": 500}, "friend": {"kind": "units", "units": 250},
    "steps": [{"friends": 3, "gift": {"kind": "units", "units": 800}}],
    "advocate_further": {"percent": 2, "orders": 10, "months": 12, "most_per_order": 200},
    "least": 20, "wait_days": 14, "within_days": 60, "budget_units": 60_000,
    "title": "Bring a friend", "share": "I collect Acorns with everything I buy. Join by my link:",
    "texts": {"ms": {"title": "Ajak kawan", "share": "Sertai melalui pautan saya:"}},
}  # fmt: skip
# Their first names, how many days ago they came, what they bought a day later, and by what their
# device is known.
FRIENDS = (
    ("Nora", 75, 48, "n"), ("Tariq", 62, 31, "t"), ("Mei", 41, 55, "m"), ("Jonas", 33, 27, "j"),
    ("Elif", 9, 64, "e"), ("Ravi", 6, 0, "r"), ("Ruth", 4, 36, "s"), ("Rut", 3, 36, "s"),
    ("Sofia", 70, 0, "f"), ("Ida", 52, 60, "i"),
)  # fmt: skip
# A demonstration of few households has fewer friends: one for so many members.
MEMBERS_EACH = 10
# What some of them bought so many days after they came, beside the first purchase.
FURTHER = {"Nora": (24, 66), "Tariq": (20, 38)}
# Brought by the second of the members.
SECOND = ("Tariq", "Sofia")


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_referrals)


@transaction.atomic
def show_referrals(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if ReferralProgram.objects.filter(program=program).exists():
        return
    now = timezone.now()
    began = now - dt.timedelta(days=80)
    definition = ReferralDefinition.model_validate(TERMS)
    write_terms(program=program, definition=definition, actor=SYSTEM, now=began)
    publish_terms(program=program, actor=SYSTEM, now=began)
    members = Membership.objects.filter(
        program=program, status=Membership.Status.ACTIVE, merged_into=None
    ).order_by(F("customer__user").asc(nulls_last=True), "pk")  # fmt: skip
    links = [link for member in members[:2] if (link := link_of(member, began)) is not None]
    blog = _affiliate(program, began)
    for place, (name, days, spent, device) in enumerate(FRIENDS[: members.count() // MEMBERS_EACH]):
        link = blog if name == "Ida" else links[-1 if name in SECOND else 0]
        _bring(link, place, name, days, spent, device, now)
    for link in (*links, blog):
        _visit(link, now)


def _bring(
    link: ReferralLink, place: int, name: str, days: int, spent: int, device: str, now: dt.datetime
) -> None:
    """At the time at which it happened: they came, bought, and waited."""
    at = now - dt.timedelta(days=days)
    program = link.referral_program.program
    friend = Customer.objects.create(
        external_id=f"REF-{place + 1}", given_name=name, family_name="Bergen",
        email=f"{name.lower()}.{place}@friends.example",
    )  # fmt: skip
    enroll_customer(
        customer=friend, program=program, source=Membership.Source.LINK, at=at, actor=SYSTEM,
        detail=f"{DETAIL}{link.code}", chosen=True,
    )  # fmt: skip
    referral, _known = bring_friend(
        link=link, friend=friend, via="link", now=at, traces={"device": f"demo {device}"}
    )
    if spent:
        _buy(friend, program, f"friend-{place + 1}", at + dt.timedelta(hours=20), spent)
        bring_up_to_date(referral.pk, at + dt.timedelta(hours=20))
    # When it is paid, and when who bought nothing has had their time.
    bring_up_to_date(referral.pk, min(now, at + dt.timedelta(days=15)))
    if name in FURTHER:
        later, total = FURTHER[name]
        _buy(friend, program, f"friend-{place + 1}-again", at + dt.timedelta(days=later), total)
        bring_up_to_date(referral.pk, min(now, at + dt.timedelta(days=later + 15)))
    bring_up_to_date(referral.pk, min(now, at + dt.timedelta(days=61)))


def _buy(friend: Customer, program: Program, number: str, at: dt.datetime, total: int) -> None:
    money = Decimal(total)
    order = OrderInput(
        number, at, program.currency, money, CustomerRef(key=friend.pk), SOURCE, channel="web",
        lines=(LineInput(1, money, sku="BASKET", name="Groceries", category="GROCERY"),),
    )  # fmt: skip
    record_orders([order], now=at, transfer_source=Transfer.Source.API, program_ids=[program.pk])


def _visit(link: ReferralLink, now: dt.datetime) -> None:
    today = now.astimezone(link.referral_program.program.zone).date()
    ReferralVisit.objects.bulk_create(
        ReferralVisit(
            link=link, day=today - dt.timedelta(days=3 * number),
            visitor=digest_of("visitor", f"{link.pk}|demo {number}"),
        )
        for number in range(24)
    )  # fmt: skip


def _affiliate(program: Program, at: dt.datetime) -> ReferralLink:
    row = ReferralProgram.objects.get(program=program)
    made, _page = add_affiliate(
        referral_program=row, name="The Bread Blog", email="hello@bread-blog.example",
        per_friend=Decimal(3), percent=Decimal(5), actor=SYSTEM, now=at,
    )  # fmt: skip
    link: ReferralLink = made.link
    return link
