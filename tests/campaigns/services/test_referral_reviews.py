"""Referrals that are looked at before they are paid, and what somebody decides."""

from __future__ import annotations

import pytest

from campaigns.models import (
    Referral,
    ReferralLink,
)
from campaigns.referral_traces import note_traces
from campaigns.services.referral_reviews import approve_referral, refuse_referral
from campaigns.services.referrals import bring_friend
from loyalty.models import Membership, Program, Transfer
from loyalty.services.leaving import leave_program
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM, Actor
from tests.campaigns.referrals import (
    bring,
    buy,
    make_link,
    promise,
    settle,
)
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import NOW, day, make_program
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
Status = Referral.Status


made_once = shared(lambda: make_program(unit={"unit_value": "0.01"}, earning_rules=[]))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    """A unit is worth a cent, and orders earn nothing, so that all there is was given."""
    return anew(made_once)


@pytest.fixture
def link(club: Program) -> ReferralLink:
    promise(club)
    return make_link(club)


@pytest.mark.parametrize(
    ("of_ann", "of_ben", "reason"),
    [
        ({"email": "ann.lee@gmail.com"}, {"email": "annlee+shop@gmail.com"}, "same_email"),
        ({"phone": "+60123456789"}, {"phone": "+1123456789"}, "same_phone"),
        (
            {"attributes": {"address": "1 High St, Ipoh"}},
            {"attributes": {"address": "1 high st ipoh"}},
            "same_address",
        ),
    ],
)
def test_who_looks_like_the_same_person_is_looked_at_and_not_dropped(
    club: Program, of_ann: dict, of_ben: dict, reason: str
) -> None:
    promise(club, wait_days=0)
    found = bring(make_link(club, **of_ann), **of_ben)
    assert (found.status, found.reasons) == (Status.IN_REVIEW, [reason])
    buy(at=day(1))
    found = settle(found, day(2))
    assert (found.status, found.order.external_id) == (Status.IN_REVIEW, "ben-1")
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("device", "same_device"), ("network", "same_network"), ("payment", "same_payment"),
     ("address", "same_address")],
)  # fmt: skip
def test_what_the_shop_tells_of_both_is_compared(
    link: ReferralLink, kind: str, reason: str
) -> None:
    note_traces(link.membership.customer, {kind: "4111 xx 1"}, NOW)
    assert bring(link, traces={kind: "4111-XX-1"}).reasons == [reason]
    # Another friend is another person.
    assert bring(link, "cat", traces={kind: "other"}).status == Status.JOINED


@pytest.mark.parametrize(
    ("one", "other"),
    [("81.23.14.5", "81.231.4.5"), ("2001:db8::1:23", "2001:db8::12:3")],
)
def test_places_on_the_network_that_only_look_alike_are_different(
    link: ReferralLink, one: str, other: str
) -> None:
    member = link.membership.customer
    note_traces(member, {"network": one, "device": f"{one}|Browser 7|en"}, NOW)
    said = {"network": other, "device": f"{other}|Browser 7|en"}
    assert bring(link, traces=said).status == Status.JOINED
    same = {"network": f" {one.upper()}", "device": f"{one}|browser 7|EN"}
    assert bring(link, "cat", traces=same).reasons == ["same_device", "same_network"]


def test_friends_of_one_who_are_one_are_looked_at(link: ReferralLink) -> None:
    assert bring(link, traces={"device": "phone 7"}).status == Status.JOINED
    assert bring(link, "cat", traces={"device": "phone 7"}).reasons == ["shared_device"]
    # Everybody of a household is at one place on the network.
    bring(link, "dan", traces={"network": "1.2.3.4"})
    assert bring(link, "eve", traces={"network": "1.2.3.4"}).status == Status.JOINED


def test_ones_own_code_is_looked_at(link: ReferralLink) -> None:
    found, _again = bring_friend(link=link, friend=link.membership.customer, via="api", now=day(1))
    assert (found.status, found.reasons) == (Status.IN_REVIEW, ["same_person"])


