"""/referrals, codes of friends, and a member's own below /me."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from campaigns.models import Referral
from campaigns.services.referrals import bring_up_to_date
from loyalty.models import Membership, Program, WalletType
from loyalty.services.leaving import leave_program
from members.models import Customer
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.referrals import make_link, promise
from tests.loyalty.factories import give_back, order, record, refund

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("beans_for_all", "undone_when_refused"),
]


@pytest.fixture
def code(program: Program) -> str:
    promise(program, wait_days=0, at=timezone.now())
    return make_link(program, "ann", at=timezone.now(), email="ann@shop.test").code


@pytest.fixture
def api(key_with: Callable[..., ApiClient]) -> ApiClient:
    return key_with("referrals:read", "referrals:write", "referrals:review", "memberships:write")


def test_a_friend_is_brought_once_and_followed_until_both_are_paid(
    api: ApiClient, program: Program, code: str
) -> None:
    Customer.objects.create(external_id="ben", given_name="Ben")
    body = {"program": program.code, "code": code.lower(), "customer": {"external_id": "ben"}}
    made = api.post("/referrals", body)
    assert made.status_code == 201
    assert (made.json()["status"], made.json()["via"]) == ("invited", "api")
    assert api.post("/referrals", body).status_code == 200
    api.post("/memberships", {"program": program.code, "customer": {"external_id": "ben"}})
    record(order("B1", "30", buyer="ben", at=timezone.now(), currency=program.currency))
    referral = Referral.objects.get()
    bring_up_to_date(referral.pk, timezone.now())
    found = api.get(f"/referrals/{referral.public_id}").json()
    assert found["status"] == "paid"
    assert {(item["side"], item["units"]) for item in found["payments"]} == {
        ("advocate", "300"), ("friend", "100"),
    }  # fmt: skip
    assert api.get(f"/referrals?status=paid&program={program.code}").json()["results"] == [found]
    assert api.get("/referrals?status=refused").json()["results"] == []
    results = api.get(f"/programs/{program.code}/referral-results").json()
    assert (results["joined"], results["bought"], results["paid"]) == (1, 1, 1)
    assert results["months"][0]["paid"] == 1


def test_a_code_is_given_as_somebody_joins(api: ApiClient, program: Program, code: str) -> None:
    body = {"program": program.code, "phone": "+60123456789", "referral_code": code}
    assert api.post("/till/memberships", body).status_code == 201
    assert Referral.objects.get().via == "till"
    Customer.objects.create(external_id="cat")
    body = {"program": program.code, "customer": {"external_id": "cat"}, "referral_code": "NOBODY"}
    refused = assert_problem(api.post("/memberships", body), 422, "no_such_code")
    assert refused["errors"][0]["field"] == "referral_code"
    assert not Membership.objects.filter(customer__external_id="cat").exists()
    assert api.post("/memberships", body | {"referral_code": code}).status_code == 201
    assert Referral.objects.get(friend__external_id="cat").status == "joined"


def test_shares_of_further_purchases_stand_beside_what_was_paid_for_the_first(
    api: ApiClient, program: Program, code: str
) -> None:
    now = timezone.now()
    WalletType.objects.filter(program=program).update(unit_value="0.01")
    promise(program, at=now, wait_days=0, advocate_further={"percent": 10, "orders": 2})
    Customer.objects.create(external_id="ben")
    body = {"program": program.code, "customer": {"external_id": "ben"}, "referral_code": code}
    api.post("/memberships", body)
    referral = Referral.objects.get()
    for number, minutes in (("B1", 1), ("B2", 2)):
        at = now + dt.timedelta(minutes=minutes)
        record(order(number, "30", buyer="ben", at=at, currency=program.currency))
        bring_up_to_date(referral.pk, at)
    give_back(refund("R", "15", of="B2", at=at, currency=program.currency))
    bring_up_to_date(referral.pk, at)
    found = api.get(f"/referrals/{referral.public_id}").json()
    shown = [
        (item["side"], item["order"], item["units"], item["units_back"], item["money"])
        for item in found["payments"]
    ]
    assert shown[-1] == ("advocate", "B2", "300", "150", "1.50")
    assert {order for _side, order, *_rest in shown[:-1]} == {None}
    results = api.get(f"/programs/{program.code}/referral-results").json()
    assert results["further"] == 1
    assert any("further purchases" in sentence for sentence in results["sentences"])


def test_what_is_in_review_is_decided_with_a_reason(
    api: ApiClient, program: Program, code: str
) -> None:
    Customer.objects.create(external_id="ben", email="ann+2@shop.test")
    body = {"program": program.code, "customer": {"external_id": "ben"}, "referral_code": code}
    api.post("/memberships", body)
    referral = Referral.objects.get()
    assert referral.reasons == ["same_email"]
    place = f"/referrals/{referral.public_id}"
    assert api.post(f"{place}/approve", {"note": ""}).status_code in (400, 422)
    assert api.post(f"{place}/approve", {"note": "Mother and son"}).json()["status"] == "joined"
    refused = api.post(f"{place}/refuse", {"note": "Made up"}).json()
    assert (refused["status"], refused["refusal"]) == ("refused", "staff")
    assert_problem(api.post(f"{place}/approve", {"note": "No"}), 409, "referral_closed")


def test_traces_that_a_shop_tells_are_compared(api: ApiClient, program: Program, code: str) -> None:
    for number in ("ben", "cat"):
        Customer.objects.create(external_id=number)
        body = {
            "program": program.code, "code": code, "customer": {"external_id": number},
            "traces": {"payment": "card-4711"},
        }  # fmt: skip
        api.post("/referrals", body)
    states = dict(Referral.objects.values_list("friend__external_id", "reasons"))
    assert states == {"ben": [], "cat": ["shared_payment"]}


def test_a_code_says_whose_it_is(api: ApiClient, program: Program, code: str) -> None:
    Customer.objects.filter(external_id="ann").update(given_name="Ann")
    found = api.get(f"/referral-codes/{code[:4]}-{code[4:]}").json()
    assert (found["code"], found["name"], found["open"]) == (code, "Ann", True)
    assert found["url"].endswith(f"/refer/{code}/")
    assert_problem(api.get("/referral-codes/NOBODY99"), 404, "not_found")
    member = Membership.objects.get(customer__external_id="ann")
    leave_program(membership=member, actor=SYSTEM, now=timezone.now())
    assert api.get(f"/referral-codes/{code}").json()["open"] is False


def test_each_scope_opens_its_own(key_with: Callable[..., ApiClient], program: Program) -> None:
    reads = key_with("referrals:read")
    assert_problem(reads.post("/referrals", {}), 403, "insufficient_scope")
    writes = key_with("referrals:write")
    assert_problem(writes.get("/referrals"), 403, "insufficient_scope")