def test_many_friends_in_a_day_are_looked_at(club: Program) -> None:
    promise(club, most_per_day=2)
    link = make_link(club)
    assert [bring(link, name, at=day(0.1)).status for name in ("a", "b")] == [Status.JOINED] * 2
    assert bring(link, "c", at=day(0.2)).reasons == ["velocity"]
    assert bring(link, "d", at=day(2)).status == Status.JOINED


def test_somebody_lets_it_pass_with_a_reason_and_it_is_paid(club: Program) -> None:
    promise(club, wait_days=0)
    found = bring(make_link(club, email="a@b.co"), email="a+b@b.co")
    buy(at=day(1))
    settle(found, day(1))
    staff = Actor.of_user(StaffMemberFactory().user)
    with pytest.raises(DomainError) as refused:
        approve_referral(referral=found, note=" ", actor=staff, now=day(2))
    assert refused.value.errors[0].field == "note"
    done = approve_referral(referral=found, note="Twins", actor=staff, now=day(2))
    assert (done.status, done.cleared, done.note) == (Status.PAID, ["same_email"], "Twins")
    assert approve_referral(referral=found, note="x", actor=staff, now=day(3)).status == Status.PAID
    assert Transfer.objects.count() == 2
    assert AuditEntry.objects.filter(action="referral.approved").count() == 1


def test_somebody_refuses_it_with_a_reason(link: ReferralLink) -> None:
    found = bring(link, email="x+1@y.co")
    done = refuse_referral(referral=found, note="Made up", actor=SYSTEM, now=day(1))
    assert (done.status, done.refusal, done.note) == (Status.REFUSED, "staff", "Made up")
    refuse_referral(referral=found, note="Made up", actor=SYSTEM, now=day(1))
    with pytest.raises(ConflictError):
        approve_referral(referral=found, note="No", actor=SYSTEM, now=day(2))
    buy(at=day(1))
    assert settle(found, day(40)).status == Status.REFUSED
    assert AuditEntry.objects.filter(action="referral.refused").count() == 1


def test_not_a_unit_more_than_the_budget_is_given_and_what_is_beyond_waits(club: Program) -> None:
    promise(club, budget_units=700, wait_days=0)
    link = make_link(club)
    found = [bring(link, name) for name in ("ben", "cat")]
    for name in ("ben", "cat"):
        buy(name, at=day(1))
    first, second = (settle(item, day(1)) for item in found)
    assert (first.status, second.status) == (Status.PAID, Status.IN_REVIEW)
    assert second.reasons == ["budget"]
    still = approve_referral(referral=second, note="Try", actor=SYSTEM, now=day(2))
    assert (still.status, still.reasons) == (Status.IN_REVIEW, ["budget"])
    assert Transfer.objects.count() == 2


def test_money_is_a_budget_too(club: Program) -> None:
    promise(club, budget_money="7.99", wait_days=0)
    link = make_link(club)
    states = []
    for name in ("ben", "cat"):
        found = bring(link, name)
        buy(name, at=day(1))
        states.append(settle(found, day(1)).status)
    assert states == [Status.PAID, Status.IN_REVIEW]


def test_who_has_left_is_not_paid_before_somebody_looks_at_it(link: ReferralLink) -> None:
    found = bring(link)
    buy(at=day(1))
    settle(found, day(1))
    leave_program(membership=link.membership, actor=SYSTEM, now=day(2))
    assert settle(found, day(20)).reasons == ["not_active"]
    assert not Transfer.objects.exists()


def test_a_friend_who_has_left_stays_in_review_when_somebody_lets_it_pass(
    link: ReferralLink,
) -> None:
    found = bring(link)
    buy(at=day(1))
    settle(found, day(1))
    member = Membership.objects.get(customer=found.friend)
    leave_program(membership=member, actor=SYSTEM, now=day(2))
    assert settle(found, day(20)).reasons == ["not_active"]
    done = approve_referral(referral=found, note="It was a mistake", actor=SYSTEM, now=day(21))
    assert (done.status, done.reasons) == (Status.IN_REVIEW, ["not_active"])
    assert done.joined_at is not None
    assert not Transfer.objects.exists()
